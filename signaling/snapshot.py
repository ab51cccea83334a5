"""A call as it stands: the snapshot that Redis keeps, and what can be read off it. Pure data.

The rules of how it changes are signaling/call.py's.
"""

from enum import StrEnum

import msgspec
from msgspec import Struct

from agents.agent import Reservation, Waiting
from media.protocol import Mid, NodeId, Source, TrackRef, VideoCodec
from records.model import (
    AccountId,
    CallId,
    CallSummary,
    DepartmentId,
    EndReason,
    ItemId,
    Outcome,
    ParticipantId,
    ParticipantRole,
    QueueId,
    SiteId,
    SkillId,
    StationId,
)


class State(StrEnum):
    QUEUED = "queued"
    OFFERED = "offered"
    CONNECTING = "connecting"
    ACTIVE = "active"
    ENDED = "ended"


class Joining(StrEnum):
    """How somebody else is brought into a call that is answered."""

    TRANSFER = "transfer"  # cold: the agent lets go, the resident waits at the front of the line
    CONSULT = "consult"  # the two talk while the resident is on hold
    JOIN = "join"  # everybody sees everybody


class Supervision(StrEnum):
    LISTEN = "listen"  # seen and heard by nobody
    WHISPER = "whisper"  # heard by the call's owner alone
    BARGE = "barge"  # seen and heard by all


class Moved(StrEnum):
    """Why a call that was answered waits once more."""

    TRANSFER = "transfer"
    AGENT_LOST = "agent_lost"


class AskFailure(StrEnum):
    NOBODY_CAME = "nobody_came"  # in time
    DECLINED = "declined"  # by the one person who was asked for
    DROPPED = "dropped"  # by who asked


class Target(Struct, frozen=True):
    """Whom an agent asks for: exactly one of these."""

    queue: QueueId | None = None
    agent: AccountId | None = None
    department: DepartmentId | None = None  # its expert (首席事务代表)
    skill: SkillId | None = None  # an interpreter who has it


class Patience(Struct, frozen=True):
    """How long a call waits for what, in seconds."""

    connect: float = 15.0  # from accept until both sides have media
    away_waiting: float = 20.0  # a resident whose socket is gone while waiting
    ring_over: float = 3.0  # past the ring's end, for an answer in the last moment to arrive
    away_ringing: float = 5.0  # an agent whose socket is gone while it rings
    away_talking: float = 30.0  # either side, during the call
    node: float = 15.0  # for another media node to take over
    node_waiting: float = 60.0  # the same while nobody has answered yet: what is lost then is only time
    keep_ended: float = 300.0  # the ended call stays for rating and wrap-up
    asked: float = 60.0  # for somebody who is asked to join
    person: float = 30.0  # for the one person a call is handed to, before it goes to the queue it came from
    queue: float = 1800.0  # nobody waits longer than this (a queue's wait_at_most_s)
    # After a call broke off, the same station's next one about the item is its sequel.
    returning: float = 300.0


class Seat(Struct, frozen=True):
    """One participant's place in the call. ``generation`` counts its media connections."""

    participant: ParticipantId
    role: ParticipantRole
    who: str  # a station's or an account's id
    place: int = (
        0  # 0..3, the resident's is 0: decides on which m-lines others see it; kept while it is there
    )
    ringing: bool = False  # it has not said yes yet: sees and hears nothing
    joining: Joining | None = None  # how it came in; None: the resident, and who answered the call itself
    supervision: Supervision | None = None  # of a supervisor
    generation: int = 1
    offer: str | None = None  # the node's SDP offer for this generation, None until it came
    restart: int = 0  # how often ICE was asked to restart in this generation
    offered_restart: int = 0  # the restart that ``offer`` is for, 0: the connection itself
    restarted_at: float | None = None  # when that was asked for last
    answered: bool = False
    refused: str | None = None  # why the node could not use this generation's last answer
    connected: bool = False
    takes: tuple[VideoCodec, ...] = ()  # what it can be shown of a share; of the last one that was connected
    gone: bool = False  # this generation's connection was there or was tried, and is over
    away_until: float | None = None  # its socket is gone; the call waits until then
    down_until: float | None = None  # its media is gone; the call waits until then
    mic: bool = True  # as its page said last; a new connection changes nothing about it
    camera: bool = True


