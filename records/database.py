"""The SQL engine: SQLite in a file, or PostgreSQL; how it is opened, migrated and checked.

Everything else in records/ asks for ``read()`` or ``write()`` and speaks SQLAlchemy Core.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from records.canonical import canonical

BUSY_MS = 10_000  # how long a writer waits for another before it fails
CHECK_S = 10.0
MIGRATION_WAIT_S = 60.0
MIGRATION_LOCK = 0x62616E6762616E  # PostgreSQL advisory lock: "bangban" in ASCII
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}


class Chain(IntEnum):
    """What only one writer at a time may add to (PostgreSQL advisory locks of a transaction)."""

    AUDIT = MIGRATION_LOCK + 1
    MANIFEST = MIGRATION_LOCK + 2
    APPOINTMENTS = MIGRATION_LOCK + 3


class UnsupportedDatabase(ValueError):
    """The URL names neither SQLite in a file nor PostgreSQL."""


class NewerDatabase(RuntimeError):
    """The database was migrated by a later version of Bangban than this one."""


class DatabaseReport(Struct, frozen=True):
    """What ``bangban doctor`` tells of the database. ``problems`` are sentences; none means all is well."""

    engine: str  # "sqlite 3.40.1", "postgresql 15.6"
    revision: str | None
    newest: str
    problems: tuple[str, ...]


class Database:
    """Open with ``Database.open``. ``write()`` transactions never see each other half done:
    on SQLite they take the write lock at once, so that reading and then writing cannot lose a race."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.url = engine.url
        self.is_sqlite = engine.dialect.name == "sqlite"

    @classmethod
    def open(cls, url: str) -> "Database":
        """``sqlite:////path/to/file`` or ``postgresql://user:password@host/name``; connects on first use.

        Raises UnsupportedDatabase. The SQLite file is created 0600, its folder when it is missing.
        """
        parsed = _with_driver(url)
        if parsed.get_backend_name() == "sqlite":
            _create_private(Path(parsed.database or ""))
        engine = create_async_engine(parsed, json_serializer=canonical, pool_pre_ping=True)
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine.sync_engine, "connect", _set_pragmas)
            sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return cls(engine)

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads: one consistent view on SQLite and on PostgreSQL."""
        async with self._engine.connect() as connection:
            if not self.is_sqlite:
                connection = await connection.execution_options(isolation_level="REPEATABLE READ")
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed when the block is left without an exception."""
        async with self._engine.connect() as connection:
            connection = await connection.execution_options(bangban_write=True)
            async with connection.begin():
                yield connection

    async def alone(self, connection: AsyncConnection, chain: Chain) -> None:
        """Be the only one adding to this chain until the transaction ends (SQLite: every writer is)."""
        if not self.is_sqlite:
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(int(chain))))

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """INSERT that knows ON CONFLICT, which both engines spell alike."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def migrate(self) -> None:
        """Bring the schema to the newest revision; safe when several processes start together.

        Raises NewerDatabase, and TimeoutError when another process holds the lock for a minute.
        """
        async with self._migration_lock(), self.write() as connection:
            await connection.run_sync(_upgrade)

    async def check(self) -> DatabaseReport:
        """Connects, reads the schema's revision and takes the write lock for a moment; never raises for a
        database that is down: that is one of the problems."""
        newest = _newest()
        try:
            async with asyncio.timeout(CHECK_S), self.write() as connection:
                version = ".".join(str(n) for n in self._engine.dialect.server_version_info or ())
                revision = await connection.run_sync(_revision)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            problem = f"The database {self.shown_url} cannot be used: {_plainly(error)}"
            return DatabaseReport(self._engine.dialect.name, None, newest, (problem,))
        engine = f"{self._engine.dialect.name} {version}"
        return DatabaseReport(engine, revision, newest, _revision_problems(revision, newest))

    @property
    def shown_url(self) -> str:
        """The URL without driver and password."""
        plain = self.url.set(drivername=self.url.get_backend_name())
        return plain.render_as_string(hide_password=True)

    @asynccontextmanager
    async def _migration_lock(self) -> AsyncIterator[None]:
        if self.is_sqlite:
            async with _file_lock(Path(f"{self.url.database}.migrating")):
                yield
            return
        async with self._engine.connect() as connection:
            # A lock of the connection, held outside any transaction; lost with the connection.
            connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
            async with asyncio.timeout(MIGRATION_WAIT_S):
                await connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK)))
            try:
                yield
            finally:
                await connection.execute(sa.select(sa.func.pg_advisory_unlock(MIGRATION_LOCK)))


def _with_driver(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise UnsupportedDatabase(
            "The database URL cannot be read: write sqlite:////path or postgresql://…"
        ) from None
    driver = _DRIVERS.get(parsed.drivername, parsed.drivername)
    if driver not in _DRIVERS.values():
        raise UnsupportedDatabase(f"{parsed.drivername} is not supported: use sqlite or postgresql")
    if driver == _DRIVERS["sqlite"] and parsed.database in (None, "", ":memory:"):
        raise UnsupportedDatabase("SQLite must be in a file: several processes share it")
    return parsed.set(drivername=driver)


def _create_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _set_pragmas(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: it would begin them without the write lock.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MS}",  # first: switching to WAL may have to wait itself
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "recursive_triggers=ON",  # INSERT OR REPLACE then fires the triggers that refuse DELETE
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    writing = connection.get_execution_options().get("bangban_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@asynccontextmanager
async def _file_lock(path: Path) -> AsyncIterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        async with asyncio.timeout(MIGRATION_WAIT_S):
            while not _locked(descriptor):  # noqa: ASYNC110 (another process holds it: nothing to wait on)
                await asyncio.sleep(0.02)
        yield
    finally:
        os.close(descriptor)  # and with it the lock


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "records:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _newest() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _known(revision: str | None) -> bool:
    if revision is None:
        return True
    return any(
        known.revision == revision for known in ScriptDirectory.from_config(_config()).walk_revisions()
    )


def _upgrade(connection: sa.Connection) -> None:
    revision = _revision(connection)
    if not _known(revision):
        raise NewerDatabase(f"The database is at revision {revision}, which this version does not know")
    command.upgrade(_config(connection), "head")


def _revision_problems(revision: str | None, newest: str) -> tuple[str, ...]:
    if revision == newest:
        return ()
    if revision is None:
        return ("The database is empty: run bangban migrate.",)
    if not _known(revision):
        return (f"The database (revision {revision}) is newer than this version of Bangban ({newest}).",)
    return (f"The database is at revision {revision}, this version needs {newest}: run bangban migrate.",)


def _plainly(error: BaseException) -> str:
    """The engine's own words, without those of the layers between."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CHECK_S:.0f} s"
    cause = error
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        cause = error.orig.__cause__ or error.orig
    return (str(cause).splitlines() or [type(cause).__name__])[0]
