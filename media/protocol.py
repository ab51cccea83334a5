"""Control messages of the media node: the one module of media/ that others may import.

The signaling side appends commands to a node's stream and reads events from the hall's event
stream; both are Redis streams of one field ``m`` holding the JSON of one message. Every command
is idempotent: sent twice it changes nothing the second time. A command whose ``generation`` is
older than the one the node knows for that participant is refused and reported as ``Refused``.

A node's lease is the key ``node_key(node)`` (JSON of ``NodeInfo``, expiring after ``NODE_LEASE_S``);
the set ``NODES`` lists every node that ever registered and is swept by whoever reads it.
"""

from enum import StrEnum
from typing import NewType

import msgspec
from msgspec import Struct

from records.model import Gap, MediaKind, ParticipantId, ParticipantRole, PartId

RoomId = NewType("RoomId", str)  # equal to the call's id
NodeId = NewType("NodeId", str)

NODES = "bb:media:nodes"
NODE_LEASE_S = 2.0  # a node that does not beat for this long is dead: its calls go elsewhere
NODE_BEAT_S = 0.5


NODE_NEWS = (
    "bb:media:news"  # a channel: ``NodeUp`` and ``NodeDown``, said at most once; the leases are the truth
)


def node_key(node: NodeId) -> str:
    return f"bb:media:node:{node}"


def worker_prefix(host: str, parent: int) -> str:
    """What the ids of all workers of one parent process begin with."""
    return f"{host}-{parent}."


def command_stream(node: NodeId) -> str:
    return f"bb:media:commands:{node}"


def event_stream(hall: str) -> str:
    """Events of every room of a hall, read by the web processes as one consumer group."""
    return f"bb:{{{hall}}}:media-events"


EVENT_GROUP = "switchboard"


class Source(StrEnum):
    """What a participant can send: one track each, fixed m-lines of the node's offer."""

    MIC = "mic"
    CAMERA = "camera"
    SHARE = "share"


class Mid(StrEnum):
    """The fixed m-lines, in the order of the node's offer (RFC 8843 MIDs).

    The first three are sendrecv: the browser sends its own mic, camera and share there and receives
    the first other participant's. The rest are for the third and fourth person, receive only.
    """

    MIC = "mic"
    CAMERA = "camera"
    SHARE = "share"
    AUDIO_2 = "audio2"
    VIDEO_2 = "video2"
    AUDIO_3 = "audio3"
    VIDEO_3 = "video3"


class VideoCodec(StrEnum):
    """Those of the node's offer, by their names in it."""

    VP8 = "VP8"
    H264 = "H264"
    VP9 = "VP9"
    AV1 = "AV1"


class TrackRef(Struct, frozen=True):
    """One track of one participant."""

    participant: ParticipantId
    source: Source


# --- commands: signaling -> node ---------------------------------------------------------------


class Command(Struct, frozen=True, tag=True):
    hall: str
    room: RoomId


class OpenRoom(Command, frozen=True):
    """Make the room if it is not there. ``folder`` is where its recording goes, relative to the
    recordings folder (e.g. ``2026-11-23/<call id>``)."""

    folder: str


class CloseRoom(Command, frozen=True):
    """Everybody out, seal every part; answered by ``RoomClosed`` when all parts are sealed."""


class Join(Command, frozen=True):
    """Make a connection for a participant; answered by ``Offered``. A higher generation replaces the
    participant's older connection (a reloaded page) and keeps what it is shown."""

    participant: ParticipantId
    role: ParticipantRole
    generation: int


class Answer(Command, frozen=True):
    """The browser's SDP answer; followed by ``Connected``, or ``Refused`` when it does not fit the offer.
    ``restart`` is that of the offer it answers."""

    participant: ParticipantId
    generation: int
    sdp: str
    restart: int = 0


class RestartIce(Command, frozen=True):
    """A browser on a new network: the same connection, DTLS and SRTP included, gets new ICE credentials
    (RFC 8839, 4.4.1.1.1). Answered by ``Offered`` with this ``restart``, which counts up from 1."""

    participant: ParticipantId
    generation: int
    restart: int


class Leave(Command, frozen=True):
    participant: ParticipantId


class SetSlots(Command, frozen=True):
    """Who sees what: the whole mapping, viewer -> MID -> track. MIDs not named show nothing.
    Older revisions than the last one applied are dropped."""

    revision: int
    slots: dict[ParticipantId, dict[Mid, TrackRef]]


class Record(Command, frozen=True):
    """Record these participants from now on (idempotent; an empty tuple stops and seals)."""

    participants: tuple[ParticipantId, ...]


AnyCommand = OpenRoom | CloseRoom | Join | Answer | RestartIce | Leave | SetSlots | Record


class Drain(Struct, frozen=True, tag=True):
    """To the node itself, in its stream: take no more rooms, and end when the last one is closed."""


# --- events: node -> signaling -----------------------------------------------------------------


