"""What else may happen to a call: each story from two or three browsers, on the real service."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.e2e import evidence
from tests.e2e.conftest import Hall
from tests.e2e.people import (
    AGENT,
    RESIDENT,
    AgentAtConsole,
    Person,
    Resident,
    camera_browser,
    hang_up,
    kill_browser,
    wrap_up,
)
from tests.e2e.service import Service

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

ITEM = ("dlpt", "道路普通货物")


@asynccontextmanager
async def present(*people: Person) -> AsyncIterator[None]:
    """They leave at the end, and nothing that their pages reported goes unnoticed."""
    async with AsyncExitStack() as leaving:
        for person in people:
            leaving.push_async_callback(person.context.close)
        yield
    assert [person.faults for person in people] == [[] for _ in people]


async def talking(agent: AgentAtConsole, resident: Resident) -> str:
    """From the tap to two moving pictures; gives the call's id."""
    await resident.calls_about(*ITEM)
    await agent.act("accept")
    await resident.sees_moving(resident.PICTURE, AGENT)
    await agent.sees_moving(agent.PICTURE, RESIDENT)
    return str(evidence.latest_call(resident.service)["id"])


async def told(service: Service, call: str, *kinds: str) -> None:
    """The journal comes to say these, in this order."""

    def look() -> bool:
        found = [k for k in evidence.journal(service, call) if k in kinds]
        return found[: len(kinds)] == list(kinds)

    await evidence.until(look, f"the journal to say {kinds}")


async def test_a_declined_call_rings_at_the_next_agent(hall: Hall) -> None:
    first = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    second = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent4")
    resident = await Resident.at_station(hall.service, hall.stations)
    async with present(first, second, resident):
        await resident.calls_about(*ITEM)
        await first.act("decline")
        await second.act("accept")
        await resident.sees_moving(resident.PICTURE, AGENT)
        call = evidence.latest_call(hall.service)["id"]
        await told(hall.service, call, "ring", "declined", "ring", "answered")
        await hang_up(resident)
        await wrap_up(second, key="2")


async def test_a_resident_may_stop_waiting(hall: Hall) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    resident = await Resident.at_station(hall.service, hall.stations)
    async with present(agent, resident):
        await resident.calls_about(*ITEM)
        await expect(agent.page.get_by_test_id("ring")).to_be_visible()
        await resident.page.get_by_role("button", name="取消呼叫").click()
        await expect(agent.page.get_by_test_id("ring")).to_have_count(0)
        await expect(agent.page.get_by_test_id("status")).to_contain_text("可接听")
        await expect(resident.page.locator(".waiting")).to_have_count(0)
        call = evidence.latest_call(hall.service)
        await told(hall.service, call["id"], "requested", "ring", "ended")
        assert call["answered_at"] is None
        assert evidence.parts(hall.service, call["id"]) == [], "nothing is recorded before somebody answers"


async def test_the_residents_page_is_reloaded_while_waiting_and_in_the_call(hall: Hall) -> None:
    resident = await Resident.at_station(hall.service, hall.stations)
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    await resident.calls_about(*ITEM)
    await resident.page.reload()
    await expect(resident.page.locator(".waiting")).to_be_visible()
    async with present(agent, resident):
        await agent.act("accept")
        await agent.sees_moving(agent.PICTURE, RESIDENT)
        await resident.page.reload()
        await resident.sees_moving(resident.PICTURE, AGENT)
        await agent.sees_moving(agent.PICTURE, RESIDENT)
        call = evidence.latest_call(hall.service)["id"]
        await hang_up(resident)
        await wrap_up(agent, key="1")
        found = await evidence.until(lambda: evidence.sealed_parts(hall.service, call), "sealed parts")
        residents = [p["generation"] for p in found if p["role"] == "resident"]
        assert len(residents) == 2, "the recording goes on as a next part"


async def test_the_agents_page_is_reloaded_in_the_call(hall: Hall) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    resident = await Resident.at_station(hall.service, hall.stations)
    async with present(agent, resident):
        call = await talking(agent, resident)
        await agent.page.reload()
        await agent.sees_moving(agent.PICTURE, RESIDENT)
        await resident.sees_moving(resident.PICTURE, AGENT)
        assert evidence.latest_call(hall.service)["id"] == call
        await hang_up(resident)
        await wrap_up(agent, key="1")


async def test_two_calls_and_one_agent(hall: Hall) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    first = await Resident.at_station(hall.service, hall.stations)
    second = await Resident.at_station(hall.service, hall.stations, "station-2")
    async with present(agent, first, second):
        await talking(agent, first)
        await second.calls_about(*ITEM)
        await expect(second.page.locator(".waiting")).to_contain_text("下一位就是您")
        await hang_up(first)
        await agent.page.keyboard.press("1")
        await agent.act("ready")
        await agent.act("accept")
        await second.sees_moving(second.PICTURE, AGENT)
        await hang_up(second)
        await wrap_up(agent, key="1")


