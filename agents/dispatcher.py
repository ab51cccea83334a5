"""The loop: follow the store's changes, sweep what is overdue, rank, reserve, and say who is to be rung.

Any number of dispatchers may run for one hall, one in every process that holds sockets. They rank alike, the
store settles who reserves, and the winner's process goes on with the call.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

import structlog

from agents.agent import Agent, Release, Reservation, ReservationId
from agents.availability import Ask, Availability, Position, Rules
from agents.picture import Picture
from agents.plan import Plan
from agents.routing import Match, matches
from agents.telling import Telling

log = structlog.get_logger(__name__)

T = TypeVar("T")

INTERVAL_S = 0.5  # a round at least this often; poke() makes it at once
SHORTEST_REST_S = 0.005
LONGEST_BACKOFF_S = 8.0  # between rounds that fail
# How long after its deadline a reservation is left to its receiver. With one round's duration it stays under
# a second: no agent is held by a ring that is over for longer than that.
RECEIVER_GRACE_S = 0.5
RETOLD_S = 5.0  # for so long after its deadline a failing receiver is told again; then its own timers help
REBUILD_S = 1.0  # after a store lost its data nobody is matched for so long: its queue comes back in order
BATCH = 16  # reservations in one trip to the store
MOST = 1024  # reservations in one round; then deadlines are looked at again


class Dispatcher:
    """``on_reserved`` is told of each reservation made here, again every round until it has not failed.

    ``on_expired`` is told once of each reservation past its deadline, by every dispatcher of the hall: it
    gives the reservation back through the call's state machine. If the reservation is still there
    RECEIVER_GRACE_S after its deadline, the dispatcher itself gives it back (NO_ANSWER); so a receiver may
    hear of one that was given back already.

    ``on_generation`` is told of each life of the store that this dispatcher sees begin, and of the one it
    finds: whoever holds sockets then tells the store what it knows (restore, enqueue).

    ``plan`` may be exchanged at any time. ``picture`` is what the process knows of the hall, for everybody to
    read and nobody else to change; it is another object after the plan was exchanged.
    """

    def __init__(
        self,
        availability: Availability,
        plan: Plan,
        rules: Rules,
        clock: Callable[[], float],
        new_id: Callable[[], ReservationId],
        on_reserved: Callable[[Reservation], Awaitable[None]],
        on_expired: Callable[[Reservation], Awaitable[None]],
        on_generation: Callable[[int], Awaitable[None]],
    ) -> None:
        self.plan = plan
        self.picture = Picture(plan)
        self._availability = availability
        self._rules = rules
        self._clock = clock
        self._new_id = new_id
        self._woken = asyncio.Event()
        self._following = asyncio.Lock()
        self._rings = Telling("reserved", on_reserved)
        self._expiries = Telling("expired", on_expired)
        self._generations = Telling("generation", on_generation)
        self._told_expired: set[ReservationId] = set()
        self._unanswered: dict[ReservationId, float] = {}  # asked for, until when
        self._rebuilt_at = 0.0
        self._lost_at: Position | None = None

    def poke(self) -> None:
        """Something changed: do not wait for the interval."""
        self._woken.set()

    async def run(self) -> None:
        """Rounds until it is cancelled."""
        failures = 0
        try:
            while True:
                self._woken.clear()
                try:
                    await self.round(self._clock())
                    failures = 0
                except Exception:
                    failures += 1
                    log.exception("dispatch round failed", failures=failures)
                await self._rest(failures)
        finally:
            await self.close()

    async def close(self) -> None:
        """End what is still being told. run() does it by itself."""
        for telling in (self._rings, self._expiries, self._generations):
            await telling.close()

    async def round(self, now: float) -> tuple[Reservation, ...]:
        """One sweep and one match; returns what was reserved. Errors of the store are the caller's."""
        await self._follow(now)
        if await self._sweep(now):
            await self._follow(now)
        self._find_unanswered(now)
        self._rings.keep(lambda r: now < r.until and r.id in self.picture.reservations)
        if now < self._rebuilt_at <= now + REBUILD_S:
            return ()
        made = await self._reserve(now)
        await self._rings.tell()
        return made

    # --- what happened -----------------------------------------------------------------------------------

    async def follow(self) -> Picture:
        """The picture, brought up to date now."""
        await self._follow(self._clock())
        return self.picture

    async def _follow(self, now: float) -> None:
        async with self._following:  # what is read is applied in the order in which it was read
            before, plan = self.picture.position, self.plan
            anew = self.picture.plan is not plan
            changes = await self._availability.changes(None if anew else before)
            if anew:
                self.picture = Picture(plan)
            self.picture.apply(changes)
            if before is None or before.generation != changes.position.generation:
                self._begin(changes.position.generation, now, seen_to_begin=before is not None)
        await self._generations.tell()

    def _begin(self, generation: int, now: float, seen_to_begin: bool) -> None:
        self._generations.keep(lambda _: False)
        self._generations.add(generation)
        if seen_to_begin:
            log.warning("the store began a new life", generation=generation)
            self._rebuilt_at = now + REBUILD_S

    # --- what is over ------------------------------------------------------------------------------------

    async def _sweep(self, now: float) -> bool:
        """Whether there was anything."""
        overdue, wrapped_up = self.picture.overdue(now)
        for left in _batches([held for held in overdue if held.until + RECEIVER_GRACE_S <= now]):
            await asyncio.gather(*(self._give_back(reservation, now) for reservation in left))
        for agents in _batches(wrapped_up):
            await asyncio.gather(*(self._ready(agent, now) for agent in agents))
        self._expiries.keep(lambda r: now < r.until + RETOLD_S)
        self._expiries.add(*(held for held in overdue if held.id not in self._told_expired))
        self._told_expired = {held.id for held in overdue}
        await self._expiries.tell()
        return bool(overdue or wrapped_up)

    async def _give_back(self, reservation: Reservation, now: float) -> None:
        if await self._availability.give_back(reservation.id, Release.NO_ANSWER, now):
            log.warning("reservation left over", call=reservation.call, agents=reservation.agents)

    async def _ready(self, agent: Agent, now: float) -> None:
        if agent.call is not None:
            await self._availability.release(agent.id, agent.call, Release.READY, now)

    # --- who is rung -------------------------------------------------------------------------------------

    async def _reserve(self, now: float) -> tuple[Reservation, ...]:
        self._rings.start()
        made: list[Reservation] = []
        # One more than a round takes tells whether another is needed; ranking the rest would be for nothing.
        found = tuple(islice(matches(self.picture, self.plan, now), MOST + 1))
        asked = 0
        for batch in _batches(found[:MOST]):
            asked += len(batch)
            won = await self._settle(batch, now)
            made += won
            if 2 * len(won) < len(batch):  # what another hand left is seen by looking again
                break
        if len(made) < asked:
            self._look_again_after_losing()
        elif asked < len(found):
            self.poke()
        return tuple(made)

    async def _settle(self, batch: Sequence[Match], now: float) -> list[Reservation]:
        until = now + self._rules.ring
        asks = tuple(Ask(m.demand, m.agents, self._new_id(), until) for m in batch)
        self._unanswered.update((ask.reservation, until) for ask in asks)
        won = [made for made in await self._availability.reserve(asks, now) if made is not None]
        for ask in asks:
            del self._unanswered[ask.reservation]
        self._rings.add(*won)
        self._rings.start()
        return won

    def _find_unanswered(self, now: float) -> None:
        """A trip to the store whose answer was lost may have reserved all the same: who rings must hear of
        it, or an agent misses a call that never rang."""
        if not self._unanswered:
            return
        found = [held for id_ in self._unanswered if (held := self.picture.reservations.get(id_))]
        self._rings.add(*found)
        told = {held.id for held in found}
        self._unanswered = {id_: t for id_, t in self._unanswered.items() if now < t and id_ not in told}

    def _look_again_after_losing(self) -> None:
        """At once; but a second time only when something happened, or a picture that is wrong would spin."""
        if self._lost_at != self.picture.position:
            self._lost_at = self.picture.position
            self.poke()

    # --- between rounds ----------------------------------------------------------------------------------

    async def _rest(self, failures: int) -> None:
        if failures:
            await asyncio.sleep(_backoff(failures))
            return
        try:
            async with asyncio.timeout(self._rest_s()):
                await self._woken.wait()
        except TimeoutError:
            return

    def _rest_s(self) -> float:
        """Until the next deadline or the opening of a ring, or the interval."""
        now = self._clock()
        soon = [at - now for at in self._deadlines(now + INTERVAL_S) if at > now]
        return min(INTERVAL_S, max(SHORTEST_REST_S, min(soon, default=INTERVAL_S)))

    def _deadlines(self, before: float) -> Iterator[float]:
        reservations, agents = self.picture.overdue(before)
        for held in reservations:
            yield held.until
            yield held.until + RECEIVER_GRACE_S
        for agent in agents:
            yield agent.wrap_up_until or 0.0
        opens_at = self.picture.opens_after(self._clock())
        if opens_at is not None:
            yield opens_at


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _backoff(failures: int) -> float:
    """Seconds to the next round after that many failed in a row."""
    # An outage of hours must not make a number that no float can hold.
    return min(INTERVAL_S * float(1 << min(failures, 16)), LONGEST_BACKOFF_S)
