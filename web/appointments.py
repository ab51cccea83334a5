"""Call-back slots: which are free in a queue's hours, and taking one. ``signaling.ports.Appointments``."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from math import ceil

from agents.hours import is_open
from agents.plan import Plan, Queue
from records.appointments import SlotFull
from records.model import Appointment, CallId, Item
from records.store import Store
from signaling.ports import StationCard, Taken
from web.config import Callback
from web.plan import queue_of

SOONEST_S = 30 * 60.0  # a slot begins no sooner than this
FARTHEST_S = 14 * 86400.0  # nor later than this, however long the hall is closed
EARLY_S, LATE_S = 15 * 60.0, 30 * 60.0  # how long before and after its beginning a code is good


class HallAppointments:
    def __init__(self, store: Store, plan: Callable[[], Plan], settings: Callback) -> None:
        self.minutes = settings.minutes
        self._records = store.appointments
        self._plan = plan
        self._places = settings.places
        self._days = settings.days

    async def free(self, item: Item, now: float) -> Sequence[tuple[float, int]]:
        queue = self._queue(item)
        if queue is None or not self._places:
            return ()
        slots = tuple(self._slots(queue, now))
        if not slots:
            return ()
        taken = await self._records.taken(queue.id, slots[0], slots[-1] + 1)
        left = ((at, self._places - taken.get(at, 0)) for at in slots)
        return tuple((at, places) for at, places in left if places > 0)

    async def book(
        self, item: Item, station: StationCard, at: float, phone: str | None, now: float
    ) -> Appointment:
        queue = self._queue(item)
        if queue is None or not any(at == slot for slot in self._slots(queue, now)):
            raise Taken
        wanted = Appointment(
            id=secrets.token_hex(8),
            code="",
            item=item.id,
            station=station.id,
            site=station.site,
            at=at,
            made_at=now,
            phone=phone,
        )
        try:
            return await self._records.book(wanted, queue.id, self._places)
        except SlotFull:
            raise Taken from None

    async def due(self, code: str, now: float) -> Appointment | None:
        return await self._records.due(code, now - LATE_S, now + EARLY_S)

    async def called(self, appointment: str, call: CallId) -> None:
        await self._records.called(appointment, call)

    def _queue(self, item: Item) -> Queue | None:
        return self._plan().queues.get(queue_of(item))

    def _slots(self, queue: Queue, now: float) -> Iterator[float]:
        """The beginnings of whole slots while the queue is open, on the next opening days."""
        zone, step = self._plan().zone, self.minutes * 60.0
        first = ceil((now + SOONEST_S) / step)
        days: set[date] = set()
        for number in range(first, first + int(FARTHEST_S / step)):
            at = number * step
            if not (is_open(queue.hours, at, zone) and is_open(queue.hours, at + step - 1, zone)):
                continue
            days.add(datetime.fromtimestamp(at, zone).date())
            if len(days) > self._days:
                return
            yield at
