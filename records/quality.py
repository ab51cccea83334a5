"""How good the connections of a call were: one row a participant every ten seconds, never changed."""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from records.database import Database
from records.model import CallId, ParticipantId, ParticipantRole, QualityRow
from records.tables import quality, read_as

KEPT_S = 86_400.0  # of one participant at most: 8,640 rows
BATCH = 500  # rows a statement: SQLite takes a limited number of values


class QualitySums(Struct, frozen=True):
    """Of one participant over the whole call: counts are sums, the rest means, None if never measured."""

    participant: ParticipantId
    role: ParticipantRole
    packets: int
    lost: int
    unrepaired: int
    freezes: int
    rtt_ms: float | None
    up_bitrate: float
    down_bitrate: float


class QualityLog:
    """Carries out the port of the same name that signaling owns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, rows: Sequence[QualityRow]) -> None:
        """Append. A row already there by call, participant and time is skipped, so several may write the
        same; a row later than ``KEPT_S`` after the participant's first is let go."""
        append = self._database.insert(quality).on_conflict_do_nothing()
        async with self._database.write() as connection:
            wanted = await _within_bounds(connection, rows)
            for start in range(0, len(wanted), BATCH):
                await connection.execute(append, [_values(row) for row in wanted[start : start + BATCH]])

    async def of_call(self, call: CallId) -> tuple[QualityRow, ...]:
        """In order of participant and time."""
        query = sa.select(quality).where(quality.c.call == call)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(quality.c.participant, quality.c.at))
            return tuple(read_as(row, QualityRow) for row in rows.mappings())

    async def sums(self, call: CallId) -> tuple[QualitySums, ...]:
        """In order of participant."""
        c = quality.c
        counts = {
            "packets": c.up_packets + c.down_packets,
            "lost": c.up_lost + c.down_lost,
            "unrepaired": c.up_unrepaired + c.down_unrepaired,
            "freezes": c.freezes,
        }
        means = {name: c[name] for name in ("rtt_ms", "up_bitrate", "down_bitrate")}
        query = (
            sa.select(
                c.participant,
                c.role,
                # PostgreSQL sums and averages integers as decimals.
                *(sa.cast(sa.func.sum(of), sa.BigInteger).label(name) for name, of in counts.items()),
                *(sa.cast(sa.func.avg(of), sa.Double).label(name) for name, of in means.items()),
            )
            .where(c.call == call)
            .group_by(c.participant, c.role)
            .order_by(c.participant)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings()
            return tuple(read_as(row, QualitySums) for row in rows)


async def _within_bounds(connection: AsyncConnection, rows: Sequence[QualityRow]) -> list[QualityRow]:
    firsts: dict[tuple[CallId, ParticipantId], float] = {}
    for row in rows:
        key = (row.call, row.participant)
        if key not in firsts:
            begun = await connection.scalar(
                sa.select(sa.func.min(quality.c.at)).where(
                    quality.c.call == row.call, quality.c.participant == row.participant
                )
            )
            firsts[key] = row.at if begun is None else min(begun, row.at)
        firsts[key] = min(firsts[key], row.at)
    return [row for row in rows if row.at - firsts[row.call, row.participant] < KEPT_S]


def _values(row: QualityRow) -> dict[str, object]:
    return msgspec.structs.asdict(row) | {"role": row.role.value}
