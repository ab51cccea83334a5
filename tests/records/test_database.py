import asyncio
import multiprocessing
import stat
from multiprocessing.synchronize import Barrier
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from records.database import Database, NewerDatabase, UnsupportedDatabase
from records.tables import calls, metadata
from tests.records.conftest import SHARED
from tests.records.samples import call


async def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    def differences(connection: sa.Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))

    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


def _migrate_at_the_same_time(url: str, barrier: Barrier) -> None:
    async def migrate() -> None:
        database = Database.open(url)
        barrier.wait(30)
        await database.migrate()
        await database.close()

    asyncio.run(migrate())


async def test_two_processes_that_start_together_migrate_once(empty_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    racers = [context.Process(target=_migrate_at_the_same_time, args=(empty_url, barrier)) for _ in range(2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        await asyncio.to_thread(racer.join, 60)
    assert [racer.exitcode for racer in racers] == [0, 0]
    database = Database.open(empty_url)
    assert (await database.check()).problems == ()
    await database.close()


async def test_migrating_again_changes_nothing(database: Database) -> None:
    await database.migrate()
    assert (await database.check()).problems == ()


async def test_an_empty_database_is_told_apart(empty_url: str) -> None:
    database = Database.open(empty_url)
    report = await database.check()
    assert report.revision is None
    assert "bangban migrate" in report.problems[0]
    await database.close()


async def test_a_newer_database_is_left_alone(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerDatabase):
        await database.migrate()
    assert "newer" in (await database.check()).problems[0]


async def test_a_database_that_is_down_is_a_problem_not_an_exception() -> None:
    database = Database.open("postgresql://nobody:hush@127.0.0.1:1/none")
    report = await database.check()
    assert "postgresql://nobody:***@127.0.0.1:1/none cannot be used: " in report.problems[0]
    await database.close()


async def test_a_file_that_is_no_database_is_named_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "b.db").write_bytes(b"garbage" * 1000)
    database = Database.open(f"sqlite:///{tmp_path / 'b.db'}")
    problem = f"The database sqlite:///{tmp_path / 'b.db'} cannot be used: file is not a database"
    assert (await database.check()).problems == (problem,)
    await database.close()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UnsupportedDatabase):
        Database.open(url)


async def test_the_sqlite_file_is_private_and_its_settings_are_as_documented(tmp_path: Path) -> None:
    path = tmp_path / "new" / "bangban.db"
    database = Database.open(f"sqlite:///{path}")
    wanted = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 10_000}
    async with database.read() as connection:
        found = {name: await connection.scalar(sa.text(f"PRAGMA {name}")) for name in wanted}
    assert found == wanted
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await database.close()


@pytest.mark.parametrize("table", ["journal", "quality", "audit", "manifests"])
@pytest.mark.parametrize("change", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
async def test_the_database_refuses_to_change_what_is_append_only(
    database: Database, table: str, change: str
) -> None:
    await _fill(database)
    async with database.write() as connection:
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            await connection.execute(sa.text(change.format(table)))


async def test_a_row_of_the_journal_cannot_be_replaced_either(database: Database) -> None:
    await _fill(database)
    replace = (
        "INSERT OR REPLACE INTO journal (call, at, kind, key, data) VALUES ('c1', 9, 'note', 'k', '{}')"
        if SHARED is None
        else "TRUNCATE journal"
    )
    async with database.write() as connection:
        with pytest.raises(sa.exc.DBAPIError, match="append-only"):
            await connection.execute(sa.text(replace))


async def test_readers_and_writers_at_once_all_get_through(database: Database) -> None:
    async def add_one() -> None:
        async with database.write() as connection:
            await connection.execute(sa.text("UPDATE numbers SET n = n + 1"))

    async with database.write() as connection:
        await connection.execute(sa.text("CREATE TABLE numbers (n INTEGER)"))
        await connection.execute(sa.text("INSERT INTO numbers VALUES (0)"))
    await asyncio.gather(*(add_one() for _ in range(20)))
    async with database.read() as connection:
        assert await connection.scalar(sa.text("SELECT n FROM numbers")) == 20


async def test_a_writer_that_is_cancelled_anywhere_leaves_no_lock_behind(database: Database) -> None:
    async def add_one() -> None:
        async with database.write() as connection:
            await connection.execute(sa.text("UPDATE numbers SET n = n + 1"))
            await connection.execute(sa.text("SELECT n FROM numbers"))

    async with database.write() as connection:
        await connection.execute(sa.text("CREATE TABLE numbers (n INTEGER)"))
        await connection.execute(sa.text("INSERT INTO numbers VALUES (0)"))
    for rounds in range(0, 60, 3):
        task = asyncio.create_task(add_one(), name=f"cancelled after {rounds} rounds")
        for _ in range(rounds):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    async with asyncio.timeout(5):
        await add_one()


async def _fill(database: Database) -> None:
    rows = (
        "INSERT INTO journal (call, at, kind, key, data) VALUES ('c1', 1, 'note', 'k', '{}')",
        "INSERT INTO audit (seq, at, actor_name, action, object, purpose, address, details, previous, hash) "
        "VALUES (1, 1, '', '', '', '', '', '{}', '', '')",
        "INSERT INTO manifests (seq, call, at, body, hash, signature, public_key) "
        "VALUES (1, 'c1', 1, '', '', '', '')",
        "INSERT INTO quality (call, participant, at, role, up_bitrate, down_bitrate, up_packets, up_lost, "
        "up_unrepaired, down_packets, down_lost, down_unrepaired, jitter_ms, freezes, key_frames, "
        "recorder_lag_ms) VALUES ('c1', 'resident', 1, 'resident', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)",
    )
    async with database.write() as connection:
        await connection.execute(
            calls.insert().values(msgspec.structs.asdict(call())),
        )
        for row in rows:
            await connection.execute(sa.text(row.replace(":", r"\:")))
