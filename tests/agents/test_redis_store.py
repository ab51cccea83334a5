"""What only the store in Redis has: keys of one slot, scripts that may be forgotten, other clients."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from agents.agent import Release, ReservationId
from agents.keys import Keys
from agents.redis_store import Contended, RedisAvailability
from records.model import HallId
from tests.agents.hall import FIRST, HALL, LIN, RULES, comes_to_work, queue, rings, waits


@pytest.fixture
def availability(redis: Redis) -> RedisAvailability:
    return RedisAvailability(redis, HALL, RULES)


async def test_all_keys_of_a_hall_are_known_and_share_a_slot(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    assert set(await redis.keys()) == {b"bb:{pinggu}:agents", b"bb:{pinggu}:waiting"}
    await rings(availability, LIN, FIRST, now=1)
    named = {key.encode() for key in vars(Keys(HALL)).values()}
    assert set(await redis.keys()) == named - {b"bb:{pinggu}:waiting"}


async def test_halls_know_nothing_of_each_other(redis: Redis, availability: RedisAvailability) -> None:
    other = RedisAvailability(redis, HallId("elsewhere"), RULES)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    assert await other.agent(LIN) is None
    assert await queue(other) == ()


async def test_a_server_that_forgot_the_scripts_is_given_them_again(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await redis.script_flush()
    await availability.enqueue(waits(FIRST))
    await redis.script_flush()
    assert await availability.reserve(LIN, FIRST, ReservationId("r"), until=21, now=1) is not None


async def test_another_connection_sees_the_same(valkey_socket: Path, availability: RedisAvailability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await rings(availability, LIN, FIRST, now=1.25)
    async with Redis(unix_socket_path=str(valkey_socket)) as client:
        other = RedisAvailability(client, HALL, RULES)
        assert await other.snapshot() == await availability.snapshot()


async def test_records_that_contradict_each_other_are_an_error_and_not_an_endless_loop(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await redis.hset(Keys(HALL).taken, FIRST, "somebody else")
    with pytest.raises(Contended):
        await availability.give_back(reservation.id, Release.DECLINED, now=2)
