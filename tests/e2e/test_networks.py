"""The networks of a call through the whole service: shown while it goes on, drawn when it is over."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.e2e import evidence
from tests.e2e.conftest import Hall
from tests.e2e.people import AGENT, RESIDENT, AgentAtConsole, ManagerAtDesk, Resident, end_call, wrap_up

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

KEPT_WITHIN_S = 25.0  # its last row is closed ten seconds after the last word of it


async def test_how_good_the_networks_of_a_call_are(hall: Hall) -> None:
    service = hall.service
    agent = await AgentAtConsole.signed_in(service, hall.staff, "agent1")
    manager = await ManagerAtDesk.signed_in(service, hall.staff)
    resident = await Resident.at_station(service, hall.stations)
    await resident.calls_about("dlpt", "道路普通货物")
    await agent.act("accept")
    await resident.sees_moving(resident.PICTURE, AGENT)
    await agent.sees_moving(agent.PICTURE, RESIDENT)

    await agent.act("figures")
    figures = agent.page.locator(".net-figures")
    await expect(figures.locator("thead th")).to_have_text(["自助机", "您"])
    for figure in ("up", "down"):
        for of in await figures.locator(f"[data-figure={figure}]").all():
            await expect(of).not_to_have_text("0 kbit/s")
    await expect(manager.page.locator(".network")).to_have_count(2)
    await expect(
        manager.page.locator(".live-list", has_text="媒体节点").locator("tbody tr")
    ).not_to_have_count(0)

    await end_call(resident)
    await expect(agent.page.get_by_test_id("wrap-up")).to_be_visible()
    await wrap_up(agent, key="1")
    await expect(figures).to_have_count(0)
    call = evidence.latest_call(service)["id"]
    await evidence.until(lambda: len(evidence.sealed_parts(service, call)) == 2, "two sealed parts")
    await evidence.until(lambda: _of_both(evidence.rows(service, KEPT, call)), "the series", KEPT_WITHIN_S)
    for row in evidence.rows(service, KEPT, call):
        assert row["up_bitrate"] > 10_000, row
        assert row["down_bitrate"] > 10_000, row
        assert row["rtt_ms"] is None or 0 <= row["rtt_ms"] < 5_000, row  # None until it was measured

    await manager.page.goto(f"/manager/calls/{call}")
    await manager.page.locator("input[value='quality']").check()
    await manager.page.locator(".purpose button").click()
    await expect(manager.page.locator("[data-network]")).to_have_count(2)
    assert [resident.faults, agent.faults, manager.faults] == [[], [], []]


KEPT = "SELECT * FROM quality WHERE call = ? ORDER BY participant, at"


def _of_both(rows: list[dict[str, Any]]) -> bool:
    return {row["role"] for row in rows} == {"resident", "agent"}
