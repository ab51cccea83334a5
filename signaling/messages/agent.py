"""What an agent says and is told."""

from typing import Annotated

from msgspec import Meta, Struct

from agents.agent import Activity, Lane, PauseReason, Presence, ReservationId
from media.protocol import VideoCodec
from records.model import (
    AccountId,
    CallId,
    DepartmentId,
    EndReason,
    ItemId,
    Outcome,
    ParticipantId,
    ParticipantRole,
    QueueId,
    SkillId,
    Text,
)
from signaling.messages.common import (
    Ack,
    AgentCard,
    Answer,
    Devices,
    Error,
    HangUp,
    Hello,
    Network,
    Offer,
    Out,
    PersonView,
    Ping,
    Pong,
    Rejoin,
    Request,
    RestartIce,
    ServerPing,
    ServerPong,
    SlotView,
    TakenOver,
    Welcome,
    WrapUp,
)
from signaling.snapshot import AskFailure, Joining, State

# --- inbound ---------------------------------------------------------------------------------------


class SetPresence(Request, frozen=True):
    presence: Presence
    reason: PauseReason | None = None


class Accept(Request, frozen=True):
    call: CallId
    reservation: ReservationId


class Decline(Request, frozen=True):
    call: CallId
    reservation: ReservationId


class Share(Request, frozen=True):
    """The agent's screen share starts (``on``) or stops; the picture comes on the ``share`` m-line."""

    call: CallId
    on: bool


class AddNote(Request, frozen=True):
    call: CallId
    text: Annotated[str, Meta(min_length=1, max_length=2_000)]


class Ready(Request, frozen=True):
    """Wrap-up is done. Refused while the call has no outcome."""

    call: CallId


class AskFor(Request, frozen=True):
    """Hand the call on, or have somebody beside me: exactly one of queue, agent, department (its expert) and
    skill (an interpreter)."""

    call: CallId
    kind: Joining
    queue: Annotated[QueueId, Meta(max_length=64)] | None = None
    agent: Annotated[AccountId, Meta(max_length=64)] | None = None
    department: Annotated[DepartmentId, Meta(max_length=64)] | None = None
    skill: Annotated[SkillId, Meta(max_length=64)] | None = None


class DropAsk(Request, frozen=True):
    call: CallId


class Hold(Request, frozen=True):
    """The resident on hold, or back."""

    call: CallId
    on: bool


class HandOver(Request, frozen=True):
    """The call becomes another agent's, who is in it already; I leave."""

    call: CallId
    participant: ParticipantId


class SendAway(Request, frozen=True):
    """End another one's part in my call."""

    call: CallId
    participant: ParticipantId


class ExtendWrapUp(Request, frozen=True):
    call: CallId


# --- outbound --------------------------------------------------------------------------------------


class Ring(Struct, frozen=True):
    """A call offered to this agent: as what (``role``), and when it is already answered how it comes
    (``joining``) and from whom. ``answered``: said yes; another one who is needed too still rings."""

    call: CallId
    reservation: ReservationId
    item: ItemId
    station: Text
    site: Text
    requested_at: int
    until: int
    role: ParticipantRole
    lane: Lane
    joining: Joining | None
    asked_by: AgentCard | None
    answered: bool


class AskView(Struct, frozen=True):
    """Who is asked to join; ``ringing``: somebody is rung just now."""

    kind: Joining
    name: Text
    made_at: int
    until: int
    ringing: bool


class FailedAskView(Struct, frozen=True):
    number: int
    kind: Joining
    name: Text
    why: AskFailure


class AgentCall(Struct, frozen=True):
    """``phase`` offered means: the connection is being made while it rings. ``share_codecs``: in which codecs
    the others can be shown what this agent shares, best first; it may change while something is shared."""

    id: CallId
    item: ItemId
    phase: State
    role: ParticipantRole  # mine
    owner: bool  # whether I am
    people: tuple[PersonView, ...]  # everybody else but the resident; a supervisor only if the hall shows it
    on_hold: bool  # the resident is
    ask: AskView | None
    failed_ask: FailedAskView | None
    left: bool  # I was in it and am not any more
    station: Text
    site: Text
    generation: int
    connected: bool
    resident_away: bool
    resident_mic: bool
    resident_camera: bool
    slots: tuple[SlotView, ...]
    sharing: bool
    share_codecs: tuple[VideoCodec, ...]
    requested_at: int
    answered_at: int | None
    ended_at: int | None
    end_reason: EndReason | None
    outcome: Outcome | None
    outcome_note: str


class AgentState(Out, frozen=True):
    """The whole of what an agent's console draws from. During wrap-up ``call`` is the ended one."""

    agent: AccountId
    name: Text
    badge: str
    department: Text
    presence: Presence
    pause_reason: PauseReason | None
    activity: Activity
    since: int
    wrap_up_until: int | None
    extensions_left: int
    ring: Ring | None
    call: AgentCall | None
    waiting: int  # calls waiting that this agent has the skill for
    longest_wait_since: int | None
    colleagues_free: int


class CallQuality(Out, frozen=True):
    """How good the connections of the agent's call are; no ``networks`` when nothing is known any more."""

    call: CallId
    networks: tuple[Network, ...]


class QueueLine(Struct, frozen=True):
    queue: QueueId
    name: Text
    waiting: int
    free: int  # agents who could be rung for it now


class Colleague(Struct, frozen=True):
    agent: AccountId
    name: Text
    department: Text
    role: ParticipantRole
    presence: Presence
    activity: Activity


class DepartmentLine(Struct, frozen=True):
    """A department whose experts can be asked for; those on duty, and of these free."""

    department: DepartmentId
    name: Text
    on_duty: int
    free: int


class SkillLine(Struct, frozen=True):
    """An interpreter's skill."""

    skill: SkillId
    name: Text
    on_duty: int
    free: int


class Colleagues(Out, frozen=True):
    """Whom an agent in a call may ask for. Sent while in a call, whenever it changes."""

    queues: tuple[QueueLine, ...]
    people: tuple[Colleague, ...]
    departments: tuple[DepartmentLine, ...]
    skills: tuple[SkillLine, ...]


AgentIn = (
    Hello
    | Ping
    | Pong
    | SetPresence
    | Accept
    | Decline
    | Answer
    | Rejoin
    | RestartIce
    | Devices
    | Share
    | AddNote
    | AskFor
    | DropAsk
    | Hold
    | HandOver
    | SendAway
    | HangUp
    | WrapUp
    | ExtendWrapUp
    | Ready
)
AgentOut = (
    Welcome
    | ServerPing
    | ServerPong
    | Ack
    | Error
    | TakenOver
    | Offer
    | AgentState
    | CallQuality
    | Colleagues
)
