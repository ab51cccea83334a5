"""An agent, a demand and a reservation as routing sees them. Pure data.

What an agent declares (presence) is kept apart from what it is doing (activity); it may be rung only when
it is available and idle, within its hours.
"""

from enum import StrEnum
from typing import NewType

from msgspec import Struct

from records.model import (
    ALWAYS,
    AccountId,
    CallId,
    DepartmentId,
    Hours,
    ItemId,
    ParticipantRole,
    QueueId,
    SiteId,
    SkillId,
    StationId,
)

ReservationId = NewType("ReservationId", str)
# A call asks for its agent under its own id; who is asked for besides, during the call, is "<call>.<n>".
DemandId = NewType("DemandId", str)


class Presence(StrEnum):
    """What an agent declares."""

    SIGNED_OUT = "signed_out"
    AVAILABLE = "available"
    PAUSED = "paused"


class PauseReason(StrEnum):
    BREAK = "break"  # 休息
    MEAL = "meal"  # 用餐
    MEETING = "meeting"  # 会议
    TRAINING = "training"  # 培训
    COUNTER = "counter"  # 窗口办件
    MISSED_CALLS = "missed_calls"  # by the system, after two rings without an answer
    CONNECTION_LOST = "connection_lost"  # by the system, while the agent's socket is away


class Activity(StrEnum):
    """What the system observes."""

    IDLE = "idle"
    RESERVED = "reserved"
    IN_CALL = "in_call"
    WRAP_UP = "wrap_up"


class Lane(StrEnum):
    """Why a call may go ahead of others; agents.plan says by how much."""

    ESCALATED = "escalated"  # handed on within a call that somebody already answered
    RETURNING = "returning"  # the resident's call broke off a moment ago
    APPOINTMENT = "appointment"
    ELDER = "elder"
    NORMAL = "normal"


class Profile(Struct, frozen=True):
    """Who an agent is, as the records say when it signs in."""

    skills: dict[SkillId, int]  # level 1 (can) .. 5 (teaches)
    site: SiteId
    department: DepartmentId
    role: ParticipantRole = ParticipantRole.AGENT  # EXPERT: rung only when its department is asked for
    hours: Hours = ALWAYS


class Agent(Struct, frozen=True):
    """A snapshot of one agent. Times are Unix seconds."""

    id: AccountId
    profile: Profile
    presence: Presence
    activity: Activity
    since: float  # since when presence x activity is what it is
    idle_since: float  # when it last became free: what "longest idle" ranks by
    pause_reason: PauseReason | None = None
    call: CallId | None = None  # reserved for, in, or wrapping up
    demand: DemandId | None = None  # which of the call's demands; None when idle
    reservation: ReservationId | None = None  # while it rings, and kept during the call
    fence: int = 0  # of its last reservation
    misses: int = 0  # rings unanswered in a row
    wrap_up_until: float | None = None
    extensions: int = 0  # of this wrap-up
    signed_in_at: float = 0.0  # the shift's beginning
    busy_s: float = 0.0  # seconds in calls and wrap-up that are over, since signed_in_at
    offered_at: float = 0.0  # when it was last rung: what "round robin" ranks by

    @property
    def routable(self) -> bool:
        return self.presence is Presence.AVAILABLE and self.activity is Activity.IDLE


class Party(Struct, frozen=True):
    """One person that a demand asks for."""

    role: ParticipantRole = ParticipantRole.AGENT
    needs: dict[SkillId, int] = {}  # each of these skills, at least at this level
    department: DepartmentId | None = None  # an expert who answers for it


class Waiting(Struct, frozen=True):
    """A demand that waits. It keeps ``enqueued_at`` through decline, no-answer, loss and transfer, and so
    its place."""

    id: DemandId
    call: CallId
    queue: QueueId
    item: ItemId
    station: StationId
    site: SiteId
    enqueued_at: float
    party: Party
    second: Party | None = None  # needed at once with ``party``: both are reserved, or neither
    lane: Lane = Lane.NORMAL
    # The one person who is asked first (who served this resident before) or alone (``wanted_until`` None).
    wanted: AccountId | None = None
    wanted_until: float | None = None
    # Agents that let it ring or declined are passed over until then (Unix seconds).
    passed_over: dict[AccountId, float] = {}


class Reservation(Struct, frozen=True):
    """The offer of one demand to one agent (two, when it needs two), with a deadline and a fence.

    ``fence`` grows with every reservation of the hall, across lost data and failover too: a later one is
    always larger, so whoever holds a socket or a file can refuse what comes late.
    """

    id: ReservationId
    demand: DemandId
    call: CallId
    agents: tuple[AccountId, ...]  # in the order of party, second
    until: float
    fence: int
    accepted: tuple[AccountId, ...] = ()  # who said yes already, while the other still rings

    @property
    def agent(self) -> AccountId:
        return self.agents[0]


class Release(StrEnum):
    """Why a reserved or busy agent is let go, and what becomes of it.

    DECLINED: idle, the demand passes over this agent for a while. NO_ANSWER: idle, one more miss; paused
    (missed_calls) at the limit. LOST: its socket went silent; idle, no miss, the demand waits again.
    WITHDRAWN: the demand went away while ringing; idle, keeps its idle_since.
    ENDED: to wrap-up. READY: from wrap-up to idle.
    """

    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    LOST = "lost"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    READY = "ready"


class Admitting(StrEnum):
    """Whether a queue takes one more call now."""

    OPEN = "open"
    CLOSED = "closed"  # outside its hours
    NOBODY = "nobody"  # nobody who could ever answer is on duty
    FULL = "full"  # as many wait as may


class WaitReason(StrEnum):
    """Why somebody who waits is told a later place or time than before."""

    PRIORITY = "priority"  # somebody with precedence came
    FEWER_AGENTS = "fewer_agents"
    LONGER_CALLS = "longer_calls"


class Acceptance(StrEnum):
    REFUSED = "refused"  # the reservation is gone, or its deadline has come
    PARTIAL = "partial"  # the other one still rings
    COMPLETE = "complete"
