"""The agent's console against a scripted server: everybody else whom a call can need."""

from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, expect

from agents.agent import Activity, Lane, PauseReason, Presence
from media.protocol import Mid, Source
from records.model import (
    AccountId,
    DepartmentId,
    ParticipantId,
    ParticipantRole,
    QueueId,
    SkillId,
    Text,
)
from signaling import messages as m
from signaling.snapshot import AskFailure, Joining, State, Supervision
from tests.web.console import (
    CALL,
    SLOTS,
    a_call,
    act,
    called,
    clean,
    console,
    fits,
    idle,
    in_call,
    now_ms,
    ringing,
    until_true,
    wrapping_up,
)
from tests.web.pages import Site
from tests.web.scripted import refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAX = Text(zh="区税务局", en="Tax Bureau")
MEDICAL = Text(zh="区医疗保障局", en="Medical Insurance")
WANG = Text(zh="王芳", en="Wang Fang")
CHEN = Text(zh="陈建国", en="Chen Jianguo")
PLAYING = "[...document.querySelectorAll('audio')].filter((a) => !a.paused && a.currentTime > 0).length"


def person(n: int, name: Text, **changes: Any) -> m.PersonView:
    """Agent number ``n`` of the call, come to join it."""
    seen = m.PersonView(
        participant=ParticipantId(f"agent-{n}"),
        role=ParticipantRole.AGENT,
        name=name,
        department=TAX,
        badge="0421",
        owner=False,
        joining=Joining.JOIN,
        supervision=None,
        ringing=False,
        away=False,
        mic=True,
        camera=True,
    )
    return msgspec.structs.replace(seen, **changes)


def expert(n: int = 2, **changes: Any) -> m.PersonView:
    return person(n, CHEN, role=ParticipantRole.EXPERT, department=MEDICAL, **changes)


def slots(*people: m.PersonView, resident: bool = True) -> tuple[m.SlotView, ...]:
    pairs = ((Mid.AUDIO_2, Mid.VIDEO_2), (Mid.AUDIO_3, Mid.VIDEO_3))
    rest = tuple(
        m.SlotView(mid, one.participant, one.role, source)
        for one, mids in zip(people, pairs, strict=False)
        for mid, source in zip(mids, (Source.MIC, Source.CAMERA), strict=True)
    )
    return (*(SLOTS if resident else ()), *rest)


def together(*people: m.PersonView, **changes: Any) -> m.AgentState:
    """In a call with these besides the resident."""
    held = changes.get("on_hold", False)
    return in_call(**{"people": people, "slots": slots(*people, resident=not held), **changes})


def consulting(*people: m.PersonView, **changes: Any) -> m.AgentState:
    return together(*people, on_hold=True, **changes)


def an_ask(kind: Joining = Joining.JOIN, **changes: Any) -> m.AskView:
    ask = m.AskView(kind=kind, name=CHEN, made_at=now_ms() - 12_000, until=now_ms() + 48_000, ringing=True)
    return msgspec.structs.replace(ask, **changes)


def failed(why: AskFailure = AskFailure.NOBODY_CAME) -> m.FailedAskView:
    return m.FailedAskView(number=1, kind=Joining.JOIN, name=CHEN, why=why)


def colleague(n: int, zh: str, en: str, about: Text, **changes: Any) -> m.Colleague:
    one = m.Colleague(
        agent=AccountId(f"agent-{n}"),
        name=Text(zh=zh, en=en),
        department=about,
        role=ParticipantRole.AGENT,
        presence=Presence.AVAILABLE,
        activity=Activity.IDLE,
    )
    return msgspec.structs.replace(one, **changes)


def colleagues(**changes: Any) -> m.Colleagues:
    told = m.Colleagues(
        queues=(
            m.QueueLine(QueueId("general"), Text("综合窗口", "General counter"), 3, 2),
            m.QueueLine(QueueId("tax"), Text("税务专窗", "Tax window"), 5, 0),
        ),
        people=(
            colleague(2, "王芳", "Wang Fang", TAX),
            colleague(3, "陈建国", "Chen Jianguo", MEDICAL, activity=Activity.IN_CALL),
            colleague(4, "周敏", "Zhou Min", TAX, presence=Presence.PAUSED),
            colleague(5, "顾晓东", "Gu Xiaodong", MEDICAL, activity=Activity.WRAP_UP),
        ),
        departments=(
            m.DepartmentLine(DepartmentId("medical-insurance"), MEDICAL, 2, 1),
            m.DepartmentLine(DepartmentId("tax"), TAX, 0, 0),
        ),
        skills=(m.SkillLine(SkillId("sign-language"), Text("手语", "Sign language"), 1, 1),),
    )
    return msgspec.structs.replace(told, **changes)


