"""The recorder: a participant that only receives, and keeps the encoded frames as they came.

One part for microphone and camera, one for the share, each opened with its first usable packet. Sound
rules the part's time line; pictures are placed on it by the sender reports (RFC 3550, 6.4.1), and by
their arrival until both tracks have sent one.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from media.depacketizer import OPUS_SILENCE, Frame, Lost, Reorder, Vp8Frames, opus_samples
from media.disk import Disk, PartFile, write_at
from media.protocol import Source
from media.rtp import TS_MOD, SenderReport, extend
from media.upstream import Packet, Upstream
from media.vp8 import picture_size
from media.webm import AUDIO, VIDEO, Muxer, Write
from records.model import Gap, MediaKind, PartId

FLUSH_S = 0.2
KEY_FRAME_EVERY_S = 10.0  # so that a long recording can be sought in
MIN_GAP_S = 0.1  # shorter ones are not listed
MIN_LEAD_S = 0.5  # a picture that begins this soon after the sound is no gap
MAX_GAPS = 500
MAX_FILL_S = 60.0  # silence written for one gap; a longer one stays a jump of time
_STEP = 960  # samples of one silent packet
_RESYNC_S = 0.015  # pictures are moved when the sender reports differ by more than this
_STALL_S = 0.3  # sound that is late by more than this for a second was stalled at its sender
_ASTRAY_S = 2.0  # timestamps that differ from their arrival by more than this have jumped
_FRAME_MS = 33


@dataclass(frozen=True)
class SealedInfo:
    duration: float  # seconds
    size: int  # bytes
    sha256: str  # hex
    gaps: tuple[Gap, ...]


@dataclass(frozen=True)
class OpenPart:
    """``started_at`` is Unix seconds of the file's timestamp 0."""

    part: PartId
    kind: MediaKind
    path: Path
    started_at: float


Sealed = tuple[OpenPart, SealedInfo]
Opened = Callable[[OpenPart], None]


class Recorder:
    """Records one connection from its making until ``seal``."""

    def __init__(
        self,
        tracks: Mapping[Source, Upstream],
        folder: Path,
        part_stem: str,
        file_stem: str,
        disk: Disk,
        opened: Opened,
    ) -> None:
        self._tracks = tracks
        self._parts = {
            kind: PartRecorder(
                kind,
                PartId(f"{part_stem}-{kind.value}"),
                folder / f"{file_stem}-{kind.value}.webm",
                disk,
                opened,
            )
            for kind in MediaKind
        }
        now = time.monotonic()
        for source, track in tracks.items():
            track.sinks.append(self._parts[_kind(source)])
            track.begin(self._parts[_kind(source)], now)

    def tick(self, now: float) -> None:
        """Several times a second: what waited long enough is written."""
        for source, track in self._tracks.items():
            part = self._parts[_kind(source)]
            if track.video and part.wants_key_frame(now):
                track.request_key_frame(now)
        for part in self._parts.values():
            part.tick(now)

    async def seal(self) -> list[Sealed]:
        """Take no more, seal the parts that were opened. A part whose disk failed is left as it is."""
        for source, track in self._tracks.items():
            track.sinks.remove(self._parts[_kind(source)])
        sealed = [await part.seal() for part in self._parts.values()]
        return [s for s in sealed if s is not None]


def _kind(source: Source) -> MediaKind:
    return MediaKind.SHARE if source is Source.SHARE else MediaKind.CAMERA


