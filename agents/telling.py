"""Telling one receiver of things, each until it has not failed, and none of them held up by another."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T", bound=Hashable)

PATIENCE_S = 0.2  # how long tell() waits for receivers; they go on behind it
CALLBACK_S = 5.0  # a receiver only puts something into an inbox; longer than this it hangs, and is told again


class Telling(Generic[T]):
    """What the receiver is still to be told. Its tasks end with close()."""

    def __init__(self, what: str, receiver: Callable[[T], Awaitable[None]]) -> None:
        self._what = what
        self._receiver = receiver
        self._to_tell: dict[T, asyncio.Task[bool] | None] = {}

    def add(self, *items: T) -> None:
        for item in items:
            self._to_tell.setdefault(item, None)

    def keep(self, still: Callable[[T], bool]) -> None:
        """Forget what need not be told any more."""
        self._to_tell = {i: task for i, task in self._to_tell.items() if task is not None or still(i)}

    def start(self) -> list["asyncio.Task[bool]"]:
        """Tell, in tasks, what nobody is being told at this moment."""
        self._collect()
        started = []
        for item in [item for item, task in self._to_tell.items() if task is None]:
            task = self._to_tell[item] = asyncio.create_task(self._tell(item), name=f"tell {self._what}")
            started.append(task)
        return started

    async def tell(self) -> None:
        """start(), and wait a moment until it is done. Never raises for a receiver."""
        self.start()
        if under_way := [task for task in self._to_tell.values() if task is not None]:
            await asyncio.wait(under_way, timeout=PATIENCE_S)
        self._collect()

    async def close(self) -> None:
        under_way = [task for task in self._to_tell.values() if task is not None]
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._to_tell.clear()

    def _collect(self) -> None:
        for item, task in tuple(self._to_tell.items()):
            if task is not None and task.done():
                if not task.cancelled() and task.result():
                    del self._to_tell[item]
                else:
                    self._to_tell[item] = None

    async def _tell(self, item: T) -> bool:
        try:
            async with asyncio.timeout(CALLBACK_S):
                await self._receiver(item)
        except Exception:
            log.exception("receiver failed", what=self._what, item=item)
            return False
        return True
