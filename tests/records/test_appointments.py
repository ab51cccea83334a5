"""Call-back slots in a real database."""

import asyncio

import pytest
from msgspec.structs import replace

from records.appointments import SlotFull
from records.model import Appointment, AppointmentState, CallId, ItemId, QueueId, SiteId, StationId
from records.store import Store

QUEUE, AT = QueueId("general"), 1_800_000_000.0


def wanted(number: int = 1, at: float = AT, phone: str | None = None) -> Appointment:
    return Appointment(
        id=f"appointment-{number}",
        code="",
        item=ItemId("item"),
        station=StationId("station-1"),
        site=SiteId("town"),
        at=at,
        made_at=AT - 3600,
        phone=phone,
    )


async def test_a_slot_is_taken_with_a_code_of_its_own(store: Store) -> None:
    first = await store.appointments.book(wanted(1, phone="021 5512 3456"), QUEUE, places=2)
    second = await store.appointments.book(wanted(2), QUEUE, places=2)
    assert len({first.code, second.code}) == 2
    assert all(len(booked.code) == 6 and booked.code.isdigit() for booked in (first, second))
    assert await store.appointments.taken(QUEUE, AT, AT + 1) == {AT: 2}
    assert await store.appointments.due(first.code, AT - 900, AT + 900) == first


async def test_no_more_than_there_are_places_even_at_once(store: Store) -> None:
    tries = (store.appointments.book(wanted(n), QUEUE, places=2) for n in range(6))
    done = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Appointment) for one in done) == 2
    assert sum(isinstance(one, SlotFull) for one in done) == 4


async def test_places_are_counted_by_queue_and_time(store: Store) -> None:
    await store.appointments.book(wanted(1), QUEUE, places=1)
    await store.appointments.book(wanted(2), QueueId("tax"), places=1)
    await store.appointments.book(wanted(3, at=AT + 900), QUEUE, places=1)
    assert await store.appointments.taken(QUEUE, AT, AT + 1000) == {AT: 1, AT + 900: 1}


async def test_a_code_is_good_around_its_time_and_once(store: Store) -> None:
    booked = await store.appointments.book(wanted(), QUEUE, places=1)
    assert await store.appointments.due(booked.code, AT + 1, AT + 900) is None
    assert await store.appointments.due("000000" if booked.code != "000000" else "1", AT, AT + 900) is None
    await store.appointments.called(booked.id, CallId("call-1"))
    assert await store.appointments.due(booked.code, AT, AT + 900) is None
    (kept,) = await store.appointments.between(AT, AT + 1)
    assert kept == replace(booked, state=AppointmentState.CALLED, call=CallId("call-1"))


async def test_a_cancelled_one_makes_room(store: Store) -> None:
    booked = await store.appointments.book(wanted(1), QUEUE, places=1)
    assert await store.appointments.settle(booked.id, AppointmentState.CANCELLED)
    assert await store.appointments.taken(QUEUE, AT, AT + 1) == {}
    assert (await store.appointments.book(wanted(2), QUEUE, places=1)).id == "appointment-2"
    assert not await store.appointments.settle("nobody's", AppointmentState.MISSED)


async def test_the_list_is_in_order_of_time(store: Store) -> None:
    for number, at in enumerate((AT + 900, AT, AT + 1800)):
        await store.appointments.book(wanted(number, at=at), QUEUE, places=1)
    listed = await store.appointments.between(AT, AT + 1800)
    assert [one.at for one in listed] == [AT, AT + 900]


@pytest.mark.parametrize("phone", [None, "+86 21 5512 3456"])
async def test_a_phone_is_kept_as_it_was_given(store: Store, phone: str | None) -> None:
    booked = await store.appointments.book(wanted(phone=phone), QUEUE, places=1)
    assert booked.phone == phone
