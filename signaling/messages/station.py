"""What a station says and is told."""

from typing import Annotated

from msgspec import Meta, Struct

from agents.agent import Admitting, Lane, WaitReason
from records.model import CallId, EndReason, ItemId, RatingReason, StationId, Text
from signaling.messages.common import (
    Ack,
    AgentCard,
    Answer,
    Devices,
    Error,
    HangUp,
    In,
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
    ShortId,
    SlotView,
    TakenOver,
    Welcome,
)
from signaling.quality import Judgement
from signaling.snapshot import Moved, State

Code = Annotated[str, Meta(pattern=r"^[0-9]{6}$")]

# --- inbound ---------------------------------------------------------------------------------------


class StationHello(In, frozen=True):
    """First message of a station: the challenge of ``Challenge``, signed with the device key (Ed25519,
    base64url without padding) over ``bangban-station-1\\n<origin>\\n<station>\\n<nonce>`` in UTF-8."""

    protocol: int
    station: ShortId
    signature: Annotated[str, Meta(max_length=128)]
    resume: ShortId | None = None
    seen: int = 0


class Call(Request, frozen=True):
    """The resident wants to see somebody about an item, and agreed to be recorded."""

    item: Annotated[ItemId, Meta(max_length=64)]
    consent: bool
    elder: bool = False  # an elderly resident: a lane of its own
    sign_language: bool = False  # an interpreter is needed from the start
    appointment: Code | None = None  # of a call-back slot that is now


class Cancel(Request, frozen=True):
    call: CallId


class Rate(Request, frozen=True):
    """好差评: by the resident alone, once per call. Reasons only with one or two stars."""

    call: CallId
    stars: Annotated[int, Meta(ge=1, le=5)]
    reasons: Annotated[tuple[RatingReason, ...], Meta(max_length=5)] = ()


class Dismiss(Request, frozen=True):
    """The resident is done with the ended call (rated or skipped): forget it at the station."""

    call: CallId


class AskSlots(Request, frozen=True):
    """When could somebody call back about this item? Answered by ``slots``."""

    item: Annotated[ItemId, Meta(max_length=64)]


class Book(Request, frozen=True):
    """Take a slot. Answered by ``booked``. With a ``phone`` the hall calls that; else the resident comes."""

    item: Annotated[ItemId, Meta(max_length=64)]
    at: int
    phone: Annotated[str, Meta(pattern=r"^[0-9+][0-9 -]{5,19}$")] | None = None


# --- outbound --------------------------------------------------------------------------------------


class Challenge(Out, frozen=True):
    """First message to a station: 32 random bytes, base64url, good for this socket only."""

    nonce: str


class StationCall(Struct, frozen=True):
    """``ahead`` and ``estimate_s`` (low, high) only while it waits; ``estimate_s`` is null when there is no
    basis for one. Neither grows without a ``wait_reason``. ``widened``: how many rings beyond the first
    are asked. ``people``: everybody else who may be known of, the owner first; ``moved``: why it waits once
    more. ``on_duty`` counts agents with the skill who are available, free or busy: a pause is not
    duty (agents/waiting.py). ``ringing``: one of them is rung. ``held_up``: no media node can carry it just
    now; it keeps its place, and nobody is rung."""

    id: CallId
    item: ItemId
    phase: State
    ahead: int
    estimate_s: tuple[int, int] | None
    wait_reason: WaitReason | None
    lane: Lane
    widened: int
    on_duty: int
    ringing: bool
    held_up: bool
    generation: int
    connected: bool
    agent: AgentCard | None
    people: tuple[PersonView, ...]
    on_hold: bool
    moved: Moved | None
    agent_away: bool  # the agent's connection is being restored
    agent_mic: bool
    agent_camera: bool
    slots: tuple[SlotView, ...]
    sharing: bool
    requested_at: int
    answered_at: int | None
    ended_at: int | None
    end_reason: EndReason | None
    rated: bool


class StationState(Out, frozen=True):
    """The whole of what a station draws from. ``call`` stays after its end until it is dismissed."""

    station: StationId
    name: Text
    call: StationCall | None


class Slot(Struct, frozen=True):
    at: int
    free: int


class Slots(Out, frozen=True):
    """Call-back slots for an item on this and the next days, and how its queue stands now."""

    item: ItemId
    admission: Admitting
    opens_at: int | None
    minutes: int  # how long a slot is
    slots: tuple[Slot, ...]


class Booked(Out, frozen=True):
    item: ItemId
    at: int
    minutes: int
    code: str
    phone: str | None


class OwnQuality(Out, frozen=True):
    """What is said of the station's own network during a call."""

    call: CallId
    judgement: Judgement | None


StationIn = (
    StationHello
    | Ping
    | Pong
    | Call
    | Cancel
    | HangUp
    | Answer
    | Rejoin
    | RestartIce
    | Devices
    | Rate
    | Dismiss
    | AskSlots
    | Book
)
StationOut = (
    Challenge
    | Welcome
    | ServerPing
    | ServerPong
    | Ack
    | Error
    | TakenOver
    | Offer
    | StationState
    | Slots
    | Booked
    | OwnQuality
)
