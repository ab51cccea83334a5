"""What every test gets: a real Valkey on request, and a failure when it leaves an asyncio task behind."""

import asyncio
import inspect
from collections.abc import AsyncIterator

import pytest

pytest_plugins = ("tests.valkey",)

# Rounds of the event loop in which a task that was just cancelled may come to its end.
_GRACE_ROUNDS = 20


@pytest.fixture
async def _no_task_is_left_behind() -> AsyncIterator[None]:
    yield
    for _ in range(_GRACE_ROUNDS):
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if not left:
            return
        await asyncio.sleep(0)
    pytest.fail("tasks left behind: " + ", ".join(sorted(map(repr, left))))


@pytest.fixture(autouse=True)
def _leaked_tasks(request: pytest.FixtureRequest) -> None:
    """Set up before a test's other fixtures, so that it looks when they have all been torn down."""
    if inspect.iscoroutinefunction(getattr(request, "function", None)):
        request.getfixturevalue("_no_task_is_left_behind")
