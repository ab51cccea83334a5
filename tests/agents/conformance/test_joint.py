"""A demand that needs two people at once: both are reserved, or neither."""

import pytest

from agents.agent import Acceptance, Activity, PauseReason, Presence, Release, Reservation, ReservationId
from agents.availability import Ask, Availability
from records.model import AccountId
from tests.agents.hall import (
    CALL_1,
    FIRST,
    INTERPRETER,
    LAND,
    LIN,
    SECOND,
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

BOTH = (LIN, WANG)
RING = ReservationId("ring-1")


@pytest.fixture
async def hall(availability: Availability) -> Availability:
    """Lin and Wang are free since 0; the first call needs two."""
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG, skills=(LAND,))
    await availability.enqueue(waits(FIRST, since=1, second=INTERPRETER))
    return availability


async def activities(hall: Availability) -> tuple[Activity, ...]:
    return tuple([(await known(hall, agent)).activity for agent in BOTH])


async def test_both_are_reserved_under_one_fence(hall: Availability) -> None:
    made = await reserves(hall, Ask(FIRST, BOTH, RING, 22), now=2)
    assert made is not None
    assert (made.agents, made.agent) == (BOTH, LIN)
    for agent in BOTH:
        reserved = await known(hall, agent)
        assert (reserved.activity, reserved.demand, reserved.fence) == (
            Activity.RESERVED,
            FIRST,
            made.fence,
        )
    assert await reserves(hall, Ask(FIRST, BOTH, RING, 30), now=5) == made


@pytest.mark.parametrize("busy", BOTH)
async def test_neither_is_reserved_when_one_is_not_free(hall: Availability, busy: AccountId) -> None:
    await hall.declare(busy, Presence.PAUSED, PauseReason.BREAK, now=2)
    assert await reserves(hall, Ask(FIRST, BOTH, RING, 23), now=3) is None
    assert await activities(hall) == (Activity.IDLE, Activity.IDLE)
    assert await queue(hall) == (FIRST,)


@pytest.mark.parametrize("agents", [(), (LIN,), (LIN, LIN), (LIN, WANG, ZHAO), (LIN, ZHAO)])
async def test_refused_to_fewer_more_the_same_twice_and_strangers(
    hall: Availability, agents: tuple[AccountId, ...]
) -> None:
    assert await reserves(hall, Ask(FIRST, agents, RING, 22), now=2) is None
    assert await activities(hall) == (Activity.IDLE, Activity.IDLE)


async def test_who_needs_one_is_not_given_two(hall: Availability) -> None:
    await hall.enqueue(waits(SECOND))
    assert await reserves(hall, Ask(SECOND, BOTH, RING, 22), now=2) is None


async def test_the_call_begins_when_both_have_said_yes(hall: Availability) -> None:
    reservation = await rings(hall, BOTH, FIRST, now=2)
    for _ in range(2):
        assert await hall.accept(reservation.id, WANG, now=3) is Acceptance.PARTIAL
    assert await activities(hall) == (Activity.RESERVED, Activity.RESERVED)
    (ringing,) = (await hall.snapshot()).reservations
    assert (ringing.id, ringing.accepted, ringing.fence) == (reservation.id, (WANG,), reservation.fence)
    assert await hall.accept(reservation.id, LIN, now=4) is Acceptance.COMPLETE
    assert await activities(hall) == (Activity.IN_CALL, Activity.IN_CALL)
    assert (await hall.snapshot()).reservations == ()
    for agent in BOTH:
        assert await hall.accept(reservation.id, agent, now=30) is Acceptance.COMPLETE
        assert (await known(hall, agent)).since == 4


async def test_the_second_yes_may_be_too_late(hall: Availability) -> None:
    reservation = await rings(hall, BOTH, FIRST, now=2)
    await hall.accept(reservation.id, WANG, now=3)
    assert await hall.accept(reservation.id, LIN, now=22) is Acceptance.REFUSED
    assert await hall.accept(reservation.id, WANG, now=22) is Acceptance.REFUSED


async def one_has_accepted(hall: Availability) -> Reservation:
    reservation = await rings(hall, BOTH, FIRST, now=2)
    assert await hall.accept(reservation.id, WANG, now=3) is Acceptance.PARTIAL
    return reservation


async def test_who_let_it_ring_has_missed_it_and_who_accepted_has_not(hall: Availability) -> None:
    reservation = await one_has_accepted(hall)
    assert await hall.give_back(reservation.id, Release.NO_ANSWER, now=22)
    lin, wang = await known(hall, LIN), await known(hall, WANG)
    assert (lin.activity, lin.misses, lin.idle_since) == (Activity.IDLE, 1, 22)
    assert (wang.activity, wang.misses, wang.idle_since) == (Activity.IDLE, 0, 0)
    (back,) = (await hall.snapshot()).waiting
    assert (back.id, back.enqueued_at, back.passed_over) == (FIRST, 1, {LIN: 42})


async def test_both_let_it_ring(hall: Availability) -> None:
    reservation = await rings(hall, BOTH, FIRST, now=2)
    assert await hall.give_back(reservation.id, Release.NO_ANSWER, now=22)
    assert [(await known(hall, agent)).misses for agent in BOTH] == [1, 1]
    assert (await hall.snapshot()).waiting[0].passed_over == {LIN: 42, WANG: 42}


async def test_one_declines_and_the_other_is_let_go(hall: Availability) -> None:
    reservation = await one_has_accepted(hall)
    assert await hall.give_back(reservation.id, Release.DECLINED, now=5, by=LIN)
    assert not await hall.give_back(reservation.id, Release.DECLINED, now=5, by=WANG)
    assert (await known(hall, LIN)).idle_since == 5
    assert (await known(hall, WANG)).idle_since == 0
    assert (await hall.snapshot()).waiting[0].passed_over == {LIN: 35}


async def test_one_is_lost_after_accepting(hall: Availability) -> None:
    reservation = await one_has_accepted(hall)
    assert await hall.give_back(reservation.id, Release.LOST, now=5, by=WANG)
    assert (await known(hall, WANG)).idle_since == 5
    assert (await known(hall, LIN)).idle_since == 0
    assert (await hall.snapshot()).waiting[0].passed_over == {}


async def test_withdrawn_costs_neither_anything(hall: Availability) -> None:
    reservation = await one_has_accepted(hall)
    assert await hall.give_back(reservation.id, Release.WITHDRAWN, now=5)
    assert [(await known(hall, agent)).idle_since for agent in BOTH] == [0, 0]
    assert (await hall.snapshot()).waiting == ()


async def test_the_demand_is_taken_until_both_have_left(hall: Availability) -> None:
    demand = waits(FIRST, second=INTERPRETER)
    await accepts(hall, await rings(hall, BOTH, FIRST, now=2), now=3)
    assert await hall.release(WANG, CALL_1, Release.ENDED, now=4)
    await hall.enqueue(demand)
    assert await queue(hall) == ()
    assert await hall.release(LIN, CALL_1, Release.ENDED, now=5)
    await hall.enqueue(demand)
    assert await queue(hall) == (FIRST,)
