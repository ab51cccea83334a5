"""The parts of one kind, one after the other on one time line: usually a single one.

A part ends early when its disk fails, and when the sender changes to another codec. The next one is
named like the first with ``-r2``, ``-r3`` …
"""

import logging
import time
from asyncio import wrap_future
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from math import floor
from pathlib import Path

from media.recording.disk import Disk
from media.recording.part import OpenPart, Part, Sealed
from media.recording.seal import SealedInfo
from records.model import MediaKind

logger = logging.getLogger(__name__)

HOLD_S = 0.5  # sound waits so long for the first packet of a picture: its codec names the kind of file
RETRY_S = 10.0  # after the disk failed

Opened = Callable[[OpenPart], None]


@dataclass(frozen=True)
class Names:
    """Without what tells one part of a series from the next."""

    folder: Path
    part_stem: str
    file_stem: str


class Series:
    """Where the lines of a kind write. ``writing`` is the part to write to; None while there is none, or the
    disk does not follow: ``begin`` then says whether there is one to be had."""

    def __init__(self, kind: MediaKind, names: Names, disk: Disk, opened: Opened) -> None:
        self.epoch = 0.0  # monotonic s of the line's beginning: the arrival of its first frame
        self.writing: Part | None = None
        self.doc_type: str | None = None  # what the sender's pictures need, once that is known
        self._kind = kind
        self._names = names
        self._disk = disk
        self._opened = opened
        self._begun_at: float | None = None  # Unix seconds of the epoch
        self._current: Part | None = None
        self._sealing: list[tuple[Part, Future[SealedInfo | None]]] = []
        self._number = 1
        self._retry_at = float("-inf")
        self._failing = False  # and that was said
        self._closed = False

    def accepts(self, now: float) -> bool:
        """Whether something that came now would be kept."""
        return self.writing is not None or (
            self._current is None and now >= self._retry_at and not self._closed and not self._disk.behind
        )

    def begin(self, place: float | None, arrived: float) -> Part | None:
        """The part to write to; made, if need be, with a frame that is at ``place`` seconds (None: at its
        arrival) as its time 0."""
        if self.writing is not None or not self.accepts(arrived):
            return self.writing
        if self._begun_at is None:
            self.epoch = arrived
            self._begun_at = time.time() - (time.monotonic() - arrived)
        at = arrived - self.epoch if place is None else place
        return self._begin(floor(at * 1000), arrived)

    def _begin(self, start: int, now: float) -> Part:
        assert self._begun_at is not None
        part = Part(self._kind, start, self._begun_at + start / 1000, now)
        self._current = self.writing = part
        return part

    def cut(self, place: float, now: float) -> Part:
        """End the part that is written to, and go on in another from ``place`` (seconds)."""
        assert self._current is not None
        self._end(self._current, now)
        return self._begin(floor(place * 1000), now)

    def tick(self, now: float) -> None:
        """Several times a second."""
        part = self._current
        if part is None:
            return
        if part.failed is not None:
            self._end(part, now)
            self._retry_at = now if isinstance(part.failed, FileExistsError) else now + RETRY_S
            return
        self.writing = None if self._disk.behind else part
        if part.file is None:
            if self.doc_type is not None or now - part.opened_at >= HOLD_S:
                self._open(part, now)
            return
        part.tick(now)
        if part.on_disk and not part.told:
            self._tell(part)

    def _open(self, part: Part, now: float) -> None:
        if part.muxer.video is None and self.doc_type is not None:
            part.muxer.doc_type = self.doc_type
        tail = f"-{self._kind.value}" + (f"-r{self._number}" if self._number > 1 else "")
        names = self._names
        part.open(
            self._disk, names.folder, names.part_stem + tail, names.file_stem + tail, now, quiet=self._failing
        )

    def _tell(self, part: Part) -> None:
        assert part.opened is not None
        part.told, self._failing = True, False
        self._opened(part.opened)

    def _end(self, part: Part, now: float) -> None:
        """Its sealing goes on in the disk's threads."""
        if part.file is None:
            self._open(part, now)
        self._sealing.append((part, part.seal()))
        self._current = self.writing = None
        self._failing = self._failing or part.failed is not None
        if part.on_disk or part.failed is None or isinstance(part.failed, FileExistsError):
            self._number += 1

    async def seal(self) -> list[Sealed]:
        """End what is written. A part that cannot be sealed is left as it is, and that is logged."""
        self._closed = True
        if self._current is not None:
            self._end(self._current, time.monotonic())
        sealed = [(part, await self._result(part, result)) for part, result in self._sealing]
        return [(part.opened, info) for part, info in sealed if part.opened is not None and info is not None]

    async def _result(self, part: Part, result: "Future[SealedInfo | None]") -> SealedInfo | None:
        assert part.opened is not None
        name = part.opened.path.name
        try:
            info = await wrap_future(result)
        except Exception as error:  # whatever it is: the other parts must be sealed
            logger.error("recording %s is left as it is, to be repaired: %s", name, error)
            info = None
        else:
            if info is None and not self._failing:
                logger.error("recording %s: nothing of it could be kept: %s", name, part.failed)
        if part.on_disk and not part.told:
            self._tell(part)
        return info
