"""The agent's console against a scripted server: everybody else whom a call can need."""

from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from agents.agent import Activity, Lane, PauseReason, Presence
from media.protocol import Mid, Source
from records.model import (
    AccountId,
    DepartmentId,
    EndReason,
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
from tests.web.scripted import Scripted, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")

TAX = Text(zh="区税务局", en="Tax Bureau")
MEDICAL = Text(zh="区医疗保障局", en="Medical Insurance")
WANG = Text(zh="王芳", en="Wang Fang")
CHEN = Text(zh="陈建国", en="Chen Jianguo")
PLAYING = """[...document.querySelectorAll("audio")].filter((audio) => !audio.paused && audio.currentTime > 0).length"""


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


