"""After the call: release, and who is overdue."""

import pytest

from agents.agent import Activity, Release
from agents.availability import Availability
from tests.agents.hall import FIRST, LIN, SECOND, WANG, comes_to_work, known, rings, waits


@pytest.fixture
async def in_call(availability: Availability) -> Availability:
    """Lin is in the first call since 2."""
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    assert await availability.accept(reservation.id, now=2)
    return availability


async def test_the_call_ends_in_wrap_up_and_wrap_up_ends_in_idle(in_call: Availability) -> None:
    assert await in_call.release(LIN, FIRST, Release.ENDED, now=10)
    agent = await known(in_call, LIN)
    assert (agent.activity, agent.call, agent.reservation) == (Activity.WRAP_UP, FIRST, None)
    assert (agent.since, agent.wrap_up_until) == (10, 130)
    assert await in_call.release(LIN, FIRST, Release.READY, now=40)
    agent = await known(in_call, LIN)
    assert (agent.routable, agent.call, agent.wrap_up_until) == (True, None, None)
    assert (agent.since, agent.idle_since) == (40, 40)


async def test_every_step_is_taken_once(in_call: Availability) -> None:
    for why in (Release.ENDED, Release.READY):
        assert await in_call.release(LIN, FIRST, why, now=10)
        before = await known(in_call, LIN)
        assert not await in_call.release(LIN, FIRST, why, now=11)
        assert await known(in_call, LIN) == before


@pytest.mark.parametrize("why", [Release.ENDED, Release.READY])
async def test_nobody_is_released_from_anothers_call(in_call: Availability, why: Release) -> None:
    if why is Release.READY:
        await in_call.release(LIN, FIRST, Release.ENDED, now=5)
    before = await in_call.snapshot()
    assert not await in_call.release(LIN, SECOND, why, now=6)
    assert not await in_call.release(WANG, FIRST, why, now=6)
    assert await in_call.snapshot() == before


async def test_no_step_is_left_out(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    assert not await availability.release(LIN, FIRST, Release.READY, now=1)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    assert not await availability.release(LIN, FIRST, Release.ENDED, now=2)
    await availability.accept(reservation.id, now=3)
    assert not await availability.release(LIN, FIRST, Release.READY, now=4)
    assert (await known(availability, LIN)).activity is Activity.IN_CALL


@pytest.mark.parametrize("why", [Release.DECLINED, Release.NO_ANSWER, Release.WITHDRAWN])
async def test_what_is_not_a_release(in_call: Availability, why: Release) -> None:
    with pytest.raises(ValueError, match=why):
        await in_call.release(LIN, FIRST, why, now=5)


async def test_overdue_agents_are_those_whose_wrap_up_is_over(in_call: Availability) -> None:
    await in_call.release(LIN, FIRST, Release.ENDED, now=10)
    assert await in_call.overdue(now=129.9) == ((), ())
    assert await in_call.overdue(now=130) == ((), (await known(in_call, LIN),))
    assert await in_call.release(LIN, FIRST, Release.READY, now=130)
    assert await in_call.overdue(now=131) == ((), ())