class NodeEvent(Struct, frozen=True, tag=True):
    hall: str
    room: RoomId
    node: NodeId
    at: float  # Unix seconds on the node's clock


class Offered(NodeEvent, frozen=True):
    participant: ParticipantId
    generation: int
    sdp: str
    restart: int = 0


class RefusalReason(StrEnum):
    STALE_GENERATION = "stale_generation"
    NO_SUCH_ROOM = "no_such_room"
    NO_SUCH_PARTICIPANT = "no_such_participant"
    BAD_ANSWER = "bad_answer"  # unparsable, other m-lines, missing fingerprint, foreign codecs
    FULL = "full"


class Refused(NodeEvent, frozen=True):
    participant: ParticipantId | None
    generation: int
    reason: RefusalReason
    detail: str


class Connected(NodeEvent, frozen=True):
    """ICE and DTLS are up for this participant and generation. ``takes``: in which codecs it can be shown
    another one's share, by its answer."""

    participant: ParticipantId
    generation: int
    takes: tuple[VideoCodec, ...] = ()


class Disconnected(NodeEvent, frozen=True):
    """The connection failed, closed, or has been silent for 6 s."""

    participant: ParticipantId
    generation: int
    reason: str


class PartEvent(NodeEvent, frozen=True):
    part: PartId
    participant: ParticipantId
    role: ParticipantRole
    kind: MediaKind
    generation: int
    path: str  # relative to the recordings folder
    started_at: float  # Unix seconds of the file's timestamp 0


class PartOpened(PartEvent, frozen=True):
    pass


class PartSealed(PartEvent, frozen=True):
    """Says everything once more, so that it stands alone when ``PartOpened`` was lost."""

    duration: float  # seconds
    size: int  # bytes
    sha256: str  # hex
    gaps: tuple[Gap, ...]


class RoomClosed(NodeEvent, frozen=True):
    pass


AnyEvent = Offered | Refused | Connected | Disconnected | PartOpened | PartSealed | RoomClosed


class NodeInfo(Struct, frozen=True):
    """What a node says of itself every ``NODE_BEAT_S``; gone when its lease is over. A node is one worker
    process; ``full`` is why it takes no more rooms now (None: it does), by what it measured."""

    node: NodeId
    pid: int
    addresses: tuple[str, ...]  # candidate addresses it offers
    rooms: int
    capacity: int  # rooms it will take
    draining: bool
    started_at: float
    port: int = 0  # the UDP port of all its calls
    cpu: float = 0.0  # share of one core, the last seconds
    lag_ms: float = 0.0  # how late its loop ran, 99th percentile of the last seconds
    full: str | None = None


class NodeUp(Struct, frozen=True, tag=True):
    """A node has registered."""

    node: NodeId


class NodeDown(Struct, frozen=True, tag=True):
    """A node is gone, or is about to: its lease is deleted. Said by itself or by who watches over it."""

    node: NodeId


# --- quality: node -> whoever shows it ---------------------------------------------------------------


class TrackQuality(Struct, frozen=True):
    """One direction of one track between a participant and the node; sums since the connection began."""

    mid: Mid
    packets: int
    lost: int  # missing on arrival, before repair
    unrepaired: int  # never came
    bitrate: int  # bit/s over the last interval
    jitter_ms: float
    key_frames: int = 0
    freezes: int = 0  # video: times that nothing could be shown for more than 0.5 s


class LegQuality(Struct, frozen=True):
    """One participant's connection. ``up`` is what the node gets, ``down`` what it sends and the viewer
    reports. ``rtt_ms`` is None until it was measured; ``limit`` (bit/s) is what the viewer's path
    carries, None: no limit known; ``recorder_lag_ms`` how long frames wait for the disk."""

    participant: ParticipantId
    generation: int
    up: tuple[TrackQuality, ...]
    down: tuple[TrackQuality, ...]
    rtt_ms: float | None
    limit: int | None
    recorder_lag_ms: float = 0.0


class Quality(Struct, frozen=True):
    """What a node says of one room every ``QUALITY_S``: the value of ``quality_key`` and, at the same time, a
    message on ``quality_channel``."""

    hall: str
    room: RoomId
    node: NodeId
    at: float
    legs: tuple[LegQuality, ...]


QUALITY_S = 2.0
QUALITY_KEPT_S = 10


def quality_key(hall: str, room: RoomId) -> str:
    return f"bb:{{{hall}}}:quality:{room}"


def quality_channel(hall: str) -> str:
    return f"bb:{{{hall}}}:quality"


encode = msgspec.json.encode
quality_decoder = msgspec.json.Decoder(Quality)
command_decoder = msgspec.json.Decoder(AnyCommand | Drain)
news_decoder = msgspec.json.Decoder(NodeUp | NodeDown)
event_decoder = msgspec.json.Decoder(AnyEvent)
info_decoder = msgspec.json.Decoder(NodeInfo)
