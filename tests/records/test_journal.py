import asyncio

import pytest

from records.model import (
    AccountId,
    CallId,
    CallSummary,
    EndReason,
    Gap,
    JournalEntry,
    JournalKind,
    Outcome,
    RatingReason,
)
from records.store import Store
from tests.records.samples import call, entry, part, sealed


async def test_what_is_written_is_read_back(store: Store) -> None:
    note = entry("note:1", JournalKind.NOTE, 1012.5, agent="lihua", text="身份证复印件，缺一份")
    summary = call(answered_at=1008.25, agent=AccountId("lihua"))
    await store.ledger.write([note, entry("ring:1", at=1003.0, agent="lihua")], summary)
    detail = await store.calls.call(CallId("c1"))
    assert detail is not None
    assert detail.summary == summary
    assert detail.journal == (entry("ring:1", at=1003.0, agent="lihua"), note)
    assert (detail.parts, detail.rating) == ((), None)


async def test_an_entry_written_twice_stands_once(store: Store) -> None:
    for _ in range(3):
        await store.ledger.write([entry("ring:1"), entry("ring:2", at=1001.0)], call())
    assert [line.key for line in await _journal(store)] == ["ring:1", "ring:2"]


async def test_the_same_key_in_another_call_is_another_entry(store: Store) -> None:
    await store.ledger.write([entry("ring:1")], call())
    await store.ledger.write([entry("ring:1", call="c2")], call("c2"))
    assert len(await _journal(store, "c1")) == len(await _journal(store, "c2")) == 1


async def test_twenty_writers_of_the_same_entries_leave_one_of_each(store: Store) -> None:
    entries = [entry(f"ring:{n}") for n in range(5)]
    await asyncio.gather(*(store.ledger.write(entries, call()) for _ in range(20)))
    assert len(await _journal(store)) == 5


async def test_nothing_known_is_overwritten_by_none(store: Store) -> None:
    whole = call(
        answered_at=1008.0,
        ended_at=1100.0,
        end_reason=EndReason.COMPLETED_BY_AGENT,
        agent=AccountId("lihua"),
        outcome=Outcome.RESOLVED,
        outcome_note="办好了",
    )
    await store.ledger.write([], whole)
    await store.ledger.write([], call())  # the first row once more, late
    assert await _summary(store) == whole


async def test_a_later_outcome_stands_with_its_note_even_an_empty_one(store: Store) -> None:
    await store.ledger.write([], call(outcome=Outcome.RESOLVED, outcome_note="办好了"))
    await store.ledger.write([], call(outcome=Outcome.REFERRED))
    assert await _summary(store) == call(outcome=Outcome.REFERRED)


async def test_an_entry_of_another_call_is_refused_and_nothing_is_written(store: Store) -> None:
    with pytest.raises(ValueError, match="another call"):
        await store.ledger.write([entry("ring:1"), entry("ring:1", call="c2")], call())
    assert await store.calls.call(CallId("c1")) is None


async def test_text_that_no_engine_stores_does_not_fail_for_ever(store: Store) -> None:
    note = entry("note:1", JournalKind.NOTE, text="a\x00b\ud800c")
    await store.ledger.write([note], call(outcome=Outcome.OTHER, outcome_note="x\x00y"))
    assert (await _summary(store)).outcome_note == "xy"
    assert (await _journal(store))[0].data == {"text": "ab?c"}


async def test_a_part_may_come_before_its_call_and_is_completed_by_its_seal(store: Store) -> None:
    await store.ledger.part_opened(part())
    await store.ledger.part_sealed(sealed(gaps=(Gap(1.0, 1.5, "video", "lost"),)))
    await store.ledger.part_opened(part())  # tried again, late
    await store.ledger.write([], call())
    detail = await store.calls.call(CallId("c1"))
    assert detail is not None
    assert detail.parts == (sealed(gaps=(Gap(1.0, 1.5, "video", "lost"),)),)


async def test_an_unknown_part_is_inserted_by_its_seal_and_the_first_seal_stands(store: Store) -> None:
    await store.ledger.part_sealed(sealed(content=b"first"))
    await store.ledger.part_sealed(sealed(content=b"second"))
    assert await store.calls.parts(CallId("c1")) == (sealed(content=b"first"),)
    assert await store.calls.part("p1") == sealed(content=b"first")


async def test_a_call_is_rated_once(store: Store) -> None:
    await store.ledger.write([], call())
    reasons = [RatingReason.WAITED_LONG, RatingReason.NOT_CLEAR]
    assert await store.ledger.rate(CallId("c1"), 2, reasons, 1200.0)
    assert not await store.ledger.rate(CallId("c1"), 5, [], 1201.0)
    await store.ledger.write([], call(stars=5))
    detail = await store.calls.call(CallId("c1"))
    assert detail is not None
    assert detail.rating is not None
    assert (detail.summary.stars, detail.rating.stars, detail.rating.reasons) == (2, 2, tuple(reasons))


async def test_of_many_ratings_at_once_one_counts(store: Store) -> None:
    await store.ledger.write([], call())
    rated = await asyncio.gather(*(store.ledger.rate(CallId("c1"), 1 + n % 5, [], 1.0) for n in range(10)))
    assert sum(rated) == 1


async def test_an_unknown_call_or_a_sixth_star_is_no_rating(store: Store) -> None:
    assert not await store.ledger.rate(CallId("c1"), 5, [], 1200.0)
    with pytest.raises(ValueError, match="1 to 5"):
        await store.ledger.rate(CallId("c1"), 6, [], 1200.0)


async def _journal(store: Store, id: str = "c1") -> tuple[JournalEntry, ...]:
    detail = await store.calls.call(CallId(id))
    assert detail is not None
    return detail.journal


async def _summary(store: Store) -> CallSummary:
    detail = await store.calls.call(CallId("c1"))
    assert detail is not None
    return detail.summary
