"""The words that every part shares: identities, the hall's content, and what is kept of a call.

Pure data. Nothing here reads a clock, a file or a socket; everything else may import it.
"""

from enum import StrEnum
from typing import Annotated, NewType

from msgspec import Meta, Struct, field

HallId = NewType("HallId", str)
SiteId = NewType("SiteId", str)
StationId = NewType("StationId", str)
DepartmentId = NewType("DepartmentId", str)
ZoneId = NewType("ZoneId", str)
ItemId = NewType("ItemId", str)
SkillId = NewType("SkillId", str)
QueueId = NewType("QueueId", str)  # calls that are routed alike; an item's is its skill's unless it names one
AccountId = NewType("AccountId", str)
CallId = NewType("CallId", str)
ParticipantId = NewType("ParticipantId", str)
PartId = NewType("PartId", str)


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """One text in the hall's two languages."""

    zh: str
    en: str


class Tier(StrEnum):
    DISTRICT = "district"
    TOWN = "town"
    VILLAGE = "village"


class AccountRole(StrEnum):
    """What a signed-in person may do. One account has one role."""

    AGENT = "agent"
    EXPERT = "expert"
    MANAGER = "manager"
    ADMIN = "admin"


class ParticipantRole(StrEnum):
    """What somebody is in one call."""

    RESIDENT = "resident"
    AGENT = "agent"
    EXPERT = "expert"
    INTERPRETER = "interpreter"
    SUPERVISOR = "supervisor"


class EndReason(StrEnum):
    """Why a call ended; every ending has exactly one of these names."""

    COMPLETED_BY_RESIDENT = "completed_by_resident"
    COMPLETED_BY_AGENT = "completed_by_agent"
    CANCELLED = "cancelled"  # by the resident, before anybody answered
    RESIDENT_LOST = "resident_lost"  # the station went away and did not come back in time
    AGENT_LOST = "agent_lost"  # of earlier versions: today the call goes back to the front of its queue
    CONNECT_FAILED = "connect_failed"  # accepted, but the media connections were never made
    MEDIA_LOST = "media_lost"  # the media node died and no other could take the call
    UNANSWERED = "unanswered"  # nobody could answer for as long as the queue lets anybody wait
    TRANSFER_ABANDONED = "transfer_abandoned"  # by the resident, while handed on to somebody who had not come


class Outcome(StrEnum):
    """What the agent says came of the call, chosen during wrap-up."""

    RESOLVED = "resolved"  # 办成了
    GUIDED = "guided"  # 已告知办法，居民自行办理
    MATERIALS_MISSING = "materials_missing"  # 材料不齐
    REFERRED = "referred"  # 转责任部门
    NOT_POSSIBLE = "not_possible"  # 不符合办理条件
    CUT_OFF = "cut_off"  # 通话中断
    OTHER = "other"


class RatingReason(StrEnum):
    """Chips offered for the two lowest levels (好差评)."""

    WAITED_LONG = "waited_long"
    NOT_SOLVED = "not_solved"
    NOT_CLEAR = "not_clear"
    ATTITUDE = "attitude"
    PICTURE_OR_SOUND = "picture_or_sound"


class MediaKind(StrEnum):
    CAMERA = "camera"  # a participant's microphone and camera
    SHARE = "share"  # a participant's shared screen


# --- hours -------------------------------------------------------------------------------------

WEEK = 7
DAY_MIN = 24 * 60


class Span(Struct, frozen=True, forbid_unknown_fields=True):
    """From ``start`` until just before ``end``, in minutes of the local day, on ``days`` (Monday is 1)."""

    days: tuple[Annotated[int, Meta(ge=1, le=WEEK)], ...]
    start: Annotated[int, Meta(ge=0, lt=DAY_MIN)]
    end: Annotated[int, Meta(gt=0, le=DAY_MIN)]


class Hours(Struct, frozen=True, forbid_unknown_fields=True):
    """A week in the hall's time zone. ``closed``: local dates (YYYY-MM-DD) on which nothing is open."""

    spans: tuple[Span, ...]
    closed: tuple[str, ...] = ()


ALWAYS = Hours((Span(tuple(range(1, WEEK + 1)), 0, DAY_MIN),))


# --- the hall's content -----------------------------------------------------------------------


