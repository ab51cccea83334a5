"""A room's decisions: who is in it, who sees whom, who is recorded. Pure: events in, effects out.

``transition`` never changes the room that it was given. The shell (node.py) carries the effects out and
answers with events. A participant outlives its connections; a connection is a generation.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from media.protocol import (
    Answer,
    AnyCommand,
    CloseRoom,
    Join,
    Leave,
    Mid,
    OpenRoom,
    Record,
    RefusalReason,
    RestartIce,
    RoomId,
    SetSlots,
    Source,
    TrackRef,
)
from records.model import ParticipantId, ParticipantRole

MAX_PARTICIPANTS = 4
EMPTY_S = 60.0  # a room without any connection is closed after this
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_AUDIO_MIDS = frozenset({Mid.MIC, Mid.AUDIO_2, Mid.AUDIO_3})

Slots = Mapping[ParticipantId, Mapping[Mid, TrackRef]]


@dataclass(frozen=True)
class Participant:
    role: ParticipantRole
    generation: int
    alive: bool = True  # the connection of this generation is being made or is up


@dataclass(frozen=True)
class Room:
    """``empty_since`` (monotonic seconds) is None while somebody has a connection."""

    id: RoomId
    hall: str
    folder: str
    empty_since: float | None
    participants: Mapping[ParticipantId, Participant] = field(default_factory=dict)
    slots: Slots = field(default_factory=dict)
    revision: int = -1
    recorded: frozenset[ParticipantId] = frozenset()
    closing: bool = False


# --- events besides the protocol's commands ------------------------------------------------------


@dataclass(frozen=True)
class LegLost:
    """A connection ended by itself."""

    participant: ParticipantId
    generation: int


@dataclass(frozen=True)
class Tick:
    pass


Event = AnyCommand | LegLost | Tick

# --- effects -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class OpenLeg:
    """Make a connection and tell its offer; told again when it is there already."""

    participant: ParticipantId
    generation: int


@dataclass(frozen=True)
class AcceptAnswer:
    participant: ParticipantId
    generation: int
    sdp: str
    restart: int = 0


@dataclass(frozen=True)
class RestartLeg:
    """New ICE credentials for a connection that stays; told as an offer."""

    participant: ParticipantId
    generation: int
    restart: int


@dataclass(frozen=True)
class CloseLeg:
    participant: ParticipantId
    generation: int


@dataclass(frozen=True)
class Rewire:
    """Bring what every viewer is shown into line with ``shown()``."""


@dataclass(frozen=True)
class Rerecord:
    """Bring what is recorded into line with ``recorded``; the parts of others are sealed."""


@dataclass(frozen=True)
class SealRoom:
    """Seal every part, then the room is gone."""


@dataclass(frozen=True)
class Refuse:
    participant: ParticipantId | None
    generation: int
    reason: RefusalReason
    detail: str


Effect = OpenLeg | AcceptAnswer | RestartLeg | CloseLeg | Rewire | Rerecord | SealRoom | Refuse
Outcome = tuple[Room, tuple[Effect, ...]]


def open_room(command: OpenRoom, now: float) -> Room:
    """Raises ValueError when the folder is not a plain relative path."""
    pieces = command.folder.split("/")
    if not all(_NAME.fullmatch(piece) for piece in pieces) or len(pieces) > 8:
        raise ValueError("the folder is not a plain relative path")
    return Room(id=command.room, hall=command.hall, folder=command.folder, empty_since=now)


def shown(room: Room, viewer: ParticipantId) -> dict[Mid, TrackRef]:
    """What a viewer is to see now: only participants of the room, audio on audio and video on video."""
    wanted = room.slots.get(viewer, {})
    return {
        mid: ref
        for mid, ref in wanted.items()
        if ref.participant in room.participants and (ref.source is Source.MIC) == (mid in _AUDIO_MIDS)
    }


def transition(room: Room, event: Event, now: float) -> Outcome:
    """A closing room swallows everything: all of it comes too late."""
    if room.closing:
        return room, ()
    match event:
        case OpenRoom():
            return room, ()
        case CloseRoom():
            return _close(room)
        case Join():
            return _join(room, event)
        case Answer() | RestartIce():
            return _of_connection(room, event)
        case Leave():
            return _leave(room, event.participant, now)
        case SetSlots():
            if event.revision <= room.revision:
                return room, ()
            return replace(room, slots=event.slots, revision=event.revision), (Rewire(),)
        case Record():
            wanted = frozenset(event.participants)
            return (room, ()) if wanted == room.recorded else (replace(room, recorded=wanted), (Rerecord(),))
        case LegLost():
            return _lost(room, event, now)
        case Tick():
            if room.empty_since is not None and now - room.empty_since >= EMPTY_S:
                return _close(room)
            return room, ()
        case _:
            assert_never(event)


def _join(room: Room, join: Join) -> Outcome:
    who, known = join.participant, room.participants.get(join.participant)

    def refuse(reason: RefusalReason, detail: str) -> Outcome:
        return room, (Refuse(who, join.generation, reason, detail),)

    if not _NAME.fullmatch(who):
        return refuse(RefusalReason.NO_SUCH_PARTICIPANT, "the participant's id cannot name a file")
    if known is not None and join.generation == known.generation and known.alive:
        return room, (OpenLeg(who, join.generation),)
    if known is not None and join.generation <= known.generation:
        return refuse(RefusalReason.STALE_GENERATION, f"generation {known.generation} was here already")
    if known is None and len(room.participants) >= MAX_PARTICIPANTS:
        return refuse(RefusalReason.FULL, f"{MAX_PARTICIPANTS} participants at most")
    participants = {**room.participants, who: Participant(join.role, join.generation)}
    replaced = () if known is None or not known.alive else (CloseLeg(who, known.generation),)
    after = replace(room, participants=participants, empty_since=None)
    return after, (*replaced, OpenLeg(who, join.generation), Rewire(), Rerecord())


def _of_connection(room: Room, command: Answer | RestartIce) -> Outcome:
    who, known = command.participant, room.participants.get(command.participant)
    if known is None:
        reason, detail = RefusalReason.NO_SUCH_PARTICIPANT, "nobody of this id is in the room"
    elif command.generation != known.generation or not known.alive:
        reason, detail = RefusalReason.STALE_GENERATION, f"the connection is at generation {known.generation}"
    elif isinstance(command, RestartIce):
        return room, (RestartLeg(who, command.generation, command.restart),)
    else:
        return room, (AcceptAnswer(who, command.generation, command.sdp, command.restart),)
    return room, (Refuse(who, command.generation, reason, detail),)


def _leave(room: Room, who: ParticipantId, now: float) -> Outcome:
    known = room.participants.get(who)
    if known is None:
        return room, ()
    rest = {name: p for name, p in room.participants.items() if name != who}
    after = _with(room, rest, now)
    closed = (CloseLeg(who, known.generation),) if known.alive else ()
    return after, (*closed, Rewire(), Rerecord())


def _with(room: Room, participants: Mapping[ParticipantId, Participant], now: float) -> Room:
    alive = any(p.alive for p in participants.values())
    since = None if alive else now if room.empty_since is None else room.empty_since
    return replace(room, participants=participants, empty_since=since)


def _lost(room: Room, lost: LegLost, now: float) -> Outcome:
    known = room.participants.get(lost.participant)
    if known is None or known.generation != lost.generation or not known.alive:
        return room, ()
    participants = {**room.participants, lost.participant: replace(known, alive=False)}
    closed = CloseLeg(lost.participant, lost.generation)
    return _with(room, participants, now), (closed, Rewire(), Rerecord())


def _close(room: Room) -> Outcome:
    legs = tuple(CloseLeg(who, p.generation) for who, p in room.participants.items() if p.alive)
    return replace(room, participants={}, closing=True), (*legs, SealRoom())
