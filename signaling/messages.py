"""Every WebSocket message, decoded once, at the door. docs/protocol.md lists them and is tested against this.

JSON text frames, one message each, at most ``MAX_FRAME`` bytes. ``type`` names the message. Inbound
messages are strict (unknown fields and wrong types are refused by name); each role has its own union,
so a station cannot even say what an agent may say. Times are Unix milliseconds (integers).

A request carries ``ref``, a number that grows by one with each request of a session; the server answers
``ack`` or ``error`` with the same ``ref`` and ignores one that it has already done. Everything that the
server sends except ``pong``/``ping`` carries ``seq``; a reconnect within ``RESUME_S`` names the token and
the last ``seq`` it saw, gets what it missed, and sends again what was not acknowledged.
"""

from enum import IntEnum, StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from agents.agent import Activity, PauseReason, Presence, ReservationId
from media.protocol import Mid, Source, VideoCodec
from records.model import (
    AccountId,
    CallId,
    EndReason,
    ItemId,
    Outcome,
    ParticipantId,
    ParticipantRole,
    RatingReason,
    StationId,
    Text,
)
from signaling.quality import Judgement
from signaling.snapshot import State

PROTOCOL = 1
MAX_FRAME = 64 * 1024
HEARTBEAT_S = 3.0  # each side pings this often
SILENCE_S = 10.0  # a socket that said nothing for this long is closed
RESUME_S = 10.0  # how long a session outlives its socket


def _tag(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


Sdp = Annotated[str, Meta(min_length=1, max_length=32_000)]
Note = Annotated[str, Meta(max_length=2_000)]
ShortId = Annotated[str, Meta(min_length=1, max_length=64)]
Ref = Annotated[int, Meta(ge=1, le=2**31)]


class CloseCode(IntEnum):
    """Why a socket was closed (RFC 6455, 7.4.2: 4000-4999 are ours). Who closes what: docs/protocol.md."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TOO_LARGE = 1009
    NOT_SIGNED_IN = 4001
    BAD_HELLO = 4002
    TAKEN_OVER = 4003  # another tab or device of the same identity connected
    SILENT = 4004
    TOO_MANY = 4005  # messages or errors beyond the limits
    SIGNED_OUT = 4006
    NOT_ALLOWED = 4007  # the origin or the role does not fit this address
    RESTARTING = 4008  # the service is going down; reconnect


class ErrorCode(StrEnum):
    """The name of what went wrong. The sentence beside it is for people."""

    MALFORMED = "malformed"  # not JSON, wrong type, unknown field, unknown message
    TOO_LARGE = "too_large"  # a frame above MAX_FRAME
    TOO_FAST = "too_fast"  # more than the rate allows
    OUT_OF_ORDER = "out_of_order"  # right message, wrong moment
    UNKNOWN_CALL = "unknown_call"  # no such call, or not yours: the two are not told apart
    UNKNOWN_ITEM = "unknown_item"  # the hall publishes no such item
    NOT_OFFERED = "not_offered"  # the ring was over before the answer came
    NOT_EMPOWERED = "not_empowered"  # this site may not handle this item
    BUSY = "busy"  # this station or agent already has a call
    BAD_ANSWER = "bad_answer"  # the SDP answer does not fit the offer
    NO_MEDIA = "no_media"  # no media node has room
    CONSENT_MISSING = "consent_missing"  # nobody is recorded who did not agree
    ALREADY_RATED = "already_rated"  # once per call
    INTERNAL = "internal"  # our fault: the database or Redis is away


# --- inbound -----------------------------------------------------------------------------------


class In(Struct, frozen=True, tag_field="type", tag=_tag, forbid_unknown_fields=True):
    pass


class Request(In, frozen=True, kw_only=True):
    ref: Ref


class Hello(In, frozen=True):
    """First message of an agent or manager; the cookie says who it is."""

    protocol: int
    resume: ShortId | None = None
    seen: int = 0


class StationHello(In, frozen=True):
    """First message of a station: the challenge of ``Challenge``, signed with the device key (Ed25519,
    base64url without padding) over ``bangban-station-1\\n<origin>\\n<station>\\n<nonce>`` in UTF-8."""

    protocol: int
    station: ShortId
    signature: Annotated[str, Meta(max_length=128)]
    resume: ShortId | None = None
    seen: int = 0


class Ping(In, frozen=True):
    pass


class Pong(In, frozen=True):
    pass


class Call(Request, frozen=True):
    """The resident wants to see somebody about an item, and agreed to be recorded."""

    item: Annotated[ItemId, Meta(max_length=64)]
    consent: bool


class Cancel(Request, frozen=True):
    call: CallId


class HangUp(Request, frozen=True):
    call: CallId


class Answer(Request, frozen=True):
    """The browser's SDP answer to ``offer``, with the ``restart`` of that."""

    call: CallId
    generation: int
    sdp: Sdp
    restart: Annotated[int, Meta(ge=0, le=2**31)] = 0


class Devices(Request, frozen=True):
    """What I send: whether my microphone and my camera are on. Until it is said, both count as on."""

    call: CallId
    mic: bool
    camera: bool


class Rate(Request, frozen=True):
    """好差评: by the resident alone, once per call. Reasons only with one or two stars."""

    call: CallId
    stars: Annotated[int, Meta(ge=1, le=5)]
    reasons: Annotated[tuple[RatingReason, ...], Meta(max_length=5)] = ()


class Dismiss(Request, frozen=True):
    """The resident is done with the ended call (rated or skipped): forget it at the station."""

    call: CallId


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


class WrapUp(Request, frozen=True):
    """What came of the call. May be sent again while wrap-up lasts; the last one stands."""

    call: CallId
    outcome: Outcome
    note: Note = ""


class Ready(Request, frozen=True):
    """Wrap-up is done. Refused while the call has no outcome."""

    call: CallId


class Rejoin(Request, frozen=True):
    """My connection is gone (reloaded page, failed ICE): make me a new one. Answered by a new ``offer``."""

    call: CallId
    generation: int  # the one that failed


class RestartIce(Request, frozen=True):
    """My network changed, or nothing comes through any more: keep my connection, and find it a new way.
    Answered by an ``offer`` of the same generation with the next ``restart``, or by one of the next
    generation when the connection is over. More than one in 2 s counts as one."""

    call: CallId
    generation: int


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
)
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
    | HangUp
    | WrapUp
    | Ready
)
ManagerIn = Hello | Ping | Pong

