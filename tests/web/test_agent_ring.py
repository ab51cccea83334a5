"""The agent's console against a scripted server: how a call is offered."""

import pytest
from playwright.async_api import Browser, expect

from signaling import messages as m
from tests.web.console import (
    CALL,
    ITEM_NAME,
    NO_CAMERA,
    RESERVATION,
    act,
    clean,
    console,
    idle,
    in_call,
    now_ms,
    offered,
    ringing,
    until_true,
)
from tests.web.pages import Site
from tests.web.scripted import refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNT_TONES = """window.tones = 0;
window.OscillatorNode = class extends OscillatorNode {
  start(at) {
    window.tones += 1;
    super.start(at);
  }
};"""


# --- the ring --------------------------------------------------------------------------------------------


async def test_a_ring_shows_who_where_what_and_enter_accepts(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        server.send(ringing())
        ring = page.get_by_test_id("ring")
        await expect(ring).to_contain_text(ITEM_NAME["zh"])
        await expect(ring).to_contain_text("临江镇 · 便民服务点一号机")
        await expect(ring).to_contain_text("已等 4")
        await offered(page, server)  # the connection is made while it rings
        await expect(page).to_have_title(f"来电：{ITEM_NAME['zh']}")
        await clean(page)
        await page.keyboard.press("Enter")
        said = await server.asked(m.Accept)
        assert (said.call, said.reservation) == (CALL, RESERVATION)
        server.send(in_call(answered_at=now_ms()))
        await expect(page.get_by_test_id("stage").locator("video.main")).to_be_visible()
        await expect(page).to_have_title("坐席工作台")


async def test_it_is_heard_until_the_ring_is_over(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), script=COUNT_TONES, clock=True) as (page, server):
        server.send(ringing())
        await expect(page.get_by_test_id("ring")).to_be_visible()
        await page.clock.run_for(2_000)
        await until_true(page, "window.tones >= 16")  # two rounds
        server.send(idle())
        await expect(page.get_by_test_id("ring")).to_have_count(0)
        heard = await page.evaluate("window.tones")
        await page.clock.run_for(2_500)
        assert await page.evaluate("window.tones") == heard


async def test_the_countdown_runs_down_and_a_missed_ring_is_told(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), clock=True) as (page, server):
        server.send(ringing(seconds=4))
        await expect(page.get_by_test_id("seconds")).to_have_text("4")
        await page.clock.run_for(1_500)
        await expect(page.get_by_test_id("seconds")).to_have_text("2")
        await expect(page.locator(".countdown")).to_have_attribute("data-hurry", "true")
        await page.clock.run_for(1_500)
        await expect(page.get_by_test_id("seconds")).to_have_text("0")
        server.send(idle())
        await expect(page.locator(".last")).to_contain_text("没有接到")
        await act(page, "dismiss").click()
        await expect(page.locator(".last")).to_have_count(0)


async def test_escape_declines_and_it_is_said(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        server.send(ringing())
        await expect(page.get_by_test_id("ring")).to_be_visible()
        await page.keyboard.press("Escape")
        said = await server.asked(m.Decline)
        assert (said.call, said.reservation) == (CALL, RESERVATION)
        server.send(idle())
        await expect(page.locator(".last")).to_contain_text("您没有接这个来电")


async def test_a_ring_that_the_resident_withdrew_is_no_miss(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        server.send(ringing())
        await expect(page.get_by_test_id("ring")).to_be_visible()
        server.send(idle())
        await expect(page.locator(".last")).to_contain_text("居民取消了呼叫")


async def test_an_answer_that_came_too_late_is_told_in_words(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        server.refuse["accept"] = refusal(m.ErrorCode.NOT_OFFERED, "来电已转给别人", "It went to a colleague")
        server.send(ringing())
        await act(page, "accept").click()
        await expect(page.locator(".ring .refusal")).to_have_text("来电已转给别人")


async def test_a_busy_camera_is_told_while_it_rings(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), script=NO_CAMERA % "NotReadableError") as (page, server):
        server.send(ringing())
        await expect(page.get_by_test_id("ring").get_by_role("alert")).to_contain_text("占用")
        await expect(act(page, "accept")).to_be_enabled()
