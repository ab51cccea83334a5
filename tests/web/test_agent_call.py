"""The agent's console against a scripted server: the call and its wrap-up."""

import re

import msgspec
import pytest
from playwright.async_api import Browser, expect

from records.model import Outcome
from signaling import messages as m
from tests.web.console import (
    CALL,
    NO_CAMERA,
    act,
    called,
    clean,
    console,
    idle,
    in_call,
    now_ms,
    offered,
    ringing,
    said_on,
    until_true,
    wrapping_up,
)
from tests.web.pages import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")

PULL_CAMERA = """const camera = window.tracks.find((track) => track.kind === "video");
camera.stop();
camera.dispatchEvent(new Event("ended"));"""
KEEP_TRACKS = """window.tracks = [];
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await open(wanted);
  window.tracks.push(...stream.getTracks());
  return stream;
};"""
SHARED_IN_VP9 = """async () => {
  const stats = await pretendNode.pc.getStats();
  const share = [...stats.values()].find((entry) => entry.type === "inbound-rtp" && entry.mid === "2");
  return stats.get(share?.codecId)?.mimeType === "video/VP9";
}"""
LIVE_TRACKS = "window.tracks.filter((track) => track.readyState === 'live').length"


# --- the call --------------------------------------------------------------------------------------------


async def test_mute_and_camera_work_by_key_and_are_shown(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        assert await said_on(server) == (True, True)
        await expect(page.get_by_test_id("timer")).to_contain_text("01:3")
        await page.keyboard.press("m")
        await expect(act(page, "mute")).to_have_attribute("aria-pressed", "true")
        assert await said_on(server, nth=2) == (False, True)
        await expect(page.locator(".banners")).to_contain_text("居民听不到您说话")
        await page.keyboard.press("v")
        await expect(page.locator(".me")).to_contain_text("摄像头已关")
        assert await said_on(server, nth=3) == (False, False)
        await page.keyboard.press("m")
        await expect(act(page, "mute")).to_have_attribute("aria-pressed", "false")
        assert await said_on(server, nth=4) == (True, False)
        await clean(page)
        await page.keyboard.press("d")
        await page.keyboard.press("l")
        await expect(page.locator(".console")).to_have_attribute("data-stage", "light")
        await clean(page)


async def test_the_cameras_light_goes_out_with_the_call(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True, script=KEEP_TRACKS) as (page, server):
        assert await page.evaluate("window.tracks.length") == 0
        await called(page, server)
        assert await page.evaluate(LIVE_TRACKS) == 2
        server.send(wrapping_up())
        await expect(page.get_by_test_id("wrap-up")).to_be_visible()
        assert await page.evaluate(LIVE_TRACKS) == 0


async def test_a_share_is_announced_and_the_browsers_own_stop_ends_it(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        await act(page, "share").click()
        said = await server.asked(m.Share)
        assert (said.call, said.on) == (CALL, True)
        server.send(in_call(sharing=True))
        preview = page.get_by_test_id("share-preview")
        await expect(preview).to_contain_text("居民正在看您的共享")
        await until_true(page, SHARED_IN_VP9)  # as the server said
        await preview.locator("video").evaluate(
            "(video) => video.srcObject.getTracks()[0].dispatchEvent(new Event('ended'))"
        )
        assert (await server.asked(m.Share, nth=2)).on is False
        await expect(preview).to_have_count(0)


async def test_a_note_is_sent_and_listed_and_outlives_a_reload(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        await page.keyboard.press("n")
        await page.keyboard.type("需要原件")
        await page.keyboard.press("Enter")
        assert (await server.asked(m.AddNote)).text == "需要原件"
        await expect(page.get_by_test_id("notes")).to_contain_text("需要原件")
        await page.locator(".materials input").first.check()
        server.resumable = False
        await page.reload()
        await server.asked(m.Hello, nth=2)
        server.send(in_call())
        await expect(page.get_by_test_id("notes")).to_contain_text("需要原件")
        await expect(page.locator(".materials input").first).to_be_checked()
        await expect(page.locator(".history")).to_contain_text("您刷新了页面")


async def test_a_reload_in_a_call_rejoins_at_once_and_says_that_sharing_stopped(
    browser: Browser, site: Site
) -> None:
    async with console(browser, site, in_call(sharing=True, generation=2), node=True) as (page, server):
        said = await server.asked(m.Rejoin)
        assert (said.call, said.generation) == (CALL, 2)
        assert (await server.asked(m.Share)).on is False
        assert await said_on(server) == (True, True)  # the page before may have said something else
        server.send(in_call(generation=3, connected=False))
        await expect(page.locator(".banners")).to_contain_text("正在恢复")
        assert (await offered(page, server, generation=3)).generation == 3
        server.send(in_call(generation=3))
        await expect(page.get_by_test_id("stage").locator("video.main")).to_be_visible()
        await expect(page.locator(".banners")).to_contain_text("共享停了")


async def test_the_time_of_a_call_goes_on_after_a_reload(browser: Browser, site: Site) -> None:
    came_back = msgspec.structs.replace(in_call(), since=now_ms())
    async with console(browser, site, came_back) as (page, _):
        await expect(page.get_by_test_id("status")).to_contain_text(re.compile(r"通话中\s*01:3\d"))


async def test_the_residents_absence_is_told_over_the_picture(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(in_call(resident_away=True))
        await expect(page.locator(".banners")).to_contain_text("居民那边的网络断了")
        server.send(in_call())
        await expect(page.locator(".banners")).not_to_contain_text("居民那边的网络断了")
        await expect(page.locator(".history")).to_contain_text("居民恢复")


async def test_devices_that_are_missing_count_as_off(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), script=NO_CAMERA % "NotFoundError") as (_, server):
        server.send(ringing())
        assert await said_on(server) == (False, False)


async def test_a_camera_pulled_out_counts_as_off(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), script=KEEP_TRACKS) as (page, server):
        server.send(ringing())
        assert await said_on(server) == (True, True)
        await page.evaluate(PULL_CAMERA)
        assert await said_on(server, nth=2) == (True, False)


async def test_a_muted_resident_and_one_without_a_camera_are_told_in_words(
    browser: Browser, site: Site
) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(in_call(resident_mic=False, resident_camera=False))
        await expect(page.locator(".banners")).to_contain_text("居民那边静音了")
        await expect(page.locator(".pictures > .blank")).to_have_text("居民那边没有开摄像头，可以继续讲。")
        await clean(page)
        server.send(in_call())
        await expect(page.locator(".banners")).not_to_contain_text("静音")
        await expect(page.get_by_test_id("stage").locator("video.main")).to_be_visible()


async def test_ending_asks_in_place_and_the_key_does_not(browser: Browser, site: Site) -> None:
    async with console(browser, site, in_call()) as (page, server):
        await act(page, "end").click()
        await page.keyboard.press("Escape")
        await expect(act(page, "end")).to_be_visible()
        await act(page, "end").click()
        await act(page, "end-yes").click()
        assert (await server.asked(m.HangUp)).call == CALL
        await page.keyboard.press("Control+e")
        await server.asked(m.HangUp, nth=2)


# --- wrap-up ---------------------------------------------------------------------------------------------


async def test_wrap_up_wants_an_outcome_before_ready(browser: Browser, site: Site) -> None:
    async with console(browser, site, wrapping_up()) as (page, server):
        wrap = page.get_by_test_id("wrap-up")
        await expect(wrap).to_contain_text("居民结束了通话")
        await expect(wrap.locator(".wrap-left")).to_contain_text("01:")
        await expect(page.locator(".left, .right")).to_have_count(0)
        await page.keyboard.press("Enter")
        await expect(wrap.get_by_role("alert")).to_contain_text("请先选一个办理结果")
        await clean(page)
        await page.keyboard.press("3")
        await expect(wrap.get_by_role("alert")).to_have_count(0)
        await wrap.locator("textarea").fill("缺行驶证")
        await page.keyboard.press("Control+Enter")
        said = await server.asked(m.WrapUp)
        assert (said.outcome, said.note) == (Outcome.MATERIALS_MISSING, "缺行驶证")
        assert (await server.asked(m.Ready)).call == CALL
        assert not any(isinstance(heard, m.Ready) for heard in server.heard[: server.heard.index(said)])


async def test_wrap_up_that_runs_out_keeps_what_was_chosen(browser: Browser, site: Site) -> None:
    async with console(browser, site, wrapping_up(seconds=7)) as (page, server):
        await page.get_by_label("办成了").check()
        said = await server.asked(m.WrapUp)
        assert said.outcome is Outcome.RESOLVED
