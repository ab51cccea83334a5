from pathlib import Path

import pytest

from records.database import UnsupportedDatabase
from records.model import CallId
from records.store import Store
from tests.records.samples import call


async def test_what_one_process_kept_the_next_one_finds(empty_url: str, tmp_path: Path) -> None:
    kept = call(ended_at=1100.0)
    seals = []
    for _ in range(2):
        store = await Store.open(empty_url, tmp_path / "recordings", tmp_path / "data")
        await store.ledger.write([], kept)
        seals.append(await store.manifests.seal(CallId("c1"), 2000.0))
        assert await store.manifests.verify_manifest(CallId("c1")) == ()
        await store.close()
    assert seals[0] == seals[1]


async def test_a_database_of_another_kind_is_refused_at_the_door(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedDatabase):
        await Store.open("mysql://host/name", tmp_path / "recordings", tmp_path / "data")
