"""Writes the tables of docs/protocol.md from signaling/messages.py; the prose between them is by hand.

python deploy/protocol_doc.py            writes the file
python deploy/protocol_doc.py --check    fails when it is out of date

A table stands between ``<!-- name -->`` and ``<!-- /name -->``; ``tables`` says which names there are.
"""

import argparse
import inspect as source
import re
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from msgspec import inspect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from signaling import errors, messages, session, ws  # noqa: E402
from signaling.messages import CloseCode, ErrorCode  # noqa: E402

OUT = ROOT / "docs" / "protocol.md"
MARKED = re.compile(r"(<!-- ([a-z ]+) -->\n).*?(<!-- /\2 -->)", re.S)

INBOUND: dict[str, Any] = {
    "station": messages.StationIn,
    "agent": messages.AgentIn,
    "manager": messages.ManagerIn,
}
OUTBOUND: dict[str, Any] = {
    "station": messages.StationOut,
    "agent": messages.AgentOut,
    "manager": messages.ManagerOut,
}

# Who closes with it, and whether the page then connects again by itself.
CLOSES: dict[CloseCode, tuple[str, str]] = {
    CloseCode.NORMAL: ("the page, when it is left; a browser of its own accord", "—"),
    CloseCode.GOING_AWAY: ("the browser, when the page is left or reloaded", "—"),
    CloseCode.TOO_LARGE: (
        f"the server: a frame above {ws.CUT_OFF // 1024} KiB is not read to its end",
        "yes, and resumes",
    ),
    CloseCode.NOT_SIGNED_IN: ("the server: no cookie of this audience, or no proof of the device key", "no"),
    CloseCode.BAD_HELLO: (
        f"the server: the first message was no hello of protocol {messages.PROTOCOL}, or came too late",
        "yes, with a new session",
    ),
    CloseCode.TAKEN_OVER: ("the server: another tab or device of the same identity connected", "no"),
    CloseCode.SILENT: ("either side, that heard nothing for so long", "yes, and resumes"),
    CloseCode.TOO_MANY: (
        "the server: too many messages that were malformed, too large or too fast",
        "yes, later and with a new session",
    ),
    CloseCode.SIGNED_OUT: ("the server: signed out elsewhere, account closed, or device key revoked", "no"),
    CloseCode.NOT_ALLOWED: (
        "nobody now: another origin is refused with HTTP 403 before the upgrade; pages treat it as final",
        "no",
    ),
    CloseCode.RESTARTING: (
        "the server: it goes down, or its live store is away",
        "yes; resumes if it is the same process",
    ),
}


