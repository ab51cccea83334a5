"""The offer of one call to one agent: reserve, accept, give_back."""

import pytest

from agents.agent import Acceptance, Activity, PauseReason, Presence, Release, ReservationId
from agents.availability import Ask, Availability
from tests.agents.hall import (
    CALL_1,
    FIRST,
    LIN,
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


async def test_one_agent_for_one_call(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST, since=2))
    reservation = await reserves(availability, Ask(FIRST, (LIN,), RING, 23.5), now=3.5)
    assert reservation is not None
    assert (reservation.id, reservation.demand, reservation.call) == (RING, FIRST, CALL_1)
    assert (reservation.agents, reservation.agent, reservation.accepted) == ((LIN,), LIN, ())
    assert reservation.until == 23.5
    agent = await known(availability, LIN)
    assert (agent.activity, agent.call, agent.demand) == (Activity.RESERVED, CALL_1, FIRST)
    assert (agent.reservation, agent.fence) == (RING, reservation.fence)
    assert (agent.since, agent.idle_since, agent.offered_at) == (3.5, 1, 3.5)
    assert await queue(availability) == ()


async def test_refused_for_a_stranger_and_for_a_call_that_does_not_wait(availability: Availability) -> None:
    await availability.enqueue(waits(FIRST))
    assert await reserves(availability, Ask(FIRST, (LIN,), RING, 21), now=1) is None
    await comes_to_work(availability, LIN)
    assert await reserves(availability, Ask(SECOND, (LIN,), RING, 21), now=1) is None
    assert await queue(availability) == (FIRST,)
    assert (await known(availability, LIN)).routable


@pytest.mark.parametrize("presence", [Presence.PAUSED, Presence.SIGNED_OUT])
async def test_refused_for_who_is_not_available(availability: Availability, presence: Presence) -> None:
    await comes_to_work(availability, LIN)
    await availability.declare(LIN, presence, None, now=1)
    await availability.enqueue(waits(FIRST))
    assert await reserves(availability, Ask(FIRST, (LIN,), RING, 22), now=2) is None


