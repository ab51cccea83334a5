import asyncio
import base64
import json
import stat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from records.canonical import NO_HASH, canonical, sha256
from records.database import Database
from records.manifest import Fault, Finding, Manifests, NotEnded, load_key
from records.model import CallId, EndReason, Gap
from records.storage import Storage
from records.store import Store
from tests.records.conftest import SHARED
from tests.records.samples import call, part, sealed

C1, C2 = CallId("c1"), CallId("c2")
GAP = Gap(1.0, 1.5, "video", "lost")
ENDED: dict[str, Any] = {"ended_at": 1012.0, "end_reason": EndReason.COMPLETED_BY_AGENT}


@pytest.fixture
async def manifests(store: Store, recordings: Path) -> Manifests:
    """Two ended calls; the first has two parts."""
    for part_id, content, started_at in (("p1", b"resident", 1002.5), ("p2", b"agent", 1003.25)):
        recorded = sealed(part_id, content, started_at=started_at, gaps=(GAP,))
        _put(recordings, recorded.path, content)
        await store.ledger.part_sealed(recorded)
    for id in ("c1", "c2"):
        await store.ledger.write([], call(id, **ENDED))
    return store.manifests


async def test_it_lists_the_parts_on_the_calls_clock(manifests: Manifests) -> None:
    body = json.loads((await manifests.seal(C1, 2000.0)).body)
    assert (body["call"], body["origin"], body["ended_at"]) == ("c1", 1000.0, 1012.0)
    assert (body["end_reason"], body["sealed_at"]) == ("completed_by_agent", 2000.0)
    first, second = body["parts"]
    assert (first["id"], first["offset"], first["size"], first["duration"]) == ("p1", 2.5, 8, 8.0)
    assert first["sha256"] == sha256("resident")
    assert first["gaps"] == [{"start": 1.0, "end": 1.5, "track": "video", "reason": "lost"}]
    assert (second["id"], second["offset"]) == ("p2", 3.25)


async def test_anybody_with_the_file_can_check_the_signature(manifests: Manifests, recordings: Path) -> None:
    manifest = await manifests.seal(C1, 2000.0)
    copy = json.loads((recordings / "2026-11-23/c1/manifest.json").read_bytes())
    signed = canonical(copy["manifest"])
    assert signed == manifest.body
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(copy["public_key"]))
    key.verify(base64.b64decode(copy["signature"]), signed.encode())
    assert copy["hash"] == sha256(signed)


async def test_a_sound_recording_has_no_findings(manifests: Manifests) -> None:
    await manifests.seal(C1, 2000.0)
    await manifests.seal(C2, 2001.0)
    assert await manifests.verify_manifest(C1) == ()
    assert await manifests.verify_manifest(C2) == ()


async def test_each_names_the_hash_of_the_one_before(manifests: Manifests) -> None:
    first, second = await manifests.seal(C2, 2000.0), await manifests.seal(C1, 2001.0)
    assert (first.seq, json.loads(first.body)["previous"]) == (1, NO_HASH)
    assert (second.seq, json.loads(second.body)["previous"]) == (2, first.hash)


async def test_sealing_again_gives_the_same_and_restores_the_copy(
    manifests: Manifests, recordings: Path
) -> None:
    first = await manifests.seal(C1, 2000.0)
    (recordings / "2026-11-23/c1/manifest.json").unlink()
    assert await manifests.verify_manifest(C1) == (Finding(Fault.COPY, "2026-11-23/c1/manifest.json"),)
    assert await manifests.seal(C1, 3000.0) == first
    assert await manifests.verify_manifest(C1) == ()


async def test_many_at_once_make_one_chain_without_holes(manifests: Manifests, store: Store) -> None:
    ids = [CallId(f"n{number}") for number in range(6)]
    for id in ids:
        await store.ledger.write([], call(id, **ENDED))
    made = await asyncio.gather(*(manifests.seal(id, 2000.0) for id in ids * 3))
    assert sorted({manifest.seq for manifest in made}) == [1, 2, 3, 4, 5, 6]
    assert [await manifests.verify_manifest(id) for id in ids] == [()] * 6


@pytest.mark.parametrize("id", ["unknown", "open", "running"])
async def test_only_an_ended_call_with_sealed_parts_gets_one(
    manifests: Manifests, store: Store, id: str
) -> None:
    await store.ledger.write([], call("running"))
    await store.ledger.write([], call("open", **ENDED))
    await store.ledger.part_opened(part("p9", "open"))
    with pytest.raises(NotEnded):
        await manifests.seal(CallId(id), 2000.0)
    assert await manifests.verify_manifest(CallId(id)) == (Finding(Fault.NO_MANIFEST),)


