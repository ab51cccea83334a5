"""A real database for every test: a SQLite file, or the PostgreSQL that BANGBAN_TEST_DATABASE_URL names.

On PostgreSQL every test begins with an empty schema ``public``: name a database that holds nothing else.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from records.accounts import Accounts
from records.database import Database
from records.storage import Storage
from records.store import Store
from tests.records.migrated import migrated

SHARED = os.environ.get("BANGBAN_TEST_DATABASE_URL")


@pytest.fixture
async def empty_url(tmp_path: Path) -> str:
    """The address of a database without a single table."""
    if SHARED is None:
        return f"sqlite:///{tmp_path / 'bangban.db'}"
    database = Database.open(SHARED)
    async with database.write() as connection:
        await connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        await connection.execute(sa.text("CREATE SCHEMA public"))
    await database.close()
    return SHARED


@pytest.fixture
async def database(empty_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    if SHARED is None:
        database = await migrated(tmp_path / "bangban.db")
    else:
        database = Database.open(empty_url)
        await database.migrate()
    yield database
    await database.close()


@pytest.fixture
def hasher() -> PasswordHasher:
    """argon2id as ever, but so weak that a test may hash a hundred times."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


@pytest.fixture
def store(database: Database, recordings: Path, tmp_path: Path, hasher: PasswordHasher) -> Store:
    return Store(database, Storage.open(recordings), tmp_path / "data", hasher)


@pytest.fixture
def accounts(store: Store) -> Accounts:
    return store.accounts
