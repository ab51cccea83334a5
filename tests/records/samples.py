"""Small makers of what the tests keep: only what matters to a test is said in it."""

import hashlib
from typing import Any

from records.model import (
    Account,
    AccountId,
    AccountRole,
    CallId,
    CallSummary,
    DepartmentId,
    ItemId,
    JournalEntry,
    JournalKind,
    MediaKind,
    Part,
    ParticipantId,
    ParticipantRole,
    PartId,
    SiteId,
    Station,
    StationId,
    Text,
)

PASSWORD = "correct horse"


def account(login: str = "lihua", role: AccountRole = AccountRole.AGENT, **rest: Any) -> Account:
    return Account(
        id=AccountId(rest.pop("id", login)),
        login=login,
        role=role,
        name=Text("李华", "Li Hua"),
        badge="0317",
        department=DepartmentId("hrss"),
        site=SiteId("hall"),
        **rest,
    )


def manager() -> Account:
    return account("wangmin", AccountRole.MANAGER)


def station(id: str = "s1", **rest: Any) -> Station:
    return Station(id=StationId(id), site=SiteId("town1"), name=Text("一号", "One"), **rest)


def call(id: str = "c1", requested_at: float = 1000.0, **rest: Any) -> CallSummary:
    places = {"station": StationId("s1"), "site": SiteId("town1"), "item": ItemId("social-proof")}
    return CallSummary(id=CallId(id), requested_at=requested_at, **(places | rest))


def entry(
    key: str, kind: JournalKind = JournalKind.RING, at: float = 1000.0, call: str = "c1", **data: Any
) -> JournalEntry:
    return JournalEntry(CallId(call), at, kind, key, data)


def part(id: str = "p1", call: str = "c1", **rest: Any) -> Part:
    return Part(
        id=PartId(id),
        call=CallId(call),
        participant=ParticipantId("resident"),
        role=ParticipantRole.RESIDENT,
        kind=MediaKind.CAMERA,
        generation=1,
        path=rest.pop("path", f"2026-11-23/{call}/{id}.webm"),
        started_at=rest.pop("started_at", 1002.5),
        **rest,
    )


def sealed(id: str = "p1", content: bytes = b"media", **rest: Any) -> Part:
    digest = hashlib.sha256(content).hexdigest()
    return part(id, sealed=True, duration=8.0, size=len(content), sha256=digest, **rest)