class PartRecorder:
    """One file. A sink of one or two tracks."""

    def __init__(self, kind: MediaKind, part: PartId, path: Path, disk: Disk, opened: Opened) -> None:
        self._part = part
        self._kind = kind
        self._path = path
        self._disk = disk
        self._open: OpenPart | None = None
        self._opened = opened
        self._muxer: Muxer | None = None
        self._file: PartFile | None = None
        self._zero = 0.0  # monotonic seconds of the file's timestamp 0
        self._flushed_at = 0.0
        self._gaps: list[Gap] = []
        self._audio = AudioLine(self)
        self._video = VideoLine(self)

    # --- sink ---

    def packet(self, track: Upstream, packet: Packet) -> None:
        line = self._video if track.video else self._audio
        line.order.push(packet)
        line.drain(packet.arrived)
        if track.video and self._video.frames.needs_key_frame:
            track.request_key_frame(packet.arrived)

    def report(self, track: Upstream, report: SenderReport) -> None:
        if track.video:
            self._video.report = report
        else:
            self._audio.report = report
        self._video.sync(self._audio)

    def wants_key_frame(self, now: float) -> bool:
        return self._video.key_frame_due(now)

    # --- file ---

    def open_at(self, arrived: float) -> Muxer:
        """The muxer; made with the first frame, which becomes time 0."""
        if self._muxer is None:
            self._zero = arrived
            started_at = time.time() - (time.monotonic() - arrived)
            self._muxer = Muxer(self._kind is MediaKind.CAMERA, True, started_at)
            self._file = PartFile(self._disk, self._path)
            self._open = OpenPart(self._part, self._kind, self._path, started_at)
            self._opened(self._open)
        return self._muxer

    def since_start(self, arrived: float) -> float:
        return arrived - self._zero

    @property
    def accepts(self) -> bool:
        """False while the disk cannot follow."""
        return not self._disk.behind and (self._file is None or self._file.failed is None)

    def gap(self, start: float, end: float, track: str, reason: str) -> None:
        least = MIN_LEAD_S if reason == "no_key_frame" else MIN_GAP_S
        if end - start >= least and len(self._gaps) < MAX_GAPS:
            self._gaps.append(Gap(round(max(start, 0.0), 3), round(end, 3), track, reason))

    def tick(self, now: float) -> None:
        self._audio.drain(now)
        self._video.drain(now)
        if self._muxer is not None and self._file is not None and now - self._flushed_at >= FLUSH_S:
            self._flushed_at = now
            if writes := self._muxer.take():
                self._file.write(writes)

    async def seal(self) -> Sealed | None:
        for line in (self._audio, self._video):
            line.drain(float("inf"))
        if self._muxer is None or self._file is None or self._open is None:
            return None
        end = self._muxer.index.end / 1000
        self._video.end_at(end)
        writes, gaps = self._muxer.finish(), tuple(sorted(self._gaps, key=lambda gap: gap.start))
        try:
            info = await self._file.seal(lambda fd: seal_file(fd, writes, end, gaps))
        except OSError:
            return None
        return self._open, info


def seal_file(fd: int, writes: Iterable[Write], duration: float, gaps: tuple[Gap, ...]) -> SealedInfo:
    """The last writes, on the disk for good, and the hash of what is there."""
    for offset, data in writes:
        write_at(fd, data, offset)
    os.fsync(fd)
    digest, at = hashlib.sha256(), 0
    while piece := os.pread(fd, 1 << 20, at):
        digest.update(piece)
        at += len(piece)
    return SealedInfo(duration, at, digest.hexdigest(), gaps)


