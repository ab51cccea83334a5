"""More than two people in a call, each in a real browser with a picture and a tone of their own."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e import evidence
from tests.e2e.conftest import Hall
from tests.e2e.people import (
    AGENT,
    HEARD_DB,
    RESIDENT,
    SILENT_DB,
    THIRD,
    AgentAtConsole,
    ManagerAtDesk,
    Resident,
    camera_browser,
    hang_up,
    wrap_up,
)
from tests.e2e.test_turns import ITEM, present, talking, told

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def third(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    folder = tmp_path_factory.mktemp("third")
    async with async_playwright() as playwright, camera_browser(playwright, THIRD, folder) as browser:
        yield browser


async def asks(agent: AgentAtConsole, target: str, way: str) -> None:
    await agent.act("ask")
    await agent.page.locator(f".target[data-target='{target}']").click()
    await agent.act(f"ask-{way}")


async def test_consulted_on_hold_and_handed_over_warm(hall: Hall, third: Browser) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    resident = await Resident.at_station(hall.service, hall.stations)
    async with present(agent, resident):
        call = await talking(agent, resident)
        colleague = await AgentAtConsole.signed_in(hall.service, third, "agent4")
        async with present(colleague):
            await asks(agent, "agent.agent4", "consult")
            await colleague.act("accept")
            await agent.sees_moving(agent.PICTURE, THIRD)
            await colleague.sees_moving("video", AGENT)
            await agent.comes_to_hear(THIRD)
            await expect(resident.page.locator(".held")).to_be_visible()
            assert await resident.level_of(AGENT) < SILENT_DB, "what is said of the resident"
            assert await resident.level_of(THIRD) < SILENT_DB
            assert await agent.level_of(RESIDENT) < SILENT_DB, "nor is heard"
            await agent.act("hold")
            await resident.comes_to_hear(THIRD)
            await resident.sees_moving(".face video", THIRD)
            await agent.act("hand-over")
            await expect(agent.page.get_by_test_id("wrap-up")).to_be_visible()
            await expect(resident.page.locator(".call-notes")).to_contain_text("现在由")
            await resident.sees_moving(".face video", THIRD)
            await hang_up(resident)
            await wrap_up(colleague, key="1")
            await told(hall.service, call, "asked", "held", "joined", "resumed", "handed_over", "ended")
            row = evidence.rows(hall.service, "SELECT * FROM calls WHERE id = ?", call)[0]
            assert row["agent"] == "agent4", "exactly one agent owns it, the last"
            parts = await evidence.until(lambda: evidence.sealed_parts(hall.service, call), "sealed parts")
            assert len({part["participant"] for part in parts}) == 3, "everybody is recorded"


async def test_a_departments_expert_joins_the_same_call(hall: Hall, third: Browser) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    expert = await AgentAtConsole.signed_in(hall.service, third, "expert1")
    resident = await Resident.at_station(hall.service, hall.stations)
    async with present(agent, expert, resident):
        call = await talking(agent, resident)
        assert await expert.page.get_by_test_id("ring").count() == 0, "an expert is rung for nothing else"
        await asks(agent, "department.transport", "join")
        await expert.act("accept")
        await resident.sees_moving(".face video", THIRD)
        await expect(resident.page.locator(".call-notes")).to_contain_text("首席代表 吴海波 加入")
        await expert.sees_moving("video", RESIDENT)
        await resident.comes_to_hear(THIRD)
        await agent.comes_to_hear(THIRD)
        await expert.act("end")
        await expert.act("end-yes")
        await expect(expert.page.get_by_test_id("wrap-up")).to_be_visible()
        await resident.sees_moving(".face video", AGENT)
        await hang_up(resident)
        await wrap_up(agent, key="1")
        await told(hall.service, call, "asked", "joined", "left", "ended")


async def test_a_transfer_rings_the_colleague_first_and_the_resident_keeps_the_line(
    hall: Hall, third: Browser
) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    resident = await Resident.at_station(hall.service, hall.stations)
    async with present(agent, resident):
        call = await talking(agent, resident)
        colleague = await AgentAtConsole.signed_in(hall.service, third, "agent4")
        async with present(colleague):
            await asks(agent, "agent.agent4", "transfer")
            await agent.act("transfer-yes")
            await expect(agent.page.get_by_test_id("wrap-up")).to_be_visible()
            await expect(resident.page.locator(".waiting")).to_be_visible()
            await colleague.act("accept")
            await resident.sees_moving(".face video", THIRD)
            await colleague.sees_moving(colleague.PICTURE, RESIDENT)
            await hang_up(resident)
            await wrap_up(colleague, key="1")
            await told(hall.service, call, "ring", "answered", "queued_again", "ring", "answered", "ended")


async def test_a_whisper_is_heard_by_the_agent_alone(hall: Hall, third: Browser) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    resident = await Resident.at_station(hall.service, hall.stations)
    manager = await ManagerAtDesk.signed_in(hall.service, third)
    async with present(agent, resident, manager):
        call = await talking(agent, resident)
        panel = manager.page.locator(".supervision")
        await manager.page.get_by_role("button", name="旁听").click()
        await manager.sees_moving(".supervision video", RESIDENT)
        await manager.sees_moving(".supervision video", AGENT)
        await manager.comes_to_hear(RESIDENT)
        await manager.comes_to_hear(AGENT)
        assert await agent.level_of(THIRD) < SILENT_DB, "who listens is silent"
        await panel.get_by_role("button", name="耳语").click()
        await agent.comes_to_hear(THIRD)
        assert await resident.level_of(AGENT) > HEARD_DB
        assert await resident.level_of(THIRD) < SILENT_DB, "nothing of the whisper reaches the resident"
        await panel.get_by_role("button", name="加入").click()
        await resident.comes_to_hear(THIRD)
        await resident.sees_moving(".face video", THIRD)
        await panel.get_by_role("button", name="结束督导").click()
        await expect(panel).to_have_count(0)
        await hang_up(resident)
        await wrap_up(agent, key="1")
        await told(hall.service, call, "supervised", "supervised", "supervised", "unsupervised", "ended")
        trail = evidence.rows(
            hall.service, "SELECT details FROM audit WHERE object = ? ORDER BY seq", f"call:{call}"
        )
        modes = [json.loads(row["details"])["mode"] for row in trail]
        assert modes[:3] == ["listen", "whisper", "barge"]


async def test_a_break_asked_for_in_a_call_begins_after_it(hall: Hall) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    first = await Resident.at_station(hall.service, hall.stations)
    second = await Resident.at_station(hall.service, hall.stations, "station-2")
    async with present(agent, first, second):
        await talking(agent, first)
        await agent.act("pause-break")
        await expect(agent.page.get_by_test_id("later")).to_contain_text("休息")
        await first.sees_moving(first.PICTURE, AGENT)
        await hang_up(first)
        await agent.page.keyboard.press("1")
        await agent.act("ready")
        await expect(agent.page.get_by_test_id("status")).to_contain_text("休息")
        await second.page.locator(".entry.first").click()
        await second.page.get_by_role("button", name="搜一搜").first.click()
        await second.page.locator("input").fill(ITEM[0])
        await second.page.get_by_role("button", name=ITEM[1]).first.click()
        await second.page.get_by_role("button", name="视频求助工作人员").click()
        await second.page.get_by_role("button", name="同意并呼叫").click()
        await expect(second.page.get_by_text("现在没有工作人员在岗")).to_be_visible()
        assert await agent.page.get_by_test_id("ring").count() == 0