class Ask(Struct, frozen=True):
    """Somebody is asked to join. Its demand's id is "<call>.<number>"."""

    number: int
    kind: Joining  # CONSULT or JOIN
    by: AccountId
    target: Target
    demand: Waiting
    made_at: float
    until: float
    reservation: Reservation | None = None


class FailedAsk(Struct, frozen=True):
    number: int
    kind: Joining
    target: Target
    why: AskFailure


class Call(Struct, frozen=True):
    """The snapshot that Redis keeps. Times are Unix seconds; ``revision`` grows by one with every change.

    ``agent`` owns the call: exactly one from the first accept on, handed over but never given up; while a
    call waits once more (``moved``), its last owner still answers for it.
    """

    id: CallId
    hall: str
    station: StationId
    site: SiteId
    item: ItemId
    demand: Waiting  # as the queue is to know it; enqueued_at may be earlier than requested_at (a sequel)
    requested_at: float
    node: NodeId
    seats: tuple[Seat, ...]
    state: State = State.QUEUED
    revision: int = 0
    reservation: Reservation | None = None
    agent: AccountId | None = None  # the owner
    agents_tried: int = 0  # seats given out, so that each has a name of its own
    fence: int = 0  # the highest that an accepted reservation had: what is lower comes late
    waiting_since: float = 0.0  # in this stretch of waiting; what wait_at_most_s counts from
    fallback: Waiting | None = None  # the demand from fallback_at on: the one person did not come
    fallback_at: float | None = None
    moved: Moved | None = None
    on_hold: bool = False  # the resident sees and hears nobody, and is seen and heard by nobody
    asks: int = 0
    ask: Ask | None = None
    failed_ask: FailedAsk | None = None  # of the last ask, until the next
    former: tuple[AccountId, ...] = ()  # agents who were in it and left
    sharing: ParticipantId | None = None
    answered_at: float | None = None  # by the first agent
    accepted_at: float | None = None  # by the agent who answered last
    connected_at: float | None = None
    node_until: float | None = None  # the node is gone; the call waits for another until then
    ended_at: float | None = None
    end_reason: EndReason | None = None
    outcome: Outcome | None = None
    outcome_note: str = ""
    stars: int | None = None
    patience: Patience = Patience()


encode = msgspec.json.encode
decoder = msgspec.json.Decoder(Call)

RESIDENT = ParticipantId("resident")
PAIRS = ((Mid.MIC, Mid.CAMERA), (Mid.AUDIO_2, Mid.VIDEO_2), (Mid.AUDIO_3, Mid.VIDEO_3))
MOST = len(PAIRS) + 1  # participants in one call
FOR_SCREENS = (VideoCodec.AV1, VideoCodec.VP9)  # better than VP8; docs/media.md, "Codecs", has figures
TALKING = (State.CONNECTING, State.ACTIVE)
WAITING = (State.QUEUED, State.OFFERED)
SILENT = (Supervision.LISTEN, Supervision.WHISPER)  # the resident neither sees nor hears them


# --- who is there ----------------------------------------------------------------------------------


def seat_of(call: Call, participant: ParticipantId) -> Seat | None:
    return next((s for s in call.seats if s.participant == participant), None)


def seat_with(call: Call, role: ParticipantRole) -> Seat | None:
    return next((s for s in call.seats if s.role is role), None)


def seat_of_account(call: Call, account: AccountId | None) -> Seat | None:
    """Where this person sits in the call; a station's id may be spelt alike."""
    seats = (s for s in call.seats if s.role is not ParticipantRole.RESIDENT)
    return next((s for s in seats if s.who == account), None)


