"""What agents declare: sign_in and declare."""

import pytest

from agents.agent import Activity, PauseReason, Presence, Release
from agents.availability import Availability, UnknownAgent
from records.model import SiteId
from tests.agents.hall import CENTRE, FIRST, LAND, LIN, TAX, comes_to_work, known, rings, waits


async def test_a_newcomer_is_paused_and_idle(availability: Availability) -> None:
    agent = await availability.sign_in(LIN, {TAX: 3}, CENTRE, now=5)
    assert (agent.presence, agent.pause_reason, agent.activity) == (Presence.PAUSED, None, Activity.IDLE)
    assert (agent.since, agent.idle_since, agent.misses) == (5, 5, 0)
    assert not agent.routable
    assert await availability.agent(LIN) == agent


async def test_signing_in_again_refreshes_skills_and_site_and_nothing_else(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=2)
    agent = await availability.sign_in(LIN, {LAND: 1}, SiteId("village"), now=9)
    assert (agent.skills, agent.site) == ({LAND: 1}, "village")
    assert (agent.presence, agent.activity) == (Presence.AVAILABLE, Activity.RESERVED)
    assert (agent.call, agent.reservation, agent.since) == (FIRST, reservation.id, 2)


async def test_who_signed_out_comes_back_paused(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.declare(LIN, Presence.SIGNED_OUT, None, now=2)
    agent = await availability.sign_in(LIN, {TAX: 3}, CENTRE, now=3)
    assert (agent.presence, agent.since) == (Presence.PAUSED, 3)


async def test_nobody_knows_a_stranger(availability: Availability) -> None:
    assert await availability.agent(LIN) is None
    with pytest.raises(UnknownAgent):
        await availability.declare(LIN, Presence.AVAILABLE, None, now=1)
    assert (await availability.snapshot()).agents == ()


async def test_a_pause_has_a_reason_and_availability_has_none(availability: Availability) -> None:
    await availability.sign_in(LIN, {TAX: 3}, CENTRE, now=1)
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
    assert await availability.accept(reservation.id, now=2)
    during = await availability.declare(LIN, Presence.PAUSED, PauseReason.MEETING, now=3)
    assert (during.activity, during.call) == (Activity.IN_CALL, FIRST)
    assert await availability.release(LIN, FIRST, Release.ENDED, now=4)
    assert await availability.release(LIN, FIRST, Release.READY, now=5)
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
    assert await availability.accept(reservation.id, now=3)


async def test_coming_back_during_a_call_does_not_touch_idle_since(availability: Availability) -> None:
    await comes_to_work(availability, LIN, now=1)
    await availability.enqueue(waits(FIRST))
    await rings(availability, LIN, FIRST, now=2)
    await availability.declare(LIN, Presence.PAUSED, PauseReason.BREAK, now=3)
    assert (await availability.declare(LIN, Presence.AVAILABLE, None, now=4)).idle_since == 1
