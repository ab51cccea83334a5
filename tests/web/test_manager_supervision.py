"""The live page's part of supervision in a real browser: what it asks, and what it shows."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser

from agents.agent import PauseReason, Presence
from records.model import AccountId, CallId, EndReason, ItemId, Outcome, ParticipantId, ParticipantRole, Text
from signaling.messages import (
    Devices,
    HangUp,
    ManagerCall,
    PersonView,
    SetPresenceOf,
    StopSupervising,
    Supervise,
    TakeOver,
    WrapUp,
)
from signaling.snapshot import State, Supervision
from tests.eventually import eventually
from tests.web.back_office import Office, office
from tests.web.test_manager_live import LI_HUA, NOW_MS, agent_row, calm, live_row, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALL = CallId("l1")
AGENT = PersonView(
    participant=ParticipantId("agent-1"),
    role=ParticipantRole.AGENT,
    name=LI_HUA,
    department=Text("人社局", "HRSS"),
    badge="0301",
    owner=True,
    joining=None,
    supervision=None,
    ringing=False,
    away=False,
    mic=True,
    camera=True,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with office(tmp_path_factory.mktemp("supervision")) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_said(hall: Office) -> None:
    hall.said.clear()


def supervised(mode: Supervision | None = Supervision.LISTEN, **changed: Any) -> ManagerCall:
    call = ManagerCall(
        id=CALL,
        item=ItemId("item"),
        phase=State.ACTIVE,
        mode=mode,
        owner=mode is None,
        participant=ParticipantId("supervisor-2"),
        generation=1,
        connected=True,
        people=(AGENT,),
        resident_away=False,
        on_hold=False,
        slots=(),
        sharing=False,
        answered_at=NOW_MS - 65_000,
        ended_at=None,
        end_reason=None,
        outcome=None,
    )
    return msgspec.structs.replace(call, **changed)


def acts(hall: Office) -> list[Any]:
    """What a person did, without what the page tells of its devices by itself."""
    return [one for one in hall.said if not isinstance(one, Devices)]


async def said(hall: Office) -> Any:
    await eventually(lambda: len(acts(hall)) > 0)
    return acts(hall)[-1]


async def test_one_press_listens(browser: Browser, hall: Office) -> None:
    hall.state = calm()
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_role("button", name="旁听").click()
        asked = await said(hall)
        assert (type(asked), asked.call, asked.mode) == (Supervise, CALL, Supervision.LISTEN)


@pytest.mark.parametrize(("name", "mode"), [("耳语", Supervision.WHISPER), ("加入", Supervision.BARGE)])
async def test_whoever_listens_may_whisper_and_join(
    browser: Browser, hall: Office, name: str, mode: Supervision
) -> None:
    hall.state = calm(supervising=supervised())
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        panel = page.get_by_role("region", name="督导")
        assert "旁听中，双方听不到您" in await panel.inner_text()
        assert await panel.get_by_role("button", name="旁听").get_attribute("aria-pressed") == "true"
        await panel.get_by_role("button", name=name).click()
        asked = await said(hall)
        assert (type(asked), asked.mode) == (Supervise, mode)


async def test_taking_over_is_asked_twice(browser: Browser, hall: Office) -> None:
    hall.state = calm(supervising=supervised())
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_role("button", name="接管通话").click()
        await page.get_by_text("原工作人员退出").wait_for()
        assert acts(hall) == []
        await page.get_by_role("button", name="确认接管").click()
        assert type(await said(hall)) is TakeOver


async def test_supervision_ends_with_a_press(browser: Browser, hall: Office) -> None:
    hall.state = calm(supervising=supervised())
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_role("button", name="结束督导").click()
        assert type(await said(hall)) is StopSupervising


async def test_who_took_over_hangs_up_and_says_what_came_of_it(browser: Browser, hall: Office) -> None:
    hall.state = calm(supervising=supervised(None))
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        assert await page.get_by_role("button", name="耳语").count() == 0
        await page.get_by_role("button", name="结束通话").click()
        assert type(await said(hall)) is HangUp
    over = supervised(
        None, phase=State.ENDED, ended_at=NOW_MS, end_reason=EndReason.COMPLETED_BY_AGENT, connected=False
    )
    hall.state = calm(supervising=over)
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_role("button", name="办成了").click()
        asked = await said(hall)
        assert (type(asked), asked.outcome) == (WrapUp, Outcome.RESOLVED)


async def test_a_call_that_another_supervises_is_marked(browser: Browser, hall: Office) -> None:
    other = msgspec.structs.replace(
        AGENT, participant=ParticipantId("supervisor-2"), role=ParticipantRole.SUPERVISOR, owner=False
    )
    hall.state = calm(live=(live_row(people=(other,)),))
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_text("另一位值班长在督导").wait_for()
        assert await page.get_by_role("button", name="旁听").count() == 0


async def test_hold_and_a_lost_resident_are_said(browser: Browser, hall: Office) -> None:
    hall.state = calm(supervising=supervised(on_hold=True, resident_away=True))
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_text("居民在等候：双方互相听不到。").wait_for()
        await page.get_by_text("居民的网络断了，正在恢复。").wait_for()


async def test_an_agent_who_left_is_signed_out(browser: Browser, hall: Office) -> None:
    gone = agent_row("a3", LI_HUA, Presence.PAUSED, PauseReason.CONNECTION_LOST)
    hall.state = calm(agents=(gone,))
    async with opened(browser, hall) as page:
        await page.goto("/manager")
        await page.get_by_role("button", name="签退").click()
        asked = await said(hall)
        assert asked == SetPresenceOf(ref=asked.ref, agent=AccountId("a3"), presence=Presence.SIGNED_OUT)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_nothing_for_axe_to_say(browser: Browser, hall: Office, lang: str) -> None:
    hall.state = calm(supervising=supervised(), live=(live_row(people=(AGENT,), on_hold=True),))
    async with opened(browser, hall, lang=lang) as page:
        await page.goto("/manager")
        await page.locator(".supervision").wait_for()
        results = await Axe().run(page)
        assert [violation["id"] for violation in results.response["violations"]] == []
        if lang == "en":
            text = await page.locator("main").inner_text()
            assert not any("一" <= letter <= "鿿" for letter in text)
