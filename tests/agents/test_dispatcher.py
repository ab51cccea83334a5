"""The loop, stepped through virtual time; and once as it really runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from structlog.testing import capture_logs

from agents import dispatcher as module
from agents.agent import Activity, PauseReason, Presence, Release, Reservation, ReservationId
from agents.availability import Availability
from agents.dispatcher import Dispatcher
from agents.memory import MemoryAvailability
from agents.redis_store import RedisAvailability
from tests.agents.hall import (
    FIRST,
    HALL,
    LAND,
    LIN,
    RULES,
    SECOND,
    WANG,
    comes_to_work,
    known,
    queue,
    waits,
)
from tests.eventually import eventually


class Desk:
    """What signaling is to a dispatcher: it is told, and gives expired reservations back."""

    def __init__(self, availability: Availability, gives_back: bool = True) -> None:
        self.availability = availability
        self.gives_back = gives_back
        self.rung: list[Reservation] = []
        self.expired: list[Reservation] = []
        self.failures = 0
        self.hangs = 0
        self.now = 0.0
        ids = count(1)
        self.dispatcher = Dispatcher(
            availability,
            clock=lambda: self.now,
            new_id=lambda: ReservationId(f"ring-{next(ids)}"),
            ring_s=RULES.ring,
            on_reserved=self.on_reserved,
            on_expired=self.on_expired,
        )

    async def on_reserved(self, reservation: Reservation) -> None:
        self._fail_if_told_to()
        if self.hangs > 0:
            self.hangs -= 1
            await asyncio.Event().wait()
        self.rung.append(reservation)

    async def on_expired(self, reservation: Reservation) -> None:
        self._fail_if_told_to()
        self.expired.append(reservation)
        if self.gives_back:
            await self.availability.give_back(reservation.id, Release.NO_ANSWER, self.now)

    async def round(self, now: float) -> tuple[Reservation, ...]:
        self.now = now
        return await self.dispatcher.round(now)

    def _fail_if_told_to(self) -> None:
        if self.failures > 0:
            self.failures -= 1
            raise RuntimeError("the receiver is ill")

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
def availability() -> Availability:
    return MemoryAvailability(RULES)


@pytest.fixture
def desk(availability: Availability) -> Desk:
    return Desk(availability)


async def test_a_round_reserves_and_tells(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG, now=1)
    await availability.enqueue(waits(FIRST, 1))
    await availability.enqueue(waits(SECOND, 2))
    made = await desk.round(5)
    assert [(r.call, r.agent, r.until) for r in made] == [(FIRST, LIN, 25), (SECOND, WANG, 25)]
    assert desk.rung == list(made)
    assert await desk.round(6) == ()


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
    await availability.accept(reservation.id, 6)
    await availability.release(LIN, FIRST, Release.ENDED, 10)
    await availability.enqueue(waits(SECOND, 20))
    assert await desk.round(129) == ()
    (reservation,) = await desk.round(130)
    assert (reservation.call, reservation.agent) == (SECOND, LIN)


async def test_what_its_receiver_leaves_over_the_dispatcher_gives_back(availability: Availability) -> None:
    desk = Desk(availability, gives_back=False)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, 1))
    await desk.round(0)
    for now in (20, 21, 24.9):
        await desk.round(now)
        assert (await known(availability, LIN)).activity is Activity.RESERVED
    await desk.round(25)
    assert len(desk.expired) == 1
    agent = await known(availability, LIN)
    assert (agent.activity, agent.misses) == (Activity.IDLE, 1)
    assert await queue(availability) == (FIRST,)


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
    monkeypatch.setattr(module, "CALLBACK_S", 0.01)
    for agent in (LIN, WANG):
        await comes_to_work(availability, agent)
    for call in (FIRST, SECOND):
        await availability.enqueue(waits(call))
    desk.hangs = 1
    assert len(await desk.round(5)) == 2
    assert [r.call for r in desk.rung] == [SECOND]
    await desk.round(6)
    assert [r.call for r in desk.rung] == [SECOND, FIRST]


async def test_cancelled_while_a_receiver_is_busy_it_ends(availability: Availability, desk: Desk) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    desk.hangs = 1
    async with desk.running():
        await eventually(lambda: desk.hangs == 0)


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
