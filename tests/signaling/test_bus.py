"""Word that something changed, in one process and between two."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from signaling.bus import Bus, LocalBus, RedisBus
from tests.eventually import eventually
from tests.signaling.loops import cancelled
from tests.signaling.world import HALL


@asynccontextmanager
async def running(bus: RedisBus, redis: Redis, listeners: int) -> AsyncIterator[None]:
    loop = asyncio.create_task(bus.run())
    try:
        async with asyncio.timeout(5):
            while (await redis.pubsub_numsub(f"bb:{{{HALL}}}:bus"))[0][1] < listeners:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        yield
    finally:
        await cancelled(loop)


async def test_who_listens_hears_every_topic_until_it_stops(bus: Bus) -> None:
    heard: list[str] = []
    stop = bus.listen(heard.append)
    await bus.tell("queue", "call:c1")
    assert heard == ["queue", "call:c1"]
    stop()
    stop()
    await bus.tell("queue")
    assert heard == ["queue", "call:c1"]


async def test_one_who_stops_while_it_hears_does_not_disturb_the_others() -> None:
    bus, heard = LocalBus(), list[str]()
    stops = [bus.listen(lambda topic: stops[0]())]
    bus.listen(heard.append)
    bus.tell_here("a")
    assert heard == ["a"]


async def test_other_processes_hear_it_too(redis: Redis) -> None:
    here, there = RedisBus(redis, HALL), RedisBus(redis, HALL)
    heard: list[str] = []
    there.listen(heard.append)
    async with running(there, redis, 1):
        await here.tell("queue", "call:c1")
        await eventually(lambda: heard == ["queue", "call:c1"])


async def test_a_connection_that_broke_is_made_again(redis: Redis) -> None:
    here, there = RedisBus(redis, HALL), RedisBus(redis, HALL)
    heard: list[str] = []
    there.listen(heard.append)
    async with running(there, redis, 1):
        await redis.client_kill_filter(_type="pubsub")
        async with asyncio.timeout(5):
            while not heard:
                await here.tell("queue")
                await asyncio.sleep(0.01)
    assert set(heard) == {"queue"}


async def test_a_redis_that_is_away_costs_nobody_here_anything() -> None:
    heard: list[str] = []
    async with Redis(unix_socket_path="/nowhere/at/all", retry=Retry(NoBackoff(), 0)) as away:
        bus = RedisBus(away, HALL)
        bus.listen(heard.append)
        await bus.tell("queue")
    assert heard == ["queue"]
