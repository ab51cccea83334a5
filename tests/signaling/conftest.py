"""Worlds to signal in: quick ones in memory, and every store of signaling/ twice."""

from collections.abc import AsyncIterator, Iterator

import pytest
import structlog
from redis.asyncio import Redis

from signaling.bus import Bus, LocalBus, RedisBus
from signaling.calls import Calls, MemoryCalls
from signaling.holders import Holders, MemoryHolders, RedisHolders
from signaling.redis_calls import RedisCalls
from tests.signaling.world import HALL, Clock, World

both = pytest.fixture(params=["memory", "redis"])


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What is refused and tried again here on purpose would be drawn with all its tracebacks."""

    def drop(*_: object) -> str:
        raise structlog.DropEvent

    structlog.configure(processors=[drop])
    yield
    structlog.reset_defaults()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def redis_world(redis: Redis) -> World:
    return World(redis)


@both
async def calls(request: pytest.FixtureRequest, redis: Redis) -> Calls:
    # The memory store's clock must agree with Valkey's, by which outbox entries are aged.
    return MemoryCalls(Clock()) if request.param == "memory" else RedisCalls(redis, HALL)


@both
async def holders(request: pytest.FixtureRequest, redis: Redis) -> Holders:
    return MemoryHolders() if request.param == "memory" else RedisHolders(redis, HALL)


@both
async def bus(request: pytest.FixtureRequest, redis: Redis) -> AsyncIterator[Bus]:
    yield LocalBus() if request.param == "memory" else RedisBus(redis, HALL)
