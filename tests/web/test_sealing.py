"""The recording becomes evidence when everything is written down, and not before."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from records.model import CallId, CallSummary, EndReason, ItemId, SiteId, StationId
from records.store import Store
from signaling.ports import NotYet
from web.sealing import HallLedger


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    made = await Store.open(f"sqlite:///{tmp_path / 'bangban.db'}", str(tmp_path / "recordings"), tmp_path)
    yield made
    await made.close()


def call(ended_at: float | None) -> CallSummary:
    return CallSummary(
        id=CallId("c1"),
        station=StationId("s1"),
        site=SiteId("town"),
        item=ItemId("item"),
        requested_at=1.0,
        ended_at=ended_at,
        end_reason=None if ended_at is None else EndReason.CANCELLED,
    )


async def test_a_call_that_goes_on_is_to_be_sealed_later(store: Store) -> None:
    ledger = HallLedger(store, lambda: 9.0)
    with pytest.raises(NotYet):
        await ledger.recording_complete(CallId("c1"))
    await ledger.write((), call(None))
    with pytest.raises(NotYet):
        await ledger.recording_complete(CallId("c1"))
    await ledger.write((), call(5.0))
    await ledger.recording_complete(CallId("c1"))
    await ledger.recording_complete(CallId("c1"))
    assert await store.manifests.manifest(CallId("c1")) is not None
