"""The agent's console against a scripted server: what it shows and what it says, screen by screen."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from agents.agent import Activity, PauseReason, Presence, ReservationId
from media.protocol import Mid, Source, VideoCodec
from records.model import AccountId, CallId, EndReason, ItemId, Outcome, ParticipantId, ParticipantRole, Text
from signaling import messages as m
from signaling.quality import Judgement
from signaling.snapshot import State
from tests.web.pages import Site, opened
from tests.web.scripted import Scripted, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

CATALOGUE = json.loads(Path(__file__).with_name("catalogue.json").read_text("utf-8"))
PRETEND_NODE = Path(__file__).with_name("pretend_node.js")
ITEM = ItemId("road-freight-vehicle-review")
ITEM_NAME = next(item["name"] for item in CATALOGUE["items"] if item["id"] == ITEM)
CALL = CallId("call-1")
RESERVATION = ReservationId("reservation-1")
STATION = Text(zh="便民服务点一号机", en="Service point, terminal 1")
SITE = Text(zh="临江镇", en="Linjiang Town")
RESIDENT = ParticipantId("resident")
SLOTS = (
    m.SlotView(Mid.MIC, RESIDENT, ParticipantRole.RESIDENT, Source.MIC),
    m.SlotView(Mid.CAMERA, RESIDENT, ParticipantRole.RESIDENT, Source.CAMERA),
)
CHECKED = "localStorage.setItem('bangban.agent.devices', '{}')"
NO_CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
  throw new DOMException("no", "%s");
}"""

PULL_CAMERA = """const camera = window.tracks.find((track) => track.kind === "video");
camera.stop();
camera.dispatchEvent(new Event("ended"));"""
COUNT_TONES = """window.tones = 0;
window.OscillatorNode = class extends OscillatorNode {
  start(at) {
    window.tones += 1;
    super.start(at);
  }
};"""
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


def now_ms() -> int:
    return int(time.time() * 1000)


def idle(**changes: Any) -> m.AgentState:
    """Available and nothing to do."""
    state = m.AgentState(
        agent=AccountId("agent-1"),
        name=Text(zh="林晓雨", en="Lin Xiaoyu"),
        badge="0317",
        department=Text(zh="区交通委员会", en="Transport Commission"),
        presence=Presence.AVAILABLE,
        pause_reason=None,
        activity=Activity.IDLE,
        since=now_ms() - 754_000,
        wrap_up_until=None,
        ring=None,
        call=None,
        waiting=0,
        longest_wait_since=None,
        colleagues_free=3,
    )
    return msgspec.structs.replace(state, **changes)


def off_duty() -> m.AgentState:
    return idle(presence=Presence.SIGNED_OUT)


def a_call(phase: State, **changes: Any) -> m.AgentCall:
    call = m.AgentCall(
        id=CALL,
        item=ITEM,
        phase=phase,
        station=STATION,
        site=SITE,
        generation=1,
        connected=phase is State.ACTIVE,
        resident_away=False,
        resident_mic=True,
        resident_camera=True,
        slots=SLOTS if phase in (State.CONNECTING, State.ACTIVE) else (),
        sharing=False,
        share_codecs=(VideoCodec.VP9, VideoCodec.VP8),
        requested_at=now_ms() - 130_000,
        answered_at=None if phase is State.OFFERED else now_ms() - 95_000,
        ended_at=None,
        end_reason=None,
        outcome=None,
        outcome_note="",
    )
    return msgspec.structs.replace(call, **changes)


def ringing(seconds: float = 20, **changes: Any) -> m.AgentState:
    ring = m.Ring(
        call=CALL,
        reservation=RESERVATION,
        item=ITEM,
        station=STATION,
        site=SITE,
        requested_at=now_ms() - 48_000,
        until=now_ms() + int(seconds * 1000),
    )
    call = a_call(State.OFFERED)
    return idle(activity=Activity.RESERVED, ring=ring, call=call, since=now_ms(), **changes)


def in_call(**changes: Any) -> m.AgentState:
    return idle(activity=Activity.IN_CALL, since=now_ms() - 95_000, call=a_call(State.ACTIVE, **changes))


def wrapping_up(seconds: float = 110, **changes: Any) -> m.AgentState:
    call = a_call(
        State.ENDED, ended_at=now_ms() - 10_000, end_reason=EndReason.COMPLETED_BY_RESIDENT, **changes
    )
    until = now_ms() + int(seconds * 1000)
    return idle(activity=Activity.WRAP_UP, since=now_ms() - 10_000, wrap_up_until=until, call=call)


