"""One call as its page shows it: names for ids, journal sentences, parts, the clock of the player. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from msgspec import Struct

from records.calls import CallDetail
from records.model import (
    Account,
    Content,
    EndReason,
    Gap,
    JournalEntry,
    JournalKind,
    MediaKind,
    Outcome,
    Part,
    ParticipantRole,
    RatingReason,
    Station,
    Text,
)
from web.hall_time import tenths

Translate = Callable[..., str]
Pick = Callable[[Text], str]
K = TypeVar("K", bound=str)

# Words of a journal that signaling/ writes; the records know them as plain text.
JOININGS = ("transfer", "consult", "join")
SUPERVISIONS = ("listen", "whisper", "barge", "take_over")
FAILURES = ("nobody_came", "declined", "dropped")


class Names:
    """What ids are called. An id that is known no more (a closed station, an item withdrawn) names itself."""

    def __init__(self, content: Content, accounts: Iterable[Account], stations: Iterable[Station]) -> None:
        self.items = {item.id: item.name for item in content.items}
        self.sites = {site.id: site.name for site in content.sites}
        self.departments = {department.id: department.name for department in content.departments}
        zones = {str(zone.id): zone.name for zone in content.zones}
        self.skills = zones | {str(skill.id): skill.name for skill in content.skills}
        self.agents = {account.id: account.name for account in accounts}
        self.stations = {station.id: station.name for station in stations}

    def item(self, item: str | None) -> Text:
        return _named(self.items, item)

    def site(self, site: str | None) -> Text:
        return _named(self.sites, site)

    def department(self, department: str | None) -> Text:
        return _named(self.departments, department)

    def agent(self, agent: str | None) -> Text:
        return _named(self.agents, agent)

    def station(self, station: str | None) -> Text:
        return _named(self.stations, station)

    def somebody(self, target: str | None) -> Text:
        """Whom an agent asked for: a colleague, a department, or the skill of a queue or an interpreter."""
        known: dict[str, Text] = {}
        for names in (self.skills, self.departments, self.agents):
            known.update({str(id): name for id, name in names.items()})
        return _named(known, target)


def _named(names: Mapping[K, Text], key: str | None) -> Text:
    if not key:
        return Text("—", "—")
    return next((name for known, name in names.items() if known == key), Text(key, key))


class JournalLine(Struct, frozen=True):
    """One entry; ``say`` makes it a sentence. ``offset`` is in seconds on the player's clock."""

    at: float
    offset: float
    kind: JournalKind
    data: dict[str, str | int | float | bool | None]
    names: Names
    roles: dict[str, ParticipantRole]

    def say(self, t: Translate, pick: Pick) -> str:
        kind = self.kind.value
        if self.kind is JournalKind.QUEUED_AGAIN:
            kind += ".agent_lost" if self.data.get("reason") == "agent_lost" else ".transfer"
        return t(f"manager.journal.{kind}", **self._words(t, pick))

    def _words(self, t: Translate, pick: Pick) -> dict[str, str]:
        data = {name: "" if value is None else str(value) for name, value in self.data.items()}
        joint = t("manager.joint")
        role = data.get("role") or str(self.roles.get(data.get("participant", ""), ""))
        note = data.get("note", "")
        reasons = _reasons(self.data.get("reasons"))
        return {
            "station": pick(self.names.station(data.get("station"))),
            "item": pick(self.names.item(data.get("item"))),
            "agent": pick(self.names.agent(data.get("agent"))),
            "supervisor": pick(self.names.agent(data.get("supervisor"))),
            "to": pick(self.names.somebody(data.get("to"))),
            "joining": _word(t, "joining", JOININGS, data.get("kind", "")),
            "mode": _word(t, "supervision", SUPERVISIONS, data.get("mode", "")),
            "failure": _word(t, "failure", FAILURES, data.get("reason", "")),
            "role": _choice(t, "role", ParticipantRole, role),
            "participant": _choice(t, "role", ParticipantRole, role) if role else data.get("participant", ""),
            "text": data.get("text", ""),
            "node": data.get("node", ""),
            "reason": _choice(t, "end", EndReason, data.get("reason", "")),
            "outcome": _choice(t, "outcome", Outcome, data.get("outcome", "")),
            "note": f"{joint}{note}" if note else "",
            "stars": t(f"manager.stars.{data['stars']}") if data.get("stars") in tuple("12345") else "—",
            "reasons": "".join(f"{joint}{_choice(t, 'reason', RatingReason, reason)}" for reason in reasons),
        }


def _word(t: Translate, catalogue: str, known: tuple[str, ...], value: str) -> str:
    return t(f"manager.{catalogue}.{value}") if value in known else value or "—"


