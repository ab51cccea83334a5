"""Who holds an identity: one suite for both implementations."""

from redis.asyncio import Redis

from signaling.holders import HOLD_S, Holders, RedisHolders
from tests.signaling.world import HALL


async def test_the_last_one_to_take_it_holds_it(holders: Holders) -> None:
    await holders.take("agent:lin", "first")
    assert await holders.keep("agent:lin", "first")
    await holders.take("agent:lin", "second")
    assert not await holders.keep("agent:lin", "first")
    assert await holders.keep("agent:lin", "second")


async def test_only_the_holder_drops_it(holders: Holders) -> None:
    await holders.take("agent:lin", "first")
    assert not await holders.drop("agent:lin", "second")
    assert await holders.drop("agent:lin", "first")
    assert not await holders.drop("agent:lin", "first")


async def test_what_nobody_holds_is_held_again_by_who_keeps_it(holders: Holders) -> None:
    assert await holders.keep("agent:lin", "first")
    assert not await holders.keep("agent:lin", "second")


async def test_which_of_these_are_held(holders: Holders) -> None:
    await holders.take("station:s1", "a")
    await holders.take("agent:lin", "b")
    assert await holders.held(("station:s1", "agent:lin", "station:s2")) == {"station:s1", "agent:lin"}
    assert await holders.held(()) == frozenset()


async def test_a_holder_that_says_nothing_more_is_gone_in_time(redis: Redis) -> None:
    holders = RedisHolders(redis, HALL)
    await holders.take("agent:lin", "first")
    (key,) = await redis.keys("*holder*")
    assert 0 < await redis.pttl(key) <= HOLD_S * 1000
    await redis.pexpire(key, 1)
    await holders.keep("agent:lin", "first")
    assert await redis.pttl(key) > 1000, "keeping it is a new lease"
