"""What a store that lost its data is told by those who remember: restore."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from agents.agent import PauseReason, Presence, Release
from agents.availability import Availability
from tests.agents.hall import (
    CALL_1,
    FIRST,
    INTERPRETER,
    LAND,
    LIN,
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
