"""What agents declare: sign_in and declare."""

import pytest

from agents.agent import Activity, PauseReason, Presence, Profile, Release
from agents.availability import Availability, UnknownAgent
from records.model import DepartmentId, ParticipantRole, SiteId
from tests.agents.hall import (
    CALL_1,
    FIRST,
    LAND,
    LIN,
    TAX,
    accepts,
    comes_to_work,
    known,
    profile,
    rings,
    waits,
)


async def test_a_newcomer_is_paused_and_idle(availability: Availability) -> None:
    agent = await availability.sign_in(LIN, profile(TAX), now=5)
    assert (agent.presence, agent.pause_reason, agent.activity) == (Presence.PAUSED, None, Activity.IDLE)
    assert (agent.since, agent.idle_since, agent.signed_in_at) == (5, 5, 5)
    assert (agent.misses, agent.busy_s, agent.offered_at, agent.fence) == (0, 0, 0, 0)
    assert not agent.routable
    assert await availability.agent(LIN) == agent


async def test_signing_in_again_refreshes_the_profile_and_nothing_else(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=2)
    moved = Profile({LAND: 1}, SiteId("village"), DepartmentId("tax-office"), ParticipantRole.EXPERT)
    agent = await availability.sign_in(LIN, moved, now=9)
    assert agent.profile == moved
    assert (agent.presence, agent.activity) == (Presence.AVAILABLE, Activity.RESERVED)
    assert (agent.call, agent.reservation, agent.since) == (FIRST, reservation.id, 2)


async def test_who_signed_out_comes_back_paused(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.declare(LIN, Presence.SIGNED_OUT, None, now=2)
    agent = await availability.sign_in(LIN, profile(TAX), now=3)
    assert (agent.presence, agent.since) == (Presence.PAUSED, 3)


async def test_signing_in_after_signing_out_begins_another_shift(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST))
    await accepts(availability, await rings(availability, LIN, FIRST, now=2), now=3)
    await availability.release(LIN, CALL_1, Release.ENDED, now=13)
    await availability.release(LIN, CALL_1, Release.READY, now=15)
    assert (await known(availability, LIN)).busy_s == 12
    agent = await availability.sign_in(LIN, profile(TAX), now=20)
    assert (agent.signed_in_at, agent.busy_s) == (1, 12)
    await availability.declare(LIN, Presence.SIGNED_OUT, None, now=30)
    agent = await availability.sign_in(LIN, profile(TAX), now=40)
    assert (agent.signed_in_at, agent.busy_s) == (40, 0)


async def test_signing_in_twice_changes_nothing(availability: Availability) -> None:
    before = await availability.sign_in(LIN, profile(TAX), now=1)
    assert await availability.sign_in(LIN, profile(TAX), now=2) == before


async def test_nobody_knows_a_stranger(availability: Availability) -> None:
    assert await availability.agent(LIN) is None
    with pytest.raises(UnknownAgent):
        await availability.declare(LIN, Presence.AVAILABLE, None, now=1)
    assert (await availability.snapshot()).agents == ()


async def test_a_pause_has_a_reason_and_availability_has_none(availability: Availability) -> None:
    await availability.sign_in(LIN, profile(TAX), now=1)
    paused = await availability.declare(LIN, Presence.PAUSED, PauseReason.MEAL, now=2)
    assert (paused.pause_reason, paused.since) == (PauseReason.MEAL, 2)
    back = await availability.declare(LIN, Presence.AVAILABLE, PauseReason.MEAL, now=3)
    assert (back.pause_reason, back.since, back.routable) == (None, 3, True)


async def test_declaring_the_same_again_changes_nothing(availability: Availability) -> None:
    before = await comes_to_work(availability, LIN, now=1)
    assert await availability.declare(LIN, Presence.AVAILABLE, None, now=8) == before
    paused = await availability.declare(LIN, Presence.PAUSED, PauseReason.BREAK, now=9)
    assert await availability.declare(LIN, Presence.PAUSED, PauseReason.BREAK, now=10) == paused


async def test_who_returns_from_a_pause_is_not_the_longest_idle(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    paused = await availability.declare(LIN, Presence.PAUSED, PauseReason.MEAL, now=2)
    assert paused.idle_since == 1
    assert (await availability.declare(LIN, Presence.AVAILABLE, None, now=50)).idle_since == 50


async def test_a_pause_during_a_call_takes_effect_after_it(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await accepts(availability, reservation, now=2)
    during = await availability.declare(LIN, Presence.PAUSED, PauseReason.MEETING, now=3)
    assert (during.activity, during.call) == (Activity.IN_CALL, FIRST)
    assert await availability.release(LIN, CALL_1, Release.ENDED, now=4)
    assert await availability.release(LIN, CALL_1, Release.READY, now=5)
    after = await known(availability, LIN)
    assert (after.presence, after.activity, after.routable) == (Presence.PAUSED, Activity.IDLE, False)


async def test_a_pause_while_it_rings_lets_it_ring_and_may_still_be_followed_by_an_answer(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    during = await availability.declare(LIN, Presence.PAUSED, PauseReason.BREAK, now=2)
    assert (during.activity, during.reservation) == (Activity.RESERVED, reservation.id)
    await accepts(availability, reservation, now=3)


async def test_coming_back_during_a_call_does_not_touch_idle_since(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST))
    await rings(availability, LIN, FIRST, now=2)
    await availability.declare(LIN, Presence.PAUSED, PauseReason.BREAK, now=3)
    assert (await availability.declare(LIN, Presence.AVAILABLE, None, now=4)).idle_since == 1


async def test_what_is_declared_during_a_call_takes_nothing_off_the_time_at_work(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN, now=0)
    await availability.enqueue(waits(FIRST))
    await accepts(availability, await rings(availability, LIN, FIRST, now=1), now=10)
    await availability.declare(LIN, Presence.PAUSED, PauseReason.BREAK, now=15)
    await availability.release(LIN, CALL_1, Release.ENDED, now=20)
    await availability.declare(LIN, Presence.AVAILABLE, None, now=22)
    await availability.release(LIN, CALL_1, Release.READY, now=25)
    assert (await known(availability, LIN)).busy_s == 15
