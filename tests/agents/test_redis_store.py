"""What only the store in Redis has: keys of one slot, scripts that may be forgotten, other clients."""

from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from agents import redis_life
from agents.agent import Acceptance, Release, ReservationId
from agents.availability import Ask, Position
from agents.keys import Keys
from agents.redis_life import Contended
from agents.redis_store import RedisAvailability
from agents.scripts import RESERVE, SETTLE, Script, run
from records.model import AccountId, HallId
from tests.agents.hall import (
    CALL_1,
    FIRST,
    HALL,
    LIN,
    RULES,
    SECOND,
    THIRD,
    WANG,
    ZHAO,
    accepts,
    comes_to_work,
    known,
    queue,
    reserves,
    rings,
    waits,
)

RING = ReservationId("ring-1")
KEYS = Keys(HALL)


@pytest.fixture
def availability(redis: Redis) -> RedisAvailability:
    return RedisAvailability(redis, HALL, RULES)


@pytest.fixture
def other(redis: Redis) -> RedisAvailability:
    """Another process's."""
    return RedisAvailability(redis, HALL, RULES)


# --- keys --------------------------------------------------------------------------------------


async def test_all_keys_of_a_hall_are_known_and_share_a_slot(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    await rings(availability, LIN, FIRST, now=1)
    named = {key.encode() for key in vars(KEYS).values()}
    assert set(await redis.keys()) == named
    assert len({key_slot(key) for key in named}) == 1


async def test_nothing_but_the_capped_stream_names_a_call_that_is_over(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    declined = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(declined.id, Release.DECLINED, now=2)
    await accepts(availability, await rings(availability, LIN, FIRST, now=50), now=51)
    await availability.release(LIN, CALL_1, Release.ENDED, now=60)
    await availability.release(LIN, CALL_1, Release.READY, now=70)
    assert set(await redis.keys()) == {k.encode() for k in (KEYS.generation, KEYS.changes, KEYS.agents)}
    everything = [await redis.hgetall(key) for key in (KEYS.generation, KEYS.agents)]
    assert FIRST not in repr(everything)


async def test_nothing_names_a_call_that_went_away_while_it_rang(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(reservation.id, Release.WITHDRAWN, now=2)
    await availability.withdraw(SECOND)
    assert set(await redis.keys()) == {k.encode() for k in (KEYS.generation, KEYS.changes, KEYS.agents)}
    assert FIRST not in repr(await redis.hgetall(KEYS.agents))


async def test_halls_know_nothing_of_each_other(redis: Redis, availability: RedisAvailability) -> None:
    other = RedisAvailability(redis, HallId("elsewhere"), RULES)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    assert await other.agent(LIN) is None
    assert await queue(other) == ()


# --- clients and scripts -----------------------------------------------------------------------


async def test_a_server_that_forgot_the_scripts_is_given_them_again(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await redis.script_flush()
    await availability.enqueue(waits(FIRST))
    await redis.script_flush()
    assert await reserves(availability, Ask(FIRST, (LIN,), RING, until=21), now=1) is not None
    await redis.script_flush()
    assert (await availability.changes(None)).whole


async def test_another_connection_sees_the_same(valkey_socket: Path, availability: RedisAvailability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await rings(availability, LIN, FIRST, now=1.25)
    async with Redis(unix_socket_path=str(valkey_socket)) as client:
        other = RedisAvailability(client, HALL, RULES)
        assert await other.snapshot() == await availability.snapshot()
        assert await other.changes(None) == await availability.changes(None)


async def test_records_that_contradict_each_other_are_an_error_and_not_an_endless_loop(
    redis: Redis, availability: RedisAvailability
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await redis.hset(KEYS.taken, FIRST, "somebody else")
    with pytest.raises(Contended):
        await availability.give_back(reservation.id, Release.DECLINED, now=2)


@pytest.mark.parametrize("script", [RESERVE, SETTLE])
async def test_a_script_that_is_told_another_generation_writes_nothing(
    redis: Redis, availability: RedisAvailability, script: Script
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    agent, waiting = await redis.hget(KEYS.agents, LIN), await redis.hget(KEYS.waiting, FIRST)
    before = await availability.changes(None)
    stale = before.position.generation - 1
    if script is RESERVE:
        keys = (KEYS.agents, KEYS.waiting, KEYS.reservations, KEYS.taken)
        args = (1, FIRST, waiting, RING, "held", "taken", LIN, agent, "reserved")
    else:
        keys, args = (KEYS.waiting,), ("w", FIRST, waiting, "")
    assert await run(redis, script, (KEYS.generation, KEYS.changes, *keys), (stale, 100, *args)) == -1
    assert await availability.changes(None) == before


# --- what a dispatcher remembers ---------------------------------------------------------------


async def three_of_each(availability: RedisAvailability) -> tuple[Ask, ...]:
    asks = []
    for agent, demand in ((LIN, FIRST), (WANG, SECOND), (ZHAO, THIRD)):
        await comes_to_work(availability, agent)
        await availability.enqueue(waits(demand))
        asks.append(Ask(demand, (agent,), ReservationId(f"ring-{agent}"), until=21.0))
    return tuple(asks)


async def test_a_batch_that_was_seen_before_takes_one_round_trip(
    redis: Redis, availability: RedisAvailability
) -> None:
    asks = await three_of_each(availability)
    await availability.changes(None)
    await redis.script_load(RESERVE.text)

    async def requests() -> int:
        return int((await redis.info("stats"))["total_reads_processed"])

    before = await requests()
    assert all(await availability.reserve(asks, now=1))
    assert await requests() - before == 2  # the batch and the question


async def test_what_is_remembered_wrongly_costs_a_round_and_nothing_else(
    availability: RedisAvailability, other: RedisAvailability
) -> None:
    asks = await three_of_each(availability)
    await availability.changes(None)
    taken = await rings(other, LIN, FIRST, now=1)
    declined = await rings(other, WANG, SECOND, now=1)
    await other.give_back(declined.id, Release.WITHDRAWN, now=2)
    await other.enqueue(waits(SECOND, since=3))
    first, second, third = await availability.reserve(asks, now=4)
    assert first is None
    assert second is not None
    assert third is not None
    assert (await known(availability, LIN)).reservation == taken.id


async def test_an_id_that_another_reservation_has_is_refused(
    availability: RedisAvailability, other: RedisAvailability
) -> None:
    first, second, _ = await three_of_each(availability)
    await availability.changes(None)
    assert await reserves(other, first, now=1) is not None
    same_id = Ask(second.demand, second.agents, first.reservation, until=22.0)
    assert await reserves(availability, same_id, now=2) is None
    assert (await known(availability, WANG)).routable


async def test_nothing_is_refused_by_memory(
    availability: RedisAvailability, other: RedisAvailability
) -> None:
    await availability.changes(None)
    asks = await three_of_each(other)
    assert all(await availability.reserve(asks, now=1))


async def test_the_same_batch_again_is_the_same_reservations(availability: RedisAvailability) -> None:
    asks = await three_of_each(availability)
    await availability.changes(None)
    made = await availability.reserve(asks, now=1)
    assert await availability.reserve(asks, now=2) == made


# --- the stream of changes ---------------------------------------------------------------------


async def test_a_gap_is_answered_with_everything(redis: Redis, availability: RedisAvailability) -> None:
    before = (await availability.changes(None)).position
    await comes_to_work(availability, LIN)
    await redis.xtrim(KEYS.changes, maxlen=1, approximate=False)
    changes = await availability.changes(before)
    assert changes.whole
    assert [agent.id for agent in changes.agents] == [LIN]
    assert not (await availability.changes(changes.position)).whole


async def test_entries_in_the_middle_are_missed(redis: Redis, availability: RedisAvailability) -> None:
    before = (await availability.changes(None)).position
    await comes_to_work(availability, LIN)
    await redis.xdel(KEYS.changes, f"{before.generation}-{before.seq + 1}")
    assert (await availability.changes(before)).whole


@pytest.mark.parametrize("lost", ["changes", "generation"])
async def test_without_its_stream_or_its_name_a_store_begins_anew(
    redis: Redis, availability: RedisAvailability, lost: str
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    before = (await availability.changes(None)).position
    reservation = await rings(availability, LIN, FIRST, now=1)
    await redis.delete(getattr(KEYS, lost))
    changes = await availability.changes(before)
    assert changes.whole
    assert changes.position.generation > before.generation
    assert changes.reservations == (reservation,)
    await availability.give_back(reservation.id, Release.LOST, now=2)
    assert (await rings(availability, LIN, FIRST, now=3)).fence > reservation.fence


async def test_the_stream_is_capped(
    redis: Redis, availability: RedisAvailability, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_life, "KEEP", 50)
    for n in range(400):
        await availability.sign_in(AccountId(f"a{n}"), (await comes_to_work(availability, LIN)).profile, n)
    assert await redis.xlen(KEYS.changes) < 200


async def test_two_processes_that_find_the_store_empty_agree_on_its_generation(
    redis: Redis, availability: RedisAvailability, other: RedisAvailability
) -> None:
    one = (await availability.changes(None)).position
    assert (await other.changes(None)).position == one
    await redis.flushall()
    assert (await other.changes(one)).position.generation > one.generation
    assert (await availability.changes(one)) == await other.changes(one)


async def test_a_name_is_larger_than_all_that_was_known_though_the_clock_went_back(
    redis: Redis, availability: RedisAvailability
) -> None:
    """As when the new server's clock is behind: the counters of the old life are ahead of the new one's."""
    ahead = 2**52
    await availability.changes(None)
    await redis.hset(KEYS.generation, "fence", ahead)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    assert reservation.fence == ahead + 1
    assert await availability.accept(reservation.id, LIN, now=2) is Acceptance.COMPLETE
    await redis.flushall()
    assert (await availability.changes(None)).position > Position(ahead, 0)
