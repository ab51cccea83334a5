import asyncio

import pytest
import sqlalchemy as sa

from records.audit import AuditFilter, AuditLine, Head
from records.canonical import NO_HASH
from records.database import Database
from records.model import AccountId
from records.store import Store
from tests.records.conftest import SHARED


def line(number: int = 1, **rest: object) -> AuditLine:
    fields = {
        "at": 1000.0 + number,
        "action": "account.disable",
        "object": f"account:{number}",
        "actor": AccountId("admin"),
        "actor_name": "管理员",
        "purpose": "离职",
        "address": "10.0.0.7",
        "details": {"number": number, "share": 0.1, "note": None},
    }
    return AuditLine(**(fields | rest))  # type: ignore[arg-type]


async def test_each_row_names_the_hash_of_the_one_before(store: Store) -> None:
    first, second = await store.audit.write(line(1)), await store.audit.write(line(2))
    assert (first.seq, first.previous) == (1, NO_HASH)
    assert (second.seq, second.previous) == (2, first.hash)
    assert await store.audit.head() == Head(2, second.hash)
    assert await store.audit.verify() is None


async def test_what_was_written_is_read_back(store: Store) -> None:
    written = await store.audit.write(line())
    assert await store.audit.page(AuditFilter()) == (written,)


async def test_an_empty_trail_is_sound(store: Store) -> None:
    assert await store.audit.verify() is None
    assert await store.audit.head() == Head(0, NO_HASH)


async def test_many_writers_make_one_chain(store: Store) -> None:
    written = await asyncio.gather(*(store.audit.write(line(number)) for number in range(20)))
    assert sorted(entry.seq for entry in written) == list(range(1, 21))
    assert await store.audit.verify() is None


async def test_odd_text_and_whole_numbers_as_times_verify_too(store: Store) -> None:
    odd = line(at=7, actor=None, purpose="a\x00b\ud800", details={"k\x00": "v\x00\n\"'"})
    written = await store.audit.write(odd)
    assert (written.purpose, written.details) == ("ab?", {"k": "v\n\"'"})
    assert await store.audit.verify() is None


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE audit SET purpose = 'nothing' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET actor = NULL WHERE seq = 5", 5),
        ("UPDATE audit SET details = '{}' WHERE seq = 2", 2),
        ("UPDATE audit SET hash = previous WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 2", 3),
        ("DELETE FROM audit WHERE seq = 1", 2),
    ],
)
async def test_a_chain_broken_by_hand_is_found(
    store: Store, database: Database, tampering: str, broken: int
) -> None:
    for number in range(5):
        await store.audit.write(line(number))
    await _by_hand(database, tampering)
    assert await store.audit.verify() == broken


async def test_rows_cut_off_at_the_end_show_against_a_head_written_down(
    store: Store, database: Database
) -> None:
    for number in range(3):
        await store.audit.write(line(number))
    known = await store.audit.head()
    await _by_hand(database, "DELETE FROM audit WHERE seq = 3")
    assert await store.audit.verify() is None
    assert (await store.audit.head()).seq < known.seq


async def test_filters_and_paging(store: Store) -> None:
    for number in range(1, 8):
        actor = AccountId("admin" if number % 2 else "wangmin")
        await store.audit.write(line(number, actor=actor))
    first = await store.audit.page(AuditFilter(), limit=3)
    second = await store.audit.page(AuditFilter(), before=first[-1].seq, limit=3)
    assert [entry.seq for entry in first + second] == [7, 6, 5, 4, 3, 2]
    assert await _seqs(store, AuditFilter(actor=AccountId("wangmin"))) == [6, 4, 2]
    assert await _seqs(store, AuditFilter(object="account:3")) == [3]
    assert await _seqs(store, AuditFilter(action="account.create")) == []
    assert await _seqs(store, AuditFilter(since=1003.0, until=1005.0)) == [4, 3]


async def test_a_failed_transaction_leaves_no_row(store: Store, database: Database) -> None:
    async def write_and_fail() -> None:
        async with database.write() as connection:
            await store.audit.append(connection, line())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_and_fail()
    assert await store.audit.head() == Head(0, NO_HASH)


async def _seqs(store: Store, wanted: AuditFilter) -> list[int]:
    return [entry.seq for entry in await store.audit.page(wanted)]


async def _by_hand(database: Database, statement: str) -> None:
    """As somebody would who owns the database and switches the triggers off."""
    off = ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]
    if SHARED is not None:
        off = ["ALTER TABLE audit DISABLE TRIGGER ALL"]
    async with database.write() as connection:
        for sql in (*off, statement):
            await connection.execute(sa.text(sql))