# What a field means: by its name, or by message and name where it means something else there.
MEANINGS = {
    "abandoned": "calls that ended before anybody answered",
    "activity": "what the service sees them do",
    "agent": "the account's id",
    "LiveRow.agent": "who answered",
    "StationCall.agent": "who answered; null before",
    "agent_away": "the agent's connection is being restored",
    "agent_camera": "whether the agent's camera is on; true before anybody answered",
    "agent_mic": "whether the agent's microphone is on; true before anybody answered",
    "agents": "everybody who is not signed out",
    "ahead": "how many calls are before this one, while it waits",
    "answered": "calls that were answered",
    "answered_at": "when; null before",
    "badge": "the number on the agent's badge",
    "call": "the call's id",
    "agent_state.call": "the call one is in, is being rung for, or wraps up",
    "station_state.call": "the station's call, until it is dismissed",
    "calls": "all calls",
    "camera": "whether one's camera is on",
    "capacity": "how many it takes",
    "code": "what went wrong: [Errors](#errors)",
    "colleagues_free": "other agents who are available and idle",
    "connected": "whether one's own media connection is up",
    "consent": "whether the resident agreed to be recorded",
    "cpu": "share of one core that it uses, in percent",
    "credential": "the password",
    "department": "the department's name",
    "down_kbps": "kbit/s from the service to them",
    "draining": "whether it takes no new calls because it is to stop",
    "en": "in English",
    "end_reason": "why it ended; null before",
    "ended_at": "when; null before",
    "estimate_s": "how long it will still wait, from and to, in seconds",
    "full": "why it takes no more calls now, in the node's words; null while it does",
    "generation": "the number of one's media connection",
    "rejoin.generation": "the number of the connection that failed",
    "restart_ice.generation": "the number of the connection that is to find a new way",
    "goal_s": "the goal in seconds",
    "heartbeat_ms": "how often each side pings",
    "ice_servers": "for RTCPeerConnection, as it takes them",
    "held_up": "no media node can carry the call just now; it keeps its place",
    "id": "the call's id",
    "in_goal": "calls answered within the goal",
    "item": "the item's id",
    "LiveRow.item": "the item's name",
    "WaitingRow.item": "the item's name",
    "judgement": "what is said of the network",
    "own_quality.judgement": "what is said of the network; null when nothing is known any more",
    "lag_ms": "how late its work is done, in milliseconds: the 99th percentile",
    "live": "calls that were answered and go on",
    "longest_wait_since": "since when the first of these waits",
    "loss": "percent of the packets lost on the way, before repair: the worse direction's",
    "mean_stars": "mean of the ratings",
    "mean_talk_s": "mean length of the calls",
    "mean_wait_s": "mean wait until the answer",
    "mic": "whether one's microphone is on",
    "mid": "the m-line of one's own connection",
    "name": "what people call it, or them",
    "networks": "those known of, one for each participant",
    "node": "the media node's id",
    "nodes": "the media nodes that are alive",
    "nonce": "what is to be signed",
    "note": "a sentence about it",
    "now": "the server's clock",
    "on": "whether it starts or stops",
    "on_duty": "available agents with the skill, free or busy",
    "online": "whether its socket is open",
    "outcome": "what came of the call",
    "outcome_note": "the sentence about it",
    "participant": "who is seen or heard there",
    "pause_reason": "why, when paused",
    "phase": "the state of the call: docs/call-states.md",
    "port": "its UDP port",
    "presence": "what they declare",
    "protocol": "the number of this protocol",
    "rated": "whether it has been rated",
    "reason": "why, when paused; only an agent's own reasons, not `missed_calls` or `connection_lost`",
    "reasons": "what was wrong, for one or two stars",
    "ref": "the number of the request",
    "error.ref": "the request that it answers; null when it answers none",
    "requested_at": "when the resident called",
    "reservation": "the id of this ring",
    "resident_away": "the resident's connection is being restored",
    "resident_camera": "whether the resident's camera is on",
    "resident_mic": "whether the resident's microphone is on",
    "restart": "how often ICE began anew in this connection; 0: the connection itself is offered",
    "answer.restart": "that of the offer",
    "resume": "the token of the session that is to go on",
    "welcome.resume": "the token to come back with",
    "resumed": "whether the session goes on",
    "ring": "the call that one is being rung for",
    "StationCall.ringing": "whether an agent is being rung",
    "WaitingRow.ringing": "who is being rung",
    "role": "what they are in the call",
    "rooms": "how many calls it carries",
    "rtt_ms": "the round trip to the service and back, in milliseconds; null before it was measured",
    "sdp": "the session description",
    "seen": "the last `seq` that one saw",
    "session": "the session's id, for the logs",
    "sharing": "whether a screen is being shared",
    "share_codecs": "in which codecs the others can be shown what this agent shares, best first",
    "signature": "over the challenge, base64url without padding",
    "since": "since when presence and activity are what they are",
    "site": "the name of the place where it stands",
    "slots": "what is seen on which m-line",
    "source": "which of their tracks",
    "stars": "1 to 5",
    "station": "the station's name",
    "station_hello.station": "the station's id",
    "station_state.station": "the station's id",
    "StationRow.station": "the station's id",
    "stations": "all that are in use",
    "text": "what happened, what stays safe and what to do, for people",
    "add_note.text": "the note",
    "today": "the day's figures",
    "unrepaired": "percent of the packets that never came: the worse direction's",
    "until": "when the ring ends",
    "up_kbps": "kbit/s from them to the service",
    "urls": "STUN or TURN addresses",
    "username": "valid for a few minutes",
    "waiting": "how many calls wait that one has the skill for",
    "manager_state.waiting": "calls that wait or ring, oldest first",
    "wrap_up_until": "when wrap-up ends by itself; null unless in wrap-up",
    "zh": "in Chinese",
    "ask": "who is asked to join; null when nobody is",
    "failed_ask": "the last one who was asked and did not come; null after the next ask",
    "left": "whether one was in it and is not any more",
    "on_hold": "whether the resident is on hold",
    "owner": "whether they own the call",
    "AgentCall.owner": "whether it is one's own",
    "ManagerCall.owner": "whether it was taken over",
    "people": "the others in the call",
    "LiveRow.people": "everybody but the resident and the owner",
    "colleagues.people": "colleagues who are signed in",
    "occupancy": "percent of the shift spent in calls and wrap-up; null in its first minute",
    "kind": "how they are to come in",
    "made_at": "when they were asked",
    "AskView.ringing": "whether somebody is rung just now",
    "PersonView.ringing": "asked to join and not there yet",
    "free": "those of them who could be rung now",
    "Slot.free": "places left",
    "number": "counts the asks of a call",
    "why": "why they did not come",
    "mode": "what the supervisor does",
    "ManagerCall.mode": "what this page does in it; null when it took over",
    "away": "their connection is being restored",
    "joining": "how they came in; null for who answered",
    "Ring.joining": "how one is to come in; null for a call that nobody answered yet",
    "supervision": "what a supervisor does; null for others",
    "queue": "the queue's id",
    "WaitingRow.queue": "the queue's name",
    "ask_for.queue": "the queue that is asked",
    "abandoned_pct": "percent of today's calls that nobody answered",
    "goal_pct": "so many percent are to be answered in time",
    "in_goal_pct": "percent of today's calls that were",
    "longest_since": "since when the first of them waits; null when nobody does",
    "open": "whether it is within its hours",
    "asked_by": "who asks; null when nobody does",
    "lane": "why it may go ahead of others",
    "skill": "the skill's id",
    "ask_for.skill": "an interpreter's skill",
    "at": "when the slot begins",
    "moved": "why it waits once more; null when it does not",
    "wait_reason": "why place or time are later than before; null when they are not",
    "widened": "how many rings of agents beyond the first are asked",
    "extensions_left": "how often wrap-up may still be extended",
    "book.phone": "where the hall is to call; without it the resident comes to a station",
    "booked.phone": "where the hall will call; null when the resident comes",
    "minutes": "how long a slot is",
    "appointment": "the code of a call-back slot that is now",
    "elder": "whether the resident asks to go first for their age",
    "sign_language": "whether an interpreter is needed from the start",
    "departments": "departments whose experts can be asked",
    "queues": "where the call can be handed on",
    "manager_state.queues": "every queue of the hall",
    "skills": "what interpreters can be asked for",
    "supervising": "the call that this page supervises; null when none",
    "admission": "whether the queue takes calls now",
    "opens_at": "when it opens next; null when it is open, or not soon",
}


