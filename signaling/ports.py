"""What signaling needs from the outside, as tiny interfaces that it owns.

web/app.py plugs the real ones in.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from records.model import (
    AccountId,
    Appointment,
    CallId,
    CallSummary,
    DepartmentId,
    Item,
    ItemId,
    JournalEntry,
    Part,
    QualityRow,
    QueueId,
    RatingReason,
    SiteId,
    SkillId,
    StationId,
    Text,
)
from signaling.messages import AgentCard, DayFigures


class NotYet(Exception):
    """Something else must be written first; to be tried again in a while."""


class Ledger(Protocol):
    """What must outlast the call. Every verb is idempotent; a failed one is tried again by its caller."""

    async def write(self, entries: Sequence[JournalEntry], summary: CallSummary) -> None:
        """Append the entries (one already there by call and key is skipped) and bring the call's row up to
        date, in one transaction. Fields of the summary that are None never overwrite what is there."""
        ...

    async def part_opened(self, part: Part) -> None: ...

    async def part_sealed(self, part: Part) -> None:
        """Complete a part. Unknown ones are inserted."""
        ...

    async def rate(self, call: CallId, stars: int, reasons: Sequence[RatingReason], at: float) -> bool:
        """False when the call is unknown or already rated."""
        ...

    async def recording_complete(self, call: CallId) -> None:
        """The media node has sealed every part of the call's recording. Raises NotYet."""
        ...


class StationCard(Struct, frozen=True):
    id: StationId
    name: Text
    site: SiteId
    site_name: Text


class AuditTrail(Protocol):
    async def supervised(self, supervisor: AccountId, call: CallId, mode: str, at: float) -> None:
        """Written before anything is seen or heard; what it raises forbids the supervision. ``mode``: one of
        Supervision's values, "take_over", or "stop"."""
        ...


class Taken(Exception):
    """The appointment's time is not free (any more)."""


class Appointments(Protocol):
    """Call-back slots."""

    minutes: int  # how long one is

    async def free(self, item: Item, now: float) -> Sequence[tuple[float, int]]:
        """Slots of this and the next opening days that are not full: beginning (Unix s), places left."""
        ...

    async def book(
        self, item: Item, station: StationCard, at: float, phone: str | None, now: float
    ) -> Appointment:
        """Raises Taken."""
        ...

    async def due(self, code: str, now: float) -> Appointment | None:
        """The booked one of this code whose time is now, a quarter of an hour to either side."""
        ...

    async def called(self, appointment: str, call: CallId) -> None:
        """Its call was placed; the code is used up."""
        ...


class QualityLog(Protocol):
    """How good the connections of each call were, for good."""

    async def keep(self, rows: Sequence[QualityRow]) -> None:
        """Append; a row already there by call, participant and time is skipped."""
        ...


class Directory(Protocol):
    """Who and what the ids mean. Answers come from memory, brought up to date in the background."""

    def item(self, item: ItemId) -> Item | None: ...

    def serves(self, site: SiteId, item: ItemId) -> bool:
        """Whether the site is empowered (赋权) for the item."""
        ...

    def station(self, station: StationId) -> StationCard | None: ...

    def stations(self) -> tuple[StationCard, ...]: ...

    def agent(self, account: AccountId) -> AgentCard | None: ...

    def skill(self, skill: SkillId) -> Text:
        """What people call it; the id itself when nobody named it."""
        ...

    def department(self, department: DepartmentId) -> Text: ...

    def interpreting(self) -> Sequence[SkillId]:
        """The skills that an interpreter can be asked for."""
        ...


class QueueFigures(Struct, frozen=True):
    """Today's, of one queue."""

    calls: int
    answered: int
    abandoned: int
    in_goal: int


class Statistics(Protocol):
    """Figures over what is over, as fresh as a few seconds."""

    def recent_talks(self, queue: QueueId) -> Sequence[float]:
        """How long the last calls of this queue kept an agent, wrap-up included, in seconds, newest first."""
        ...

    def of_queue(self, queue: QueueId) -> QueueFigures: ...

    def today(self) -> DayFigures: ...
