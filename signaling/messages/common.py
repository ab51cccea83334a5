"""How every message travels, and what more than one role says or is told.

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

from msgspec import Meta, Struct

from media.protocol import Mid, Source
from records.model import (
    CallId,
    Outcome,
    ParticipantId,
    ParticipantRole,
    Text,
)
from signaling.quality import Judgement
from signaling.snapshot import Joining, Supervision

PROTOCOL = 1
MAX_FRAME = 64 * 1024
HEARTBEAT_S = 3.0  # each side pings this often
SILENCE_S = 6.0  # a socket that said nothing for this long is closed
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
    CLOSED = "closed"  # outside the queue's hours
    NOBODY = "nobody"  # nobody who could answer is signed in
    QUEUE_FULL = "queue_full"  # so many wait already that one more would wait for nothing
    SLOT_TAKEN = "slot_taken"  # the appointment's time is not free (any more)
    UNKNOWN_CODE = "unknown_code"  # no appointment has this code, or not now
    NOT_OWNER = "not_owner"  # only who owns the call may do this
    ROOM_FULL = "room_full"  # four people are in the call already
    ALREADY_ASKED = "already_asked"  # somebody is being asked to join; one at a time
    UNKNOWN_TARGET = "unknown_target"  # no such queue, colleague or department, or nobody there is on duty
    NO_MORE_TIME = "no_more_time"  # every extension of this wrap-up is used up
    INTERNAL = "internal"  # our fault: the database or Redis is away


# --- inbound ---------------------------------------------------------------------------------------


class In(Struct, frozen=True, tag_field="type", tag=_tag, forbid_unknown_fields=True):
    pass


class Request(In, frozen=True, kw_only=True):
    ref: Ref


class Hello(In, frozen=True):
    """First message of an agent or manager; the cookie says who it is."""

    protocol: int
    resume: ShortId | None = None
    seen: int = 0


class Ping(In, frozen=True):
    pass


class Pong(In, frozen=True):
    pass


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


class WrapUp(Request, frozen=True):
    """What came of the call. May be sent again while wrap-up lasts; the last one stands."""

    call: CallId
    outcome: Outcome
    note: Note = ""


# --- outbound --------------------------------------------------------------------------------------


class Out(Struct, frozen=True, tag_field="type", tag=_tag, omit_defaults=False):
    pass


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


class Network(Struct, frozen=True):
    """One participant's connection to the media node: what is said of it, and figures of the last seconds."""

    role: ParticipantRole
    judgement: Judgement
    rtt_ms: int | None
    loss: float
    unrepaired: float
    up_kbps: int
    down_kbps: int


class PersonView(Struct, frozen=True):
    """Somebody else in the call, as whoever is in it may know. ``joining``: how it came in; None: who
    answered the call itself. ``ringing``: asked to join and not there yet."""

    participant: ParticipantId
    role: ParticipantRole
    name: Text
    department: Text
    badge: str
    owner: bool
    joining: Joining | None
    supervision: Supervision | None
    ringing: bool
    away: bool
    mic: bool
    camera: bool