async def test_everybody_on_duty_can_be_asked_for_and_the_ways_are_said(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(colleagues())
        await page.keyboard.press("t")
        panel = page.get_by_test_id("asking")
        await expect(panel).to_be_visible()
        await expect(panel.locator(".target")).to_have_count(9)
        await panel.locator(".target", has_text="陈建国").click()
        await act(page, "ask-consult").click()
        asked = await server.asked(m.AskFor)
        assert (asked.call, asked.kind, asked.agent) == (CALL, Joining.CONSULT, AccountId("agent-3"))
        await clean(page)
        await fits(page)


async def test_only_a_transfer_is_asked_about_first(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(colleagues())
        await act(page, "ask").click()
        await page.get_by_test_id("asking").locator(".target", has_text="税务专窗").click()
        await act(page, "ask-transfer").click()
        await expect(page.get_by_role("alertdialog")).to_contain_text("居民会看到")
        await act(page, "transfer-yes").click()
        asked = await server.asked(m.AskFor)
        assert (asked.kind, asked.queue) == (Joining.TRANSFER, QueueId("tax"))


async def test_by_keyboard_alone_somebody_is_found_and_asked(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(colleagues())
        await page.keyboard.press("t")
        await expect(page.get_by_role("combobox")).to_be_focused()
        await page.keyboard.type("wf")  # the first letters of Wang Fang
        await expect(page.get_by_role("option", selected=True)).to_contain_text("王芳")
        await page.keyboard.press("Enter")
        await page.keyboard.press("3")
        asked = await server.asked(m.AskFor)
        assert (asked.kind, asked.agent) == (Joining.JOIN, AccountId("agent-2"))
        await expect(page.get_by_test_id("asking")).to_have_count(0)
        assert not any(isinstance(said, m.SetPresence) for said in server.heard)


async def test_who_is_not_on_duty_cannot_be_asked_and_it_says_why(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(colleagues())
        await page.keyboard.press("t")
        await page.locator(".target", has_text="周敏").click()
        await expect(page.locator(".way:not(:disabled)")).to_have_count(0)
        await expect(page.locator(".ways")).to_contain_text("不在岗")
        await page.locator(".target", has_text="手语").click()
        await expect(act(page, "ask-transfer")).to_be_disabled()  # who interprets owns nothing
        await expect(act(page, "ask-join")).to_be_enabled()


async def test_a_refusal_is_told_in_the_panel(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(colleagues())
        server.refuse["ask_for"] = refusal(m.ErrorCode.UNKNOWN_TARGET, "现在没有人在岗", "Nobody is on duty")
        await page.keyboard.press("t")
        await page.locator(".target", has_text="王芳").click()
        await act(page, "ask-join").click()
        await expect(page.locator(".asking .refusal")).to_have_text("现在没有人在岗")
        await clean(page)


async def test_who_is_asked_is_shown_and_can_be_dropped(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(in_call(ask=an_ask()))
        asked = page.get_by_test_id("asked")
        await expect(asked).to_contain_text("正在请陈建国来一起谈")
        await expect(asked).to_contain_text("已等 00:1")
        await expect(asked).to_contain_text("还剩 00:4")
        await clean(page)
        await page.keyboard.press("x")
        assert (await server.asked(m.DropAsk)).call == CALL


async def test_when_nobody_came_it_says_what_to_do_now(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(in_call(failed_ask=failed()))
        sentence = page.get_by_test_id("not-come")
        await expect(sentence).to_contain_text("陈建国没有应答")
        await clean(page)
        await fits(page)
        await act(page, "ask-other").click()
        await expect(page.get_by_test_id("asking")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("x")
        await expect(sentence).to_have_count(0)


async def test_on_hold_alone_the_stage_says_what_the_resident_sees(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        await page.keyboard.press("h")
        assert (await server.asked(m.Hold)).on is True
        server.send(in_call(on_hold=True, slots=()))
        await expect(page.get_by_test_id("held")).to_contain_text("居民听不到、也看不到您")
        await expect(page.get_by_test_id("held").locator("time")).to_have_text("00:01")
        await clean(page)
        await act(page, "resume").click()
        assert (await server.asked(m.Hold, nth=2)).on is False


async def test_on_hold_the_one_who_is_consulted_is_large_and_the_resident_covered(
    browser: Browser, site: Site
) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server, others=1)
        server.send(consulting(expert(joining=Joining.CONSULT)))
        await expect(page.get_by_test_id("resident-card")).to_have_attribute("data-held", "true")
        await until_true(page, f"{PLAYING} === 1")
        await clean(page)
        await act(page, "hold").click()
        asked = await server.asked(m.Hold)
        assert asked.on is False


async def test_four_people_are_all_seen_and_heard(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server, others=2)
        server.send(together(person(2, WANG), expert(3)))
        await expect(page.get_by_test_id("person")).to_have_count(2)
        await until_true(page, f"{PLAYING} === 3")
        await clean(page)
        await fits(page)
        await page.locator("[data-participant=agent-2] [data-act=hand-over]").click()
        asked = await server.asked(m.HandOver)
        assert asked.participant == "agent-2"
        await page.locator("[data-participant=agent-3] [data-act=send-away]").click()
        assert (await server.asked(m.SendAway)).participant == "agent-3"


@pytest.mark.parametrize(
    ("mode", "words"),
    [(Supervision.LISTEN, "旁听"), (Supervision.WHISPER, "耳语"), (Supervision.BARGE, "加入")],
)
async def test_a_supervisor_is_said_quietly(
    browser: Browser, site: Site, mode: Supervision, words: str
) -> None:
    boss = person(9, WANG, role=ParticipantRole.SUPERVISOR, joining=None, supervision=mode)
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(in_call(people=(boss,)))
        await expect(page.get_by_test_id("supervised")).to_contain_text(words)


async def test_who_does_not_own_the_call_leaves_it(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        server.send(in_call(owner=False, people=(person(1, WANG, owner=True),)))
        await expect(page.get_by_test_id("owner")).to_contain_text("王芳")
        assert await act(page, "ask").count() == 0
        await act(page, "end").click()
        await act(page, "end-yes").click()
        assert (await server.asked(m.HangUp)).call == CALL


async def test_an_expert_is_told_as_what_and_by_whom_it_rings(browser: Browser, site: Site) -> None:
    asked_by = m.AgentCard(WANG, TAX, "0421")
    async with console(browser, site, idle()) as (page, server):
        asked: dict[str, Any] = {"joining": Joining.JOIN, "asked_by": asked_by, "lane": Lane.ESCALATED}
        server.send(ringing(role=ParticipantRole.EXPERT, **asked))
        await expect(page.get_by_test_id("ring")).to_contain_text("王芳")
        await clean(page)
        server.send(ringing(answered=True))
        assert await act(page, "accept").count() == 0


async def test_wrap_up_can_be_extended_as_often_as_is_left(browser: Browser, site: Site) -> None:
    async with console(browser, site, wrapping_up()) as (page, server):
        await act(page, "extend").click()
        assert (await server.asked(m.ExtendWrapUp)).call == CALL
        server.send(msgspec.structs.replace(wrapping_up(), extensions_left=0))
        await expect(act(page, "extend")).to_be_disabled()


async def test_who_left_a_call_that_goes_on_only_leaves_a_note(browser: Browser, site: Site) -> None:
    left = a_call(State.QUEUED, left=True, owner=False, slots=())
    until = now_ms() + 60_000
    state = idle(activity=Activity.WRAP_UP, wrap_up_until=until, call=left)
    async with console(browser, site, state) as (page, server):
        wrap = page.get_by_test_id("wrap-up")
        await expect(wrap).to_contain_text("您已离开通话")
        await expect(wrap.locator("input[type=radio]")).to_have_count(0)
        await clean(page)
        await wrap.locator("textarea").fill("已核对身份")
        await page.keyboard.press("Control+Enter")
        await server.asked(m.Ready)
        assert (await server.asked(m.AddNote)).text == "已核对身份"
        assert not any(isinstance(said, m.WrapUp) for said in server.heard)


async def test_a_pause_in_a_call_is_for_later_and_can_be_taken_back(browser: Browser, site: Site) -> None:
    async with console(browser, site, idle(), node=True) as (page, server):
        await called(page, server)
        paused = msgspec.structs.replace(in_call(), presence=Presence.PAUSED, pause_reason=PauseReason.BREAK)
        server.send(paused)
        await expect(page.get_by_test_id("later")).to_be_visible()
        await page.get_by_test_id("later").locator("[data-act=available]").click()
        assert (await server.asked(m.SetPresence)).presence is Presence.AVAILABLE
