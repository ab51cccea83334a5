"""Waiting in tests: for a condition, with a deadline, never for luck."""

import asyncio
from collections.abc import Callable


async def eventually(condition: Callable[[], bool], within_s: float = 5.0) -> None:
    """Return as soon as the condition holds; TimeoutError when it did not within the time."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - any condition, not only what has an event
            await asyncio.sleep(0.002)
