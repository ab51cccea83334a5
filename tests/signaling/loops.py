"""Ending a loop that a test began."""

import asyncio


async def cancelled(*tasks: "asyncio.Task[None]") -> None:
    """Told until they are done: redis-py waits in asyncio.wait_for, which on Python 3.11 may lose it."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=0.2)
