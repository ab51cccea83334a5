"""The ledger: what signaling and the media node hand over of a call, for good. Every verb is idempotent."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from records.database import Database
from records.model import CallId, CallSummary, JournalEntry, Part, RatingReason
from records.tables import calls, journal, parts, ratings, storable


class Ledger:
    """Carries out the port of the same name that signaling owns; the manifest at the end is ``Manifests``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, entries: Sequence[JournalEntry], summary: CallSummary) -> None:
        """Append the entries and bring the call's row up to date, in one transaction.

        An entry already there by call and key is skipped. Where it was, when it began and how many stars it
        got never change once written; of the rest, what is None never overwrites. Raises ValueError for an
        entry of another call.
        """
        if any(entry.call != summary.id for entry in entries):
            raise ValueError(f"Entries of another call were handed over with {summary.id}")
        async with self._database.write() as connection:
            await connection.execute(self._upsert(summary))
            if entries:
                append = self._database.insert(journal).on_conflict_do_nothing(index_elements=["call", "key"])
                await connection.execute(append, [_entry_row(entry) for entry in entries])

    async def part_opened(self, part: Part) -> None:
        """List a part. Nothing happens when it is already there, sealed or not."""
        async with self._database.write() as connection:
            await connection.execute(
                self._database.insert(parts)
                .values(_part_row(part))
                .on_conflict_do_nothing(index_elements=["id"])
            )

    async def part_sealed(self, part: Part) -> None:
        """Complete a part, or insert it complete. The first seal stands: a hash once kept never changes."""
        row = _part_row(part) | {"sealed": True}
        sealing = ("sealed", "duration", "size", "sha256", "gaps")
        statement = self._database.insert(parts).values(row)
        async with self._database.write() as connection:
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["id"],
                    set_={name: statement.excluded[name] for name in sealing},
                    where=parts.c.sealed.is_(False),
                )
            )

    async def rate(self, call: CallId, stars: int, reasons: Sequence[RatingReason], at: float) -> bool:
        """False when the call is unknown or already rated. Raises ValueError unless stars are 1 to 5."""
        if not 1 <= stars <= 5:
            raise ValueError(f"A rating has 1 to 5 stars, not {stars}")
        async with self._database.write() as connection:
            known = await connection.scalar(sa.select(calls.c.id).where(calls.c.id == call))
            if known is None:
                return False
            insert = self._database.insert(ratings).values(
                call=call, stars=stars, reasons=list(reasons), at=at
            )
            insert = insert.on_conflict_do_nothing(index_elements=["call"])
            rated = await connection.scalar(insert.returning(ratings.c.call))
            if rated is None:
                return False
            await connection.execute(calls.update().where(calls.c.id == call).values(stars=stars))
            return True

    def _upsert(self, summary: CallSummary) -> sa.Executable:
        statement = self._database.insert(calls).values(msgspec.structs.asdict(summary))
        new = statement.excluded
        newest = ("answered_at", "ended_at", "end_reason", "agent", "outcome")
        changes: dict[str, Any] = {name: sa.func.coalesce(new[name], calls.c[name]) for name in newest}
        # The note belongs to the outcome: an empty one is meant only when an outcome comes with it.
        changes["outcome_note"] = sa.case(
            (new.outcome.is_not(None), new.outcome_note), else_=calls.c.outcome_note
        )
        changes["stars"] = sa.func.coalesce(calls.c.stars, new.stars)
        return statement.on_conflict_do_update(index_elements=["id"], set_=changes)


def _entry_row(entry: JournalEntry) -> dict[str, Any]:
    data = {name: storable(value) if isinstance(value, str) else value for name, value in entry.data.items()}
    return {"call": entry.call, "at": entry.at, "kind": entry.kind.value, "key": entry.key, "data": data}


def _part_row(part: Part) -> dict[str, Any]:
    return msgspec.structs.asdict(part) | {"gaps": msgspec.to_builtins(part.gaps)}
