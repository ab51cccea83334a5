"""Files are written by one thread, so that a slow disk never holds up a packet. The queue is bounded."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from media.webm import Write

logger = logging.getLogger(__name__)

MAX_BACKLOG = 64 << 20  # bytes that wait for the disk, all files together

_T = TypeVar("_T")


class Disk:
    def __init__(self) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        # Each counter has one writer: the loop, and the thread.
        self._queued = 0
        self._written = 0
        self._thread = threading.Thread(target=self._run, name="disk", daemon=True)
        self._thread.start()

    @property
    def behind(self) -> bool:
        """Whether so much waits that nothing more should be added."""
        return self._queued - self._written > MAX_BACKLOG

    def submit(self, job: Callable[[], None], size: int) -> None:
        """Never blocks; ``size`` is what the job counts in the backlog."""
        self._queued += size

        def counted() -> None:
            try:
                job()
            finally:
                self._written += size

        self._jobs.put(counted)

    async def run(self, job: Callable[[], _T]) -> _T:
        """After everything that was submitted before."""
        loop = asyncio.get_running_loop()
        result: asyncio.Future[_T] = loop.create_future()

        def settle(value: _T | None, error: Exception | None) -> None:
            if result.cancelled():
                return
            if error is not None:
                result.set_exception(error)
            else:
                result.set_result(value)  # type: ignore[arg-type]

        def work() -> None:
            try:
                value = job()
            except Exception as error:
                loop.call_soon_threadsafe(settle, None, error)
            else:
                loop.call_soon_threadsafe(settle, value, None)

        self._jobs.put(work)
        return await result

    def close(self) -> None:
        """Waits for what is queued."""
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:
                logger.exception("disk")


class PartFile:
    """One file of a recording, made exclusively and readable by its owner only. After an error nothing more
    is written, so that what is there stays a prefix of the part."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self.failed: OSError | None = None
        self._disk = disk
        self._fd = -1
        disk.submit(self._open, 0)

    def write(self, writes: Sequence[Write]) -> None:
        self._disk.submit(lambda: self._write(writes), sum(len(w.data) for w in writes))

    async def seal(self, seal: Callable[[int], _T]) -> _T:
        """Run ``seal`` with the descriptor behind all writes, then close. Raises OSError."""
        return await self._disk.run(lambda: self._seal(seal))

    def _open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            self._fail(error)

    def _write(self, writes: Sequence[Write]) -> None:
        if self.failed is not None:
            return
        try:
            for offset, data in writes:
                write_at(self._fd, data, offset)
        except OSError as error:
            self._fail(error)

    def _seal(self, seal: Callable[[int], _T]) -> _T:
        try:
            if self.failed is not None:
                raise self.failed
            return seal(self._fd)
        finally:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def _fail(self, error: OSError) -> None:
        self.failed = error
        logger.error("recording %s stops: %s", self.path.name, error)


def write_at(fd: int, data: bytes, offset: int) -> None:
    """All of it, or OSError."""
    view = memoryview(data)
    while view:
        done = os.pwrite(fd, view, offset)
        view, offset = view[done:], offset + done
