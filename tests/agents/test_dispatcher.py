"""The loop, stepped through virtual time; and as it really runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from structlog.testing import capture_logs

from agents import dispatcher as module
from agents import telling
from agents.agent import Acceptance, Activity, PauseReason, Presence, Release, Reservation, ReservationId
from agents.availability import Ask, Availability, Changes, Position, Rules
from agents.dispatcher import Dispatcher
from agents.memory import MemoryAvailability
from agents.plan import Queue, Ring, Scope
from agents.redis_store import RedisAvailability
from records.model import AccountId, CallId, QueueId, Text
from tests.agents.hall import (
    FIRST,
    HALL,
    LAND,
    LIN,
    PLAN,
    RULES,
    SECOND,
    TAX,
    WANG,
    comes_to_work,
    known,
    queue,
    waits,
)
from tests.eventually import eventually


class Desk:
    """What signaling is to a dispatcher: it is told, and gives expired reservations back."""

    def __init__(self, availability: Availability, gives_back: bool = True, rules: Rules = RULES) -> None:
        self.availability = availability
        self.gives_back = gives_back
        self.rung: list[Reservation] = []
        self.expired: list[Reservation] = []
        self.generations: list[int] = []
        self.failures = 0
        self.hangs = 0
        self.now = 0.0
        ids = count(1)
        self.dispatcher = Dispatcher(
            availability,
            plan=PLAN,
            rules=rules,
            clock=lambda: self.now,
            new_id=lambda: ReservationId(f"ring-{next(ids)}"),
            on_reserved=self.on_reserved,
            on_expired=self.on_expired,
            on_generation=self.on_generation,
        )

    async def on_reserved(self, reservation: Reservation) -> None:
        await self._fail_if_told_to()
        self.rung.append(reservation)

    async def on_expired(self, reservation: Reservation) -> None:
        await self._fail_if_told_to()
        self.expired.append(reservation)
        if self.gives_back:
            await self.availability.give_back(reservation.id, Release.NO_ANSWER, self.now)

    async def on_generation(self, generation: int) -> None:
        self.generations.append(generation)

    async def round(self, now: float) -> tuple[Reservation, ...]:
        self.now = now
        return await self.dispatcher.round(now)

    async def _fail_if_told_to(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise RuntimeError("the receiver is ill")
        if self.hangs > 0:
            self.hangs -= 1
            await asyncio.Event().wait()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.dispatcher.run(), name="dispatcher")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture
def availability() -> MemoryAvailability:
    return MemoryAvailability(RULES)


@pytest.fixture
async def desk(availability: Availability) -> AsyncIterator[Desk]:
    desk = Desk(availability)
    yield desk
    await desk.dispatcher.close()


# --- who is rung -----------------------------------------------------------------------------------------


async def test_a_round_reserves_and_tells(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG, now=1)
    await availability.enqueue(waits(FIRST, 1))
    await availability.enqueue(waits(SECOND, 2))
    made = await desk.round(5)
    assert [(r.call, r.agents, r.until) for r in made] == [(FIRST, (LIN,), 25), (SECOND, (WANG,), 25)]
    assert desk.rung == list(made)
    assert await desk.round(6) == ()


async def test_its_picture_is_the_stores(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    await availability.enqueue(waits(SECOND, 2))
    await desk.round(5)
    await desk.round(6)
    snapshot = await availability.snapshot()
    picture = desk.dispatcher.picture
    assert tuple(picture.agents.values()) == snapshot.agents
    assert tuple(picture.waiting.values()) == snapshot.waiting
    assert tuple(picture.reservations.values()) == snapshot.reservations


async def test_more_than_one_trip_to_the_store_is_in_the_queues_order(
    availability: Availability, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    calls = [CallId(f"call-{n}") for n in range(7)]
    for n, call in enumerate(calls):
        await comes_to_work(availability, AccountId(f"agent-{n}"), now=n)
        await availability.enqueue(waits(call, n))
    made = await desk.round(10)
    assert [r.call for r in made] == [r.call for r in desk.rung] == calls


async def test_a_round_that_is_long_enough_is_followed_by_another(
    availability: Availability, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    monkeypatch.setattr(module, "INTERVAL_S", 3600.0)
    for n in range(7):
        await comes_to_work(availability, AccountId(f"agent-{n}"))
        await availability.enqueue(waits(CallId(f"call-{n}"), n))
    assert len(await desk.round(10)) == 3
    async with desk.running():
        await eventually(lambda: len(desk.rung) == 7)


class Elsewhere(MemoryAvailability):
    """Another hand is always faster."""

    asked = 0

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        self.asked += len(asks)
        return tuple(None for _ in asks)


async def test_after_losing_it_looks_again_once_and_then_when_something_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 3600.0)
    store = Elsewhere(RULES)
    await comes_to_work(store, LIN)
    await store.enqueue(waits(FIRST))
    desk = Desk(store)
    async with desk.running():
        await eventually(lambda: store.asked == 2)
        await eventually(lambda: not desk.dispatcher._woken.is_set())
        assert store.asked == 2
        await comes_to_work(store, WANG)
        desk.dispatcher.poke()
        await eventually(lambda: store.asked == 4)


async def test_of_a_batch_that_was_mostly_lost_the_rest_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    store = Elsewhere(RULES)
    for n in range(6):
        await comes_to_work(store, AccountId(f"agent-{n}"))
        await store.enqueue(waits(CallId(f"call-{n}"), n))
    await Desk(store).round(1)
    assert store.asked == 2


async def test_another_plan_is_another_picture(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await desk.round(1)
    await availability.enqueue(waits(FIRST))
    desk.dispatcher.plan = replace(PLAN, items={})
    assert await desk.round(2) == ()
    assert desk.dispatcher.picture.plan.items == {}
    assert set(desk.dispatcher.picture.agents) == {LIN}
    desk.dispatcher.plan = PLAN
    assert [r.agent for r in await desk.round(3)] == [LIN]


# --- what is over ----------------------------------------------------------------------------------------


async def test_a_call_that_rings_out_goes_to_the_next_agent(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG, now=1)
    await availability.enqueue(waits(FIRST, 1))
    await desk.round(5)
    assert await desk.round(24.9) == ()
    (second,) = await desk.round(25)
    assert (second.agent, second.until) == (WANG, 45)
    assert [r.agent for r in desk.expired] == [LIN]


async def test_an_agent_alone_is_paused_after_two_misses_and_the_call_still_waits(
    availability: Availability, desk: Desk
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    for now in range(5, 120):
        await desk.round(now)
    agent = await known(availability, LIN)
    assert (agent.presence, agent.pause_reason) == (Presence.PAUSED, PauseReason.MISSED_CALLS)
    assert len(desk.rung) == 2
    assert await queue(availability) == (FIRST,)


async def test_wrap_up_that_is_over_ends_and_the_agent_is_rung_in_the_same_round(
    availability: Availability, desk: Desk
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    (reservation,) = await desk.round(5)
    assert await availability.accept(reservation.id, LIN, 6) is Acceptance.COMPLETE
    await availability.release(LIN, FIRST, Release.ENDED, 10)
    await availability.enqueue(waits(SECOND, 20))
    assert await desk.round(129) == ()
    (reservation,) = await desk.round(130)
    assert (reservation.call, reservation.agent) == (SECOND, LIN)


async def test_no_reservation_outlives_its_lease_by_a_second(availability: Availability) -> None:
    """Its receiver leaves it over, so the dispatcher gives it back itself."""
    desk = Desk(availability, gives_back=False)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    await desk.round(0)
    for now in (20, 20.4):
        await desk.round(now)
        assert (await known(availability, LIN)).activity is Activity.RESERVED
    await desk.round(20.9)
    assert len(desk.expired) == 1
    agent = await known(availability, LIN)
    assert (agent.activity, agent.misses) == (Activity.IDLE, 1)
    assert await queue(availability) == (FIRST,)


async def test_what_was_given_back_for_a_failing_receiver_is_still_told(
    availability: Availability, desk: Desk
) -> None:
    """Its call has to learn that it rings no more, though agent and call are free already."""
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    (reservation,) = await desk.round(0)
    desk.failures = 2
    await desk.round(20)
    await desk.round(20.5)
    assert desk.expired == []
    assert (await known(availability, LIN)).activity is Activity.IDLE
    await desk.round(21)
    assert desk.expired == [reservation]
    await desk.round(21.5)
    assert desk.expired == [reservation]


async def test_a_receiver_that_hangs_does_not_keep_the_lease_from_ending(
    availability: Availability, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PATIENCE_S", 0.01)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    await desk.round(0)
    desk.hangs = 1
    await desk.round(20)
    await desk.round(20.5)
    assert (await known(availability, LIN)).activity is Activity.IDLE


# --- receivers -------------------------------------------------------------------------------------------


async def test_a_receiver_that_failed_is_told_again(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    desk.failures = 1
    (reservation,) = await desk.round(5)
    assert desk.rung == []
    await desk.round(6)
    await desk.round(7)
    assert desk.rung == [reservation]
    desk.failures = 1
    await desk.round(25)
    assert desk.expired == []
    await desk.round(26)
    assert desk.expired == [reservation]


@pytest.mark.parametrize("ended", [Release.DECLINED, Release.WITHDRAWN])
async def test_a_ring_that_was_never_told_is_not_told_when_it_is_over(
    availability: Availability, desk: Desk, ended: Release
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    desk.failures = 1
    (reservation,) = await desk.round(5)
    await availability.give_back(reservation.id, ended, 6)
    await desk.round(7)
    assert desk.rung == []


async def test_a_ring_that_was_never_told_is_not_told_after_its_deadline(
    availability: Availability, desk: Desk
) -> None:
    await comes_to_work(availability, LIN, skills=(LAND,))
    await availability.enqueue(waits(FIRST, 1, LAND))
    desk.failures = 1
    await desk.round(5)
    await desk.round(25)
    await desk.round(26)
    assert desk.rung == []
    assert len(desk.expired) == 1


async def test_a_failing_receiver_does_not_keep_others_from_being_told(
    availability: Availability, desk: Desk
) -> None:
    for agent in (LIN, WANG):
        await comes_to_work(availability, agent)
    for call in (FIRST, SECOND):
        await availability.enqueue(waits(call))
    desk.failures = 1
    assert len(await desk.round(5)) == 2
    assert [r.call for r in desk.rung] == [SECOND]


async def test_a_receiver_that_hangs_has_failed(
    availability: Availability, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "CALLBACK_S", 0.01)
    for agent in (LIN, WANG):
        await comes_to_work(availability, agent)
    for call in (FIRST, SECOND):
        await availability.enqueue(waits(call))
    desk.hangs = 1
    assert len(await desk.round(5)) == 2
    assert [r.call for r in desk.rung] == [SECOND]
    await desk.round(6)
    assert [r.call for r in desk.rung] == [SECOND, FIRST]


async def test_a_slow_receiver_is_waited_for_a_moment_and_told_once(
    availability: Availability, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telling, "PATIENCE_S", 0.01)
    for agent in (LIN, WANG):
        await comes_to_work(availability, agent)
    for call in (FIRST, SECOND):
        await availability.enqueue(waits(call))
    desk.hangs = 1
    for now in (5, 6, 7):
        await desk.round(now)
    assert [r.call for r in desk.rung] == [SECOND]


async def test_cancelled_while_a_receiver_is_busy_it_ends(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    desk.hangs = 1
    async with desk.running():
        await eventually(lambda: desk.hangs == 0)


# --- generations -----------------------------------------------------------------------------------------


async def test_each_life_of_the_store_is_told_once(availability: MemoryAvailability, desk: Desk) -> None:
    for now in range(2):
        await desk.round(now)
    availability.lose_everything()
    for now in range(2, 4):
        await desk.round(now)
    first, second = desk.generations
    assert first < second


async def test_nobody_is_rung_until_everybody_had_time_to_say_what_they_know(
    availability: MemoryAvailability, desk: Desk
) -> None:
    await desk.round(0)
    availability.lose_everything()
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(SECOND, 2))
    assert await desk.round(5) == ()
    await availability.enqueue(waits(FIRST, 1))
    assert await desk.round(5.9) == ()
    assert [r.call for r in await desk.round(6)] == [FIRST]


async def test_after_its_clock_was_set_back_it_goes_on(availability: MemoryAvailability, desk: Desk) -> None:
    await desk.round(1000)
    availability.lose_everything()
    await desk.round(1000)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    assert len(await desk.round(900)) == 1


# --- when ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 8), (100_000, 8)])
def test_failing_rounds_are_further_and_further_apart(failures: int, seconds: float) -> None:
    assert module._backoff(failures) == seconds


async def test_poked_it_works_at_once(
    availability: Availability, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 3600.0)
    await comes_to_work(availability, LIN)
    async with desk.running():
        await availability.enqueue(waits(FIRST))
        desk.dispatcher.poke()
        await eventually(lambda: len(desk.rung) == 1)


async def test_unpoked_it_works_at_every_interval(
    availability: Availability, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 0.01)
    await comes_to_work(availability, LIN)
    async with desk.running():
        await eventually(lambda: not desk.dispatcher._woken.is_set())
        await availability.enqueue(waits(FIRST))
        await eventually(lambda: len(desk.rung) == 1)


async def test_it_rests_until_the_next_deadline(availability: Availability, desk: Desk) -> None:
    assert desk.dispatcher._rest_s() == module.INTERVAL_S
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await desk.round(0)
    await desk.round(1)
    for now, rest in ((19.0, 0.5), (19.9, 0.1), (20.2, 0.3), (20.499, module.SHORTEST_REST_S), (20.6, 0.5)):
        desk.now = now
        assert desk.dispatcher._rest_s() == pytest.approx(rest)


async def test_it_rests_until_a_ring_opens(availability: Availability, desk: Desk) -> None:
    tax = QueueId(TAX)
    widening = Queue(tax, Text("税", "Tax"), rings=(Ring(Scope.OWN_SITE), Ring(Scope.ALL, 20.2)))
    desk.dispatcher.plan = replace(PLAN, queues={tax: widening})
    await availability.enqueue(waits(FIRST, 100))
    await desk.round(100)
    for now, rest in ((119.0, 0.5), (120.0, 0.2), (120.2, 0.5)):
        desk.now = now
        assert desk.dispatcher._rest_s() == pytest.approx(rest)
    await availability.withdraw(FIRST)
    await desk.round(120.1)
    assert desk.dispatcher._rest_s() == module.INTERVAL_S


class Deaf(MemoryAvailability):
    """Hears no answer, so many times, of what the store did all the same."""

    failures = 1

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        answers = await super().reserve(asks, now)
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the answer is lost")
        return answers


async def test_a_ring_whose_answer_was_lost_is_told_in_the_next_round() -> None:
    desk = Desk(Deaf(RULES))
    await comes_to_work(desk.availability, LIN)
    await desk.availability.enqueue(waits(FIRST))
    with pytest.raises(ConnectionError):
        await desk.round(0)
    assert await desk.round(1) == ()
    assert [(ring.call, ring.agent) for ring in desk.rung] == [(FIRST, LIN)]
    await desk.round(2)
    assert len(desk.rung) == 1
    await desk.dispatcher.close()


class Torn(MemoryAvailability):
    """Cannot be read, for so many times."""

    failures = 3

    async def changes(self, since: Position | None) -> Changes:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("no way to the store")
        return await super().changes(since)


async def test_errors_of_the_store_are_the_callers_of_a_round(desk: Desk) -> None:
    with pytest.raises(ConnectionError):
        await Desk(Torn(RULES)).round(0)


async def test_a_store_that_is_away_for_a_moment_does_not_end_the_loop(
    redis: Redis, valkey_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_S", 0.01)
    await comes_to_work(RedisAvailability(redis, HALL, RULES), LIN)
    await RedisAvailability(redis, HALL, RULES).enqueue(waits(FIRST))
    impatient = Redis(unix_socket_path=str(valkey_socket), socket_timeout=0.02, retry=Retry(NoBackoff(), 0))
    async with impatient as client:
        desk = Desk(RedisAvailability(client, HALL, RULES))
        await client.ping()
        await redis.client_pause(200)  # milliseconds in which the server answers nobody
        with capture_logs() as logs:
            async with desk.running():
                await eventually(lambda: len(desk.rung) == 1)
    assert {entry["event"] for entry in logs} == {"dispatch round failed"}