def owner_seat(call: Call) -> Seat | None:
    """None before the first accept, and while the call waits once more."""
    return seat_of_account(call, call.agent)


def is_full(call: Call) -> bool:
    """Whether nobody else can come in; who is asked for has a place already."""
    asked = call.ask is not None and call.ask.reservation is None
    return len(call.seats) + asked >= MOST


# --- what waits ------------------------------------------------------------------------------------


def is_queued(call: Call) -> bool:
    """Whether an agent may be rung for it. Not while no media node could carry it; it keeps its place."""
    return call.state is State.QUEUED and call.node_until is None


def demands(call: Call) -> tuple[Waiting, ...]:
    """What belongs into the queue for this call, as it stands."""
    if is_queued(call):
        return (call.demand,)
    ask = call.ask
    if ask is None or ask.reservation is not None or call.node_until is not None:
        return ()
    return (ask.demand,)


# --- who sees and hears whom -----------------------------------------------------------------------


def shows(call: Call, viewer: Seat, other: Seat) -> tuple[bool, bool]:
    """Whether ``viewer`` hears and sees ``other``: (sound, picture)."""
    if call.state not in TALKING or viewer.ringing or other.ringing:
        return False, False
    if viewer.participant == other.participant:
        return False, False
    match other.supervision:
        case Supervision.LISTEN:
            return False, False
        case Supervision.WHISPER:
            return viewer == owner_seat(call), False
    apart = call.on_hold and RESIDENT in (viewer.participant, other.participant)
    seen = not apart or viewer.supervision is not None
    return seen, seen


def slots(call: Call) -> dict[ParticipantId, dict[Mid, TrackRef]]:
    """Who sees what. Before an agent has accepted, nobody sees anybody."""
    if call.state not in TALKING:
        return {}
    return {seat.participant: _slots_of(call, seat) for seat in call.seats if not seat.ringing}


def recorded(call: Call) -> tuple[ParticipantId, ...]:
    """Everybody who speaks, from the first accept until the end."""
    if call.answered_at is None or call.state is State.ENDED:
        return ()
    speaking = (s for s in call.seats if not s.ringing and s.supervision is not Supervision.LISTEN)
    return tuple(s.participant for s in speaking)


def share_codecs(call: Call, sharer: ParticipantId) -> tuple[VideoCodec, ...]:
    """In which codecs everybody else can be shown what this one shares, the best for a screen first. The last
    is VP8, which everybody can; of who was never connected nothing more is known."""
    others = [s.takes for s in call.seats if s.participant != sharer and not s.ringing]
    better = (codec for codec in FOR_SCREENS if others and all(codec in takes for takes in others))
    return (*better, VideoCodec.VP8)


def _slots_of(call: Call, viewer: Seat) -> dict[Mid, TrackRef]:
    """Everybody has a pair of m-lines of the viewer's for as long as both are there, by their places: the
    resident's own m-lines show place 1, everybody else's the resident."""
    seen: dict[Mid, TrackRef] = {}
    for other in call.seats:
        sound, picture = shows(call, viewer, other)
        if not sound:  # nobody is seen without being heard
            continue
        mic, camera = PAIRS[other.place - (other.place > viewer.place)]
        seen[mic] = TrackRef(other.participant, Source.MIC)
        if picture:
            seen[camera] = TrackRef(other.participant, Source.CAMERA)
        if picture and other.participant == call.sharing:
            seen[Mid.SHARE] = TrackRef(other.participant, Source.SHARE)
    return seen


# --- what is kept ----------------------------------------------------------------------------------


def summary(call: Call) -> CallSummary:
    return CallSummary(
        id=call.id,
        station=call.station,
        site=call.site,
        item=call.item,
        requested_at=call.requested_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        end_reason=call.end_reason,
        agent=call.agent,
        outcome=call.outcome,
        outcome_note=call.outcome_note,
        stars=call.stars,
    )
