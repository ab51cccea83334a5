"""A whole call in the store: journal, three real recording files, an outcome and a rating."""

import hashlib
from pathlib import Path
from typing import Any

from records.model import (
    AccountId,
    CallId,
    CallSummary,
    EndReason,
    Gap,
    ItemId,
    JournalEntry,
    JournalKind,
    MediaKind,
    Outcome,
    Part,
    ParticipantId,
    ParticipantRole,
    PartId,
    QualityRow,
    SiteId,
    StationId,
)
from records.store import Store
from tests.web.back_office import NOW
from tests.web.webm import write_webm

START = NOW - 3600.0  # when the first part begins
CALL = CallId("c-sample")
RESIDENT, AGENT = ParticipantId("resident"), ParticipantId("agent-lihua")


def summary(id: str = CALL, requested_at: float = START - 12, **rest: Any) -> CallSummary:
    given: dict[str, Any] = {
        "station": StationId("s1"),
        "site": SiteId("town1"),
        "item": ItemId("truck-check"),
        **rest,
    }
    return CallSummary(id=CallId(id), requested_at=requested_at, **given)


def finished(length: float, **rest: Any) -> CallSummary:
    return summary(
        answered_at=START + 1,
        ended_at=START + length,
        end_reason=EndReason.COMPLETED_BY_AGENT,
        agent=AccountId("lihua"),
        outcome=Outcome.RESOLVED,
        outcome_note="审验表已填好，居民已签字。",
        **rest,
    )


def entries(length: float, note: str = "营运证在有效期内") -> list[JournalEntry]:
    said: list[tuple[float, JournalKind, dict[str, Any]]] = [
        (-12, JournalKind.REQUESTED, {"station": "s1", "item": "truck-check"}),
        (-11, JournalKind.RING, {"agent": "chenjie"}),
        (-4, JournalKind.DECLINED, {"agent": "chenjie"}),
        (-3, JournalKind.RING, {"agent": "lihua"}),
        (1, JournalKind.ANSWERED, {"agent": "lihua"}),
        (1.4, JournalKind.CONNECTED, {}),
        (3, JournalKind.SHARE_STARTED, {"participant": AGENT}),
        (4.5, JournalKind.NOTE, {"agent": "lihua", "text": note}),
        (length - 2, JournalKind.SHARE_STOPPED, {"participant": AGENT}),
        (length, JournalKind.ENDED, {"reason": "completed_by_agent"}),
        (length + 20, JournalKind.WRAPPED_UP, {"agent": "lihua", "outcome": "resolved", "note": "已签字"}),
        (length + 25, JournalKind.RATED, {"stars": 5, "reasons": ""}),
    ]
    return [
        JournalEntry(CALL, START + at, kind, f"{number}", data)
        for number, (at, kind, data) in enumerate(said)
    ]


def part(id: str, offset: float, who: ParticipantId = RESIDENT, **rest: Any) -> Part:
    role = ParticipantRole.RESIDENT if who == RESIDENT else ParticipantRole.AGENT
    given: dict[str, Any] = {
        "kind": MediaKind.CAMERA,
        "generation": 1,
        "call": CALL,
        "path": f"2026-11-18/{CALL}/{id}.webm",
        **rest,
    }
    return Part(id=PartId(id), participant=who, role=role, started_at=START + offset, **given)


def quality(at: float, who: ParticipantId = RESIDENT, call: str = CALL, **changes: Any) -> QualityRow:
    """Ten good seconds from ``at`` on, a moment on the player's clock."""
    given: dict[str, Any] = {
        "role": ParticipantRole.RESIDENT if who == RESIDENT else ParticipantRole.AGENT,
        "rtt_ms": 42.0,
        "bitrate_limit": None,
        "up_bitrate": 1_100_000,
        "down_bitrate": 900_000,
        "up_packets": 1500,
        "up_lost": 3,
        "up_unrepaired": 0,
        "down_packets": 1400,
        "down_lost": 0,
        "down_unrepaired": 0,
        "jitter_ms": 4.0,
        "freezes": 0,
        "key_frames": 1,
        "recorder_lag_ms": 0.2,
        **changes,
    }
    return QualityRow(call=CallId(call), participant=who, at=START + at, **given)


async def seal(
    store: Store, recordings: Path, opened: Part, duration: float, gaps: tuple[Gap, ...] = ()
) -> None:
    content = (recordings / opened.path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    kept = Part(
        **{name: getattr(opened, name) for name in Part.__struct_fields__}
        | {"sealed": True, "duration": duration, "size": len(content), "sha256": digest, "gaps": gaps}
    )
    await store.ledger.part_sealed(kept)


async def whole_call(store: Store, recordings: Path, length: float = 10.0) -> None:
    """The resident from 0, the agent from 0.8, a share from 3 to length - 2; all sealed. The resident's
    network is weak in the first five seconds."""
    weak = quality(-5.0, up_lost=75, up_unrepaired=3, rtt_ms=320.0, freezes=1)
    await store.quality.keep([weak, quality(5.0), quality(-5.0, AGENT), quality(5.0, AGENT)])
    await store.ledger.write(entries(length), finished(length))
    await store.ledger.rate(CALL, 5, (), START + length + 25)
    for opened, duration, looks in (
        (part("p-resident", 0.0), length, {"colour": (60, 90, 130), "sound": 330.0}),
        (part("p-agent", 0.8, AGENT), length - 0.8, {"colour": (30, 110, 100), "sound": 550.0}),
        (
            part("p-share", 3.0, AGENT, kind=MediaKind.SHARE),
            length - 5,
            {"colour": (235, 235, 225), "sound": None, "size": (640, 360)},
        ),
    ):
        write_webm(recordings / opened.path, duration, **looks)
        gaps = (Gap(4.0, 4.6, "video", "lost"),) if opened.id == "p-resident" else ()
        await seal(store, recordings, opened, duration, gaps)
