"""Signed-in browsers: an opaque token in a cookie, of which only the SHA-256 is kept here."""

import hashlib
import secrets
from enum import StrEnum

import sqlalchemy as sa
from msgspec import Struct

from records.accounts import account_of
from records.database import Database
from records.model import Account, AccountId, AccountRole
from records.tables import accounts, sessions

SEEN_EVERY_S = 60.0  # a session's last use is written down at most this often


class Audience(StrEnum):
    """Whose pages a session is for: a session of one is nobody to the others."""

    AGENT = "agent"
    MANAGER = "manager"
    ADMIN = "admin"


ROLES: dict[Audience, frozenset[AccountRole]] = {
    Audience.AGENT: frozenset({AccountRole.AGENT, AccountRole.EXPERT}),
    Audience.MANAGER: frozenset({AccountRole.MANAGER}),
    Audience.ADMIN: frozenset({AccountRole.ADMIN}),
}


class Lifetime(Struct, frozen=True):
    """Seconds: without a request, and at most."""

    idle: float
    absolute: float


# An agent's console may stay on one page, with only its socket open, for a whole morning.
LIFETIMES: dict[Audience, Lifetime] = {
    Audience.AGENT: Lifetime(idle=6 * 3600.0, absolute=14 * 3600.0),
    Audience.MANAGER: Lifetime(idle=3600.0, absolute=12 * 3600.0),
    Audience.ADMIN: Lifetime(idle=1800.0, absolute=8 * 3600.0),
}


class Sessions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_session(self, account: AccountId, audience: Audience, address: str, now: float) -> str:
        """A new token: 32 random bytes, base64url. Sessions that are over are swept away on the way."""
        token = secrets.token_urlsafe(32)
        row = {
            "token_hash": _hash(token),
            "account": account,
            "audience": audience.value,
            "address": address,
            "opened_at": now,
            "seen_at": now,
            "expires_at": now + LIFETIMES[audience].absolute,
        }
        async with self._database.write() as connection:
            await connection.execute(sessions.delete().where(sessions.c.expires_at <= now))
            await connection.execute(sessions.insert().values(row))
        return token

    async def session(self, token: str, audience: Audience, now: float) -> Account | None:
        """Who this token is, if it is good for this audience now; using it keeps it from going idle."""
        digest = _hash(token)
        query = (
            sa.select(accounts, sessions.c.seen_at.label("seen_at"))
            .join(sessions, sessions.c.account == accounts.c.id)
            .where(sessions.c.token_hash == digest, sessions.c.audience == audience.value)
            .where(sessions.c.expires_at > now, sessions.c.seen_at > now - LIFETIMES[audience].idle)
            .where(accounts.c.active, accounts.c.role.in_([role.value for role in ROLES[audience]]))
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
        if row is None:
            return None
        if row["seen_at"] <= now - SEEN_EVERY_S:
            await self._seen(digest, now)
        return account_of(row)

    async def close_session(self, token: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(sessions.delete().where(sessions.c.token_hash == _hash(token)))

    async def close_sessions_of(self, account: AccountId) -> None:
        async with self._database.write() as connection:
            await connection.execute(sessions.delete().where(sessions.c.account == account))

    async def _seen(self, digest: str, now: float) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                sessions.update()
                .where(sessions.c.token_hash == digest, sessions.c.seen_at < now)
                .values(seen_at=now)
            )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
