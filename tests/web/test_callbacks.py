"""The list of call-backs on a real server: who is to be called, and what came of it."""

import html
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from records.audit import AuditFilter
from records.model import Appointment, AppointmentState, ItemId, QueueId, SiteId, StationId
from tests.web.back_office import NOW, Office, office


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.fixture
async def manager(hall: Office) -> AsyncIterator[ClientSession]:
    async with hall.http() as http:
        yield http


async def booked(hall: Office, number: int, at: float, phone: str | None = None) -> Appointment:
    wanted = Appointment(
        f"appointment-{number}", "", ItemId("bus-pass"), StationId("s1"), SiteId("town1"), at, NOW - 60, phone
    )
    return await hall.store.appointments.book(wanted, QueueId("transport"), places=5)


async def page(http: ClientSession) -> str:
    async with http.get("/manager/callbacks") as answer:
        assert answer.status == 200
        return html.unescape(await answer.text())


async def test_nothing_is_said_in_words(hall: Office, manager: ClientSession) -> None:
    assert "没有预约" in await page(manager)


async def test_who_left_a_number_is_to_be_called_in_order_of_time(
    hall: Office, manager: ClientSession
) -> None:
    later = await booked(hall, 1, NOW + 7200, phone="021 5512 3456")
    sooner = await booked(hall, 2, NOW - 600)
    text = await page(manager)
    assert text.index(sooner.code) < text.index(later.code)
    assert "021 5512 3456" in text
    assert "居民到终端来" in text
    assert text.count("已过时间") == 1


@pytest.mark.parametrize("state", ["called", "missed", "cancelled"])
async def test_what_came_of_it_is_kept_and_audited(hall: Office, manager: ClientSession, state: str) -> None:
    one = await booked(hall, 1, NOW + 600)
    async with manager.post(f"/manager/callbacks/{one.id}", data={"state": state}) as answer:
        assert str(answer.url).endswith("/manager/callbacks")
    (kept,) = await hall.store.appointments.between(NOW, NOW + 3600)
    assert kept.state is AppointmentState(state)
    (line, *_) = await hall.store.audit.page(AuditFilter())
    assert (line.action, line.object) == (f"callback.{state}", f"callback:{one.id}")


async def test_what_is_not_there_or_not_meant_is_refused(hall: Office, manager: ClientSession) -> None:
    one = await booked(hall, 1, NOW + 600)
    async with manager.post("/manager/callbacks/nobody", data={"state": "called"}) as answer:
        assert answer.status == 404
    async with manager.post(f"/manager/callbacks/{one.id}", data={"state": "booked"}) as answer:
        assert answer.status == 422
    (kept,) = await hall.store.appointments.between(NOW, NOW + 3600)
    assert kept.state is AppointmentState.BOOKED
