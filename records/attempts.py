"""How often a secret may be guessed: a few failures are free, then the pause doubles up to 15 minutes.

An attempt is counted before it is judged, so that a hundred at once are not a hundred guesses.
"""

import ipaddress
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from records.database import Database
from records.tables import attempts

FREE_FAILURES = 5
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 15 * 60.0
FORGET_S = 60 * 60.0  # a subject that did not fail for this long starts afresh


class TooManyAttempts(Exception):
    """Refused without being judged. ``retry_after`` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"Too many failed attempts: wait {retry_after:.0f} s")
        self.retry_after = retry_after


def pause_after(failures: int) -> float:
    """Seconds to wait after so many failures in a row."""
    if failures < FREE_FAILURES:
        return 0.0
    return min(FIRST_PAUSE_S * 2.0 ** min(failures - FREE_FAILURES, 30), LONGEST_PAUSE_S)


def by_address(kind: str, address: str) -> str:
    """The subject for an address. IPv6 counts by /64, which is what one customer is given."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return f"{kind}:{address}"
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return f"{kind}:{ipaddress.ip_network((parsed, 64), strict=False)}"
    return f"{kind}:{getattr(parsed, 'ipv4_mapped', None) or parsed}"


class Attempts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, subjects: Iterable[str], now: float) -> None:
        """Count one attempt against each subject, as failed. Raises TooManyAttempts and counts nothing."""
        async with self._database.write() as connection:
            await connection.execute(attempts.delete().where(attempts.c.at <= now - FORGET_S))
            failures = {
                subject: await self._failures(connection, subject, now) for subject in sorted(subjects)
            }
            for subject, count in failures.items():
                await connection.execute(
                    attempts.update()
                    .where(attempts.c.subject == subject)
                    .values(failures=count + 1, at=now, blocked_until=now + pause_after(count + 1))
                )

    async def succeeded(self, cleared: str, refunded: str) -> None:
        """``cleared`` starts afresh; ``refunded`` gets this one attempt back but keeps its other failures:
        somebody who knows one password must not thereby wash an address clean for guessing others."""
        async with self._database.write() as connection:
            await connection.execute(attempts.delete().where(attempts.c.subject == cleared))
            await connection.execute(
                attempts.update()
                .where(attempts.c.subject == refunded, attempts.c.failures > 0)
                .values(failures=attempts.c.failures - 1, blocked_until=0.0)
            )

    async def _failures(self, connection: AsyncConnection, subject: str, now: float) -> int:
        """How often it failed so far; the row is locked until the transaction ends."""
        fresh = self._database.insert(attempts).values(subject=subject, failures=0, at=now, blocked_until=0.0)
        await connection.execute(fresh.on_conflict_do_nothing(index_elements=["subject"]))
        row = (
            await connection.execute(
                sa.select(attempts.c.failures, attempts.c.blocked_until)
                .where(attempts.c.subject == subject)
                .with_for_update()
            )
        ).one()
        if row.blocked_until > now:
            raise TooManyAttempts(row.blocked_until - now)
        return int(row.failures)
