"""Seal a part whose node died: cut the torn tail, then write what sealing would have written.

Reads only files of this package's own layout (docs/recording-format.md). Safe to run again: a file that
is sealed already is only measured and hashed.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import unpack

from media.depacketizer import opus_samples
from media.recorder import SealedInfo, seal_file
from media.webm import (
    AUDIO,
    CLUSTER,
    CLUSTER_MS,
    CLUSTER_TIMESTAMP,
    DURATION,
    EBML,
    INFO,
    PIXEL_HEIGHT,
    PIXEL_WIDTH,
    SEEK_HEAD_ROOM,
    SEGMENT,
    SIMPLE_BLOCK,
    TRACK_ENTRY,
    TRACKS,
    VIDEO,
    VIDEO_SETTINGS,
    VOID,
    Cue,
    Index,
    Layout,
    Write,
    close_cluster,
    finish,
)
from records.model import Gap

_FRAME_MS = 33
_MAX_HEAD = 4096
_MAX_BLOCK = 4 << 20
_UNKNOWN = (1 << 56) - 1
_DURATION_BYTES = 11


class NotOurs(ValueError):
    """The file is not a part, or was cut before its first cluster."""


@dataclass(frozen=True)
class _Element:
    number: int
    at: int
    data: int  # where its payload starts
    size: int  # of the payload; _UNKNOWN when it is still open

    @property
    def end(self) -> int:
        return self.data + self.size


def seal_orphan(path: Path) -> SealedInfo:
    """Repair and seal the file in place. Raises NotOurs or OSError. Blocking: run it off the event loop."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return _seal(fd)
    finally:
        os.close(fd)


def _seal(fd: int) -> SealedInfo:
    length = os.fstat(fd).st_size
    layout, sealed = _read_head(fd, length)
    index = Index(layout, 0)
    writes = _read_clusters(fd, length, index)
    end = index.end / 1000
    if sealed:
        return seal_file(fd, [], end, ())
    os.ftruncate(fd, index.size)
    gap = Gap(round(end, 3), round(end, 3), "video" if layout.width is not None else "audio", "node_died")
    return seal_file(fd, writes + finish(index), end, (gap,))


# --- reading -----------------------------------------------------------------------------------


def _element(fd: int, at: int) -> _Element | None:
    """The element that starts there; None when its head is torn."""
    head = os.pread(fd, 12, at)
    if not head or not head[0]:
        return None
    id_size = 9 - head[0].bit_length()
    if id_size > 4 or len(head) <= id_size or not head[id_size]:
        return None
    size_size = 9 - head[id_size].bit_length()
    if len(head) < id_size + size_size:
        return None
    number = int.from_bytes(head[:id_size], "big")
    size = int.from_bytes(head[id_size : id_size + size_size], "big") & ((1 << 7 * size_size) - 1)
    return _Element(number, at, at + id_size + size_size, size)


def _children(fd: int, start: int, end: int) -> Iterator[_Element]:
    """The whole elements in a range, up to the first that is torn."""
    while start < end:
        found = _element(fd, start)
        if found is None or (found.end > end and found.number not in (SEGMENT, CLUSTER)):
            return
        yield found
        start = found.end


def _read_head(fd: int, length: int) -> tuple[Layout, bool]:
    """Where the patchable places are, and whether the file was sealed."""
    first = _element(fd, 0)
    if first is None or first.number != EBML or first.end > min(length, _MAX_HEAD):
        raise NotOurs("no EBML head")
    segment = _element(fd, first.end)
    if segment is None or segment.number != SEGMENT or segment.data - segment.at != 12:
        raise NotOurs("no segment")
    start = segment.data
    parts = {e.number: e for e in _children(fd, start + SEEK_HEAD_ROOM, min(length, _MAX_HEAD))}
    info, tracks = parts.get(INFO), parts.get(TRACKS)
    if info is None or tracks is None:
        raise NotOurs("no info or tracks")
    # The place of the duration: filled, or still void.
    places = [e for e in _children(fd, info.data, info.end) if e.number in (DURATION, VOID)]
    if len(places) != 1 or places[0].end - places[0].at != _DURATION_BYTES:
        raise NotOurs("no place for the duration")
    width, height = _picture_size_at(fd, tracks)
    layout = Layout(start, start, places[0].at, info.at, tracks.at, width, height)
    return layout, segment.size != _UNKNOWN


def _picture_size_at(fd: int, tracks: _Element) -> tuple[int | None, int | None]:
    for track in _children(fd, tracks.data, tracks.end):
        if track.number != TRACK_ENTRY:
            continue
        for settings in _children(fd, track.data, track.end):
            if settings.number == VIDEO_SETTINGS:
                sizes = {e.number: e.data for e in _children(fd, settings.data, settings.end)}
                return sizes.get(PIXEL_WIDTH), sizes.get(PIXEL_HEIGHT)
    return None, None


def _read_clusters(fd: int, length: int, index: Index) -> list[Write]:
    """Fill the index with every whole block; the sizes that clusters before the last still lack."""
    layout = index.layout
    tracks = _element(fd, layout.tracks)
    assert tracks is not None
    at = index.size = tracks.end
    writes: list[Write] = []
    cued = -10 * CLUSTER_MS
    while (cluster := _element(fd, at)) is not None and cluster.number == CLUSTER:
        if index.cluster is not None:
            writes.append(close_cluster(index.cluster, at))
        open_end = length if cluster.size == _UNKNOWN else min(cluster.end, length)
        end, cued = _read_cluster(fd, cluster, open_end, index, cued)
        if end == cluster.data:
            break  # not even its timestamp
        at = index.size = end
        index.cluster = cluster.at
    return writes


def _read_cluster(fd: int, cluster: _Element, limit: int, index: Index, cued: int) -> tuple[int, int]:
    """Where the last whole block ends, and the time of the newest cue."""
    base, end = 0, cluster.data
    for block in _children(fd, cluster.data, limit):
        if block.number == CLUSTER_TIMESTAMP:
            base = int.from_bytes(os.pread(fd, block.size, block.data), "big")
        elif block.number != SIMPLE_BLOCK or not 4 < block.size <= _MAX_BLOCK:
            break  # the next cluster, or what follows the last
        else:
            track, relative, flags, toc, second = unpack("!BhBBB", _six(fd, block))
            time, number = base + relative, track & 127
            milliseconds = opus_samples(bytes([toc, second])) // 48 if number == AUDIO else _FRAME_MS
            index.end = max(index.end, time + milliseconds)
            by_key = number == VIDEO and bool(flags & 0x80)
            if by_key or (index.layout.width is None and time - cued >= 5 * CLUSTER_MS):
                index.cues.append(Cue(time, number, cluster.at))
                cued = time
        end = block.end
    return end, cued


def _six(fd: int, block: _Element) -> bytes:
    return os.pread(fd, min(6, block.size), block.data).ljust(6, b"\0")
