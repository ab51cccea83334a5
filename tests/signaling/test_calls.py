"""Live calls, in memory and in Redis: one suite for both."""

import asyncio

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from agents.agent import DemandId
from records.model import CallId, StationId
from signaling import events as ev
from signaling.call import due, transition
from signaling.calls import Calls
from signaling.redis_calls import RedisCalls
from signaling.snapshot import Call
from tests.signaling.playbook import NOW, new_call
from tests.signaling.world import HALL

LATER = 4e9  # any clock's future
COMMANDS: tuple[ev.AnyCommand, ...] = (ev.OpenRoom(), ev.Withdraw(DemandId("c1")))


def call(id: str = "c1", station: str = "s1") -> Call:
    return replace(new_call()[0], id=CallId(id), station=StationId(station))


def ended(made: Call) -> Call:
    return transition(made, ev.LeftByResident(), NOW)[0]


async def test_a_call_is_kept_as_it_is_and_found_by_its_station(calls: Calls) -> None:
    assert await calls.create(call(), COMMANDS, None) is not None
    assert await calls.load(CallId("c1")) == call()
    assert await calls.of_station(StationId("s1")) == "c1"
    assert await calls.live() == (call(),)


async def test_what_is_not_there_is_none(calls: Calls) -> None:
    assert await calls.load(CallId("c1")) is None
    assert await calls.of_station(StationId("s1")) is None
    assert await calls.live() == ()
    assert await calls.due(LATER) == ()
    assert await calls.left_over(LATER) == ()


async def test_a_station_has_one_call_unless_it_makes_way(calls: Calls) -> None:
    await calls.create(call("c1"), (), None)
    assert await calls.create(call("c2"), (), None) is None
    assert await calls.create(call("c2"), (), CallId("c0")) is None
    assert await calls.load(CallId("c2")) is None
    assert await calls.create(call("c2"), (), CallId("c1")) is not None
    assert await calls.of_station(StationId("s1")) == "c2"
    assert await calls.create(call("c3", "s2"), (), CallId("c0")) is not None


async def test_a_call_is_saved_if_nobody_else_did_meanwhile(calls: Calls) -> None:
    await calls.create(call(), (), None)
    after = ended(call())
    assert await calls.save(after, 0, ()) is not None
    assert await calls.save(replace(after, sharing=None), 0, COMMANDS) is None
    assert await calls.load(CallId("c1")) == after
    assert await calls.left_over(LATER) == (), "a save that was lost leaves nothing to do"


async def test_a_call_that_was_never_made_is_not_saved(calls: Calls) -> None:
    assert await calls.save(call(), 0, COMMANDS) is None
    assert await calls.load(CallId("c1")) is None


async def test_of_twenty_saves_at_once_one_wins(calls: Calls) -> None:
    await calls.create(call(), (), None)
    after = ended(call())
    saved = await asyncio.gather(*(calls.save(after, 0, COMMANDS) for _ in range(20)))
    assert sum(pending is not None for pending in saved) == 1
    assert len(await calls.left_over(LATER)) == 1


async def test_commands_stay_until_they_are_carried_out(calls: Calls) -> None:
    first = await calls.create(call(), COMMANDS, None)
    second = await calls.save(ended(call()), 0, (ev.CloseRoom(),))
    assert first is not None
    assert second is not None
    assert await calls.left_over(LATER) == (first, second), "in order"
    assert await calls.left_over(0.0) == ()
    await calls.carried_out(first)
    await calls.carried_out(first)
    assert await calls.left_over(LATER) == (second,)


async def test_a_save_without_commands_leaves_nothing_to_do(calls: Calls) -> None:
    await calls.create(call(), COMMANDS, None)
    pending = await calls.save(ended(call()), 0, ())
    assert pending is not None
    await calls.carried_out(pending)
    assert [p.commands for p in await calls.left_over(LATER)] == [COMMANDS]


async def test_deadlines_follow_the_call(calls: Calls) -> None:
    await calls.create(call(), (), None)
    patience = call().patience.queue
    assert await calls.due(NOW + patience - 1) == ()
    assert await calls.due(NOW + patience) == ("c1",), "nobody waits for ever"
    after = ended(call())
    await calls.save(after, 0, ())
    at = due(after)
    assert at is not None
    assert await calls.due(at - 0.001) == ()
    assert await calls.due(at) == ("c1",)


async def test_a_dismissed_call_frees_its_station_and_stays(calls: Calls) -> None:
    await calls.create(call(), (), None)
    await calls.dismiss(call())
    await calls.dismiss(call())
    assert await calls.of_station(StationId("s1")) is None
    assert await calls.load(CallId("c1")) == call()


async def test_dismissing_an_older_call_leaves_the_newer_one(calls: Calls) -> None:
    await calls.create(call("c1"), (), None)
    await calls.create(call("c2"), (), CallId("c1"))
    await calls.dismiss(call("c1"))
    await calls.forget(call("c1"))
    assert await calls.of_station(StationId("s1")) == "c2"


async def test_a_forgotten_call_is_nowhere(calls: Calls) -> None:
    await calls.create(call(), (), None)
    await calls.save(ended(call()), 0, ())
    await calls.forget(ended(call()))
    await calls.forget(ended(call()))
    assert await calls.load(CallId("c1")) is None
    assert await calls.of_station(StationId("s1")) is None
    assert await calls.live() == ()
    assert await calls.due(LATER) == ()


async def test_nothing_of_a_forgotten_call_is_left_in_redis(redis: Redis) -> None:
    calls = RedisCalls(redis, HALL)
    pending = await calls.create(call(), COMMANDS, None)
    assert pending is not None
    await calls.carried_out(pending)
    await calls.forget(call())
    left = [key for key in await redis.keys("*") if await redis.type(key) != b"stream"]
    assert left == []
    assert await redis.xlen(f"bb:{{{HALL}}}:outbox") == 0


@pytest.mark.parametrize("fields", [{"call": "c1", "commands": "nonsense"}, {"call": "c1"}])
async def test_an_outbox_entry_that_cannot_be_read_does_not_hold_up_the_others(
    redis: Redis, fields: dict[str, str]
) -> None:
    calls = RedisCalls(redis, HALL)
    await redis.xadd(f"bb:{{{HALL}}}:outbox", fields)  # type: ignore[arg-type]
    pending = await calls.create(call(), COMMANDS, None)
    assert await calls.left_over(LATER) == (pending,)


async def test_two_halls_know_nothing_of_each_other(redis: Redis) -> None:
    here, there = RedisCalls(redis, "here"), RedisCalls(redis, "there")
    await here.create(call(), COMMANDS, None)
    assert await there.live() == ()
    assert await there.left_over(LATER) == ()
    assert await there.of_station(StationId("s1")) is None
