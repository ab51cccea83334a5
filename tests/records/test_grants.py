import pytest

from records.audit import AuditFilter
from records.grants import GRANT_S, PurposeRefused, UnknownCall
from records.model import AccountId, CallId
from records.store import Store
from tests.records.samples import PASSWORD, account, call, manager

C1 = CallId("c1")


@pytest.fixture(autouse=True)
async def known(store: Store) -> None:
    await store.accounts.create_account(manager(), PASSWORD, 1.0)
    await store.accounts.create_account(account(), PASSWORD, 1.0)
    await store.ledger.write([], call())
    await store.ledger.write([], call("c2"))


async def test_opening_writes_the_audit_entry_and_grants_half_an_hour(store: Store) -> None:
    grant = await store.grants.open_recording(manager(), C1, "  投诉 复核\n", "10.0.0.7", now=5000.0)
    (entry,) = await store.audit.page(AuditFilter(object="call:c1"))
    assert (entry.action, entry.actor, entry.purpose) == ("recording.open", manager().id, "投诉 复核")
    assert (entry.at, entry.address, entry.seq) == (5000.0, "10.0.0.7", grant.audit_seq)
    assert await store.grants.grant_for(manager().id, C1, 5000.0 + GRANT_S - 1) == grant


async def test_a_grant_is_for_one_account_one_call_and_a_while(store: Store) -> None:
    await store.grants.open_recording(manager(), C1, "spot check", "10.0.0.7", now=5000.0)
    assert await store.grants.grant_for(manager().id, C1, 5000.0 + GRANT_S) is None
    assert await store.grants.grant_for(manager().id, C1, 4999.0) is None
    assert await store.grants.grant_for(manager().id, CallId("c2"), 5001.0) is None
    assert await store.grants.grant_for(account().id, C1, 5001.0) is None
    assert await store.grants.grant_for(AccountId("nobody"), C1, 5001.0) is None


async def test_opening_again_is_audited_again_and_the_longer_grant_holds(store: Store) -> None:
    for now in (5000.0, 5600.0):
        await store.grants.open_recording(manager(), C1, "spot check", "10.0.0.7", now)
    assert await store.grants.grant_for(manager().id, C1, 5000.0 + GRANT_S) is not None
    assert len(await store.audit.page(AuditFilter(object="call:c1"))) == 2


@pytest.mark.parametrize("purpose", ["", "abc", "   abc   ", "a" * 201])
async def test_without_a_purpose_there_is_neither_grant_nor_entry(store: Store, purpose: str) -> None:
    with pytest.raises(PurposeRefused):
        await store.grants.open_recording(manager(), C1, purpose, "10.0.0.7", now=5000.0)
    assert (await store.audit.head()).seq == 0
    assert await store.grants.grant_for(manager().id, C1, 5000.0) is None


async def test_an_unknown_call_leaves_no_trace(store: Store) -> None:
    with pytest.raises(UnknownCall):
        await store.grants.open_recording(manager(), CallId("c9"), "spot check", "10.0.0.7", now=5000.0)
    assert (await store.audit.head()).seq == 0


async def test_an_account_that_is_not_kept_gets_nothing_and_leaves_no_entry(store: Store) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await store.grants.open_recording(account("ghost"), C1, "spot check", "10.0.0.7", now=5000.0)
    assert (await store.audit.head()).seq == 0


async def test_a_disabled_account_loses_its_grants(store: Store) -> None:
    await store.grants.open_recording(manager(), C1, "spot check", "10.0.0.7", now=5000.0)
    await store.accounts.disable(manager().id)
    assert await store.grants.grant_for(manager().id, C1, 5001.0) is None