class Words:
    """What the tables mention and must be explained below them."""

    def __init__(self) -> None:
        self.structs: dict[str, Any] = {}
        self.enums: dict[str, type[Enum]] = {}
        self.used: set[str] = set()  # of MEANINGS

    def spell(self, kind: inspect.Type) -> str:
        match kind:
            case inspect.StructType(cls=cls):
                self.structs.setdefault(cls.__name__, kind)
                return f"[{cls.__name__}](#structures)"
            case inspect.EnumType(cls=cls) if cls is ErrorCode:
                return "[ErrorCode](#errors)"
            case inspect.EnumType(cls=cls):
                self.enums.setdefault(cls.__name__, cls)
                return f"[{cls.__name__}](#words)"
            case inspect.UnionType(types=types):
                return " or ".join(self.spell(t) for t in types)
            case inspect.VarTupleType(item_type=item, max_length=most):
                return f"list of {self.spell(item)}" + (f", at most {most}" if most is not None else "")
            case inspect.TupleType(item_types=items):
                return f"[{', '.join(self.spell(t) for t in items)}]"
            case inspect.StrType(min_length=least, max_length=most):
                return "text" + _limits(least, most, " characters")
            case inspect.IntType(ge=least, le=most):
                return "integer" + _limits(least, most, "")
            case inspect.FloatType():
                return "number"
            case inspect.BoolType():
                return "true or false"
            case inspect.NoneType():
                return "null"
        raise TypeError(f"no words for {kind}")


def _limits(least: int | None, most: int | None, unit: str) -> str:
    if least is None and most is None:
        return ""
    if least is None:
        return f", at most {most}{unit}"
    return f", at least {least}{unit}" if most is None else f", {least} to {most}{unit}"


def tables() -> dict[str, str]:
    words = Words()
    made = {f"in {role}": _messages(union, words) for role, union in INBOUND.items()}
    made |= {f"out {role}": _messages(union, words) for role, union in OUTBOUND.items()}
    made["structs"] = _structs(words)
    made["words"] = _enums(words)
    made["errors"] = _errors()
    made["closes"] = _closes()
    made["limits"] = _constants()
    if superfluous := MEANINGS.keys() - words.used:
        raise KeyError(f"no field is called {', '.join(sorted(superfluous))}")
    return made


def _messages(union: Any, words: Words) -> str:
    return "\n".join(_message(inspect.type_info(member), words) for member in get_args(union))


def _message(kind: Any, words: Words) -> str:
    head = f"#### `{kind.tag}`\n\n{_doc(kind.cls)}"
    return head + _fields(kind, kind.tag, words)


def _fields(kind: Any, label: str, words: Words) -> str:
    if not kind.fields:
        return "No fields.\n"
    rows = "\n".join(_field(field, label, words) for field in kind.fields)
    return f"| field | type | meaning |\n| --- | --- | --- |\n{rows}\n"


