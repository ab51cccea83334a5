"""Each test of this folder runs against every implementation of the port."""

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