def _choice(t: Translate, catalogue: str, kind: Any, value: str) -> str:
    """The word for a value of an enumeration; one that a later version wrote stands for itself."""
    return t(f"manager.{catalogue}.{value}") if value in {member.value for member in kind} else value or "—"


def _reasons(value: str | int | float | bool | None) -> list[str]:
    """Journal data has flat values: several reasons are one string with commas."""
    return [reason.strip() for reason in str(value).split(",") if reason.strip()] if value else []


class PartView(Struct, frozen=True):
    """A part as the page lists and plays it. Seconds; ``offset`` on the player's clock, ``end`` is the last
    moment it may have something (known when sealed, else as long as the call has lasted)."""

    part: Part
    offset: float
    end: float

    @property
    def lane(self) -> str:
        """Parts of one participant and kind share a line of the timeline, one volume, one place."""
        return f"{self.part.participant}-{self.part.kind.value}"

    @property
    def has_sound(self) -> bool:
        return self.part.kind is MediaKind.CAMERA


class CallView(Struct, frozen=True):
    detail: CallDetail
    begin: float  # Unix seconds of the player's 0
    length: float  # seconds
    parts: tuple[PartView, ...]
    lines: tuple[JournalLine, ...]

    @property
    def lanes(self) -> tuple[PartView, ...]:
        """The first part of each lane, in order of appearance, shares last."""
        firsts: dict[str, PartView] = {}
        for part in self.parts:
            firsts.setdefault(part.lane, part)
        return tuple(sorted(firsts.values(), key=lambda part: part.part.kind is MediaKind.SHARE))

    def timeline(self, t: Translate, pick: Pick) -> dict[str, Any]:
        """What timeline.js calls Timeline; gaps carry their reason in words."""
        return {
            "length": round(self.length, 3),
            "parts": [_playable(part, t) for part in self.parts],
            "marks": [
                {"at": round(line.offset, 3), "kind": line.kind.value, "label": line.say(t, pick)}
                for line in self.lines
                if line.offset <= self.length
            ],
        }


def _playable(view: PartView, t: Translate) -> dict[str, Any]:
    return {
        "id": view.part.id,
        "lane": view.lane,
        "kind": view.part.kind.value,
        "offset": round(view.offset, 3),
        "duration": round(view.end - view.offset, 3),
        "gaps": [
            {"start": gap.start, "end": gap.end, "track": gap.track, "reason": gap_words(view, gap, t)}
            for gap in view.part.gaps
        ],
    }


def gap_words(view: PartView, gap: Gap, t: Translate) -> str:
    """What is missing, from when to when on the player's clock, and why."""
    reason = t(f"manager.gap.{gap.reason}") if gap.reason in GAP_REASONS else gap.reason
    track = t(f"manager.track.{gap.track}") if gap.track in ("audio", "video") else gap.track
    start, end = tenths(view.offset + gap.start), tenths(view.offset + gap.end)
    return t("manager.call.gap", track=track, start=start, end=end, reason=reason)


GAP_REASONS = ("lost", "muted", "no_key_frame", "node_died", "disk")


def call_view(detail: CallDetail, names: Names, now: float) -> CallView:
    """The player's clock begins with the first recorded moment; what came before has a negative offset."""
    summary = detail.summary
    begin = min((part.started_at for part in detail.parts), default=summary.requested_at)
    over = summary.ended_at if summary.ended_at is not None else now
    parts = tuple(_part_view(part, detail.parts, begin, over) for part in detail.parts)
    roles = {str(part.participant): part.role for part in detail.parts}
    return CallView(
        detail=detail,
        begin=begin,
        length=max((part.end for part in parts), default=max(0.0, over - begin)),
        parts=parts,
        lines=tuple(_line(entry, begin, names, roles) for entry in detail.journal),
    )


def _part_view(part: Part, others: Iterable[Part], begin: float, over: float) -> PartView:
    """A part never sealed lasts until the next of the same person and kind, or until the call is over."""
    if part.duration is not None:
        end = part.started_at + part.duration
    else:
        following = (one.started_at for one in others if _follows(one, part))
        end = max(part.started_at, min(following, default=over))
    return PartView(part, part.started_at - begin, end - begin)


def _follows(one: Part, part: Part) -> bool:
    same = one.participant == part.participant and one.kind is part.kind
    return same and one.started_at > part.started_at


def _line(entry: JournalEntry, begin: float, names: Names, roles: dict[str, ParticipantRole]) -> JournalLine:
    return JournalLine(entry.at, entry.at - begin, entry.kind, entry.data, names, roles)
