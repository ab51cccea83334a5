"""An agent as routing sees one: what is declared (presence) times what is observed (activity). Pure."""

from enum import StrEnum
from typing import NewType

from msgspec import Struct

from records.model import AccountId, CallId, ItemId, SiteId, SkillId, StationId

ReservationId = NewType("ReservationId", str)


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


class Agent(Struct, frozen=True):
    """A snapshot of one agent. Times are Unix seconds."""

    id: AccountId
    skills: dict[SkillId, int]
    site: SiteId
    presence: Presence
    activity: Activity
    since: float  # since when presence x activity is what it is
    idle_since: float  # when it last became free: what "longest idle" ranks by
    pause_reason: PauseReason | None = None
    call: CallId | None = None  # reserved for, in, or wrapping up
    reservation: ReservationId | None = None  # while it rings, and kept during the call
    misses: int = 0  # rings unanswered in a row
    wrap_up_until: float | None = None

    @property
    def routable(self) -> bool:
        return self.presence is Presence.AVAILABLE and self.activity is Activity.IDLE


class Waiting(Struct, frozen=True):
    """A call that waits. It keeps ``enqueued_at`` through decline and no-answer, and so its place."""

    call: CallId
    item: ItemId
    skill: SkillId
    station: StationId
    site: SiteId
    enqueued_at: float
    # Agents that let it ring or declined are passed over until then (Unix seconds).
    passed_over: dict[AccountId, float] = {}


class Reservation(Struct, frozen=True):
    """The offer of one call to one agent, with a deadline and a fence.

    ``fence`` grows with every reservation of the hall: a later one is always larger, so whoever
    holds a socket or a file can refuse what comes late.
    """

    id: ReservationId
    call: CallId
    agent: AccountId
    until: float
    fence: int


class Release(StrEnum):
    """Why a reserved or busy agent is let go, and what becomes of it.

    DECLINED: idle, the call passes over this agent for a while. NO_ANSWER: idle, one more miss; paused
    (missed_calls) at the limit. WITHDRAWN: the call went away while ringing; idle, keeps its idle_since.
    ENDED: to wrap-up. READY: from wrap-up to idle.
    """

    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"
    READY = "ready"
