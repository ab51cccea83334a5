"""After the call: release and extend."""

import pytest

from agents.agent import Activity, Release
from agents.availability import Availability
from tests.agents.hall import CALL_1, CALL_2, FIRST, LIN, WANG, accepts, comes_to_work, known, rings, waits


@pytest.fixture
async def in_call(availability: Availability) -> Availability:
    """Lin is in the first call since 2."""
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await accepts(availability, reservation, now=2)
    return availability


async def test_the_call_ends_in_wrap_up_and_wrap_up_ends_in_idle(in_call: Availability) -> None:
    assert await in_call.release(LIN, CALL_1, Release.ENDED, now=10)
    agent = await known(in_call, LIN)
    assert (agent.activity, agent.call, agent.reservation) == (Activity.WRAP_UP, FIRST, None)
    assert (agent.demand, agent.extensions) == (FIRST, 0)
    assert (agent.since, agent.wrap_up_until) == (10, 130)
    assert await in_call.release(LIN, CALL_1, Release.READY, now=40)
    agent = await known(in_call, LIN)
    assert (agent.routable, agent.call, agent.wrap_up_until) == (True, None, None)
    assert (agent.since, agent.idle_since, agent.demand) == (40, 40, None)
    assert agent.busy_s == 38


async def test_every_step_is_taken_once(in_call: Availability) -> None:
    for why in (Release.ENDED, Release.READY):
        assert await in_call.release(LIN, CALL_1, why, now=10)
        before = await known(in_call, LIN)
        assert not await in_call.release(LIN, CALL_1, why, now=11)
        assert await known(in_call, LIN) == before


@pytest.mark.parametrize("why", [Release.ENDED, Release.READY])
async def test_nobody_is_released_from_anothers_call(in_call: Availability, why: Release) -> None:
    if why is Release.READY:
        await in_call.release(LIN, CALL_1, Release.ENDED, now=5)
    before = await in_call.snapshot()
    assert not await in_call.release(LIN, CALL_2, why, now=6)
    assert not await in_call.release(WANG, CALL_1, why, now=6)
    assert await in_call.snapshot() == before


async def test_no_step_is_left_out(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    assert not await availability.release(LIN, CALL_1, Release.READY, now=1)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    assert not await availability.release(LIN, CALL_1, Release.ENDED, now=2)
    await accepts(availability, reservation, now=3)
    assert not await availability.release(LIN, CALL_1, Release.READY, now=4)
    assert (await known(availability, LIN)).activity is Activity.IN_CALL


@pytest.mark.parametrize("why", [Release.DECLINED, Release.NO_ANSWER, Release.LOST, Release.WITHDRAWN])
async def test_what_is_not_a_release(in_call: Availability, why: Release) -> None:
    with pytest.raises(ValueError, match=why):
        await in_call.release(LIN, CALL_1, why, now=5)


async def test_wrap_up_is_extended_as_often_as_the_rules_say(in_call: Availability) -> None:
    assert await in_call.extend(LIN, CALL_1, now=9) is None
    await in_call.release(LIN, CALL_1, Release.ENDED, now=10)
    assert await in_call.extend(LIN, CALL_2, now=11) is None
    assert await in_call.extend(WANG, CALL_1, now=11) is None
    for until, extensions in ((190, 1), (250, 2)):
        agent = await in_call.extend(LIN, CALL_1, now=20)
        assert agent == await known(in_call, LIN)
        assert (agent.wrap_up_until, agent.extensions, agent.since) == (until, extensions, 10)
    assert await in_call.extend(LIN, CALL_1, now=21) is None


async def test_an_extension_begins_now_when_the_time_was_over(in_call: Availability) -> None:
    await in_call.release(LIN, CALL_1, Release.ENDED, now=10)
    agent = await in_call.extend(LIN, CALL_1, now=135)
    assert agent is not None
    assert agent.wrap_up_until == 195


async def test_the_next_wrap_up_has_all_its_extensions(in_call: Availability) -> None:
    await in_call.release(LIN, CALL_1, Release.ENDED, now=10)
    await in_call.extend(LIN, CALL_1, now=20)
    await in_call.release(LIN, CALL_1, Release.READY, now=30)
    agent = await known(in_call, LIN)
    assert (agent.extensions, agent.wrap_up_until) == (0, None)
    assert await in_call.extend(LIN, CALL_1, now=31) is None
