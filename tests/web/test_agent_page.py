"""The agent's console against a scripted server: devices, presence, the page itself."""

import json

import pytest
from playwright.async_api import Browser, expect

from agents.agent import PauseReason, Presence
from signaling import messages as m
from tests.web.console import (
    NO_CAMERA,
    act,
    clean,
    console,
    fits,
    idle,
    in_call,
    off_duty,
    ringing,
    wrapping_up,
)
from tests.web.pages import Site
from tests.web.scripted import refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")


# --- devices and presence --------------------------------------------------------------------------------


async def test_the_first_visit_checks_the_devices_then_goes_on_duty(browser: Browser, site: Site) -> None:
    async with console(browser, site, off_duty(), checked=False) as (page, server):
        check = page.get_by_test_id("check")
        await expect(check.locator("video")).to_be_visible()
        # The pretended microphone beeps so shortly that the meter, which looks now and then, misses some.
        await expect(check.get_by_text("听到您说话了")).to_be_visible(timeout=20_000)
        await expect(check.locator("#check-camera option")).not_to_have_count(1)
        await check.locator("#check-mic").select_option(index=1)
        await clean(page)
        await act(page, "checked").click()
        said = await server.asked(m.SetPresence)
        assert (said.presence, said.reason) == (Presence.AVAILABLE, None)
        kept = json.loads(await page.evaluate("localStorage.getItem('bangban.agent.devices')"))
        assert kept["mic"] != ""
        await expect(check).to_have_count(0)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("NotAllowedError", "浏览器不允许使用摄像头和麦克风"),
        ("NotFoundError", "没有找到摄像头和麦克风"),
        ("NotReadableError", "摄像头和麦克风正被别的程序占用"),
    ],
)
async def test_a_device_that_does_not_open_says_why(
    browser: Browser, site: Site, fault: str, words: str
) -> None:
    async with console(browser, site, off_duty(), checked=False, script=NO_CAMERA % fault) as (page, _):
        await expect(page.get_by_role("alert")).to_contain_text(words)
        await expect(act(page, "checked")).to_be_disabled()
        await expect(act(page, "later")).to_be_enabled()


async def test_presence_is_declared_by_button_and_by_key(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        await expect(page.get_by_test_id("status")).to_contain_text("可接听")
        await act(page, "pause-meal").click()
        said = await server.asked(m.SetPresence)
        assert (said.presence, said.reason) == (Presence.PAUSED, PauseReason.MEAL)
        server.send(idle(presence=Presence.PAUSED, pause_reason=PauseReason.MEAL))
        await expect(page.get_by_test_id("status")).to_contain_text("用餐")
        await page.keyboard.press("5")
        said = await server.asked(m.SetPresence, nth=2)
        assert said.reason is PauseReason.COUNTER
        await page.keyboard.press("9")
        said = await server.asked(m.SetPresence, nth=3)
        assert said.presence is Presence.SIGNED_OUT


async def test_a_pause_by_the_system_says_why_and_one_button_returns(browser: Browser, site: Site) -> None:
    paused = idle(presence=Presence.PAUSED, pause_reason=PauseReason.MISSED_CALLS, waiting=2)
    async with console(browser, site, paused) as (page, server):
        await expect(page.get_by_test_id("idle")).to_contain_text("连续几次来电没有接")
        await clean(page)
        await page.keyboard.press("0")
        assert (await server.asked(m.SetPresence)).presence is Presence.AVAILABLE


async def test_a_refused_presence_is_told_beside_the_buttons(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        server.refuse["set_presence"] = refusal(m.ErrorCode.INTERNAL, "状态没有改成，请再试一次", "Try again")
        await act(page, "pause-break").click()
        await expect(page.locator(".left .refusal")).to_have_text("状态没有改成，请再试一次")


# --- the page itself -------------------------------------------------------------------------------------


async def test_a_second_window_takes_over_and_one_button_takes_it_back(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        server.send(m.TakenOver())
        await server.drop(code=4003)
        await expect(page.get_by_test_id("elsewhere")).to_contain_text("已在另一个窗口登录")
        await clean(page)
        server.resumable = False
        await act(page, "take-back").click()
        await server.asked(m.Hello, nth=2)
        server.send(idle())
        await expect(page.get_by_test_id("status")).to_be_visible()


async def test_signed_out_leads_to_the_sign_in_page(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        await page.route("**/agent/login*", lambda route: route.fulfill(body="sign in"))
        await server.drop(code=4001)
        await page.wait_for_url("**/agent/login*")


async def test_a_lost_network_is_told_and_nothing_moves(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        before = await page.get_by_test_id("idle").bounding_box()
        server.answering = False
        await server.drop()
        await expect(page.get_by_test_id("link")).to_be_visible()
        assert await page.get_by_test_id("idle").bounding_box() == before
        server.answering = True
        await expect(page.get_by_test_id("link")).to_have_count(0)


async def test_the_list_of_keys_and_the_other_language(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, _):
        await page.keyboard.press("?")
        await expect(page.get_by_test_id("help")).to_contain_text("结束通话")
        await clean(page)
        await page.keyboard.press("Escape")
        await expect(page.get_by_test_id("help")).to_be_hidden()
        await page.keyboard.press("l")
        await expect(page.get_by_test_id("idle")).to_contain_text("Waiting for a call")
        await expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720)])
async def test_every_screen_fits_without_scrolling(
    browser: Browser, site: Site, width: int, height: int
) -> None:
    screens = {
        "idle": off_duty(),
        "ring": ringing(),
        "stage": in_call(sharing=True, resident_away=True),
        "wrap-up": wrapping_up(),
    }
    async with console(browser, site, idle(), width=width, height=height) as (page, server):
        for marker, state in screens.items():
            server.send(state)
            await expect(page.get_by_test_id(marker)).to_be_visible()
            await fits(page)
