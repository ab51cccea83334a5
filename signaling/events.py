"""What can happen to a call, and what is to be done about it: two closed unions. Pure data."""

from msgspec import Struct

from agents.agent import DemandId, Release, Reservation, ReservationId, Waiting
from media.protocol import Mid, NodeId, TrackRef, VideoCodec
from records.model import (
    AccountId,
    JournalKind,
    Outcome,
    ParticipantId,
    ParticipantRole,
    RatingReason,
)
from signaling.snapshot import Joining, Supervision, Target

Facts = dict[str, str | int | float | bool | None]

# --- events --------------------------------------------------------------------------------------


class Event(Struct, frozen=True):
    pass


class Reserved(Event, frozen=True):
    """The dispatcher won the race for this agent."""

    reservation: Reservation


class Accepted(Event, frozen=True):
    agent: AccountId
    reservation: ReservationId


class Declined(Event, frozen=True):
    agent: AccountId
    reservation: ReservationId


class RingExpired(Event, frozen=True):
    reservation: ReservationId


class RingLost(Event, frozen=True):
    """The socket of an agent who is rung went silent: somebody else is to be asked at once."""

    agent: AccountId
    reservation: ReservationId


class LeftByResident(Event, frozen=True):
    """Cancelled while waiting, or hung up: the state tells which."""


class HungUpByAgent(Event, frozen=True):
    """By the owner: the call ends. By another agent, expert or interpreter: that one leaves."""

    agent: AccountId


class AskMade(Event, frozen=True):
    """The owner hands the call on, or wants somebody beside. ``demand`` is complete but for its id, lane and
    enqueued_at, which the machine gives."""

    agent: AccountId
    kind: Joining
    target: Target
    demand: Waiting


class AskDropped(Event, frozen=True):
    agent: AccountId


class HoldSet(Event, frozen=True):
    agent: AccountId
    on: bool


class HandedOver(Event, frozen=True):
    """Warm: the owner gives the call to somebody who is in it, and leaves."""

    agent: AccountId
    to: ParticipantId


class SentAway(Event, frozen=True):
    """The owner ends another one's part in the call."""

    agent: AccountId
    participant: ParticipantId


class Supervised(Event, frozen=True):
    """A supervisor comes, or changes what it does. The audit trail has it already."""

    supervisor: AccountId
    mode: Supervision


class SupervisionEnded(Event, frozen=True):
    supervisor: AccountId


class TakenOver(Event, frozen=True):
    """The supervisor becomes the owner; the agent who was leaves."""

    supervisor: AccountId


class Offered(Event, frozen=True):
    """The media node's SDP offer for a seat; with a ``restart``, for the connection that it has."""

    participant: ParticipantId
    generation: int
    sdp: str
    restart: int = 0


class Answered(Event, frozen=True):
    participant: ParticipantId
    generation: int
    sdp: str
    restart: int = 0


class AnswerRefused(Event, frozen=True):
    """The node could not use the browser's answer; it waits for a right one."""

    participant: ParticipantId
    generation: int
    detail: str


class LegUp(Event, frozen=True):
    """``takes``: in which codecs the participant can be shown another one's share."""

    participant: ParticipantId
    generation: int
    takes: tuple[VideoCodec, ...] = ()


class LegDown(Event, frozen=True):
    participant: ParticipantId
    generation: int
    reason: str


class RejoinAsked(Event, frozen=True):
    """A page was reloaded or its connection failed; ``generation`` is the one that is gone."""

    participant: ParticipantId
    generation: int


class RestartAsked(Event, frozen=True):
    """A page's network changed: its connection of this generation needs new ICE credentials."""

    participant: ParticipantId
    generation: int


class WentAway(Event, frozen=True):
    """A participant's socket is gone."""

    participant: ParticipantId


class CameBack(Event, frozen=True):
    participant: ParticipantId


class ShareSet(Event, frozen=True):
    participant: ParticipantId
    on: bool


class DevicesSet(Event, frozen=True):
    """A participant's microphone and camera are on or not: switched off, or not there at all."""

    participant: ParticipantId
    mic: bool
    camera: bool


class NoteAdded(Event, frozen=True):
    agent: AccountId
    text: str
    key: str  # makes the same note sent twice count once


class OutcomeSet(Event, frozen=True):
    agent: AccountId
    outcome: Outcome
    note: str


class Rated(Event, frozen=True):
    stars: int
    reasons: tuple[RatingReason, ...]


class NodeGone(Event, frozen=True):
    """The media node's lease is over, or it has not got the room. ``replacement`` is None while no other has
    room; it is the same node when that one is to make the room again."""

    node: NodeId
    replacement: NodeId | None


class DeadlinePassed(Event, frozen=True):
    """``due(call)`` is over; the call itself knows which deadline it was."""


AnyEvent = (
    Reserved
    | Accepted
    | Declined
    | RingExpired
    | RingLost
    | LeftByResident
    | HungUpByAgent
    | AskMade
    | AskDropped
    | HoldSet
    | HandedOver
    | SentAway
    | Supervised
    | SupervisionEnded
    | TakenOver
    | Offered
    | Answered
    | AnswerRefused
    | LegUp
    | LegDown
    | RejoinAsked
    | RestartAsked
    | WentAway
    | CameBack
    | ShareSet
    | DevicesSet
    | NoteAdded
    | OutcomeSet
    | Rated
    | NodeGone
    | DeadlinePassed
)


# --- commands ------------------------------------------------------------------------------------


class Command(Struct, frozen=True, tag=True):
    """Every command may be carried out twice: each is idempotent where it arrives."""


class Enqueue(Command, frozen=True):
    waiting: Waiting


class Withdraw(Command, frozen=True):
    """Out of the queue."""

    demand: DemandId


class GiveBack(Command, frozen=True):
    """Let the reserved agents go; by ``why`` the demand returns to its place in the queue or not.
    ``by``: whose doing it was (None: of all who have not accepted)."""

    reservation: Reservation
    why: Release
    by: AccountId | None = None


class FreeAgent(Command, frozen=True):
    """The call is over for this agent: to wrap-up. A supervisor was never reserved; nothing happens."""

    agent: AccountId


class OpenRoom(Command, frozen=True):
    pass


class CloseRoom(Command, frozen=True):
    pass


class Join(Command, frozen=True):
    participant: ParticipantId
    role: ParticipantRole
    generation: int


class PassAnswer(Command, frozen=True):
    participant: ParticipantId
    generation: int
    sdp: str
    restart: int = 0


class RestartIce(Command, frozen=True):
    participant: ParticipantId
    generation: int
    restart: int


class Leave(Command, frozen=True):
    participant: ParticipantId


class SetSlots(Command, frozen=True):
    revision: int
    slots: dict[ParticipantId, dict[Mid, TrackRef]]


class Record(Command, frozen=True):
    participants: tuple[ParticipantId, ...]


class Journal(Command, frozen=True):
    kind: JournalKind
    data: Facts = {}
    key: str = ""  # filled by the machine unless given: the same entry carried out twice counts once
    at: float = 0.0  # Unix seconds, filled by the machine


class KeepRating(Command, frozen=True):
    """Into the ledger, after the journal."""

    stars: int
    reasons: tuple[RatingReason, ...]
    at: float  # Unix seconds


class Forget(Command, frozen=True):
    """The live snapshot has served; records/ has the rest."""


AnyCommand = (
    Enqueue
    | Withdraw
    | GiveBack
    | FreeAgent
    | OpenRoom
    | CloseRoom
    | Join
    | PassAnswer
    | RestartIce
    | Leave
    | SetSlots
    | Record
    | Journal
    | KeepRating
    | Forget
)