async def test_refused_for_who_is_reserved_in_a_call_or_wrapping_up(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    reservation = await rings(availability, LIN, FIRST, now=1)
    other = ReservationId("other")
    assert await reserves(availability, Ask(SECOND, (LIN,), other, 22), now=2) is None
    await accepts(availability, reservation, now=3)
    assert await reserves(availability, Ask(SECOND, (LIN,), other, 24), now=4) is None
    await availability.release(LIN, CALL_1, Release.ENDED, now=5)
    assert await reserves(availability, Ask(SECOND, (LIN,), other, 26), now=6) is None
    await availability.release(LIN, CALL_1, Release.READY, now=7)
    assert await reserves(availability, Ask(SECOND, (LIN,), other, 28), now=8) is not None


async def test_refused_to_a_second_agent(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG)
    await availability.enqueue(waits(FIRST))
    await rings(availability, LIN, FIRST, now=1)
    assert await reserves(availability, Ask(FIRST, (WANG,), RING, 22), now=2) is None
    assert (await known(availability, WANG)).routable


async def test_reserving_again_with_the_same_id_is_the_same_reservation(availability: Availability) -> None:
    for agent in (LIN, WANG):
        await comes_to_work(availability, agent)
    for call in (FIRST, SECOND):
        await availability.enqueue(waits(call))
    made = await reserves(availability, Ask(FIRST, (LIN,), RING, 21), now=1)
    assert await reserves(availability, Ask(FIRST, (LIN,), RING, 25), now=5) == made
    assert await reserves(availability, Ask(SECOND, (WANG,), RING, 25), now=5) is None


async def test_the_fence_grows_with_every_reservation_of_the_hall(availability: Availability) -> None:
    for agent in (LIN, WANG):
        await comes_to_work(availability, agent)
    for call in (FIRST, SECOND):
        await availability.enqueue(waits(call))
    fences = []
    for now in (1, 50, 100):
        for agent, call in ((LIN, FIRST), (WANG, SECOND)):
            reservation = await rings(availability, agent, call, now)
            fences.append(reservation.fence)
            await availability.give_back(reservation.id, Release.DECLINED, now + 1)
    assert fences == sorted(set(fences))
    assert fences[0] > (await availability.changes(None)).position.generation


async def test_accepting_puts_the_agent_into_the_call(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await accepts(availability, reservation, now=20.9)
    agent = await known(availability, LIN)
    assert (agent.activity, agent.call, agent.since) == (Activity.IN_CALL, FIRST, 20.9)
    assert (await availability.snapshot()).reservations == ()


async def test_accepting_twice_is_accepted_as_long_as_the_call_lasts(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await accepts(availability, reservation, now=2)
    before = await known(availability, LIN)
    await accepts(availability, reservation, now=3)
    assert await known(availability, LIN) == before
    await availability.release(LIN, CALL_1, Release.ENDED, now=4)
    assert await availability.accept(reservation.id, LIN, now=5) is Acceptance.REFUSED


async def test_too_late_to_accept(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    assert await availability.accept(reservation.id, LIN, now=21) is Acceptance.REFUSED
    assert (await known(availability, LIN)).activity is Activity.RESERVED
    await availability.give_back(reservation.id, Release.NO_ANSWER, now=21)
    assert await availability.accept(reservation.id, LIN, now=22) is Acceptance.REFUSED
    assert await availability.accept(ReservationId("never"), LIN, now=22) is Acceptance.REFUSED


async def test_declined_the_call_keeps_its_place_and_passes_over_the_agent(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, since=1))
    await availability.enqueue(waits(SECOND, since=2))
    reservation = await rings(availability, LIN, FIRST, now=3)
    assert await availability.give_back(reservation.id, Release.DECLINED, now=4)
    assert await queue(availability) == (FIRST, SECOND)
    assert (await availability.snapshot()).waiting[0].passed_over == {LIN: 34}
    agent = await known(availability, LIN)
    assert (agent.routable, agent.misses, agent.idle_since, agent.since) == (True, 0, 4, 4)
    assert (agent.call, agent.reservation) == (None, None)


async def test_a_late_dispatcher_cannot_ring_who_has_just_declined(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(reservation.id, Release.DECLINED, now=2)
    assert await reserves(availability, Ask(FIRST, (LIN,), RING, 22), now=31.9) is None
    assert await reserves(availability, Ask(FIRST, (LIN,), RING, 52), now=32) is not None


async def test_passed_over_agents_are_forgotten_when_their_time_is_over(availability: Availability) -> None:
    for agent in (LIN, WANG):
        await comes_to_work(availability, agent)
    await availability.enqueue(waits(FIRST))
    one = await rings(availability, LIN, FIRST, now=0)
    await availability.give_back(one.id, Release.DECLINED, now=1)
    two = await rings(availability, WANG, FIRST, now=2)
    await availability.give_back(two.id, Release.NO_ANSWER, now=22)
    assert (await availability.snapshot()).waiting[0].passed_over == {LIN: 31, WANG: 42}
    three = await rings(availability, LIN, FIRST, now=40)
    await availability.give_back(three.id, Release.DECLINED, now=50)
    assert (await availability.snapshot()).waiting[0].passed_over == {LIN: 80}


async def test_two_rings_without_an_answer_pause_the_agent(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, since=0))
    one = await rings(availability, LIN, FIRST, now=1)
    assert await availability.give_back(one.id, Release.NO_ANSWER, now=21)
    agent = await known(availability, LIN)
    assert (agent.misses, agent.routable, agent.idle_since) == (1, True, 21)
    two = await rings(availability, LIN, FIRST, now=41)
    assert await availability.give_back(two.id, Release.NO_ANSWER, now=61)
    agent = await known(availability, LIN)
    assert (agent.presence, agent.pause_reason) == (Presence.PAUSED, PauseReason.MISSED_CALLS)
    assert (agent.activity, agent.misses, agent.since) == (Activity.IDLE, 2, 61)
    assert await queue(availability) == (FIRST,)
    assert (await availability.declare(LIN, Presence.AVAILABLE, None, now=70)).misses == 0


async def test_an_answer_in_between_begins_the_count_anew(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    one = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(one.id, Release.NO_ANSWER, now=21)
    two = await rings(availability, LIN, FIRST, now=41)
    await accepts(availability, two, now=42)
    assert (await known(availability, LIN)).misses == 0


async def test_a_pause_of_the_agents_own_is_not_overwritten_by_missed_calls(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    for now in (1, 41):
        reservation = await rings(availability, LIN, FIRST, now)
        if now == 41:
            await availability.declare(LIN, Presence.PAUSED, PauseReason.MEAL, now=now + 1)
        await availability.give_back(reservation.id, Release.NO_ANSWER, now + 20)
    agent = await known(availability, LIN)
    assert (agent.pause_reason, agent.misses) == (PauseReason.MEAL, 2)


async def test_lost_while_ringing_is_no_miss_and_the_demand_waits_for_anybody(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST, since=1))
    reservation = await rings(availability, LIN, FIRST, now=2)
    assert await availability.give_back(reservation.id, Release.LOST, now=9, by=LIN)
    agent = await known(availability, LIN)
    assert (agent.activity, agent.misses, agent.idle_since) == (Activity.IDLE, 0, 9)
    assert (await availability.snapshot()).waiting == (waits(FIRST, since=1),)


async def test_withdrawn_while_ringing_costs_the_agent_nothing(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=2)
    assert await availability.give_back(reservation.id, Release.WITHDRAWN, now=9)
    agent = await known(availability, LIN)
    assert (agent.routable, agent.idle_since, agent.since, agent.misses) == (True, 1, 9, 0)
    assert await queue(availability) == ()


@pytest.mark.parametrize("why", [Release.DECLINED, Release.NO_ANSWER, Release.LOST, Release.WITHDRAWN])
async def test_giving_back_twice_or_after_the_answer_changes_nothing(
    availability: Availability, why: Release
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    declined = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(declined.id, Release.DECLINED, now=2)
    answered = await rings(availability, LIN, SECOND, now=3)
    await accepts(availability, answered, now=4)
    before = await availability.snapshot()
    for reservation in (declined.id, answered.id, ReservationId("never")):
        assert not await availability.give_back(reservation, why, now=5)
    assert await availability.snapshot() == before


@pytest.mark.parametrize("why", [Release.ENDED, Release.READY])
async def test_what_is_not_a_way_to_give_back(availability: Availability, why: Release) -> None:
    with pytest.raises(ValueError, match=why):
        await availability.give_back(RING, why, now=1)


async def test_many_asks_at_once_are_each_settled_by_themselves(availability: Availability) -> None:
    for agent in (LIN, WANG, ZHAO):
        await comes_to_work(availability, agent)
    await availability.declare(ZHAO, Presence.PAUSED, None, now=1)
    for demand in (FIRST, SECOND, THIRD):
        await availability.enqueue(waits(demand))
    asks = [(FIRST, LIN), (SECOND, LIN), (SECOND, WANG), (SECOND, WANG), (THIRD, ZHAO), (FIRST, LIN)]
    made = await availability.reserve(
        tuple(Ask(d, (a,), ReservationId(f"{d}/{a}"), until=22.0) for d, a in asks), now=2
    )
    assert made[0] is not None
    assert made[2] is not None
    assert made == (made[0], None, made[2], made[2], None, made[0])
    assert [r.agents for r in (await availability.snapshot()).reservations] == [(LIN,), (WANG,)]
    assert await queue(availability) == (THIRD,)


async def test_nothing_is_asked_and_nothing_answered(availability: Availability) -> None:
    assert await availability.reserve((), now=1) == ()


async def test_only_who_is_reserved_may_accept_or_give_back(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    before = await availability.snapshot()
    assert await availability.accept(reservation.id, WANG, now=2) is Acceptance.REFUSED
    assert not await availability.give_back(reservation.id, Release.DECLINED, now=2, by=WANG)
    assert await availability.snapshot() == before
