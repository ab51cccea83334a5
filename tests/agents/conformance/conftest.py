"""Each test of this folder runs against every implementation of the port."""

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from agents.availability import Availability
from agents.memory import MemoryAvailability
from agents.redis_store import RedisAvailability
from tests.agents.hall import HALL, RULES


@pytest.fixture(params=["memory", "redis"])
def availability(request: pytest.FixtureRequest) -> Availability:
    if request.param == "memory":
        return MemoryAvailability(RULES)
    redis: Redis = request.getfixturevalue("redis")
    return RedisAvailability(redis, HALL, RULES)


@pytest.fixture
def lose_everything(
    availability: Availability, request: pytest.FixtureRequest
) -> Callable[[], Awaitable[object]]:
    """The store forgets all it knows."""
    if isinstance(availability, MemoryAvailability):

        async def forget() -> None:
            availability.lose_everything()

        return forget
    redis: Redis = request.getfixturevalue("redis")
    return redis.flushall