station_decoder = msgspec.json.Decoder(StationIn)
agent_decoder = msgspec.json.Decoder(AgentIn)
manager_decoder = msgspec.json.Decoder(ManagerIn)


# --- outbound ----------------------------------------------------------------------------------


class Out(Struct, frozen=True, tag_field="type", tag=_tag, omit_defaults=False):
    pass


class Challenge(Out, frozen=True):
    """First message to a station: 32 random bytes, base64url, good for this socket only."""

    nonce: str


class Welcome(Out, frozen=True):
    session: str
    resume: str
    resumed: bool
    now: int
    heartbeat_ms: int


class ServerPing(Out, frozen=True, tag="ping"):
    pass


class ServerPong(Out, frozen=True, tag="pong"):
    pass


class Ack(Out, frozen=True):
    ref: int


class Error(Out, frozen=True):
    """``text`` says what happened, what stays safe and what to do, in both languages."""

    code: ErrorCode
    text: Text
    ref: int | None = None


class TakenOver(Out, frozen=True):
    """Another tab or device of yours took over; the socket closes with 4003."""


class IceServer(Struct, frozen=True, omit_defaults=True):
    """RTCIceServer, as the browser takes it."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


class Offer(Out, frozen=True):
    """The node's SDP offer for this participant and generation: make a new connection and send ``answer``.
    With a ``restart`` above 0 it is for the connection of this generation, whose ICE begins anew."""

    call: CallId
    generation: int
    restart: int
    sdp: str
    ice_servers: tuple[IceServer, ...]


class SlotView(Struct, frozen=True):
    """What the track on this m-line shows."""

    mid: Mid
    participant: ParticipantId
    role: ParticipantRole
    source: Source


class AgentCard(Struct, frozen=True):
    """What a resident is told of an agent."""

    name: Text
    department: Text
    badge: str


class StationCall(Struct, frozen=True):
    """``ahead`` and ``estimate_s`` (low, high) only while it waits; ``estimate_s`` is null when there is no
    basis for one. ``on_duty`` counts agents with the skill who are available, free or busy: a pause is not
    duty (agents/waiting.py). ``ringing``: one of them is rung. ``held_up``: no media node can carry it just
    now; it keeps its place, and nobody is rung."""

    id: CallId
    item: ItemId
    phase: State
    ahead: int
    estimate_s: tuple[int, int] | None
    on_duty: int
    ringing: bool
    held_up: bool
    generation: int
    connected: bool
    agent: AgentCard | None
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


class Ring(Struct, frozen=True):
    """A call offered to this agent. ``waited_ms`` at the moment of sending."""

    call: CallId
    reservation: ReservationId
    item: ItemId
    station: Text
    site: Text
    requested_at: int
    until: int


class AgentCall(Struct, frozen=True):
    """``phase`` offered means: the connection is being made while it rings. ``share_codecs``: in which codecs
    the others can be shown what this agent shares, best first; it may change while something is shared."""

    id: CallId
    item: ItemId
    phase: State
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
    ring: Ring | None
    call: AgentCall | None
    waiting: int  # calls waiting that this agent has the skill for
    longest_wait_since: int | None
    colleagues_free: int


class Network(Struct, frozen=True):
    """One participant's connection to the media node: what is said of it, and figures of the last seconds."""

    role: ParticipantRole
    judgement: Judgement
    rtt_ms: int | None
    loss: float
    unrepaired: float
    up_kbps: int
    down_kbps: int


class CallQuality(Out, frozen=True):
    """How good the connections of the agent's call are; no ``networks`` when nothing is known any more."""

    call: CallId
    networks: tuple[Network, ...]


class OwnQuality(Out, frozen=True):
    """What is said of the station's own network during a call."""

    call: CallId
    judgement: Judgement | None


class WaitingRow(Struct, frozen=True):
    call: CallId
    item: Text
    station: Text
    requested_at: int
    ringing: Text | None  # who is being rung


class LiveRow(Struct, frozen=True):
    call: CallId
    item: Text
    station: Text
    agent: Text
    phase: State
    answered_at: int | None
    sharing: bool
    networks: tuple[Network, ...]


class AgentRow(Struct, frozen=True):
    agent: AccountId
    name: Text
    presence: Presence
    pause_reason: PauseReason | None
    activity: Activity
    since: int


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
    today: DayFigures


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
    | OwnQuality
)
AgentOut = Welcome | ServerPing | ServerPong | Ack | Error | TakenOver | Offer | AgentState | CallQuality
ManagerOut = Welcome | ServerPing | ServerPong | Ack | Error | ManagerState
AnyOut = StationOut | AgentOut | ManagerOut
