"""Call-back slots that residents took: the table appointments."""

import secrets
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from records.database import Chain, Database
from records.model import Appointment, AppointmentState, CallId, QueueId
from records.tables import appointments, read_as

CODE_DIGITS = 6
_TRIES = 20  # codes drawn until one is free; a hundred thousand open appointments would not need three


class SlotFull(Exception):
    """As many as may have taken this time already."""


class Appointments:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def taken(self, queue: QueueId, since: float, until: float) -> dict[float, int]:
        """How many of the queue's slots are taken, by their beginning, for since <= at < until."""
        a = appointments.c
        query = (
            sa.select(a.at, sa.func.count())
            .where(a.queue == queue, a.at >= since, a.at < until, a.state != AppointmentState.CANCELLED)
            .group_by(a.at)
        )
        async with self._database.read() as connection:
            return {float(at): int(count) for at, count in await connection.execute(query)}

    async def book(self, wanted: Appointment, queue: QueueId, places: int) -> Appointment:
        """With a code of its own. Raises SlotFull when ``places`` have this time already."""
        a = appointments.c
        same_time = sa.select(sa.func.count()).where(
            a.queue == queue, a.at == wanted.at, a.state != AppointmentState.CANCELLED
        )
        async with self._database.write() as connection:
            await self._database.alone(connection, Chain.APPOINTMENTS)
            if (await connection.scalar(same_time) or 0) >= places:
                raise SlotFull
            code = await self._free_code(connection)
            row = {name: getattr(wanted, name) for name in wanted.__struct_fields__} | {
                "code": code,
                "queue": queue,
            }
            await connection.execute(appointments.insert().values(row))
        return Appointment(**{name: row[name] for name in wanted.__struct_fields__})

    async def due(self, code: str, since: float, until: float) -> Appointment | None:
        """The booked one with this code whose slot begins in since <= at < until."""
        a = appointments.c
        query = sa.select(appointments).where(
            a.code == code, a.at >= since, a.at < until, a.state == AppointmentState.BOOKED
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().first()
            return None if row is None else read_as(row, Appointment)

    async def called(self, appointment: str, call: CallId) -> None:
        await self._change(appointment, state=AppointmentState.CALLED, call=call)

    async def settle(self, appointment: str, state: AppointmentState) -> bool:
        """By the hall: called back by telephone, missed, cancelled. False when there is no such one."""
        return await self._change(appointment, state=state)

    async def between(self, since: float, until: float) -> Sequence[Appointment]:
        """In order of their times, cancelled ones too."""
        a = appointments.c
        query = sa.select(appointments).where(a.at >= since, a.at < until).order_by(a.at, a.made_at)
        async with self._database.read() as connection:
            return tuple(read_as(row, Appointment) for row in (await connection.execute(query)).mappings())

    async def _change(self, appointment: str, **values: str) -> bool:
        change = appointments.update().where(appointments.c.id == appointment).values(**values)
        async with self._database.write() as connection:
            return bool((await connection.execute(change)).rowcount)

    async def _free_code(self, connection: AsyncConnection) -> str:
        a = appointments.c
        for _ in range(_TRIES):
            code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
            used = sa.select(a.id).where(a.code == code, a.state == AppointmentState.BOOKED)
            if await connection.scalar(used) is None:
                return code
        raise RuntimeError("no free code was found")
