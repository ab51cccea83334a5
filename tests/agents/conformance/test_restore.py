"""What a store that lost its data is told by those who remember: restore."""

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from agents.agent import Activity, Agent, DemandId, PauseReason, Presence, Release, ReservationId
from agents.availability import Availability
from records.model import CallId
from tests.agents.hall import (
    CALL_1,
    FIRST,
    INTERPRETER,
    LAND,
    LIN,
    SECOND,
    WANG,
    accepts,
    comes_to_work,
    known,
    queue,
    rings,
    waits,
)

Lose = Callable[[], Awaitable[object]]


async def test_a_call_goes_on_after_the_loss(availability: Availability, lose_everything: Lose) -> None:
    await comes_to_work(availability, LIN, now=0)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await accepts(availability, reservation, now=2)
    before = await known(availability, LIN)
    assert not await availability.restore(replace(before, misses=1), now=3)
    await lose_everything()
    await availability.enqueue(waits(FIRST))
    assert await availability.restore(before, now=4)
    assert await known(availability, LIN) == before
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == ()
    assert not await availability.restore(before, now=5)
    await accepts(availability, reservation, now=6)
    assert await availability.release(LIN, CALL_1, Release.ENDED, now=7)
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == (FIRST,)


async def test_wrap_up_goes_on_after_the_loss(availability: Availability, lose_everything: Lose) -> None:
    await comes_to_work(availability, LIN, now=0)
    await availability.enqueue(waits(FIRST))
    await accepts(availability, await rings(availability, LIN, FIRST, now=1), now=2)
    await availability.release(LIN, CALL_1, Release.ENDED, now=3)
    before = await known(availability, LIN)
    await lose_everything()
    assert await availability.restore(before, now=4)
    assert await known(availability, LIN) == before
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == (FIRST,)
    assert await availability.release(LIN, CALL_1, Release.READY, now=5)


async def test_what_rang_is_over_after_the_loss(availability: Availability, lose_everything: Lose) -> None:
    await comes_to_work(availability, LIN, now=0)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    before = await known(availability, LIN)
    await lose_everything()
    assert await availability.restore(before, now=4)
    agent = await known(availability, LIN)
    assert (agent.routable, agent.idle_since, agent.since) == (True, 0, 4)
    assert (agent.call, agent.demand, agent.reservation) == (None, None, None)
    assert not await availability.give_back(reservation.id, Release.NO_ANSWER, now=5)


async def test_a_pause_is_remembered(availability: Availability, lose_everything: Lose) -> None:
    await comes_to_work(availability, LIN, now=0)
    before = await availability.declare(LIN, Presence.PAUSED, PauseReason.MEAL, now=2)
    await lose_everything()
    assert await availability.restore(before, now=4)
    assert await known(availability, LIN) == before


async def test_whose_demand_is_in_other_hands_is_free(
    availability: Availability, lose_everything: Lose
) -> None:
    await comes_to_work(availability, LIN, now=0)
    await availability.enqueue(waits(FIRST))
    await accepts(availability, await rings(availability, LIN, FIRST, now=1), now=2)
    before = await known(availability, LIN)
    await lose_everything()
    await comes_to_work(availability, WANG)
    await availability.enqueue(waits(FIRST))
    other = await rings(availability, WANG, FIRST, now=3)
    assert await availability.restore(before, now=4)
    agent = await known(availability, LIN)
    assert (agent.routable, agent.call, agent.idle_since) == (True, None, 4)
    await accepts(availability, other, now=5)


async def test_two_in_one_call_are_not_each_others_other_hands(
    availability: Availability, lose_everything: Lose
) -> None:
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG, skills=(LAND,))
    await availability.enqueue(waits(FIRST, second=INTERPRETER))
    await accepts(availability, await rings(availability, (LIN, WANG), FIRST, now=1), now=2)
    before = [await known(availability, agent) for agent in (LIN, WANG)]
    await lose_everything()
    for agent in before:
        assert await availability.restore(agent, now=4)
    assert [await known(availability, agent.id) for agent in before] == before
    await availability.release(LIN, CALL_1, Release.ENDED, now=5)
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == ()
    await availability.release(WANG, CALL_1, Release.ENDED, now=6)
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == (FIRST,)


# --- a store that fell back to an older state -------------------------------------------------------------


def in_call(agent: Agent, demand: DemandId, fence: int) -> Agent:
    """As its owner remembers it, though the store has lost that it was so."""
    call, ring = CallId(demand), ReservationId(f"ring of {demand}")
    return replace(
        agent,
        activity=Activity.IN_CALL,
        call=call,
        demand=demand,
        reservation=ring,
        fence=agent.fence + fence,
    )


async def test_a_call_goes_on_that_the_store_knows_as_waiting(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=0)
    await availability.enqueue(waits(FIRST))
    remembered = in_call(await known(availability, LIN), FIRST, fence=1)
    assert await availability.restore(remembered, now=3)
    assert await known(availability, LIN) == remembered
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == ()
    assert await availability.release(LIN, CALL_1, Release.ENDED, now=4)


@pytest.mark.parametrize("now", [3, 1000])
async def test_a_call_goes_on_that_the_store_still_rings_for(availability: Availability, now: float) -> None:
    """Also when its deadline has come; and so for both who are in it."""
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG, skills=(LAND,))
    await availability.enqueue(waits(FIRST, second=INTERPRETER))
    reservation = await rings(availability, (LIN, WANG), FIRST, now=1)
    remembered = replace(await known(availability, LIN), activity=Activity.IN_CALL)
    assert await availability.restore(remembered, now=now)
    assert {(await known(availability, agent)).activity for agent in (LIN, WANG)} == {Activity.IN_CALL}
    assert not await availability.give_back(reservation.id, Release.NO_ANSWER, now)
    for agent in (LIN, WANG):
        assert await availability.release(agent, CALL_1, Release.ENDED, now + 1)
    assert await queue(availability) == ()


async def test_what_rang_before_the_call_that_goes_on_waits_again(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await rings(availability, LIN, FIRST, now=1)
    remembered = in_call(await known(availability, LIN), SECOND, fence=1)
    assert await availability.restore(remembered, now=3)
    assert await known(availability, LIN) == remembered
    assert await queue(availability) == (FIRST,)


@pytest.mark.parametrize("demand", [FIRST, SECOND])
async def test_the_call_before_is_left(availability: Availability, demand: DemandId) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await accepts(availability, await rings(availability, LIN, FIRST, now=1), now=2)
    remembered = in_call(await known(availability, LIN), demand, fence=1)
    assert await availability.restore(remembered, now=3)
    assert await known(availability, LIN) == remembered
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    assert set(await queue(availability)) == {FIRST, SECOND} - {demand}


async def test_an_end_that_was_lost_is_told_again(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await accepts(availability, await rings(availability, LIN, FIRST, now=1), now=2)
    remembered = replace(await known(availability, LIN), activity=Activity.WRAP_UP, wrap_up_until=122)
    assert await availability.restore(remembered, now=3)
    assert (await known(availability, LIN)).activity is Activity.WRAP_UP
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == (FIRST,)


async def test_what_is_remembered_is_nothing_against_what_is_newer(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    ringing = await rings(availability, LIN, FIRST, now=1)
    rung = await known(availability, LIN)
    await accepts(availability, ringing, now=2)
    talking = await known(availability, LIN)
    await availability.release(LIN, CALL_1, Release.ENDED, now=3)
    for old in (rung, talking):
        assert not await availability.restore(old, now=4)
    assert (await known(availability, LIN)).activity is Activity.WRAP_UP
