"""The resident's page in a real browser, against a scripted service and a pretend media node."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from records.model import CallId, RatingReason
from signaling import messages
from signaling.quality import Judgement
from tests.web.pages import Site, evaluated
from tests.web.resident import (
    CATALOGUE,
    SHARED_SLOTS,
    Resident,
    active_call,
    at_station,
    ended_call,
    waiting_call,
)
from tests.web.scripted import refusal
from web.seed import DEMO

pytestmark = pytest.mark.asyncio(loop_scope="module")

FREIGHT = CATALOGUE["items"][0]["id"]  # in the zone 综合服务 or whichever comes first
PLAYS = "document.querySelector('.face video')?.getVideoPlaybackQuality().totalVideoFrames > 5"
SHOWS_FORM = "document.querySelector('.sheet video')?.getVideoPlaybackQuality().totalVideoFrames > 2"
NO_CAMERA = """const real = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = function (wanted) {
  if (wanted.video) return Promise.reject(new DOMException("", "NotFoundError"));
  return real.call(this, wanted);
};"""
KEEP_TRACKS = """const taken = MediaDevices.prototype.getUserMedia;
window.taken = [];
MediaDevices.prototype.getUserMedia = async function (wanted) {
  const stream = await taken.call(this, wanted);
  window.taken.push(...stream.getTracks());
  return stream;
};"""
ALL_STOPPED = "window.taken.length > 0 && window.taken.every((track) => track.readyState === 'ended')"


async def test_a_whole_visit_from_the_first_tap_to_nothing_left(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, before=KEEP_TRACKS) as resident:
        page, server = resident.page, resident.server
        await resident.finds_item()
        await expect(page.get_by_role("heading", name="要带什么")).to_be_visible()
        assert await page.evaluate("window.taken.length") == 0
        await resident.presses("视频求助工作人员")
        await expect(page.get_by_role("heading")).to_have_text("通话会录音录像，用于服务质量检查。")
        await resident.presses("同意并呼叫")
        call = await server.asked(messages.Call)
        assert (call.item, call.consent) == (FREIGHT, True)
        resident.told(waiting_call(FREIGHT))
        await expect(resident.sees("您前面还有 2 位")).to_be_visible()
        await expect(resident.sees("大约还要 2 到 5 分钟")).to_be_visible()
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        await expect(resident.sees("工号 0317")).to_be_visible()
        await evaluated(page, PLAYS, "the agent's picture")
        await evaluated(page, "pretendNode.got().then((n) => n.mic > 10 && n.camera > 3)", "own media")
        resident.told(active_call(FREIGHT, sharing=True, slots=msgspec.to_builtins(SHARED_SLOTS)))
        await evaluated(page, SHOWS_FORM, "the shared form")
        await resident.presses("静音")
        assert await page.evaluate("window.taken.find((track) => track.kind === 'audio').enabled") is False
        await resident.presses("结束通话")
        await page.get_by_role("dialog").get_by_role("button", name="结束通话").click()
        await server.asked(messages.HangUp)
        resident.told(ended_call(FREIGHT, end_reason="completed_by_resident"))
        await evaluated(page, ALL_STOPPED, "camera and microphone to be off")
        await resident.presses("非常满意")
        rate = await server.asked(messages.Rate)
        assert (rate.stars, rate.reasons) == (5, ())
        await resident.presses("回首页")
        await server.asked(messages.Dismiss)
        await expect(page.get_by_role("heading")).to_have_text("您好，今天想办什么事？")
        left = "[localStorage.length, sessionStorage.length, history.length, location.hash]"
        assert await page.evaluate(left) == [0, 0, 2, ""]


SHARE_OF_SCREEN = """(of) => {
  const box = document.querySelector(of).getBoundingClientRect();
  return (box.width * box.height) / (innerWidth * innerHeight);
}"""


@pytest.mark.parametrize(("width", "height"), [(1080, 1920), (1920, 1080)])
async def test_the_agent_fills_the_screen_and_gives_way_to_a_form(
    browser: Browser, site: Site, width: int, height: int
) -> None:
    async with at_station(browser, site, width=width, height=height) as resident:
        await resident.calls()
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        await evaluated(resident.page, PLAYS, "the agent's picture")
        assert await resident.page.evaluate(SHARE_OF_SCREEN, ".face") > 0.7
        assert await resident.page.evaluate(SHARE_OF_SCREEN, ".own") < 0.1
        resident.told(active_call(FREIGHT, sharing=True, slots=msgspec.to_builtins(SHARED_SLOTS)))
        await evaluated(resident.page, SHOWS_FORM, "the shared form")
        upright = height > width
        # There a form has the full width, and no use for more height: what agents share lies down.
        assert await resident.page.evaluate(SHARE_OF_SCREEN, ".sheet") > (0.5 if upright else 0.7)
        assert (
            await resident.page.evaluate("document.querySelector('.sheet').clientWidth / innerWidth") > 0.95
        )
        assert await resident.page.evaluate(SHARE_OF_SCREEN, ".face") < (0.3 if upright else 0.15)


async def test_an_items_film_plays_and_is_put_away(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = next(DEMO.glob("media/*.webm"))
    monkeypatch.setitem(CATALOGUE["items"][0], "video", film.name)
    async with at_station(browser, site) as resident:
        await resident.page.route(f"**/content/media/{film.name}", lambda route: route.fulfill(path=film))
        await resident.finds_item()
        await resident.presses("看演示视频")
        await evaluated(resident.page, "document.querySelector('.film video').currentTime > 0.2", "the film")
        await resident.presses("看完了")
        await expect(resident.page.locator("video")).to_have_count(0)
        await resident.presses("视频求助工作人员")


async def test_a_stray_touch_on_the_end_button_does_not_end_the_call(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=active_call(FREIGHT), clock=True) as resident:
        await resident.presses("结束通话")
        await expect(resident.page.get_by_role("dialog")).to_be_visible()
        await resident.page.clock.run_for(10_500)
        await expect(resident.page.get_by_role("dialog")).to_have_count(0)
        assert not [m for m in resident.server.heard if isinstance(m, messages.HangUp)]


async def test_a_call_taken_back_leads_back_to_the_item(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, before=KEEP_TRACKS) as resident:
        await resident.calls()
        await resident.presses("不等了，取消呼叫")
        await resident.server.asked(messages.Cancel)
        resident.told(ended_call(FREIGHT, answered_at=None, agent=None, end_reason="cancelled"))
        await resident.server.asked(messages.Dismiss)
        resident.told(None)
        await expect(resident.page.get_by_role("button", name="同意并呼叫")).to_be_visible()
        await evaluated(resident.page, ALL_STOPPED, "camera and microphone to be off")


async def test_waiting_says_what_is_going_on(browser: Browser, site: Site) -> None:
    async with at_station(browser, site) as resident:
        await resident.calls()
        resident.told({**waiting_call(FREIGHT), "ahead": 0, "estimate_s": None})
        await expect(resident.sees("下一位就是您")).to_be_visible()
        resident.told({**waiting_call(FREIGHT), "ahead": 0, "ringing": True, "phase": "offered"})
        await expect(resident.sees("正在呼叫工作人员")).to_be_visible()
        resident.told({**waiting_call(FREIGHT), "on_duty": 0})
        await expect(resident.sees("现在没有工作人员在岗")).to_be_visible()


async def test_a_reloaded_page_comes_back_into_its_call(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=active_call(FREIGHT, generation=3)) as resident:
        rejoin = await resident.server.asked(messages.Rejoin)
        assert rejoin.generation == 3
        await resident.offered_media(generation=4)
        await evaluated(resident.page, PLAYS, "the agent's picture")


async def test_after_a_long_break_a_connection_that_was_replaced_is_asked_for_again(
    browser: Browser, site: Site
) -> None:
    async with at_station(browser, site) as resident:
        await resident.calls()
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        await evaluated(resident.page, PLAYS, "the agent's picture")
        resident.server.resumable = False
        await resident.server.drop()
        await resident.server.asked(messages.StationHello, nth=2)
        resident.told(active_call(FREIGHT, generation=2))
        assert (await resident.server.asked(messages.Rejoin)).generation == 2


async def test_a_lost_network_is_said_in_words_and_the_page_goes_on(browser: Browser, site: Site) -> None:
    async with at_station(browser, site) as resident:
        await resident.calls()
        resident.server.answering = False
        await resident.server.drop()
        banner = resident.page.get_by_role("alert")
        await expect(banner).to_have_text("网络断了，正在重新连接。您的排队位置会保留。")
        await expect(resident.sees("您前面还有 2 位")).to_be_visible()
        resident.server.answering = True
        hello = await resident.server.asked(messages.StationHello, nth=2)
        assert hello.resume == "token"
        await expect(banner).to_have_count(0)


async def test_without_a_camera_the_call_goes_on_and_says_so(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, before=NO_CAMERA) as resident:
        await resident.calls()
        await expect(resident.sees("没有找到摄像头")).to_be_visible()
        told = await resident.server.asked(messages.Devices)
        assert (told.call, told.mic, told.camera) == ("call-1", True, False)
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        await evaluated(resident.page, "pretendNode.got().then((n) => n.mic > 10)", "own sound")


async def test_a_refused_call_is_told_in_the_services_words(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, before=KEEP_TRACKS) as resident:
        words = "这个站点不能办这件事。请到大厅办理。"
        resident.server.refuse["call"] = refusal(messages.ErrorCode.NOT_EMPOWERED, words, "Not here.")
        await resident.finds_item()
        await resident.presses("视频求助工作人员")
        await resident.presses("同意并呼叫")
        await expect(resident.sees(words)).to_be_visible()
        await expect(resident.page.get_by_role("button", name="同意并呼叫")).to_be_enabled()
        await evaluated(resident.page, ALL_STOPPED, "camera and microphone to be off")


async def test_bad_ratings_may_have_reasons(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=ended_call(FREIGHT)) as resident:
        await resident.presses("非常不满意")
        await resident.presses("等太久")
        await resident.presses("没讲清楚")
        await resident.presses("交评价")
        rate = await resident.server.asked(messages.Rate)
        assert rate.stars == 1
        assert rate.reasons == (RatingReason.WAITED_LONG, RatingReason.NOT_CLEAR)


async def test_the_rating_goes_home_by_itself(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=ended_call(FREIGHT), clock=True) as resident:
        await expect(resident.sees("这次服务，您觉得怎么样？")).to_be_visible()
        await resident.page.clock.run_for(20_500)
        await resident.server.asked(messages.Dismiss)
        await expect(resident.sees("您好，今天想办什么事？")).to_be_visible()


async def test_a_call_that_was_cut_off_can_be_made_again(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=ended_call(FREIGHT, end_reason="agent_lost")) as resident:
        await expect(resident.sees("通话断开了")).to_be_visible()
        await resident.presses("再呼叫一次")
        await resident.server.asked(messages.Dismiss)
        call = await resident.server.asked(messages.Call)
        assert call.item == FREIGHT


async def test_after_a_quiet_minute_it_asks_and_then_forgets(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, clock=True) as resident:
        page = resident.page
        await resident.presses("English")
        await resident.presses("Larger")
        await resident.presses("Find a service")
        await page.clock.run_for(61_000)
        await expect(page.get_by_role("dialog")).to_contain_text("Are you still there?")
        await resident.presses("I am here")
        await expect(page.get_by_role("heading")).to_have_text("What is it about?")
        await page.clock.run_for(61_000)
        for _ in range(16):
            await page.clock.run_for(1_000)
        await expect(page.get_by_role("heading")).to_have_text("您好，今天想办什么事？")
        assert await page.evaluate("document.documentElement.hasAttribute('data-elder')") is False


async def test_nobody_is_asked_for_a_touch_while_waiting(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, call=waiting_call(FREIGHT), clock=True) as resident:
        for _ in range(40):
            await resident.page.clock.run_for(3_000)
        await expect(resident.page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("typed", ["社保缴费", "sbjf", "shebaojiaofei", "jiaofeizhengming"])
async def test_an_item_is_found_by_chinese_initials_and_pinyin(
    browser: Browser, site: Site, typed: str
) -> None:
    async with at_station(browser, site) as resident:
        await resident.presses("办事项")
        await resident.presses("搜一搜")
        await resident.page.get_by_role("textbox").fill(typed)
        await expect(resident.page.locator(".row").first).to_contain_text("社保缴费证明打印")


async def test_the_screen_keyboard_types(browser: Browser, site: Site) -> None:
    async with at_station(browser, site) as resident:
        await resident.presses("English")
        await resident.presses("Find a service")
        await resident.presses("Search")
        for letter in "passpx":
            await resident.page.get_by_role("button", name=letter, exact=True).click()
        await resident.presses("Erase one letter")
        await expect(resident.page.locator(".row").first).to_contain_text("assport")
        for row in await resident.page.locator(".row").all():
            assert "pass" in (await row.inner_text()).lower()


async def test_who_cannot_say_what_it_is_gets_a_person(browser: Browser, site: Site) -> None:
    async with at_station(browser, site) as resident:
        await resident.presses("找人帮忙")
        await resident.presses("办税服务")
        await resident.presses("说不清楚，直接找人")
        await resident.presses("同意并呼叫")
        assert (await resident.server.asked(messages.Call)).item == "tax-enquiry"


async def test_who_asks_for_a_person_is_not_made_to_read_the_guide(browser: Browser, site: Site) -> None:
    async with at_station(browser, site) as resident:
        await resident.presses("找人帮忙")
        await resident.presses("办税服务")
        await resident.page.locator(".row").first.click()
        await resident.presses("同意并呼叫")
        await resident.server.asked(messages.Call)


async def test_a_station_is_enrolled_by_typing_the_code(browser: Browser, site: Site) -> None:
    async with at_station(browser, site, enrolled=False, forgive=("403",)) as resident:
        words = {"zh": "这个登记码用过了。请向管理员要一个新的。", "en": "This code has been used."}
        site.json["/station/enrol"] = (403, {"code": "used", "text": words})
        await resident.page.goto("/station")
        await resident.page.get_by_role("textbox").fill("abcd2345")
        await resident.presses("登记")
        await expect(resident.sees(words["zh"])).to_be_visible()
        site.json["/station/enrol"] = {"station": "station-1", "name": {"zh": "一号", "en": "One"}}
        await resident.presses("登记")
        await resident.server.greeted()
        assert [body["code"] for _, body in site.posted] == ["ABCD-2345", "ABCD-2345"]
        assert len({body["public_key"] for _, body in site.posted}) == 1


@pytest.mark.parametrize(("code", "words"), [(4001, "暂时不能使用"), (4003, "在别处打开了")])
async def test_a_station_that_may_not_go_on_says_so(
    browser: Browser, site: Site, code: int, words: str
) -> None:
    async with at_station(browser, site) as resident:
        await resident.server.drop(code)
        await expect(resident.sees(words)).to_be_visible()


# --- every screen: readable, reachable, named ---------------------------------------------------

SMALL = """() => [...document.querySelectorAll('button, a, input, [role=button]')]
  .filter((e) => e.checkVisibility())
  .map((e) => [e.textContent.trim() || e.ariaLabel, e.getBoundingClientRect()])
  .filter(([, box]) => box.width < 60 || box.height < 60)
  .map(([name, box]) => `${name} ${box.width}x${box.height}`)"""
TINY = """() => [...document.querySelectorAll('#app *')]
  .filter((e) => e.checkVisibility() && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
  .filter((e) => !e.closest('.visually-hidden') && parseFloat(getComputedStyle(e).fontSize) < 24)
  .map((e) => e.textContent.trim())"""
OUTSIDE = """() => [...document.querySelectorAll('button, h1')]
  .filter((e) => e.checkVisibility() && !e.classList.contains('visually-hidden'))
  .filter((e) => { const box = e.getBoundingClientRect();
    return box.left < 0 || box.right > innerWidth || box.top < 0 || box.bottom > innerHeight; })
  .map((e) => e.textContent.trim())"""


async def sound(page: Page, name: str) -> None:
    """No serious finding of axe, no small target, no tiny type, nothing pressed that is off the screen."""
    await page.mouse.move(1, 1)
    found = await Axe().run(page, options={"rules": {"color-contrast-enhanced": {"enabled": True}}})
    serious = [
        (v["id"], [node["html"][:160] for node in v["nodes"]])
        for v in found.response["violations"]
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == [], name
    assert await page.evaluate(SMALL) == [], name
    assert await page.evaluate(TINY) == [], name
    assert await page.evaluate(OUTSIDE) == [], name


@asynccontextmanager
async def in_mode(browser: Browser, site: Site, mode: str) -> AsyncIterator[Resident]:
    size: dict[str, Any] = {"width": 1920, "height": 1080} if "landscape" in mode else {}
    async with at_station(browser, site, **size) as resident:
        if "english" in mode:
            await resident.presses("English")
        if "elder" in mode:
            await resident.page.locator(".ease .button").first.click()
        yield resident


MODES = ["portrait", "portrait elder", "landscape english", "landscape elder"]


@pytest.mark.parametrize("mode", MODES)
async def test_every_screen_before_the_call_is_sound(browser: Browser, site: Site, mode: str) -> None:
    async with in_mode(browser, site, mode) as resident:
        page = resident.page
        await sound(page, "welcome")
        await page.locator(".entry").nth(2).click()
        await sound(page, "progress")
        await page.locator(".foot .button").nth(1).click()
        await page.locator(".entry").nth(0).click()
        await sound(page, "zones")
        await page.locator(".tile.seek").click()
        await page.get_by_role("textbox").fill("s")
        await sound(page, "search")
        await page.locator(".foot .button").nth(0).click()
        await page.locator(".tile").nth(2).click()
        await sound(page, "items")
        await page.locator(".row").first.click()
        await sound(page, "item")
        await page.locator(".act").click()
        await sound(page, "consent")


@pytest.mark.parametrize("mode", MODES)
async def test_every_screen_of_the_call_is_sound(browser: Browser, site: Site, mode: str) -> None:
    async with in_mode(browser, site, mode) as resident:
        page = resident.page
        resident.told(waiting_call(FREIGHT))
        await page.locator(".waiting").wait_for()
        await sound(page, "waiting")
        resident.told({**waiting_call(FREIGHT), "on_duty": 0})
        await sound(page, "nobody on duty")
        await resident.offered_media()
        resident.told(active_call(FREIGHT))
        await evaluated(page, PLAYS, "the agent's picture")
        await sound(page, "call")
        resident.told(active_call(FREIGHT, agent_mic=False, agent_camera=False))
        await page.locator(".no-picture").wait_for()
        await sound(page, "the agent's camera and microphone are off")
        resident.told(active_call(FREIGHT, sharing=True, slots=msgspec.to_builtins(SHARED_SLOTS)))
        await page.locator(".sheet").wait_for()
        await sound(page, "shared form")
        await page.locator(".controls .end").click()
        await sound(page, "end?")
        resident.told(ended_call(FREIGHT))
        await page.locator(".mood-1").click()
        await sound(page, "rating with reasons")
        await page.locator(".reasons .primary").click()
        await sound(page, "thanks")


@pytest.mark.parametrize(("width", "height"), [(1080, 1920), (1920, 1080)])
async def test_the_resident_is_told_only_when_the_stations_own_network_is_bad(
    browser: Browser, site: Site, width: int, height: int
) -> None:
    async with at_station(browser, site, width=width, height=height, call=active_call(FREIGHT)) as resident:
        note = resident.page.locator(".call-notes")

        def judged(judgement: Judgement | None, call: str = "call-1") -> None:
            resident.server.send(messages.OwnQuality(CallId(call), judgement))

        judged(Judgement.WEAK)
        judged(Judgement.BAD, "another")
        resident.told(active_call(FREIGHT, agent_mic=False))
        await expect(note).to_have_text("工作人员暂时关了麦克风，请稍等。")
        resident.told(active_call(FREIGHT))
        await expect(note).to_have_text("")
        judged(Judgement.BAD)
        await expect(note).to_have_text("网络不稳定，画面可能会卡顿。请慢一点说，工作人员在听。")
        found = await Axe().run(resident.page)
        assert found.violations_count == 0, found.generate_report()
        judged(Judgement.GOOD)
        await expect(note).to_have_text("")
        judged(Judgement.BAD)
        await expect(note).not_to_have_text("")
        judged(None)
        await expect(note).to_have_text("")
