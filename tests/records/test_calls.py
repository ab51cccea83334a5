from typing import Any

import pytest
import sqlalchemy as sa

from records.calls import CallFilter, Calls, Duration
from records.database import Database
from records.model import AccountId, EndReason, ItemId, JournalKind, Outcome, SiteId, StationId
from records.store import Store
from tests.records.conftest import SHARED
from tests.records.samples import call, entry

DAY = 86_400.0


@pytest.fixture
async def calls(store: Store) -> Calls:
    """Four calls of two days: answered and rated, answered elsewhere, given up, still waiting."""
    lihua, zhao = AccountId("lihua"), AccountId("zhao")
    kept = (
        call(
            "a",
            100.0,
            answered_at=110.0,
            ended_at=400.0,
            end_reason=EndReason.COMPLETED_BY_AGENT,
            agent=lihua,
            outcome=Outcome.RESOLVED,
            outcome_note="Receipt 100% right",
            stars=5,
        ),
        call(
            "b",
            200.0,
            answered_at=260.0,
            ended_at=300.0,
            end_reason=EndReason.RESIDENT_LOST,
            agent=zhao,
            outcome=Outcome.CUT_OFF,
            stars=2,
            station=StationId("s2"),
            site=SiteId("town2"),
            item=ItemId("passport"),
        ),
        call("c", DAY + 10.0, ended_at=DAY + 70.0, end_reason=EndReason.CANCELLED),
        call("d", DAY + 20.0),
    )
    for summary in kept:
        await store.ledger.write([], summary)
    note = entry("note:1", JournalKind.NOTE, 270.0, "b", agent="zhao", text="社保卡号 8_1 未带")
    await store.ledger.write([note], kept[1])
    return store.calls


async def test_a_search_for_what_no_engine_stores_is_no_error(calls: Calls) -> None:
    assert (await calls.find_calls(CallFilter(text="8_1\x00\ud800 \x00"))).total == 0
    assert (await calls.find_calls(CallFilter(text="8\x00_1"))).total == 1


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "dcba"),
        ({"since": DAY}, "dc"),
        ({"until": DAY}, "ba"),
        ({"since": 200.0, "until": DAY + 20.0}, "cb"),
        ({"station": "s2"}, "b"),
        ({"sites": ("town2",)}, "b"),
        ({"sites": ("town1", "town2")}, "dcba"),
        ({"item": "social-proof"}, "dca"),
        ({"agent": "lihua"}, "a"),
        ({"outcome": Outcome.CUT_OFF}, "b"),
        ({"end_reason": EndReason.CANCELLED}, "c"),
        ({"stars_min": 3}, "a"),
        ({"stars_max": 3}, "b"),
        ({"stars_min": 2, "stars_max": 5}, "ba"),
        ({"text": "社保卡"}, "b"),
        ({"text": "RECEIPT"}, "a"),
        ({"text": "100% ri"}, "a"),
        ({"text": "8_1"}, "b"),
        ({"text": "8x1"}, ""),
        ({"text": "text"}, ""),
        ({"text": " d "}, "d"),
        ({"agent": "lihua", "station": "s2"}, ""),
    ],
)
async def test_filters_narrow_the_list_newest_first(calls: Calls, wanted: dict[str, Any], found: str) -> None:
    page = await calls.find_calls(CallFilter(**wanted))
    assert "".join(summary.id for summary in page.calls) == found
    assert page.total == len(found)


async def test_pages_have_a_number_and_a_total_and_never_run_out(calls: Calls) -> None:
    pages = [await calls.find_calls(CallFilter(), number, 3) for number in (1, 2, 3, -1)]
    assert [[summary.id for summary in page.calls] for page in pages] == [
        ["d", "c", "b"],
        ["a"],
        ["a"],
        ["d", "c", "b"],
    ]
    assert [(page.page, page.pages, page.total) for page in pages] == [
        (1, 2, 4),
        (2, 2, 4),
        (2, 2, 4),
        (1, 2, 4),
    ]


async def test_nothing_found_is_one_empty_page(calls: Calls) -> None:
    page = await calls.find_calls(CallFilter(agent=AccountId("nobody")))
    assert (page.calls, page.page, page.pages, page.total) == ((), 1, 1, 0)


async def test_calls_of_the_same_moment_stand_on_one_page_each(store: Store) -> None:
    for number in range(10):
        await store.ledger.write([], call(f"c{number}", 500.0))
    seen = [await store.calls.find_calls(CallFilter(), number, 4) for number in (1, 2, 3)]
    assert sorted(summary.id for page in seen for summary in page.calls) == [f"c{n}" for n in range(10)]


async def test_a_days_figures(calls: Calls) -> None:
    figures = await calls.day_figures(0.0, DAY, goal_s=30)
    assert (figures.calls, figures.answered, figures.abandoned, figures.in_goal) == (2, 2, 0, 1)
    assert (figures.mean_wait_s, figures.mean_talk_s, figures.mean_stars) == (35.0, 165.0, 3.5)
    later = await calls.day_figures(DAY, 2 * DAY, goal_s=30)
    assert (later.calls, later.answered, later.abandoned, later.in_goal) == (2, 0, 1, 0)
    assert (later.mean_wait_s, later.mean_talk_s, later.mean_stars) == (None, None, None)


async def test_what_estimates_are_made_from(calls: Calls) -> None:
    assert await calls.wait_history(0.0) == (Duration(60.0, 40.0), Duration(10.0, 290.0))
    assert await calls.wait_history(0.0, [ItemId("passport")]) == (Duration(60.0, 40.0),)
    assert await calls.wait_history(0.0, []) == ()
    assert await calls.wait_history(150.0, limit=1) == (Duration(60.0, 40.0),)


@pytest.mark.parametrize(
    "column", [None, "station", "site", "item", "agent", "outcome", "end_reason", "stars"]
)
async def test_the_list_is_read_from_an_index_in_its_order(database: Database, column: str | None) -> None:
    condition = "" if column is None else f"WHERE {column} = 'x'"
    order = "requested_at DESC, id DESC" if column is None else "requested_at DESC"
    query = f"SELECT id FROM calls {condition} ORDER BY {order} LIMIT 50"
    async with database.read() as connection:
        if SHARED is not None:  # its planner looks at the size, and small tables are faster without one
            await connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
            await connection.execute(sa.text("SET LOCAL enable_bitmapscan = off"))
            query = query.replace("stars = 'x'", "stars = 1")
        explain = "EXPLAIN QUERY PLAN" if SHARED is None else "EXPLAIN"
        rows = (await connection.execute(sa.text(f"{explain} {query}"))).all()
    plan = "\n".join(str(row) for row in rows)
    assert f"ix_calls_{column or 'requested_at'}" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan
