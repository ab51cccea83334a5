"""Call-back slots of the demonstration hall, in a real database."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from agents.plan import Plan
from records.content import load_content
from records.hours import parse_hours
from records.model import CallId, Item, ItemId, QueueId, SiteId, StationId, Text
from records.store import Store
from signaling.ports import StationCard, Taken
from web.appointments import HallAppointments
from web.config import Callback
from web.plan import load_plan
from web.seed import DEMO

ZONE = ZoneInfo("Asia/Shanghai")
WEDNESDAY = datetime(2026, 11, 25, 10, 2, tzinfo=ZONE).timestamp()
STATION = StationCard(
    StationId("station-1"), Text("终端", "Station"), SiteId("wanghu"), Text("望湖", "Wanghu")
)
CONTENT = load_content(DEMO)
ITEM: Item = next(item for item in CONTENT.items if item.id == ItemId("road-freight-vehicle-review"))


def plan(*hours: str, closed: tuple[str, ...] = ()) -> Plan:
    loaded = load_plan(DEMO, CONTENT, "Asia/Shanghai", goal_s=15)
    general = QueueId("general")
    queue = replace(loaded.queues[general], hours=parse_hours(hours, closed))
    return replace(loaded, queues=loaded.queues | {general: queue})


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'db'}", tmp_path / "recordings", tmp_path / "data")
    yield store
    await store.close()


def slots_of(store: Store, plan: Plan, **settings: int) -> HallAppointments:
    return HallAppointments(store, lambda: plan, Callback(**settings))


def clock(at: float) -> str:
    return datetime.fromtimestamp(at, ZONE).strftime("%a %H:%M")


async def test_slots_are_quarters_within_the_hours_of_the_next_opening_days(store: Store) -> None:
    appointments = slots_of(store, plan("mon-fri 09:00-11:00"), days=2)
    free = await appointments.free(ITEM, WEDNESDAY)
    assert [clock(at) for at, _ in free] == [
        *("Wed 10:45",),
        *(f"Thu {hour:02}:{minute:02}" for hour in (9, 10) for minute in (0, 15, 30, 45)),
    ]
    assert {places for _, places in free} == {2}


async def test_weekends_holidays_and_the_lunch_break_have_none(store: Store) -> None:
    appointments = slots_of(store, plan("thu,fri 11:30-12:10 13:05-13:30", closed=("2026-11-26",)), days=1)
    assert [clock(at) for at, _ in await appointments.free(ITEM, WEDNESDAY)] == [
        "Fri 11:30",
        "Fri 11:45",
        "Fri 13:15",
    ]


async def test_a_hall_that_never_opens_has_none(store: Store) -> None:
    closed = tuple(f"2026-{month:02}-{day:02}" for month in (11, 12) for day in range(1, 31))
    assert await slots_of(store, plan("mon-fri 09:00-17:00", closed=closed)).free(ITEM, WEDNESDAY) == ()


async def test_no_places_no_slots(store: Store) -> None:
    assert await slots_of(store, plan(), places=0).free(ITEM, WEDNESDAY) == ()


async def test_a_slot_that_is_full_is_offered_no_more(store: Store) -> None:
    appointments = slots_of(store, plan(), places=1)
    at, _ = (await appointments.free(ITEM, WEDNESDAY))[0]
    booked = await appointments.book(ITEM, STATION, at, "021 5512 3456", WEDNESDAY)
    assert (booked.at, booked.station, booked.phone) == (at, "station-1", "021 5512 3456")
    assert at not in dict(await appointments.free(ITEM, WEDNESDAY))
    with pytest.raises(Taken):
        await appointments.book(ITEM, STATION, at, None, WEDNESDAY)


@pytest.mark.parametrize("odd", [1.0, -3600.0, 86400.0 * 30])
async def test_a_time_that_was_not_offered_cannot_be_taken(store: Store, odd: float) -> None:
    appointments = slots_of(store, plan())
    at, _ = (await appointments.free(ITEM, WEDNESDAY))[0]
    with pytest.raises(Taken):
        await appointments.book(ITEM, STATION, at + odd, None, WEDNESDAY)


async def test_the_code_is_good_from_a_quarter_before_until_half_an_hour_after(store: Store) -> None:
    appointments = slots_of(store, plan())
    at, _ = (await appointments.free(ITEM, WEDNESDAY))[0]
    booked = await appointments.book(ITEM, STATION, at, None, WEDNESDAY)
    assert await appointments.due(booked.code, at - 16 * 60) is None
    assert await appointments.due(booked.code, at - 14 * 60) == booked
    assert await appointments.due(booked.code, at + 29 * 60) == booked
    assert await appointments.due(booked.code, at + 31 * 60) is None
    await appointments.called(booked.id, CallId("call"))
    assert await appointments.due(booked.code, at) is None
