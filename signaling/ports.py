"""What signaling needs from the outside, as tiny interfaces that it owns.

web/app.py plugs the real ones in.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from records.model import (
    AccountId,
    CallId,
    CallSummary,
    Item,
    ItemId,
    JournalEntry,
    Part,
    QualityRow,
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


class QualityLog(Protocol):
    """How good the connections of each call were, for good."""

    async def keep(self, rows: Sequence[QualityRow]) -> None:
        """Append; a row already there by call, participant and time is skipped."""
        ...


class StationCard(Struct, frozen=True):
    id: StationId
    name: Text
    site: SiteId
    site_name: Text


class Directory(Protocol):
    """Who and what the ids mean. Answers come from memory, brought up to date in the background."""

    def item(self, item: ItemId) -> Item | None: ...

    def serves(self, site: SiteId, item: ItemId) -> bool:
        """Whether the site is empowered (赋权) for the item."""
        ...

    def station(self, station: StationId) -> StationCard | None: ...

    def stations(self) -> tuple[StationCard, ...]: ...

    def agent(self, account: AccountId) -> AgentCard | None: ...


class Statistics(Protocol):
    """Figures over what is over, as fresh as a few seconds."""

    def recent_talks(self, skill: SkillId) -> Sequence[float]:
        """Lengths in seconds of the last calls that needed this skill, newest first."""
        ...

    def today(self) -> DayFigures: ...
