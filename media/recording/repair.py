"""Seal a part whose node died or whose disk failed: cut the torn tail, then write what sealing would have
written.

Reads only files of this package's own layout (docs/recording-format.md). Safe to run again: a file that
is sealed already is only measured and hashed.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from struct import Struct

from media.recording.disk import read_at
from media.recording.ebml import (
    CLUSTER,
    CLUSTER_TIMESTAMP,
    DURATION,
    EBML,
    INFO,
    SEGMENT,
    SIMPLE_BLOCK,
    TRACK_ENTRY,
    TRACK_TYPE,
    TRACKS,
    VOID,
    Element,
    children,
    element_at,
)
from media.recording.seal import SealedInfo, seal_file
from media.recording.webm import (
    AUDIO,
    CLUSTER_HEAD_BYTES,
    CUE_MS,
    DURATION_ROOM,
    NEVER,
    PICTURE_MS,
    SEEK_HEAD_ROOM,
    TRACKS_ROOM,
    VIDEO,
    Cue,
    Index,
    Layout,
    Write,
    cluster_head,
    finish,
)
from media.wire.opus import samples as opus_samples
from records.model import Gap

_MAX_HEAD = 4096
_MAX_CLUSTER = 64 << 20
_BLOCK_HEAD = Struct("!BhB").unpack_from


class NotOurs(ValueError):
    """The file is not a part, or was cut before its first cluster."""


@dataclass(frozen=True)
class _Head:
    layout: Layout
    sealed: bool
    video: bool  # it has a track of pictures


def seal_orphan(path: Path) -> SealedInfo:
    """Repair and seal the file in place. Raises NotOurs or OSError. Blocking: run it off the event loop."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return seal_torn(fd, "node_died", None, ())
    finally:
        os.close(fd)


def seal_torn(fd: int, reason: str, until: float | None, gaps: tuple[Gap, ...]) -> SealedInfo:
    """Seal what is whole, with a gap from its end to ``until`` (seconds; None: of no length). A full disk
    costs the cues. Raises NotOurs or OSError."""
    length = os.fstat(fd).st_size
    head = _read_head(fd, length)
    index = Index(head.layout, head.layout.end)
    writes = _read_clusters(fd, length, index)
    if index.size == head.layout.end:
        raise NotOurs("no frames")
    end = index.end / 1000
    if head.sealed:
        return seal_file(fd, [], end, gaps)
    gap = Gap(round(end, 3), round(max(end, until or 0.0), 3), "video" if head.video else "audio", reason)
    os.ftruncate(fd, index.size)
    try:
        return seal_file(fd, writes + finish(index), end, (*gaps, gap))
    except OSError:
        os.ftruncate(fd, index.size)
        return seal_file(fd, writes + finish(index, cues=False), end, (*gaps, gap))


def _read_head(fd: int, length: int) -> _Head:
    """Where the places are that are filled in last, and whether that was done."""
    data = read_at(fd, _MAX_HEAD, 0)
    first = element_at(data, 0)
    if first is None or first.number != EBML or first.size is None or first.end > len(data):
        raise NotOurs("no EBML head")
    segment = element_at(data, first.end)
    if segment is None or segment.number != SEGMENT or segment.data - segment.at != 12:
        raise NotOurs("no segment")
    start = segment.data
    parts = {e.number: e for e in children(data, start + SEEK_HEAD_ROOM, len(data))}
    info, tracks = parts.get(INFO), parts.get(TRACKS)
    if info is None or tracks is None or tracks.at + TRACKS_ROOM > length:
        raise NotOurs("no info or tracks")
    places = [e for e in children(data, info.data, info.end) if e.number in (DURATION, VOID)]
    if len(places) != 1 or places[0].end - places[0].at != DURATION_ROOM:
        raise NotOurs("no place for the duration")
    layout = Layout(start, start, info.at, places[0].at, tracks.at)
    return _Head(layout, segment.size is not None, _has_pictures(data, tracks))


def _has_pictures(data: bytes, tracks: Element) -> bool:
    entries = [e for e in children(data, tracks.data, tracks.end) if e.number == TRACK_ENTRY]
    types = [e for entry in entries for e in children(data, entry.data, entry.end) if e.number == TRACK_TYPE]
    return any(data[e.data] == 1 for e in types)


def _read_clusters(fd: int, length: int, index: Index) -> list[Write]:
    """Fill the index with every whole block. The write that is left to do: the size of a torn cluster."""
    cued, at = -CUE_MS, index.size
    while True:
        start = read_at(fd, CLUSTER_HEAD_BYTES, at)
        cluster = element_at(start, 0)
        if (
            cluster is None
            or (cluster.number, cluster.data, len(start)) != (CLUSTER, 12, CLUSTER_HEAD_BYTES)
            or not 6 <= (cluster.size or 0) <= _MAX_CLUSTER
            or start[12] != CLUSTER_TIMESTAMP
        ):
            return []
        time = int.from_bytes(start[14:], "big")
        blocks = read_at(fd, cluster.end - CLUSTER_HEAD_BYTES, at + CLUSTER_HEAD_BYTES)
        whole, cued = _read_blocks(blocks, time, Cue(0, 0, at), index, cued)
        if whole == 0:
            return []
        index.size = at + CLUSTER_HEAD_BYTES + whole
        if index.size < at + cluster.end:
            return [Write(at, cluster_head(time, whole))]
        at = index.size


def _read_blocks(blocks: bytes, base: int, cluster: Cue, index: Index, cued: int) -> tuple[int, int]:
    """Where the last whole block of a cluster ends, and the time of the newest cue of sound; ``cluster`` says
    where it is."""
    end, first = 0, True
    for block in children(blocks, 0, len(blocks)):
        if block.number != SIMPLE_BLOCK or block.end - block.data <= 4:
            break
        number, relative, flags = _BLOCK_HEAD(blocks, block.data)
        track, time = number & 127, base + relative
        if track == AUDIO:
            lasts = opus_samples(blocks[block.data + 4 : block.data + 6]) // 48
            if first and time - cued >= CUE_MS:
                index.cues.append(cluster._replace(time=time, track=AUDIO))
                cued = time
        else:
            lasts = PICTURE_MS
            if flags & 0x80:
                index.cues.append(cluster._replace(time=time, track=VIDEO))
                cued = NEVER
        index.end = max(index.end, time + lasts)
        end, first = block.end, False
    return end, cued