async def test_a_second_tab_takes_over_and_the_first_is_told(hall: Hall) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    async with present(agent):
        tab = await agent.context.new_page()
        await tab.goto("/agent")
        await expect(agent.page.get_by_test_id("elsewhere")).to_be_visible()
        await expect(tab.get_by_test_id("status")).to_be_visible()


async def test_the_agents_browser_is_killed(hall: Hall, tmp_path: Path) -> None:
    """All of its processes: nobody says goodbye, neither to the service nor to the media node."""
    resident = await Resident.at_station(hall.service, hall.stations)
    async with (
        async_playwright() as playwright,
        camera_browser(playwright, AGENT, tmp_path) as doomed,
        present(resident),
    ):
        agent = await AgentAtConsole.signed_in(hall.service, doomed, "agent5")
        call = await talking(agent, resident)
        kill_browser(tmp_path)
        await expect(resident.page.get_by_text("工作人员的网络断了")).to_be_visible(timeout=15_000)
        await expect(resident.page.locator(".waiting")).to_contain_text("网络断了", timeout=60_000)
        other = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
        await other.act("accept")
        await resident.sees_moving(resident.PICTURE, AGENT)
        await told(hall.service, call, "ring", "answered", "queued_again", "ring", "answered")
        await hang_up(resident)
        await wrap_up(other, key="1")
        row = evidence.rows(hall.service, "SELECT * FROM calls WHERE id = ?", call)[0]
        assert (row["end_reason"], row["agent"]) == ("completed_by_resident", "agent1")
        found = await evidence.until(lambda: evidence.sealed_parts(hall.service, call), "sealed parts")
        assert {p["participant"] for p in found} == {"resident", "agent-1", "agent-2"}


async def test_on_another_network_the_connection_and_its_recording_go_on(hall: Hall) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent1")
    resident = await Resident.at_station(hall.service, hall.stations)
    log = hall.service.data.parent / "service.log"
    async with present(agent, resident):
        call = await talking(agent, resident)
        for person in (agent, resident):
            await person.page.evaluate("dispatchEvent(new Event('online'))")
        await evidence.until(lambda: log.read_text("utf-8").count("< RestartIce") == 2, "both restarts")
        await resident.page.wait_for_timeout(5_000)  # longer than a page waits for its new way
        await resident.sees_moving(resident.PICTURE, AGENT)
        await agent.sees_moving(agent.PICTURE, RESIDENT)
        await hang_up(resident)
        await wrap_up(agent, key="1")
        found = await evidence.until(lambda: evidence.sealed_parts(hall.service, call), "sealed parts")
        assert {p["generation"] for p in found} == {1}, "nobody needed another connection"


async def test_a_killed_media_node_leaves_playable_files_and_the_call_goes_on(hall: Hall) -> None:
    agent = await AgentAtConsole.signed_in(hall.service, hall.staff, "agent6")
    resident = await Resident.at_station(hall.service, hall.stations)
    async with present(agent, resident):
        call = await talking(agent, resident)
        await resident.page.wait_for_timeout(2_500)  # so that the first parts have a length to look at
        hall.service.kill("media")
        await told(hall.service, call, "media_moved")
        await resident.sees_moving(resident.PICTURE, AGENT)
        await agent.sees_moving(agent.PICTURE, RESIDENT)
        await hang_up(resident)
        await wrap_up(agent, key="6")
        torn = [p for p in evidence.parts(hall.service, call) if p["generation"] == 1]
        assert len(torn) == 2
        for part in torn:
            who = RESIDENT if part["role"] == "resident" else AGENT
            seen = evidence.watch(hall.service.recordings / part["path"], who)
            assert seen.duration > 1.5
            assert len(seen.numbers) > 0.8 * seen.frames
        await evidence.until(
            lambda: evidence.rows(hall.service, "SELECT * FROM manifests WHERE call = ?", call),
            "the manifest",
            within_s=75,
        )
        sealed = evidence.sealed_parts(hall.service, call)
        gaps = [p["gaps"] for p in sealed if p["generation"] == 1]
        assert all("node_died" in str(g) for g in gaps)
        later = [p for p in sealed if p["generation"] == 2]
        assert {p["role"] for p in later} == {"resident", "agent"}, "the recording goes on as a next part"
        for part in later:
            who = RESIDENT if part["role"] == "resident" else AGENT
            assert evidence.watch(hall.service.recordings / part["path"], who).numbers
