"""Who may sign in: accounts, their passwords (argon2id), and how often a password may be guessed."""

import asyncio
from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from records.attempts import Attempts, by_address
from records.database import Database
from records.model import (
    ALWAYS,
    Account,
    AccountId,
    AccountRole,
    DepartmentId,
    Hours,
    SiteId,
    SkillId,
    Text,
)
from records.tables import accounts, sessions

MIN_PASSWORD, MAX_PASSWORD = 8, 256  # characters
MAX_LOGIN = 64
HASHES_AT_ONCE = 2  # each takes 64 MiB and a core


class AccountExists(ValueError):
    """The id or the login is taken."""


class UnknownAccount(LookupError):
    """There is no account with this id."""


class PasswordRefused(ValueError):
    """Too short or too long."""


class Accounts:
    def __init__(self, database: Database, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._hasher = hasher or PasswordHasher()
        self._attempts = Attempts(database)
        self._hashing = asyncio.Semaphore(HASHES_AT_ONCE)
        self._dummy: str | None = None

    async def create_account(self, account: Account, password: str, now: float) -> None:
        """Logins are case-folded. Raises AccountExists, PasswordRefused, ValueError for a bad login."""
        row = _account_row(account)
        row |= {"password_hash": await self._hash(password), "created_at": now}
        async with self._database.write() as connection:
            try:
                await connection.execute(accounts.insert().values(row))
            except sa.exc.IntegrityError:
                raise AccountExists(f"There is already an account {account.login} or {account.id}") from None

    async def update_account(self, account: Account) -> None:
        """Everything but the password. Raises UnknownAccount, AccountExists when the login is another's."""
        async with self._database.write() as connection:
            try:
                await _change(connection, account.id, **_account_row(account))
            except sa.exc.IntegrityError:
                raise AccountExists(f"Another account has the login {account.login}") from None

    async def authenticate(
        self, login: str, password: str, roles: Collection[AccountRole], address: str, now: float
    ) -> Account | None:
        """The active account with this login and password and one of these roles, else None: which of them
        was wrong is not told, and takes the same time. Raises TooManyAttempts, per login and per address."""
        login = folded(login)
        guarded = (f"login:{login}", by_address("address", address))
        await self._attempts.take(guarded, now)
        row = await self._row(accounts.c.login == login)
        right = await self._verify(row["password_hash"] if row is not None else None, password)
        if row is None or not right or not row["active"] or row["role"] not in roles:
            return None
        await self._attempts.succeeded(cleared=guarded[0], refunded=guarded[1])
        if self._hasher.check_needs_rehash(row["password_hash"]):
            await self._keep(row["id"], await self._hash(password))
        return account_of(row)

    async def set_password(self, account: AccountId, password: str) -> None:
        """Closes all of the account's sessions. Raises UnknownAccount, PasswordRefused."""
        await self._keep(account, await self._hash(password), close_sessions=True)

    async def disable(self, account: AccountId) -> None:
        """No more signing in, all sessions closed; the account stays, for its past. Raises UnknownAccount."""
        async with self._database.write() as connection:
            await _change(connection, account, active=False)
            await connection.execute(sessions.delete().where(sessions.c.account == account))

    async def account(self, account: AccountId) -> Account | None:
        row = await self._row(accounts.c.id == account)
        return None if row is None else account_of(row)

    async def list_accounts(self, role: AccountRole | None = None) -> tuple[Account, ...]:
        """In order of login, disabled ones too."""
        query = sa.select(accounts).order_by(accounts.c.login)
        if role is not None:
            query = query.where(accounts.c.role == role)
        async with self._database.read() as connection:
            return tuple(map(account_of, (await connection.execute(query)).mappings()))

    async def _row(self, condition: sa.ColumnElement[bool]) -> sa.RowMapping | None:
        async with self._database.read() as connection:
            return (await connection.execute(sa.select(accounts).where(condition))).mappings().first()

    async def _keep(self, account: str, password_hash: str, *, close_sessions: bool = False) -> None:
        async with self._database.write() as connection:
            await _change(connection, account, password_hash=password_hash)
            if close_sessions:
                await connection.execute(sessions.delete().where(sessions.c.account == account))

    async def _hash(self, password: str) -> str:
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            raise PasswordRefused(f"A password has {MIN_PASSWORD} to {MAX_PASSWORD} characters")
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, _bytes(password))

    async def _verify(self, known: str | None, password: str) -> bool:
        """Verifies against a dummy when there is no such account, so that both take as long."""
        if self._dummy is None:
            self._dummy = await self._hash("nobody's password")
        async with self._hashing:
            right = await asyncio.to_thread(self._matches, known or self._dummy, password[: MAX_PASSWORD + 1])
        return right and known is not None

    def _matches(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")  # whatever was typed: never an error


def folded(login: str) -> str:
    return login.strip().casefold()[:MAX_LOGIN]


async def _change(connection: Any, account: str, **values: Any) -> None:
    changed = await connection.execute(accounts.update().where(accounts.c.id == account).values(**values))
    if changed.rowcount == 0:
        raise UnknownAccount(account)


def _account_row(account: Account) -> dict[str, Any]:
    login = folded(account.login)
    if not login or len(account.login.strip()) > MAX_LOGIN:
        raise ValueError(f"A login has 1 to {MAX_LOGIN} characters")
    return {
        "id": account.id,
        "login": login,
        "role": account.role.value,
        "name_zh": account.name.zh,
        "name_en": account.name.en,
        "badge": account.badge,
        "department": account.department,
        "site": account.site,
        "skills": dict(account.skills),
        "active": account.active,
        "hours": None if account.hours == ALWAYS else msgspec.to_builtins(account.hours),
    }


def account_of(row: sa.RowMapping) -> Account:
    return Account(
        id=AccountId(row["id"]),
        login=row["login"],
        role=AccountRole(row["role"]),
        name=Text(row["name_zh"], row["name_en"]),
        badge=row["badge"],
        department=DepartmentId(row["department"]),
        site=SiteId(row["site"]),
        skills={SkillId(skill): int(level) for skill, level in row["skills"].items()},
        active=row["active"],
        hours=ALWAYS if row["hours"] is None else msgspec.convert(row["hours"], Hours),
    )
