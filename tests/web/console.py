"""The agent's console in a real browser, before a scripted server: what its tests share."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from agents.agent import Activity, Lane, Presence, ReservationId
from media.protocol import Mid, Source, VideoCodec
from records.model import AccountId, CallId, EndReason, ItemId, ParticipantId, ParticipantRole, Text
from signaling import messages as m
from signaling.snapshot import State
from tests.web.pages import Site, opened
from tests.web.scripted import Scripted

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
        extensions_left=2,
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
        role=ParticipantRole.AGENT,
        owner=phase is not State.OFFERED,
        people=(),
        on_hold=False,
        ask=None,
        failed_ask=None,
        left=False,
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
    """``changes`` are of the ring."""
    ring = m.Ring(
        call=CALL,
        reservation=RESERVATION,
        item=ITEM,
        station=STATION,
        site=SITE,
        requested_at=now_ms() - 48_000,
        until=now_ms() + int(seconds * 1000),
        role=ParticipantRole.AGENT,
        lane=Lane.NORMAL,
        joining=None,
        asked_by=None,
        answered=False,
    )
    ring = msgspec.structs.replace(ring, **changes)
    call = a_call(State.OFFERED, role=ring.role)
    return idle(activity=Activity.RESERVED, ring=ring, call=call, since=now_ms())


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
    clock: bool = False,
) -> AsyncIterator[tuple[Page, Scripted]]:
    """The console, connected and showing ``state``. ``node``: a pretend media node is in the page. ``clock``
    gives the test the page's time."""
    site.json["/api/catalogue"] = CATALOGUE
    forgive = ("4003", "offer could not")
    async with opened(browser, site, width=width, height=height, clock=clock, forgive=forgive) as page:
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


async def offered(page: Page, server: Scripted, generation: int = 1, others: int = 0) -> m.Answer:
    """The node offers and the console answers. ``others``: how many people there are beside the resident."""
    sdp = await page.evaluate("(others) => pretendNode.offer({ others })", others)
    server.send(m.Offer(call=CALL, generation=generation, restart=0, sdp=sdp, ice_servers=()))
    answer = await server.asked(m.Answer)
    await page.evaluate("(sdp) => pretendNode.answer(sdp)", answer.sdp)
    return answer


async def called(page: Page, server: Scripted, others: int = 0) -> None:
    """From the ring into the call, with picture."""
    server.send(ringing())
    await offered(page, server, others=others)
    server.send(in_call())
    await expect(page.get_by_test_id("stage").locator("video.main")).to_be_visible()


async def said_on(server: Scripted, nth: int = 1) -> tuple[bool, bool]:
    """Microphone and camera, as the page said them the ``nth`` time."""
    said = await server.asked(m.Devices, nth=nth)
    assert said.call == CALL
    return said.mic, said.camera


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