async def test_what_a_dead_node_left_open_is_sealed_as_it_lies_there(
    manifests: Manifests, store: Store, recordings: Path
) -> None:
    await store.ledger.write([], call("killed", **ENDED))
    for id in ("torn", "gone"):
        await store.ledger.part_opened(part(id, "killed"))
    _put(recordings, "2026-11-23/killed/torn.webm", b"cut off")
    torn = await manifests.seal_unrepaired(part("torn", "killed"))
    assert (torn.sealed, torn.duration, torn.size, torn.sha256) == (True, None, 7, sha256("cut off"))
    gone = await store.calls.part("gone")
    assert gone is not None
    assert not gone.sealed  # each by itself
    gone = await manifests.seal_unrepaired(gone)
    assert (gone.sealed, gone.size, gone.sha256) == (True, 0, None)
    _put(recordings, "2026-11-23/killed/torn.webm", b"cut off, and more")
    assert await manifests.seal_unrepaired(part("torn", "killed")) == torn  # the first seal stands
    _put(recordings, "2026-11-23/killed/torn.webm", b"cut off")
    await manifests.seal(CallId("killed"), 2000.0)
    findings = await manifests.verify_manifest(CallId("killed"))
    assert findings == (Finding(Fault.FILE_MISSING, "2026-11-23/killed/gone.webm"),)


async def test_the_parts_of_a_call_that_goes_on_are_not_sealed_from_outside(
    manifests: Manifests, store: Store
) -> None:
    await store.ledger.write([], call("running"))
    await store.ledger.part_opened(part("p9", "running"))
    with pytest.raises(NotEnded):
        await manifests.seal_unrepaired(part("p9", "running"))
    assert await store.calls.part("p9") == part("p9", "running")


async def test_what_a_crash_left_without_a_manifest_is_told(manifests: Manifests, store: Store) -> None:
    await store.ledger.write([], call("running"))
    await store.ledger.write([], call("later", ended_at=1500.0))
    assert set(await manifests.unsealed(1100.0)) == {C1, C2}
    await manifests.seal(C2, 2000.0)
    assert await manifests.unsealed(1100.0) == (C1,)
    assert await manifests.unsealed(1501.0) == (C1, CallId("later"))
    assert await manifests.unsealed(1501.0, limit=1) == (C1,)


async def test_a_file_changed_cut_or_removed_is_found(manifests: Manifests, recordings: Path) -> None:
    await manifests.seal(C1, 2000.0)
    (recordings / "2026-11-23/c1/p1.webm").write_bytes(b"resideNt")
    (recordings / "2026-11-23/c1/p2.webm").unlink()
    assert await manifests.verify_manifest(C1) == (
        Finding(Fault.FILE_CHANGED, "2026-11-23/c1/p1.webm"),
        Finding(Fault.FILE_MISSING, "2026-11-23/c1/p2.webm"),
    )


async def test_a_part_that_is_in_sql_but_not_in_the_manifest_is_found(
    manifests: Manifests, store: Store
) -> None:
    await manifests.seal(C2, 2000.0)
    await store.ledger.part_sealed(sealed("late", call="c2"))
    assert await manifests.verify_manifest(C2) == (Finding(Fault.PARTS),)


@pytest.mark.parametrize(
    ("tampering", "fault"),
    [
        ("UPDATE manifests SET body = replace(body, 'lost', 'muted') WHERE seq = 2", Fault.HASH),
        ("UPDATE manifests SET body = 'nonsense' WHERE seq = 2", Fault.HASH),
        ("UPDATE manifests SET signature = 'AAAA' WHERE seq = 2", Fault.SIGNATURE),
        ("UPDATE manifests SET signature = '!' WHERE seq = 2", Fault.SIGNATURE),
        ("DELETE FROM manifests WHERE seq = 1", Fault.CHAIN),
        ("UPDATE manifests SET hash = 'x' WHERE seq = 1", Fault.CHAIN),
        ("UPDATE manifests SET seq = 3 WHERE seq = 2", Fault.CHAIN),
    ],
)
async def test_what_was_changed_in_sql_by_hand_is_found(
    manifests: Manifests, database: Database, tampering: str, fault: Fault
) -> None:
    await manifests.seal(C2, 2000.0)
    await manifests.seal(C1, 2001.0)
    await _by_hand(database, tampering)
    assert fault in {finding.fault for finding in await manifests.verify_manifest(C1)}


async def test_a_manifest_signed_with_another_key_is_found(
    manifests: Manifests, database: Database, recordings: Path, tmp_path: Path
) -> None:
    await manifests.seal(C1, 2000.0)
    other = Manifests(database, Storage.open(recordings), load_key(tmp_path / "other.key"))
    assert await other.verify_manifest(C1) == (Finding(Fault.SIGNATURE),)


def test_the_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "data" / "manifest.key"
    first, second = load_key(path), load_key(path)
    assert first.private_bytes_raw() == second.private_bytes_raw()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


def _put(recordings: Path, name: str, content: bytes) -> None:
    path = recordings / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


async def _by_hand(database: Database, statement: str) -> None:
    """As somebody would who owns the database and switches the triggers off."""
    off = ["DROP TRIGGER manifests_no_update", "DROP TRIGGER manifests_no_delete"]
    if SHARED is not None:
        off = ["ALTER TABLE manifests DISABLE TRIGGER ALL"]
    async with database.write() as connection:
        for sql in (*off, statement):
            await connection.execute(sa.text(sql))