def _field(field: inspect.Field, label: str, words: Words) -> str:
    """Raises KeyError when nobody has said what it means."""
    name = field.encode_name
    kind = words.spell(field.type)
    default = "" if field.required else f"; may be left out: {_plain(field.default)}"
    particular = f"{label}.{name}"
    words.used.add(particular if particular in MEANINGS else name)
    return f"| `{name}` | {kind}{default} | {MEANINGS.get(particular) or MEANINGS[name]} |"


def _plain(value: object) -> str:
    return {None: "null", "": "empty", (): "empty"}.get(value, f"`{value}`")  # type: ignore[call-overload, no-any-return]


def _doc(cls: type) -> str:
    text = " ".join((cls.__dict__.get("__doc__") or "").split())
    # A struct without a docstring of its own carries its signature.
    return "" if not text or text.startswith(f"{cls.__name__}(") else text.replace("``", "`") + "\n\n"


def _structs(words: Words) -> str:
    """Structures may mention others: until nothing new comes."""
    done: dict[str, str] = {}
    while left := [name for name in words.structs if name not in done]:
        for name in left:
            kind = words.structs[name]
            done[name] = f"#### {name}\n\n{_doc(kind.cls)}{_fields(kind, name, words)}"
    return "\n".join(done[name] for name in sorted(done))


def _enums(words: Words) -> str:
    rows = (
        f"| {name} | {', '.join(f'`{member.value}`' for member in words.enums[name])} |"
        for name in sorted(words.enums)
    )
    return "| word | values |\n| --- | --- |\n" + "\n".join(rows) + "\n"


def _errors() -> str:
    why = dict(_comments(ErrorCode))
    rows = (
        f"| `{code}` | {why.get(code.name, '')} | {errors.SENTENCES[code].zh} | {errors.SENTENCES[code].en} |"
        for code in ErrorCode
    )
    return "| code | when | 中文 | English |\n| --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"


def _comments(cls: type) -> Iterator[tuple[str, str]]:
    for line in source.getsource(cls).splitlines():
        if found := re.match(r"\s+([A-Z_]+) = .*?#\s*(.*)", line):
            yield found[1], found[2]


def _closes() -> str:
    rows = (f"| {code.value} | {code.name} | {CLOSES[code][0]} | {CLOSES[code][1]} |" for code in CloseCode)
    head = "| code | name | who closes, and why | does the page reconnect? |\n| --- | --- | --- | --- |\n"
    return head + "\n".join(rows) + "\n"


def _constants() -> str:
    said: tuple[tuple[str, str], ...] = (
        ("protocol number in hello", str(messages.PROTOCOL)),
        ("a frame", f"{messages.MAX_FRAME // 1024} KiB: above it `too_large`"),
        ("and at all", f"{ws.CUT_OFF // 1024} KiB: above it the socket is closed with 1009"),
        ("the first message comes within", f"{ws.HELLO_S:g} s"),
        ("each side pings every", f"{messages.HEARTBEAT_S:g} s"),
        ("and closes after a silence of", f"{messages.SILENCE_S:g} s"),
        ("a session outlives its socket by", f"{messages.RESUME_S:g} s"),
        ("kept to be sent again", f"{session.KEPT_FRAMES} messages, {session.KEPT_BYTES // 1024} KiB"),
        ("answers kept for requests asked again", f"{session.KEPT_ANSWERS}"),
        ("messages at once, and a second", f"{session.BURST:g}, {session.RATE:g}: above it `too_fast`"),
        (
            "refused messages before the socket is closed",
            f"{session.BAD_MESSAGES:g}; one is forgiven every {1 / session.FORGIVEN:g} s",
        ),
    )
    return "| what | limit |\n| --- | --- |\n" + "\n".join(f"| {a} | {b} |" for a, b in said) + "\n"


def filled(page: str) -> str:
    """The page with every table as it must be. Raises KeyError for a marker that nobody knows."""
    made = tables()
    put: Callable[[re.Match[str]], str] = lambda found: f"{found[1]}\n{made[found[2]]}\n{found[3]}"  # noqa: E731
    return MARKED.sub(put, page)


def marked(page: str) -> list[str]:
    return [found[2] for found in MARKED.finditer(page)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the tables of docs/protocol.md.")
    parser.add_argument("--check", action="store_true", help="fail when it is out of date, write nothing")
    page = OUT.read_text("utf-8")
    text = filled(page)
    if not parser.parse_args().check:
        OUT.write_text(text, "utf-8", newline="\n")
    elif page != text:
        sys.exit(f"{OUT.relative_to(ROOT)} is out of date: run python deploy/protocol_doc.py")


if __name__ == "__main__":
    main()
