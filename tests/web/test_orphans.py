"""What a dead media node left behind becomes evidence: repaired, sealed, listed."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from records.manifest import Fault
from records.model import CallId, EndReason, ParticipantRole
from records.store import Store
from tests.media.recording.test_webm import file_of, filled
from tests.records.samples import call, part
from web.orphans import QUIET_S, SETTLED_S, Orphans

ENDED = 1_000_000.0
LATER = ENDED + SETTLED_S + 1


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    store = await Store.open(f"sqlite:///{tmp_path / 'bangban.sqlite3'}", str(recordings), tmp_path)
    yield store
    await store.close()


async def left_open(store: Store, folder: Path, id: str, ended_at: float = ENDED) -> Path:
    """A call that is over, of which one part was never sealed; where that file lies."""
    opened = part(f"{id}.resident", id, started_at=ended_at - 10)
    await store.ledger.part_opened(opened)
    summary = call(id, ended_at - 20, ended_at=ended_at, end_reason=EndReason.AGENT_LOST)
    await store.ledger.write([], summary)
    path = folder / "recordings" / opened.path
    path.parent.mkdir(parents=True)
    path.write_bytes(file_of(filled()[1])[:-1000])
    os.utime(path, (ended_at, ended_at))
    return path


def sweeping(store: Store, folder: Path, now: float = LATER) -> Orphans:
    return Orphans(store, folder / "recordings", lambda: now)


async def test_a_torn_part_is_repaired_and_the_call_gets_its_manifest(store: Store, tmp_path: Path) -> None:
    path = await left_open(store, tmp_path, "torn")
    await sweeping(store, tmp_path).sweep()
    (sealed,) = await store.calls.parts(CallId("torn"))
    assert (sealed.sealed, sealed.role) == (True, ParticipantRole.RESIDENT)
    assert sealed.duration == pytest.approx(2.0, abs=0.1)
    assert [gap.reason for gap in sealed.gaps] == ["node_died"]
    with av.open(str(path)) as file:
        assert len(list(file.decode(video=0))) > 50
    assert await store.manifests.verify_manifest(CallId("torn")) == ()
    assert await store.manifests.unsealed(LATER) == ()


async def test_a_file_that_somebody_still_writes_is_left_alone(store: Store, tmp_path: Path) -> None:
    path = await left_open(store, tmp_path, "busy")
    os.utime(path, (LATER, LATER))
    before = path.read_bytes()
    await sweeping(store, tmp_path, LATER + QUIET_S / 2).sweep()
    assert path.read_bytes() == before
    assert await store.manifests.manifest(CallId("busy")) is None
    await sweeping(store, tmp_path, LATER + QUIET_S + 1).sweep()
    assert await store.manifests.verify_manifest(CallId("busy")) == ()


async def test_a_call_that_has_only_just_ended_is_its_nodes_to_seal(store: Store, tmp_path: Path) -> None:
    await left_open(store, tmp_path, "fresh")
    await sweeping(store, tmp_path, ENDED + SETTLED_S / 2).sweep()
    assert [one.sealed for one in await store.calls.parts(CallId("fresh"))] == [False]


async def test_a_file_that_is_gone_is_listed_as_gone(store: Store, tmp_path: Path) -> None:
    (await left_open(store, tmp_path, "lost")).unlink()
    await sweeping(store, tmp_path).sweep()
    (sealed,) = await store.calls.parts(CallId("lost"))
    assert (sealed.sealed, sealed.sha256) == (True, None)
    assert await store.manifests.manifest(CallId("lost")) is not None


async def test_one_calls_trouble_does_not_keep_the_others(store: Store, tmp_path: Path) -> None:
    """The older call's folder is a file: neither its part nor its manifest can be read or written."""
    path = await left_open(store, tmp_path, "broken", ENDED - 5)
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("in the way")
    await left_open(store, tmp_path, "sound")
    await sweeping(store, tmp_path).sweep()
    assert await store.manifests.verify_manifest(CallId("sound")) == ()


async def test_a_part_that_is_gone_does_not_keep_the_others_of_its_call_from_being_repaired(
    store: Store, tmp_path: Path
) -> None:
    torn = await left_open(store, tmp_path, "both")
    await store.ledger.part_opened(part("both.agent", "both", started_at=ENDED - 11))  # before the other
    await sweeping(store, tmp_path).sweep()
    gone, repaired = await store.calls.parts(CallId("both"))
    assert (gone.sha256, repaired.size) == (None, torn.stat().st_size)
    findings = await store.manifests.verify_manifest(CallId("both"))
    assert [(found.fault, found.detail) for found in findings] == [(Fault.FILE_MISSING, gone.path)]


async def test_a_part_that_is_gone_does_not_seal_one_that_is_still_written(
    store: Store, tmp_path: Path
) -> None:
    busy = await left_open(store, tmp_path, "both")
    os.utime(busy, (LATER, LATER))
    await store.ledger.part_opened(part("both.agent", "both", started_at=ENDED - 11))
    await sweeping(store, tmp_path).sweep()
    assert [one.sealed for one in await store.calls.parts(CallId("both"))] == [True, False]
    assert await store.manifests.manifest(CallId("both")) is None
