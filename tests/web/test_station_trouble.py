"""The resident's page when something is not as it should be, in a real browser against a scripted service."""

import pytest
from playwright.async_api import Browser, expect

from records.model import RatingReason
from signaling import messages
from tests.web.pages import Site, evaluated
from tests.web.resident import CATALOGUE, Resident, active_call, at_station, ended_call, waiting_call
from tests.web.scripted import refusal
from tests.web.test_station_page import ALL_STOPPED, KEEP_TRACKS, PLAYS

pytestmark = pytest.mark.asyncio(loop_scope="module")

FREIGHT = CATALOGUE["items"][0]["id"]
NO_PICTURE = "工作人员关了摄像头，您可以继续说话。"
NO_SOUND = "工作人员暂时关了麦克风，请稍等。"


@pytest.mark.parametrize("code", [4001, 4003])
async def test_a_station_shut_out_of_its_call_is_not_seen_or_heard_any_more(
    browser: Browser, site: Site, code: int
) -> None:
    async with at_station(browser, site, before=KEEP_TRACKS) as resident:
        await resident.calls()
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        await evaluated(resident.page, PLAYS, "the agent's picture")
        await resident.server.drop(code)
        await evaluated(resident.page, ALL_STOPPED, "camera and microphone to be off")


async def test_who_waits_while_no_media_node_could_carry_the_call_is_told_so(
    browser: Browser, site: Site
) -> None:
    async with at_station(browser, site, call=waiting_call(FREIGHT)) as resident:
        resident.told({**waiting_call(FREIGHT), "held_up": True})
        await expect(resident.page.get_by_text("视频线路正在恢复")).to_be_visible()
        await expect(resident.page.get_by_text("您的排队位置会保留")).to_be_visible()
        await resident.presses("English")
        await expect(resident.page.get_by_text("Your place is kept")).to_be_visible()
        resident.told(waiting_call(FREIGHT))
        await expect(resident.page.get_by_text("Your place is kept")).to_have_count(0)


async def test_during_a_call_a_lost_network_does_not_speak_of_the_queue(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=active_call(FREIGHT)) as resident:
        resident.server.answering = False
        await resident.server.drop()
        banner = resident.page.get_by_role("alert")
        await expect(banner).to_have_text("网络断了，正在重新连接。通话还在，请不要离开。")


async def test_the_sign_of_a_lost_network_needs_no_network(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=active_call(FREIGHT)) as resident:
        await evaluated(resident.page, "document.querySelector('#icon-no-network') !== null", "the icons")
        asked: list[str] = []
        resident.page.on("request", lambda request: asked.append(request.url))
        resident.server.answering = False
        await resident.server.drop()
        sign = resident.page.get_by_role("alert").locator("svg")
        await expect(sign).to_be_visible()
        assert await sign.evaluate("(drawn) => drawn.getBBox().width") > 10
        assert [url for url in asked if "icons" in url] == []


async def test_what_the_agent_switched_off_is_said_in_words(browser: Browser, site: Site) -> None:
    async with at_station(browser, site) as resident:
        await resident.calls()
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        await evaluated(resident.page, PLAYS, "the agent's picture")
        resident.told(active_call(FREIGHT, agent_camera=False))
        await expect(resident.sees(NO_PICTURE)).to_be_visible()
        resident.told(active_call(FREIGHT, agent_mic=False))
        await expect(resident.sees(NO_PICTURE)).to_have_count(0)
        await expect(resident.sees(NO_SOUND)).to_be_visible()
        resident.told(active_call(FREIGHT))
        await expect(resident.sees(NO_SOUND)).to_have_count(0)


async def said_on(resident: Resident, nth: int = 1) -> tuple[bool, bool]:
    """Microphone and camera, as the page said them the ``nth`` time."""
    said = await resident.server.asked(messages.Devices, nth=nth)
    return said.mic, said.camera


async def test_the_agent_is_told_that_the_resident_is_muted(browser: Browser, site: Site) -> None:
    async with at_station(browser, site) as resident:
        await resident.calls()
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        assert await said_on(resident) == (True, True)
        await resident.presses("静音")
        assert await said_on(resident, nth=2) == (False, True)
        resident.server.resumable = False
        await resident.server.drop()
        await resident.server.asked(messages.StationHello, nth=2)
        resident.told(active_call(FREIGHT))
        assert await said_on(resident, nth=3) == (False, True)  # a new session may know otherwise
        await resident.presses("取消静音")
        assert await said_on(resident, nth=4) == (True, True)


async def test_what_the_service_did_not_take_is_no_trouble_and_said_again(
    browser: Browser, site: Site
) -> None:
    async with at_station(browser, site) as resident:
        resident.server.refuse["devices"] = refusal(messages.ErrorCode.INTERNAL, "没有完成", "Not done")
        await resident.calls()
        await said_on(resident)
        resident.server.refuse.clear()
        resident.told(active_call(FREIGHT))
        assert await said_on(resident, nth=2) == (True, True)
        await expect(resident.sees("没有完成")).to_have_count(0)


async def test_a_bad_level_counts_though_its_reasons_were_never_sent(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=ended_call(FREIGHT), clock=True) as resident:
        await resident.presses("非常不满意")
        await resident.presses("没解决")
        await resident.page.clock.run_for(20_500)
        rate = await resident.server.asked(messages.Rate)
        assert (rate.stars, rate.reasons) == (1, (RatingReason.NOT_SOLVED,))
        await resident.server.asked(messages.Dismiss)
        await expect(resident.sees("您好，今天想办什么事？")).to_be_visible()
