"""An agent who lets it ring: the resident keeps the place, the agent is paused after the second miss."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.e2e import evidence
from tests.e2e.people import AGENT, AgentAtConsole, Resident, end_call
from tests.e2e.service import running

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_an_agent_lets_it_ring_twice(tmp_path: Path, browsers: tuple[Browser, Browser]) -> None:
    """Rings of two seconds, so that nobody who runs the tests has to wait for real ones."""
    quick = {"BANGBAN_ROUTING__RING": "2", "BANGBAN_ROUTING__NO_ANSWER_BACKOFF": "1"}
    stations, staff = browsers
    async with running(tmp_path, **quick) as service:
        dozing = await AgentAtConsole.signed_in(service, staff, "agent1")
        resident = await Resident.at_station(service, stations)
        await resident.calls_about("dlpt", "道路普通货物")
        await expect(dozing.page.get_by_test_id("ring")).to_be_visible()
        await expect(dozing.page.get_by_test_id("status")).to_contain_text("已自动暂停", timeout=15_000)
        await expect(resident.page.locator(".waiting")).to_contain_text("没有工作人员在岗")
        awake = await AgentAtConsole.signed_in(service, staff, "agent4")
        await awake.act("accept")
        await resident.sees_moving(resident.PICTURE, AGENT)
        await end_call(resident)
        call = evidence.latest_call(service)
        rings = [k for k in evidence.journal(service, call["id"]) if k in ("ring", "no_answer", "answered")]
        assert rings == ["ring", "no_answer", "ring", "no_answer", "ring", "answered"]
        assert call["agent"] == "agent4"
        await dozing.act("available")
        await expect(dozing.page.get_by_test_id("status")).to_contain_text("可接听")
        for person in (dozing, awake, resident):
            await person.context.close()
            assert person.faults == []
