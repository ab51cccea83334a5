"""One file of a recording, from its first frame to its seal."""

import logging
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from media.recording.disk import FLUSH_S, SYNC_S, Disk, PartFile
from media.recording.repair import NotOurs, seal_torn
from media.recording.seal import SealedInfo, seal_file
from media.recording.webm import MATROSKA, WEBM, Index, Muxer, VideoFormat, Write, finish
from records.model import Gap, MediaKind, PartId

logger = logging.getLogger(__name__)

MIN_GAP_S = 0.1  # shorter ones are not listed
MIN_LEAD_S = 0.5  # a picture that begins this soon after the sound is no gap
MAX_GAPS = 500
FLUSH_BYTES = 512 << 10  # a file that gets this much in less than a flush is written at once
_SUFFIX = {WEBM: "webm", MATROSKA: "mkv"}


@dataclass(frozen=True)
class OpenPart:
    """``started_at`` is Unix seconds of the file's timestamp 0."""

    part: PartId
    kind: MediaKind
    path: Path
    started_at: float


Sealed = tuple[OpenPart, SealedInfo]


class Part:
    """Frames are put into ``muxer`` by the lines, at milliseconds since ``start``; ``start`` itself is
    milliseconds on the line of its kind. The file is made by ``open``: what comes before waits in memory."""

    def __init__(self, kind: MediaKind, start: int, started_at: float, opened_at: float) -> None:
        self.kind = kind
        self.start = start
        self.started_at = started_at
        self.opened_at = opened_at  # monotonic s
        self.muxer = Muxer(kind is MediaKind.CAMERA, started_at)
        self.file: PartFile | None = None
        self.opened: OpenPart | None = None  # once it is known where
        self.told = False  # the world knows of it
        self._gaps: list[Gap] = []
        self._flush_at = self._sync_at = 0.0

    @property
    def failed(self) -> Exception | None:
        return None if self.file is None else self.file.failed

    @property
    def on_disk(self) -> bool:
        """Whether the file has its head and something to play."""
        return self.file is not None and self.file.begun

    def fits(self, video: VideoFormat) -> bool:
        """Whether pictures of this format can go on in this file. Sizes may change, codecs may not."""
        known = self.muxer.video
        if known is not None:
            return known.codec == video.codec
        return self.file is None or self.muxer.doc_type == video.doc_type

    def open(self, disk: Disk, folder: Path, part_stem: str, file_stem: str, now: float, quiet: bool) -> None:
        """Stems are without the suffix. ``quiet``: that it fails is no news."""
        path = folder / f"{file_stem}.{_SUFFIX[self.muxer.doc_type]}"
        self.opened = OpenPart(PartId(part_stem), self.kind, path, self.started_at)
        self.file = PartFile(disk, path, quiet)
        self.file.write(self.muxer.take())
        self._flush_at = now + FLUSH_S * disk.phase()
        self._sync_at = now + SYNC_S * disk.phase()

    def gap(self, start: float, end: float, track: str, reason: str) -> None:
        """Seconds on the line of its kind."""
        least = MIN_LEAD_S if reason == "no_key_frame" else MIN_GAP_S
        start, end = start - self.start / 1000, end - self.start / 1000
        if end - max(start, 0.0) >= least and len(self._gaps) < MAX_GAPS:
            self._gaps.append(Gap(round(max(start, 0.0), 3), round(end, 3), track, reason))

    def tick(self, now: float) -> None:
        """Hand what came to the disk, when it is time."""
        if self.file is None or (now < self._flush_at and self.muxer.pending < FLUSH_BYTES):
            return
        # On the beat that the phase set, unless it was missed or anticipated.
        beat = 0 <= now - self._flush_at < FLUSH_S
        self._flush_at = (self._flush_at if beat else now) + FLUSH_S
        if self.muxer.pending:
            self.file.write(self.muxer.take())
        if now >= self._sync_at:
            self._sync_at = now + SYNC_S
            self.file.sync()

    def seal(self) -> "Future[SealedInfo | None]":
        """None when the disk never took enough of it to be a file. The future may raise OSError or NotOurs:
        the file is then left as it is."""
        assert self.file is not None
        writes = self.muxer.take()
        index = self.muxer.index
        assert index is not None
        gaps = tuple(sorted(self._gaps, key=lambda gap: gap.start))
        name, file = self.file.path.name, self.file
        return file.seal(lambda fd, failed: _seal(fd, failed, writes, index, gaps, file, name))


def _seal(
    fd: int,
    failed: Exception | None,
    writes: list[Write],
    index: Index,
    gaps: tuple[Gap, ...],
    file: PartFile,
    name: str,
) -> SealedInfo | None:
    """In the disk's thread. A disk that failed, earlier or only now, leaves as much as is whole."""
    end = index.end / 1000
    if failed is None:
        try:
            return seal_file(fd, [*writes, *finish(index)], end, gaps)
        except OSError as error:
            logger.error("recording %s: sealing: %s", name, error)
    try:
        whole = seal_torn(fd, "disk", end, gaps)
    except NotOurs:
        if file.begun:
            raise
        file.path.unlink(missing_ok=True)
        return None
    if any(gap.reason == "disk" for gap in whole.gaps):
        return whole
    # Its last bytes are in the file, but nobody knows whether they are on the disk.
    return replace(whole, gaps=(*whole.gaps, Gap(end, end, "video", "disk")))
