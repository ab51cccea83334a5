"""What signaling needs from the outside, as tiny interfaces that it owns. web/app.py plugs the real ones in."""

from collections.abc import Sequence
from typing import Protocol

from records.model import CallId, CallSummary, JournalEntry, Part, RatingReason


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
