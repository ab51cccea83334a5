"""A resident in front of the station's page: what they press, and what the service says to it."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import Browser, Locator, Page

from media.protocol import Mid, Source
from records.model import CallId, ItemId, ParticipantId, ParticipantRole, StationId, Text
from signaling import messages
from tests.web.pages import Site, opened
from tests.web.scripted import Scripted

HERE = Path(__file__).parent
CATALOGUE: dict[str, Any] = json.loads((HERE / "catalogue.json").read_text("utf-8"))
NAME = {"zh": "临河镇便民服务站 1 号机", "en": "Linhe Town, station 1"}
ITEM = "road-freight-vehicle-review"
CARD = messages.AgentCard(
    name=Text(zh="李晓梅", en="Li Xiaomei"),
    department=Text(zh="区交通运输局", en="Transport Bureau"),
    badge="0317",
)


def slot(mid: Mid, source: Source) -> messages.SlotView:
    return messages.SlotView(
        mid=mid, participant=ParticipantId("agent-1"), role=ParticipantRole.AGENT, source=source
    )


AGENT_SLOTS = (slot(Mid.MIC, Source.MIC), slot(Mid.CAMERA, Source.CAMERA))
SHARED_SLOTS = (*AGENT_SLOTS, slot(Mid.SHARE, Source.SHARE))


def waiting_call(item: str) -> dict[str, Any]:
    """A call that waits, as the fields of StationCall."""
    return {
        "id": CallId("call-1"),
        "item": ItemId(item),
        "phase": "queued",
        "ahead": 2,
        "estimate_s": (150, 290),
        "wait_reason": None,
        "lane": "normal",
        "widened": 0,
        "on_duty": 3,
        "ringing": False,
        "held_up": False,
        "generation": 1,
        "connected": False,
        "agent": None,
        "people": (),
        "on_hold": False,
        "moved": None,
        "agent_away": False,
        "agent_mic": True,
        "agent_camera": True,
        "slots": (),
        "sharing": False,
        "requested_at": int(time.time() * 1000),
        "answered_at": None,
        "ended_at": None,
        "end_reason": None,
        "rated": False,
    }


def active_call(item: str, **changes: Any) -> dict[str, Any]:
    talking = {
        "phase": "active",
        "ahead": 0,
        "estimate_s": None,
        "connected": True,
        "agent": msgspec.to_builtins(CARD),
        "slots": msgspec.to_builtins(AGENT_SLOTS),
        "answered_at": int(time.time() * 1000) - 83_000,
    }
    return {**waiting_call(item), **talking, **changes}


def ended_call(item: str, **changes: Any) -> dict[str, Any]:
    over = {
        "phase": "ended",
        "slots": (),
        "ended_at": int(time.time() * 1000),
        "end_reason": "completed_by_agent",
    }
    return {**active_call(item), **over, **changes}


class Resident:
    def __init__(self, page: Page, server: Scripted) -> None:
        self.page = page
        self.server = server
        self.item = str(CATALOGUE["items"][0]["id"])

    def sees(self, words: str) -> Locator:
        return self.page.get_by_text(words, exact=False).first

    async def presses(self, name: str) -> None:
        await self.page.get_by_role("button", name=name).first.click()

    def told(self, call: dict[str, Any] | None) -> None:
        """The service says how things stand."""
        state = {"type": "station_state", "station": "station-1", "name": NAME, "call": call}
        self.server.send(msgspec.convert(state, messages.StationState))

    async def offered_media(self, generation: int = 1, **parts: bool) -> None:
        """The service's offer, from the pretend node; the answer goes back to it."""
        sdp = await self.page.evaluate("(parts) => pretendNode.offer(parts)", parts)
        self.server.send(
            messages.Offer(call=CallId("call-1"), generation=generation, restart=0, sdp=sdp, ice_servers=())
        )
        answer = await self.server.asked(messages.Answer)
        await self.page.evaluate("(sdp) => pretendNode.answer(sdp)", answer.sdp)

    async def finds_item(self) -> None:
        """From the first screen to the item's."""
        zone = next(z for z in CATALOGUE["zones"] if z["id"] == CATALOGUE["items"][0]["zone"])
        await self.presses("办事项")
        await self.presses(zone["name"]["zh"])
        await self.presses(CATALOGUE["items"][0]["name"]["zh"])

    async def calls(self) -> None:
        """From the first screen into the queue."""
        await self.finds_item()
        await self.presses("视频求助工作人员")
        await self.presses("同意并呼叫")
        await self.server.asked(messages.Call)
        self.told(waiting_call(self.item))


@asynccontextmanager
async def at_station(
    browser: Browser,
    site: Site,
    *,
    width: int = 1080,
    height: int = 1920,
    enrolled: bool = True,
    before: str = "",
    call: dict[str, Any] | None = None,
    clock: bool = False,
    scale: float = 1,
    forgive: tuple[str, ...] = (),
) -> AsyncIterator[Resident]:
    """An enrolled station showing its first screen, or in ``call``. ``before`` is a script run before the
    page's own; ``clock`` gives the test the page's time."""
    site.json["/api/catalogue"] = CATALOGUE
    site.json["/station/enrol"] = {"station": StationId("station-1"), "name": NAME}
    async with opened(
        browser, site, width=width, height=height, scale=scale, clock=clock, forgive=forgive
    ) as page:
        server = await Scripted.attach(page, "/ws/station", messages.station_decoder, challenge=True)
        await page.add_init_script(path=HERE / "pretend_node.js")
        if before:
            await page.add_init_script(before)
        resident = Resident(page, server)
        if enrolled:
            await page.goto("/station#enrol=ABCD-2345")
            await server.greeted()
            resident.told(call)
            await page.get_by_role("heading").first.wait_for()
        yield resident
        assert server.faults == []
