"""People in real browsers, forwarded by the real node."""

import re
import time
from typing import Any

import pytest
from playwright.async_api import Page

from media.protocol import (
    CloseRoom,
    Connected,
    Disconnected,
    Join,
    Leave,
    Mid,
    Offered,
    RefusalReason,
    Refused,
    RoomClosed,
    Source,
)
from records.model import ParticipantId, ParticipantRole
from tests.media.browser import connect, inbound, moves, pages, stats, until
from tests.media.conftest import HALL, Control, all_of

pytestmark = pytest.mark.e2e

GREEN, RED = "#00c000", "#d00000"


async def sees(page: Page, mid: str, color: str, within_s: float = 10.0) -> None:
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]

    def close(seen: Any) -> bool:
        return seen is not None and all(abs(a - b) < 60 for a, b in zip(seen, wanted, strict=True))

    await until(lambda: page.evaluate("mid => peer.color(mid)", mid), close, within_s)


async def test_two_people_see_and_hear_each_other(control: Control) -> None:
    async with pages(2) as (resident, agent):
        room = await control.open("call-1")
        await connect(control, resident, room, "resident")
        await connect(control, agent, room, "agent")

        at = time.time()
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        for page in (resident, agent):
            seen = await moves(page, "camera", 60)
            assert inbound(seen, "mic", "energy") > 0.001
            assert inbound(seen, "camera", "lost") == 0
        first = [await page.evaluate("peer.frames.camera[0]") / 1000 - at for page in (resident, agent)]
        print(f"slots to first frame: {[round(s * 1000) for s in first]} ms")
        assert max(first) < 1.5

        # Feedback works: the browser has found more than the 300 kbit/s it starts from.
        sent = await until(lambda: stats(resident), lambda s: s["available"] > 600_000, 15)
        print(f"available {sent['available'] / 1e6:.1f} Mbit/s, width {sent['outbound']['camera']['width']}")
        assert sent["outbound"]["camera"]["width"] == 640

        # A browser that goes away says so, and its generation is over.
        await agent.evaluate("peer.pc.close()")
        lost = await control.next(Disconnected)
        assert (lost.participant, lost.generation, lost.reason) == ("agent", 1, "closed")

        # It comes back as generation 2 and is shown what it was shown before, without new slots.
        await control.send(Join(HALL, room, ParticipantId("agent"), ParticipantRole.AGENT, 1))
        assert (await control.next(Refused)).reason is RefusalReason.STALE_GENERATION
        await connect(control, agent, room, "agent", generation=2)
        await moves(agent, "camera")
        await moves(resident, "camera")

        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
        info = await control.info()
        assert info is not None


async def test_what_is_shown_changes_without_a_new_offer(control: Control) -> None:
    async with pages(2) as (resident, agent):
        room = await control.open("call-1")
        await agent.evaluate(f"peer.media = peer.drawn('{GREEN}', 640, 480)")
        await resident.evaluate("peer.media = new MediaStream()")
        await connect(control, agent, room, "agent")
        await connect(control, resident, room, "resident")
        await control.slots(room, 1, resident={Mid.CAMERA: ("agent", Source.CAMERA)})
        await sees(resident, "camera", GREEN)

        # The share starts by replaceTrack alone and is shown on its own m-line.
        await agent.evaluate(f"peer.share(peer.drawn('{RED}', 1280, 720))")
        await control.slots(room, 2, resident=all_of("agent"))
        await sees(resident, "share", RED)
        await sees(resident, "camera", GREEN)

        # The camera's m-line shows the share and back again: one stream to the viewer, no jump.
        await control.slots(room, 3, resident={Mid.CAMERA: ("agent", Source.SHARE)})
        await sees(resident, "camera", RED)
        await control.slots(room, 2, resident={})  # an older revision changes nothing
        await control.slots(
            room, 4, resident={Mid.CAMERA: ("agent", Source.CAMERA), Mid.VIDEO_2: ("agent", Source.SHARE)}
        )
        await sees(resident, "camera", GREEN)
        await sees(resident, "video2", RED)
        seen = await moves(resident, "camera")
        assert inbound(seen, "camera", "lost") == 0
        assert inbound(seen, "camera", "nacks") == 0

        # Nothing is shown to whom nothing is mapped, or after the other one left.
        await control.slots(room, 5, resident={Mid.CAMERA: ("agent", Source.CAMERA)})
        await control.send(Leave(HALL, room, ParticipantId("agent")))
        await until(
            lambda: resident.evaluate(
                "performance.timeOrigin + performance.now() - peer.frames.camera.at(-1)"
            ),
            lambda idle: idle > 500,
        )
        assert len([e for e in control.events if isinstance(e, Offered)]) == 2


async def test_an_answer_that_does_not_fit_is_refused_and_the_right_one_still_taken(control: Control) -> None:
    async with pages(1) as (resident,):
        room = await control.open("call-1")
        offered = await control.join(room, "resident")
        good = await resident.evaluate("offer => peer.answer(offer)", offered.sdp)
        for name, bad in _bad_answers(good).items():
            await control.answer(room, "resident", bad)
            refused = await control.next(Refused)
            assert refused.reason is RefusalReason.BAD_ANSWER, name
            assert refused.detail, name
        await control.answer(room, "resident", good, generation=7)
        assert (await control.next(Refused)).reason is RefusalReason.STALE_GENERATION
        await control.answer(room, "nobody", good)
        assert (await control.next(Refused)).reason is RefusalReason.NO_SUCH_PARTICIPANT
        await control.answer("elsewhere", "resident", good)
        assert (await control.next(Refused)).reason is RefusalReason.NO_SUCH_ROOM
        await control.answer(room, "resident", good)
        await control.next(Connected)
        await control.answer(room, "resident", good)  # twice changes nothing
        await control.record(room)
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
        assert not [e for e in control.events if isinstance(e, Disconnected)]


def _bad_answers(good: str) -> dict[str, str]:
    sections = good.split("m=")
    swapped = "m=".join([sections[0], sections[2], sections[1], *sections[3:]])
    return {
        "empty": "",
        "garbage": "v=0\r\n\x00\x01\x02",
        "no fingerprint": re.sub(r"a=fingerprint:.*\r\n", "", good),
        "no ice-ufrag": re.sub(r"a=ice-ufrag:.*\r\n", "", good),
        "swapped": swapped,
        "one m-line too few": "m=".join(sections[:-1]),
        "foreign codec": good.replace("VP8/90000", "AV1/90000"),
        "rejected": good.replace("m=video 9", "m=video 0", 1),
        "actpass": re.sub(r"a=setup:.*\r\n", "a=setup:actpass\r\n", good),
        "too long": good + "a=x:" + "y" * 40_000 + "\r\n",
    }
