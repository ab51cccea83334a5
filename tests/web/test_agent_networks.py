"""The agent's console against a scripted server: how good the networks are."""

import pytest
from playwright.async_api import Browser, expect

from records.model import CallId, ParticipantRole
from signaling import messages as m
from signaling.quality import Judgement
from tests.web.console import (
    CALL,
    act,
    clean,
    console,
    fits,
    idle,
    in_call,
)
from tests.web.pages import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")


# --- networks --------------------------------------------------------------------------------------------


def networks(station: Judgement, own: Judgement, call: CallId = CALL) -> m.CallQuality:
    return m.CallQuality(
        call,
        (
            m.Network(ParticipantRole.RESIDENT, station, 340, 4.2, 0.1, 420, 380),
            m.Network(ParticipantRole.AGENT, own, None, 0.0, 0.0, 1180, 410),
        ),
    )


async def test_the_agent_sees_whose_network_is_weak(browser: Browser, site: Site) -> None:
    async with console(browser, site, in_call()) as (page, server):
        signs = page.locator(".banner.net")
        await expect(page.get_by_test_id("stage")).to_be_visible()
        await expect(act(page, "figures")).to_have_count(0)
        server.send(networks(Judgement.GOOD, Judgement.GOOD))
        await expect(act(page, "figures")).to_contain_text("网络良好")
        await expect(signs).to_have_count(0)
        server.send(networks(Judgement.WEAK, Judgement.GOOD))
        await expect(signs).to_have_text("自助机网络较弱")
        await expect(act(page, "figures")).to_contain_text("网络较弱")
        server.send(networks(Judgement.WEAK, Judgement.BAD))
        await expect(signs).to_have_text(["自助机网络较弱", "您的网络很差"])
        await expect(act(page, "figures")).to_contain_text("网络很差")
        await fits(page)
        await clean(page)
        server.send(m.CallQuality(CALL, ()))
        await expect(signs).to_have_count(0)
        await expect(act(page, "figures")).to_have_count(0)


async def test_the_figures_are_there_for_who_wants_them(browser: Browser, site: Site) -> None:
    async with console(browser, site, in_call()) as (page, server):
        server.send(networks(Judgement.WEAK, Judgement.GOOD))
        figures = page.locator(".net-figures")
        await expect(act(page, "figures")).to_have_attribute("aria-expanded", "false")
        await expect(figures).to_have_count(0)
        await page.keyboard.press("w")
        await expect(figures.locator("thead th")).to_have_text(["自助机", "您"])
        assert await figures.locator("tbody tr").all_inner_texts() == [
            "网络\t较弱\t良好",
            "往返时间\t340 ms\t—",
            "丢包（补发前）\t4.2 %\t0.0 %",
            "没有补回\t0.1 %\t0.0 %",
            "发出\t420 kbit/s\t1180 kbit/s",
            "收到\t380 kbit/s\t410 kbit/s",
        ]
        await clean(page)
        await page.keyboard.press("Escape")
        await expect(figures).to_have_count(0)
        await act(page, "figures").click()
        await expect(figures).to_be_visible()
        server.send(idle())
        await expect(figures).to_have_count(0)
        server.send(in_call())
        await expect(page.get_by_test_id("stage")).to_be_visible()
        await expect(act(page, "figures")).to_have_count(0)


async def test_what_is_said_of_another_call_or_before_the_link_broke_is_not_shown(
    browser: Browser, site: Site
) -> None:
    async with console(browser, site, in_call()) as (page, server):
        server.send(networks(Judgement.BAD, Judgement.BAD))
        await expect(page.locator(".banner.net")).to_have_count(2)
        server.send(networks(Judgement.BAD, Judgement.BAD, CallId("call-0")))
        await expect(page.locator(".banner.net")).to_have_count(0)
        server.send(networks(Judgement.BAD, Judgement.BAD))
        await expect(page.locator(".banner.net")).to_have_count(2)
        server.answering = False
        await server.drop()
        await expect(page.locator(".banner.net")).to_have_count(0)