@asynccontextmanager
async def console(
    browser: Browser,
    site: Site,
    state: m.AgentState,
    *,
    checked: bool = True,
    node: bool = False,
    script: str = "",
    height: int = 900,
    width: int = 1440,
) -> AsyncIterator[tuple[Page, Scripted]]:
    """The console, connected and showing ``state``. ``node``: a pretend media node is in the page."""
    site.json["/api/catalogue"] = CATALOGUE
    async with opened(browser, site, width=width, height=height, forgive=("4003", "offer could not")) as page:
        if checked:
            await page.add_init_script(CHECKED)
        if script:
            await page.add_init_script(script)
        if node:
            await page.add_init_script(path=PRETEND_NODE)
        server = await Scripted.attach(page, "/ws/agent", m.agent_decoder)
        await page.goto("/agent")
        await server.greeted()
        server.send(state)
        await expect(page.get_by_test_id("status").or_(page.get_by_test_id("wrap-up"))).to_be_visible()
        yield page, server


def act(page: Page, name: str) -> Any:
    return page.locator(f'[data-act="{name}"]')


async def offered(page: Page, server: Scripted, generation: int = 1) -> m.Answer:
    """The node offers and the console answers."""
    sdp = await page.evaluate("pretendNode.offer()")
    server.send(m.Offer(call=CALL, generation=generation, restart=0, sdp=sdp, ice_servers=()))
    answer = await server.asked(m.Answer)
    await page.evaluate("(sdp) => pretendNode.answer(sdp)", answer.sdp)
    return answer


async def until_true(page: Page, script: str) -> None:
    deadline = time.monotonic() + 10
    while not await page.evaluate(script):
        assert time.monotonic() < deadline, script
        await asyncio.sleep(0.05)


async def clean(page: Page) -> None:
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


async def fits(page: Page) -> None:
    """Nothing to scroll on the page itself."""
    over = "(root) => [root.scrollHeight - innerHeight, root.scrollWidth - innerWidth]"
    assert await page.locator("html").evaluate(over) == [0, 0]


# --- devices and presence ---------------------------------------------------------------------------


async def test_the_first_visit_checks_the_devices_then_goes_on_duty(browser: Browser, site: Site) -> None:
    async with console(browser, site, off_duty(), checked=False) as (page, server):
        check = page.get_by_test_id("check")
        await expect(check.locator("video")).to_be_visible()
        await expect(check.get_by_text("听到您说话了")).to_be_visible()
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


# --- the ring -----------------------------------------------------------------------------------------


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
    async with console(browser, site, idle(), script=COUNT_TONES) as (page, server):
        server.send(ringing())
        await expect(page.get_by_test_id("ring")).to_be_visible()
        await until_true(page, "window.tones >= 16")  # two rounds
        server.send(idle())
        await expect(page.get_by_test_id("ring")).to_have_count(0)
        heard = await page.evaluate("window.tones")
        await until_true(page, f"performance.now() > {await page.evaluate('performance.now()')} + 2500")
        assert await page.evaluate("window.tones") == heard


async def test_the_countdown_runs_down_and_a_missed_ring_is_told(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle()) as (page, server):
        server.send(ringing(seconds=4))
        await expect(page.get_by_test_id("seconds")).to_have_text("4")
        await expect(page.get_by_test_id("seconds")).to_have_text("2")
        await expect(page.locator(".countdown")).to_have_attribute("data-hurry", "true")
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


# --- the call --------------------------------------------------------------------------------------------


async def called(page: Page, server: Scripted) -> None:
    """From the ring into the call, with picture."""
    server.send(ringing())
    await offered(page, server)
    server.send(in_call())
    await expect(page.get_by_test_id("stage").locator("video.main")).to_be_visible()


async def said_on(server: Scripted, nth: int = 1) -> tuple[bool, bool]:
    """Microphone and camera, as the page said them the ``nth`` time."""
    said = await server.asked(m.Devices, nth=nth)
    assert said.call == CALL
    return said.mic, said.camera


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


# --- wrap-up ------------------------------------------------------------------------------------------------


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


# --- the page itself -----------------------------------------------------------------------------


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


# --- networks ---------------------------------------------------------------------------------------


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
