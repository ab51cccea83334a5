"""What a manager's live page says and is told."""

from typing import Annotated

from msgspec import Meta, Struct

from agents.agent import Activity, Lane, PauseReason, Presence
from records.model import (
    AccountId,
    CallId,
    EndReason,
    ItemId,
    Outcome,
    ParticipantId,
    ParticipantRole,
    QueueId,
    StationId,
    Text,
)
from signaling.messages.common import (
    Ack,
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
    Welcome,
    WrapUp,
)
from signaling.snapshot import Moved, State, Supervision

# --- inbound ---------------------------------------------------------------------------------------


class Supervise(Request, frozen=True):
    """Listen to a call, whisper to its owner, or join it; said again, another of the three."""

    call: CallId
    mode: Supervision


class StopSupervising(Request, frozen=True):
    call: CallId


class TakeOver(Request, frozen=True):
    """The call becomes mine; its agent leaves."""

    call: CallId


class SetPresenceOf(Request, frozen=True):
    """An agent who left without signing out: paused or signed out by the manager."""

    agent: Annotated[AccountId, Meta(max_length=64)]
    presence: Presence


# --- outbound --------------------------------------------------------------------------------------


class WaitingRow(Struct, frozen=True):
    call: CallId
    item: Text
    station: Text
    requested_at: int
    ringing: Text | None  # who is being rung
    lane: Lane
    queue: Text
    moved: Moved | None


class LiveRow(Struct, frozen=True):
    call: CallId
    item: Text
    station: Text
    agent: Text
    phase: State
    answered_at: int | None
    sharing: bool
    people: tuple[PersonView, ...]  # everybody but the resident and the owner
    on_hold: bool
    networks: tuple[Network, ...]


class AgentRow(Struct, frozen=True):
    agent: AccountId
    name: Text
    presence: Presence
    pause_reason: PauseReason | None
    activity: Activity
    since: int
    role: ParticipantRole
    occupancy: int | None  # per cent of the shift in calls and wrap-up; null in its first minute


class StationRow(Struct, frozen=True):
    station: StationId
    name: Text
    online: bool


class NodeRow(Struct, frozen=True):
    node: str
    port: int
    rooms: int
    capacity: int
    cpu: int
    lag_ms: float
    draining: bool
    full: str | None


class QueueRow(Struct, frozen=True):
    """``in_goal_pct``, ``abandoned_pct``: of today's calls, null before the first."""

    queue: QueueId
    name: Text
    open: bool
    waiting: int
    longest_since: int | None
    on_duty: int
    free: int
    goal_s: int
    goal_pct: int
    in_goal_pct: int | None
    abandoned_pct: int | None


class ManagerCall(Struct, frozen=True):
    """The call that this page supervises, or took over (``mode`` null); what AgentCall is to an agent."""

    id: CallId
    item: ItemId
    phase: State
    mode: Supervision | None
    owner: bool
    participant: ParticipantId
    generation: int
    connected: bool
    people: tuple[PersonView, ...]
    resident_away: bool
    on_hold: bool
    slots: tuple[SlotView, ...]
    sharing: bool
    answered_at: int | None
    ended_at: int | None
    end_reason: EndReason | None
    outcome: Outcome | None


class DayFigures(Struct, frozen=True):
    """Since midnight of the hall's time zone. ``in_goal`` counts calls answered within ``goal_s``."""

    calls: int
    answered: int
    abandoned: int
    in_goal: int
    goal_s: int
    mean_wait_s: float | None
    mean_talk_s: float | None
    mean_stars: float | None


class ManagerState(Out, frozen=True):
    now: int
    waiting: tuple[WaitingRow, ...]
    live: tuple[LiveRow, ...]
    agents: tuple[AgentRow, ...]
    stations: tuple[StationRow, ...]
    nodes: tuple[NodeRow, ...]
    queues: tuple[QueueRow, ...]
    occupancy: int | None  # of all who are signed in
    supervising: ManagerCall | None
    today: DayFigures


ManagerIn = (
    Hello
    | Ping
    | Pong
    | Supervise
    | StopSupervising
    | TakeOver
    | Answer
    | Rejoin
    | RestartIce
    | Devices
    | HangUp
    | WrapUp
    | SetPresenceOf
)
ManagerOut = Welcome | ServerPing | ServerPong | Ack | Error | Offer | ManagerState
