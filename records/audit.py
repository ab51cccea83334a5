"""The audit trail: who did what to which object, from where and why. Append-only and hash-chained.

Each row holds the SHA-256 over its own content and the row before it, so a row that was changed, taken out
or slipped in is found by ``verify``. Rows cut off at the end are found by comparing ``head`` with one that
was written down elsewhere.
"""

from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from records.canonical import NO_HASH, canonical, sha256
from records.database import Chain, Database
from records.model import AccountId
from records.tables import audit, read_as, storable

Details = dict[str, str | int | float | bool | None]
_VERIFY_BATCH = 500


class AuditLine(Struct, frozen=True):
    """What is to be written. ``actor`` is None when nobody is signed in (a failed login, the command line);
    ``actor_name`` is then what is known. ``object`` names what it was done to, e.g. ``call:<id>``."""

    at: float
    action: str
    object: str
    actor: AccountId | None = None
    actor_name: str = ""
    purpose: str = ""
    address: str = ""
    details: Details = {}


class AuditEntry(AuditLine, frozen=True, kw_only=True):
    """A line that stands in the trail."""

    seq: int  # 1, 2, 3 … without holes
    previous: str  # hash of the row before
    hash: str


class AuditFilter(Struct, frozen=True):
    """All that is given must hold. ``since`` <= at < ``until``, Unix seconds."""

    actor: AccountId | None = None
    action: str | None = None
    object: str | None = None
    since: float | None = None
    until: float | None = None


class Head(Struct, frozen=True):
    """The end of the trail: how many rows there are, and the last one's hash."""

    seq: int
    hash: str


class Audit:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, line: AuditLine) -> AuditEntry:
        """Returns only after the row is committed."""
        async with self._database.write() as connection:
            return await self.append(connection, line)

    async def append(self, connection: AsyncConnection, line: AuditLine) -> AuditEntry:
        """Write as part of a transaction that somebody else commits."""
        await self._database.alone(connection, Chain.AUDIT)
        head = await _head(connection)
        content = _storable(line)
        digest = _digest(head.seq + 1, head.hash, content)
        row = content | {"seq": head.seq + 1, "previous": head.hash, "hash": digest}
        await connection.execute(audit.insert().values(row))
        return msgspec.convert(row, AuditEntry)

    async def page(
        self, wanted: AuditFilter, before: int | None = None, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """Newest first; ``before`` is the last ``seq`` of the page before."""
        query = sa.select(audit).where(*_conditions(wanted))
        if before is not None:
            query = query.where(audit.c.seq < before)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(audit.c.seq.desc()).limit(limit))
            return tuple(read_as(row, AuditEntry) for row in rows.mappings())

    async def head(self) -> Head:
        async with self._database.read() as connection:
            return await _head(connection)

    async def verify(self) -> int | None:
        """The ``seq`` of the first row that does not follow from the ones before it; None when all do."""
        last = Head(0, NO_HASH)
        async with self._database.read() as connection:
            while rows := await _after(connection, last.seq):
                for row in rows:
                    if not _follows(row, last):
                        return int(row["seq"])
                    last = Head(row["seq"], row["hash"])
        return None


async def _head(connection: AsyncConnection) -> Head:
    query = sa.select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return Head(0, NO_HASH) if row is None else Head(row.seq, row.hash)


async def _after(connection: AsyncConnection, seq: int) -> list[dict[str, Any]]:
    query = sa.select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(_VERIFY_BATCH)
    return [dict(row) for row in (await connection.execute(query)).mappings()]


def _follows(row: dict[str, Any], last: Head) -> bool:
    content = {name: row[name] for name in AuditLine.__struct_fields__}
    expected = _digest(last.seq + 1, last.hash, content)
    return bool(row["seq"] == last.seq + 1 and row["previous"] == last.hash and row["hash"] == expected)


def _digest(seq: int, previous: str, content: dict[str, Any]) -> str:
    return sha256(canonical(content | {"seq": seq, "previous": previous}))


def _storable(line: AuditLine) -> dict[str, Any]:
    """The line exactly as it will be read back: what is hashed is what is stored."""
    content = {name: _clean(value) for name, value in msgspec.structs.asdict(line).items()}
    details = {storable(name): _clean(value) for name, value in line.details.items()}
    return content | {"at": float(line.at), "details": details}


def _clean(value: Any) -> Any:
    return storable(value) if isinstance(value, str) else value


def _conditions(wanted: AuditFilter) -> list[sa.ColumnElement[bool]]:
    c = audit.c
    found = [
        c[name] == getattr(wanted, name)
        for name in ("actor", "action", "object")
        if getattr(wanted, name) is not None
    ]
    if wanted.since is not None:
        found.append(c.at >= wanted.since)
    if wanted.until is not None:
        found.append(c.at < wanted.until)
    return found
