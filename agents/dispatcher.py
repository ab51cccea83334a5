"""The loop: sweep what is overdue, rank, reserve, and say who is to be rung.

Any number of dispatchers may run for one hall, one in every process that holds sockets. They rank alike, the
store settles who reserves, and the winner's process goes on with the call.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from agents.agent import Release, Reservation, ReservationId
from agents.availability import Availability
from agents.routing import match

log = structlog.get_logger(__name__)

INTERVAL_S = 0.5  # a round at least this often; poke() makes it at once
LONGEST_BACKOFF_S = 8.0  # between rounds that fail
CALLBACK_S = 5.0  # a receiver only puts something into an inbox; longer than this it hangs
RECEIVER_GRACE_S = 5.0  # how long after its deadline a reservation is left to its receiver


class Dispatcher:
    """``on_reserved`` is told of each reservation made here, again every round until it has not failed.

    ``on_expired`` is told once of each reservation past its deadline, by every dispatcher of the hall: it
    gives the reservation back through the call's state machine. If the reservation is still there
    RECEIVER_GRACE_S after its deadline, the dispatcher itself gives it back (NO_ANSWER).
    """

    def __init__(
        self,
        availability: Availability,
        clock: Callable[[], float],
        new_id: Callable[[], ReservationId],
        ring_s: float,
        on_reserved: Callable[[Reservation], Awaitable[None]],
        on_expired: Callable[[Reservation], Awaitable[None]],
    ) -> None:
        self._availability = availability
        self._clock = clock
        self._new_id = new_id
        self._ring_s = ring_s
        self._on_reserved = on_reserved
        self._on_expired = on_expired
        self._woken = asyncio.Event()
        self._to_announce: dict[ReservationId, Reservation] = {}
        self._told_expired: set[ReservationId] = set()

    def poke(self) -> None:
        """Something changed: do not wait for the interval."""
        self._woken.set()

    async def run(self) -> None:
        """Rounds until it is cancelled."""
        failures = 0
        while True:
            self._woken.clear()
            try:
                await self.round(self._clock())
                failures = 0
            except Exception:
                failures += 1
                log.exception("dispatch round failed", failures=failures)
            await self._rest(failures)

    async def round(self, now: float) -> tuple[Reservation, ...]:
        """One sweep and one match; returns what was reserved. Errors of the store are the caller's."""
        await self._sweep(now)
        await self._announce_again(now)
        made = []
        for call, agent in match(await self._availability.snapshot(), now):
            until = now + self._ring_s
            reservation = await self._availability.reserve(agent, call, self._new_id(), until, now)
            if reservation is None:
                self.poke()  # another hand was faster: what it left is seen by looking again
            else:
                made.append(reservation)
                await self._announce(reservation)
        return tuple(made)

    async def _sweep(self, now: float) -> None:
        reservations, wrapped_up = await self._availability.overdue(now)
        self._told_expired &= {reservation.id for reservation in reservations}
        for reservation in reservations:
            await self._expire(reservation, now)
        for agent in wrapped_up:
            if agent.call is not None:
                await self._availability.release(agent.id, agent.call, Release.READY, now)

    async def _expire(self, reservation: Reservation, now: float) -> None:
        if reservation.until + RECEIVER_GRACE_S <= now:
            log.warning("reservation left over", call=reservation.call, agent=reservation.agent)
            await self._availability.give_back(reservation.id, Release.NO_ANSWER, now)
        elif reservation.id not in self._told_expired and await self._tell(self._on_expired, reservation):
            self._told_expired.add(reservation.id)

    async def _announce(self, reservation: Reservation) -> None:
        self._to_announce[reservation.id] = reservation
        if await self._tell(self._on_reserved, reservation):
            del self._to_announce[reservation.id]

    async def _announce_again(self, now: float) -> None:
        for reservation in tuple(self._to_announce.values()):
            if reservation.until <= now:
                del self._to_announce[reservation.id]
            else:
                await self._announce(reservation)

    async def _tell(
        self, receiver: Callable[[Reservation], Awaitable[None]], reservation: Reservation
    ) -> bool:
        """False when the receiver failed or hung; the others are still told."""
        try:
            async with asyncio.timeout(CALLBACK_S):
                await receiver(reservation)
        except Exception:
            log.exception("receiver failed", call=reservation.call, agent=reservation.agent)
            return False
        return True

    async def _rest(self, failures: int) -> None:
        if failures:
            await asyncio.sleep(_backoff(failures))
            return
        try:
            async with asyncio.timeout(INTERVAL_S):
                await self._woken.wait()
        except TimeoutError:
            return


def _backoff(failures: int) -> float:
    """Seconds to the next round after that many failed in a row."""
    # An outage of hours must not make a number that no float can hold.
    return min(INTERVAL_S * float(1 << min(failures, 16)), LONGEST_BACKOFF_S)
