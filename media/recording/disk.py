"""Files are written by threads of their own, so that a slow disk never holds up a packet.

One thread writes; a second one does what may take long and is owed to nobody at once: fsync, and the hash
of a whole file. Both hand the interpreter's lock back for the length of every call to the disk, and
what they write comes as whole pieces, so they hold it for some ten microseconds a second and file.
"""

import asyncio
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from media.recording.webm import Write

logger = logging.getLogger(__name__)

MAX_BACKLOG = 256 << 20  # bytes that wait for the disk, all files together
FLUSH_S = 0.6  # how often a file gets what came; two ticks and the disk's own time come on top
SYNC_S = 10.0  # how much a power cut may cost, about
_GOLDEN = 0.618034  # multiples of it lie evenly in 0..1, however many there are
_SEALER_NICE = 5  # hashing yields to packets where both want a core

_T = TypeVar("_T")
_Job = Callable[[], None]


class Disk:
    """The threads, and how far behind they are."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[_Job, int] | None] = SimpleQueue()
        self._slow_jobs: SimpleQueue[_Job | None] = SimpleQueue()
        # Each counter has one writer: the loop, and the thread.
        self._queued = 0
        self._written = 0
        self._since: deque[float] = deque()  # when what waits was handed over, monotonic s
        self._files = 0
        self._threads = [
            threading.Thread(target=self._write, name="disk", daemon=True),
            threading.Thread(target=self._seal, name="disk-seal", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def behind(self) -> bool:
        """Whether so much waits that nothing more should be added."""
        return self._queued - self._written > MAX_BACKLOG

    def lag_ms(self, now: float) -> float:
        """How long the oldest bytes have waited for the disk. ``now`` is monotonic s."""
        try:
            return max(0.0, (now - self._since[0]) * 1000)
        except IndexError:
            return 0.0

    def phase(self) -> float:
        """0 to 1, another for every file: where in a period it flushes, so that not all do at once."""
        self._files += 1
        return self._files * _GOLDEN % 1.0

    def submit(self, job: _Job, size: int) -> None:
        """In order. Never blocks; ``size`` is what the job counts in the backlog."""
        self._queued += size
        self._since.append(time.monotonic())
        self._jobs.put((job, size))

    def submit_slow(self, job: _Job) -> None:
        """In order among the slow ones."""
        self._slow_jobs.put(job)

    async def drained(self) -> None:
        """When everything that was submitted before is done; not the slow ones."""
        done: Future[None] = Future()
        self.submit(lambda: done.set_result(None), 0)
        await asyncio.wrap_future(done)

    def close(self) -> None:
        """Waits for what is queued."""
        self._jobs.put(None)
        self._threads[0].join()
        self._slow_jobs.put(None)
        self._threads[1].join()

    def _write(self) -> None:
        while (entry := self._jobs.get()) is not None:
            _do(entry[0])
            self._written += entry[1]
            self._since.popleft()

    def _seal(self) -> None:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _SEALER_NICE)
        while (job := self._slow_jobs.get()) is not None:
            _do(job)


def _do(job: _Job) -> None:
    try:
        job()
    except Exception:
        # The next file's job must still be done.
        logger.exception("disk")


class PartFile:
    """One file of a recording, made exclusively and readable by its owner only. After an error nothing more
    is written, so that what is there stays a prefix of the part. ``quiet``: its failure is no news."""

    def __init__(self, disk: Disk, path: Path, quiet: bool = False) -> None:
        self.path = path
        self.begun = False  # the file is there, is ours, and took its first bytes
        self.failed: Exception | None = None
        self._disk = disk
        self._level = logging.DEBUG if quiet else logging.ERROR
        self._fd = -1
        disk.submit(self._open, 0)

    def write(self, writes: Sequence[Write]) -> None:
        self._disk.submit(lambda: self._write(writes), sum(len(w.data) for w in writes))

    def sync(self) -> None:
        """On the disk for good, some time."""
        self._disk.submit_slow(self._sync)

    def seal(self, seal: Callable[[int, Exception | None], _T]) -> "Future[_T | None]":
        """Run ``seal`` with the descriptor and what went wrong with it, behind all writes, then close. None
        for a file that could not be opened."""
        sealed: Future[_T | None] = Future()
        self._disk.submit(lambda: self._disk.submit_slow(lambda: self._seal(seal, sealed)), 0)
        return sealed

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except Exception as error:
            self._fail(error)

    def _write(self, writes: Sequence[Write]) -> None:
        if self.failed is not None:
            return
        try:
            for offset, data in writes:
                write_at(self._fd, data, offset)
            self.begun = True
        except Exception as error:
            self._fail(error)

    def _sync(self) -> None:
        if self.failed is not None or self._fd < 0:
            return
        try:
            os.fdatasync(self._fd)
        except Exception as error:
            self._fail(error)

    def _seal(self, seal: Callable[[int, Exception | None], _T], sealed: "Future[Any]") -> None:
        wanted = sealed.set_running_or_notify_cancel()
        try:
            result = seal(self._fd, self.failed) if self._fd >= 0 else None
        except Exception as error:
            self._close()
            if wanted:
                sealed.set_exception(error)
        else:
            self._close()
            if wanted:
                sealed.set_result(result)

    def _close(self) -> None:
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        try:
            os.close(fd)
        except OSError as error:  # all of it was written and synced, or that it was not is known
            logger.error("recording %s: %s", self.path.name, error)

    def _fail(self, error: Exception) -> None:
        self.failed = error
        logger.log(self._level, "recording %s stops: %s", self.path.name, error)


def write_at(fd: int, data: bytes, offset: int) -> None:
    """All of it, or OSError."""
    done = os.pwrite(fd, data, offset)
    while done < len(data):
        done += os.pwrite(fd, memoryview(data)[done:], offset + done)


def read_at(fd: int, size: int, offset: int) -> bytes:
    """That many bytes, or up to the end of the file."""
    pieces = []
    while size > 0 and (piece := os.pread(fd, size, offset)):
        pieces.append(piece)
        size, offset = size - len(piece), offset + len(piece)
    return b"".join(pieces)