class AudioLine:
    """Sound on the part's time line: by its own timestamps, so it neither drifts nor stutters.
    What is missing becomes silence of the same length."""

    def __init__(self, part: PartRecorder) -> None:
        self.order = Reorder()
        self.report: SenderReport | None = None
        self._part = part
        self._base: float | None = None  # seconds on the line of RTP timestamp 0
        self._end = 0  # RTP timestamp where the last packet ended
        self._last = 0  # ms of the last packet written
        self._lost = False
        self._late_since: float | None = None
        self._least = 0.0  # seconds late at least, since then

    def at(self, timestamp: int) -> float | None:
        """Seconds on the part's line; None before the first packet."""
        return None if self._base is None else self._base + timestamp / 48_000

    @property
    def newest(self) -> int:
        return self._end

    def drain(self, now: float) -> None:
        for item in self.order.pop(now):
            if isinstance(item, Lost):
                self._lost = True
            elif (samples := opus_samples(item.payload)) > 0:
                self._write(item, samples)

    def _write(self, packet: Packet, samples: int) -> None:
        if not self._part.accepts:
            self._lost = True
            return
        muxer = self._part.open_at(packet.arrived)
        if self._base is None:
            self._base = self._part.since_start(packet.arrived) - packet.timestamp / 48_000
            self._end = packet.timestamp
        self._follow_stall(packet)
        if packet.timestamp < self._end:
            return  # the silence that stands in its place is already written
        self._fill(muxer, packet.timestamp)
        self._put(muxer, packet.timestamp, packet.payload, samples)

    def _follow_stall(self, packet: Packet) -> None:
        """A sender that stopped without advancing its timestamps comes back late, for good; one whose
        timestamps jumped ahead is taken at its arrival."""
        assert self._base is not None
        late = self._part.since_start(packet.arrived) - self._base - packet.timestamp / 48_000
        if late < -_ASTRAY_S:
            self._base += late
            self._end = packet.timestamp
        if late < _STALL_S:
            self._late_since = None
            return
        if self._late_since is None:
            self._late_since, self._least = packet.arrived, late
        self._least = min(self._least, late)
        if packet.arrived - self._late_since > 1.0:
            start = self._base + self._end / 48_000
            self._base += self._least
            self._part.gap(start, start + self._least, "audio", "muted")
            self._late_since = None

    def _fill(self, muxer: Muxer, until: int) -> None:
        missing = until - self._end
        if missing >= _STEP:
            start, end = self.at(self._end), self.at(until)
            assert start is not None
            assert end is not None
            self._part.gap(start, end, "audio", "lost" if self._lost else "muted")
            first = max(self._end, until - int(MAX_FILL_S * 48_000))
            for at in range(first, until - _STEP + 1, _STEP):
                self._put(muxer, at, OPUS_SILENCE, _STEP)
        self._lost = False

    def _put(self, muxer: Muxer, timestamp: int, data: bytes, samples: int) -> None:
        at = self.at(timestamp)
        assert at is not None
        self._last = max(round(at * 1000), self._last)
        muxer.frame(AUDIO, self._last, data, True, samples // 48)
        self._end = timestamp + samples


class VideoLine:
    """Pictures on the part's time line, from a key frame on; a fault freezes until the next one."""

    def __init__(self, part: PartRecorder) -> None:
        self.order = Reorder()
        self.frames = Vp8Frames()
        self.report: SenderReport | None = None
        self._part = part
        self._base: float | None = None  # seconds on the line of RTP timestamp 0
        self._synced = False
        self._last = -1  # ms of the last frame written
        self._frozen_since: float | None = 0.0  # seconds on the line
        self._reason = "no_key_frame"
        self._key_at: float | None = None
        self._seen_at = 0.0

    def drain(self, now: float) -> None:
        for item in self.order.pop(now):
            if isinstance(item, Lost):
                self._freeze()
                continue
            was_broken = self.frames.broken
            frame = self.frames.push(item)
            if self.frames.broken and not was_broken:
                self._freeze()
            if frame is not None:
                self._write(frame)

    def _freeze(self) -> None:
        self.frames.lost()
        if self._frozen_since is None:
            self._frozen_since, self._reason = max(self._last, 0) / 1000, "lost"

    def _write(self, frame: Frame) -> None:
        if not self._part.accepts:
            self._freeze()
            return
        muxer = self._part.open_at(frame.arrived)
        arrived, stamp = self._part.since_start(frame.arrived), frame.timestamp / 90_000
        if self._base is None or abs(self._base + stamp - arrived) > _ASTRAY_S:
            self._base = arrived - stamp
        at = max(round((self._base + stamp) * 1000), self._last + 1)
        if frame.key:
            self._key_at = frame.arrived
            if not muxer.sized:
                muxer.picture_size(*picture_size(frame.data))
        if self._frozen_since is not None:
            self._part.gap(self._frozen_since, at / 1000, "video", self._reason)
            self._frozen_since = None
        self._last, self._seen_at = at, frame.arrived
        muxer.frame(VIDEO, at, frame.data, frame.key, _FRAME_MS)

    def sync(self, audio: AudioLine) -> None:
        """Move the pictures to where the two tracks' sender reports say that they belong."""
        if self.report is None or audio.report is None or self._base is None:
            return
        heard = audio.at(extend(audio.report.timestamp, audio.newest, TS_MOD))
        if heard is None:
            return
        elapsed = self.report.ntp - audio.report.ntp
        # The video report's timestamp, extended near the last picture's.
        near = round((self._last / 1000 - self._base) * 90_000)
        shown = extend(self.report.timestamp, near, TS_MOD)
        base = heard + elapsed - shown / 90_000
        moved = abs(base - self._base)
        # A move beyond any network's delay is a stalled clock on one side, not a place for the picture.
        if moved < _ASTRAY_S / 2 and (not self._synced or moved > _RESYNC_S):
            self._base, self._synced = base, True

    def key_frame_due(self, now: float) -> bool:
        """Only while pictures come: nobody can answer otherwise."""
        flowing = now - self._seen_at < 1.0
        return flowing and self._key_at is not None and now - self._key_at >= KEY_FRAME_EVERY_S

    def end_at(self, end: float) -> None:
        if self._frozen_since is not None and self._last >= 0:
            self._part.gap(self._frozen_since, end, "video", self._reason)