class Site(Struct, frozen=True, forbid_unknown_fields=True):
    """A place in the tree district -> town -> village.

    ``empowers`` names what may be handled there (赋权): zone ids, item ids, or ``"*"`` for all.
    """

    id: SiteId
    tier: Tier
    name: Text
    address: Text
    parent: SiteId | None = None
    empowers: tuple[str, ...] = ("*",)


class Department(Struct, frozen=True, forbid_unknown_fields=True):
    id: DepartmentId
    name: Text


class Zone(Struct, frozen=True, forbid_unknown_fields=True):
    id: ZoneId
    name: Text
    summary: Text
    icon: str  # the name of a symbol in web/static/icons.svg


class MaterialForm(StrEnum):
    ORIGINAL = "original"
    COPY = "copy"
    ORIGINAL_AND_COPY = "original_and_copy"
    FILLED_FORM = "filled_form"


class Material(Struct, frozen=True, forbid_unknown_fields=True):
    name: Text
    form: MaterialForm = MaterialForm.ORIGINAL
    note: Text | None = None


class Item(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing a resident can get done (事项), with its guide."""

    id: ItemId
    zone: ZoneId
    department: DepartmentId
    name: Text
    summary: Text  # one plain sentence: what you get
    duration: Text  # 多久: processing time in words
    fee: Text
    steps: tuple[Text, ...]
    materials: tuple[Material, ...]
    skill: SkillId  # an agent needs it to be offered this item; the loader defaults it to the zone's id
    level: int = 1  # at least so much of it
    also: dict[SkillId, int] = {}  # and these, each at least at its level
    queue: QueueId | None = None  # None: the queue of the skill
    served_by: tuple[Tier, ...] = (Tier.DISTRICT, Tier.TOWN, Tier.VILLAGE)  # whose agents may be offered it
    popular: int = 0  # higher is shown earlier; 0 is not featured
    video: str | None = None  # file name under the content folder's media/
    keywords: tuple[str, ...] = ()
    pinyin: str = ""  # full pinyin of name.zh, no tones, syllables joined by spaces (filled by the loader)
    initials: str = ""  # pinyin initials, e.g. "sbjfzmdy" (filled by the loader)


class Skill(Struct, frozen=True, forbid_unknown_fields=True):
    """A skill that is not a zone's, or that an interpreter lends to a call (手语, dialects)."""

    id: SkillId
    name: Text
    interpreter: bool = False


class Content(Struct, frozen=True, forbid_unknown_fields=True):
    """All that a hall publishes. Ids are unique per kind; references are resolvable (the loader checks)."""

    hall: HallId
    name: Text
    sites: tuple[Site, ...]
    departments: tuple[Department, ...]
    zones: tuple[Zone, ...]
    items: tuple[Item, ...]
    skills: tuple[Skill, ...] = ()


# --- people and devices ------------------------------------------------------------------------


class Account(Struct, frozen=True):
    """A person who signs in. The password hash never leaves records/."""

    id: AccountId
    login: str
    role: AccountRole
    name: Text
    badge: str  # shown to the resident, e.g. "0317"
    department: DepartmentId
    site: SiteId
    skills: dict[SkillId, int] = {}  # level 1 (can) .. 5 (teaches)
    active: bool = True
    hours: Hours = ALWAYS


class Station(Struct, frozen=True):
    """An unattended terminal. Its identity is a device key, not a user account."""

    id: StationId
    site: SiteId
    name: Text
    public_key: bytes | None = None  # raw Ed25519 (32 bytes); None until enrolled
    active: bool = True


# --- what is kept of a call --------------------------------------------------------------------


class JournalKind(StrEnum):
    """What may stand in a call's journal. ``data`` keys in parentheses."""

    REQUESTED = "requested"  # (station, item)
    RING = "ring"  # (agent)
    DECLINED = "declined"  # (agent)
    NO_ANSWER = "no_answer"  # (agent)
    ANSWERED = "answered"  # (agent)
    CONNECTED = "connected"  # both sides have media (no data)
    AWAY = "away"  # somebody's connection was lost (participant, role)
    BACK = "back"  # and came back (participant, role)
    SHARE_STARTED = "share_started"  # (participant)
    SHARE_STOPPED = "share_stopped"  # (participant)
    NOTE = "note"  # (agent, text)
    QUEUED_AGAIN = "queued_again"  # back to the front of a queue (reason: transfer | agent_lost, agent, to)
    HELD = "held"  # the resident is on hold (agent)
    RESUMED = "resumed"  # (agent)
    ASKED = "asked"  # somebody is asked to join (agent, kind, role, to)
    ASK_FAILED = "ask_failed"  # and did not (kind, to, reason)
    JOINED = "joined"  # somebody came (participant, role, agent, kind)
    LEFT = "left"  # and went (participant, role, agent)
    HANDED_OVER = "handed_over"  # the call has another owner (agent: the former, to: the new one)
    SUPERVISED = "supervised"  # a supervisor came, or does something else now (supervisor, mode)
    UNSUPERVISED = "unsupervised"  # and went (supervisor)
    MEDIA_MOVED = "media_moved"  # the media node died, the call goes on elsewhere (node)
    ENDED = "ended"  # (reason)
    WRAPPED_UP = "wrapped_up"  # (agent, outcome, note)
    RATED = "rated"  # (stars, reasons)


class JournalEntry(Struct, frozen=True):
    """One line of a call's append-only journal; the player's timeline is drawn from these.

    ``at`` is Unix time in seconds. ``key`` makes an entry written twice (a retried save) count once per call.
    """

    call: CallId
    at: float
    kind: JournalKind
    key: str
    data: dict[str, str | int | float | bool | None] = {}


class CallSummary(Struct, frozen=True):
    """A call as the manager's list shows it; written at its start and completed at its end. Times: Unix s."""

    id: CallId
    station: StationId
    site: SiteId
    item: ItemId
    requested_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    end_reason: EndReason | None = None
    agent: AccountId | None = None
    outcome: Outcome | None = None
    outcome_note: str = ""
    stars: int | None = None  # 1 (非常不满意) .. 5 (非常满意)


class AppointmentState(StrEnum):
    BOOKED = "booked"
    CALLED = "called"  # a call was placed with its code
    CANCELLED = "cancelled"
    MISSED = "missed"


class Appointment(Struct, frozen=True):
    """A call-back slot: who comes to a station with ``code`` within it goes ahead of others; with a ``phone``
    the hall calls back by telephone. Times are Unix seconds."""

    id: str
    code: str  # six digits, unique among those that are not over
    item: ItemId
    station: StationId  # where it was booked
    site: SiteId
    at: float  # the slot's beginning
    made_at: float
    phone: str | None = None
    state: AppointmentState = AppointmentState.BOOKED
    call: CallId | None = None


class QualityRow(Struct, frozen=True):
    """Ten seconds of one participant's connection, from ``at`` (Unix seconds) on: counts within them, means
    of bitrates (bit/s) and round trip, the worst jitter, recorder lag and bitrate limit. ``up`` is towards
    the media node; ``lost`` is before repair, ``unrepaired`` never came."""

    call: CallId
    participant: ParticipantId
    at: float
    role: ParticipantRole
    rtt_ms: float | None
    bitrate_limit: int | None  # what the path carried; None: no limit was seen
    up_bitrate: int
    down_bitrate: int
    up_packets: int
    up_lost: int
    up_unrepaired: int
    down_packets: int
    down_lost: int
    down_unrepaired: int
    jitter_ms: float
    freezes: int
    key_frames: int
    recorder_lag_ms: float


class Gap(Struct, frozen=True):
    """Media that is missing inside a part. Seconds from the part's start."""

    start: float
    end: float
    track: str  # "audio" | "video"
    reason: str  # "lost" | "muted" | "no_key_frame" | "node_died" | "disk"


class Part(Struct, frozen=True):
    """One file of a recording. Listed when it is opened, completed when it is sealed.

    ``path`` is relative to the recordings folder, ``started_at`` is Unix seconds of its timestamp 0.
    """

    id: PartId
    call: CallId
    participant: ParticipantId
    role: ParticipantRole
    kind: MediaKind
    generation: int
    path: str
    started_at: float
    sealed: bool = False
    duration: float | None = None  # seconds
    size: int | None = None  # bytes
    sha256: str | None = None  # hex
    gaps: tuple[Gap, ...] = field(default_factory=tuple)
