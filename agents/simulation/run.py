"""One day: the real store and the real dispatcher, driven by a queue of virtual moments.

Nothing sleeps. At each moment something happens (a resident calls, an agent answers, a talk ends), and then
the dispatcher makes a round, as it does when it is poked. What only time changes (a ring of the queue opens,
somebody is passed over no longer) it finds in its next round by itself, at most INTERVAL_S later. Rounds that
could change nothing are left out.
"""

import heapq
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, time
from functools import partial
from itertools import count
from math import ceil

from agents.admission import admit
from agents.agent import (
    Acceptance,
    Admitting,
    DemandId,
    Party,
    Presence,
    Release,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.dispatcher import INTERVAL_S, Dispatcher
from agents.memory import MemoryAvailability
from agents.plan import Plan
from agents.simulation.demand import Caller
from agents.simulation.desk import Desk
from agents.simulation.layout import plan_of
from agents.simulation.roster import Person
from agents.simulation.scenario import Scenario
from agents.simulation.tally import Call, Day, Fate, Work
from records.model import CallId, StationId

DAY_S = 86400.0
Happening = Callable[[], Awaitable[bool]]  # whether the dispatcher has reason to look


async def day(
    scenario: Scenario,
    staff: Sequence[Person],
    asking: Sequence[Caller],
    number: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Day:
    """What becomes of those callers with that staff. ``progress`` hears of the time of day, 0 to 1."""
    run = _Run(scenario, plan_of(scenario), staff, number)
    run.open(asking)
    await run.until_midnight(progress)
    return run.result()


class _Run:
    """Times of day are seconds since midnight; the store's clock is Unix time."""

    def __init__(self, scenario: Scenario, plan: Plan, staff: Sequence[Person], number: int) -> None:
        self._scenario, self._plan = scenario, plan
        self._midnight = datetime.combine(scenario.day, time(), plan.zone).timestamp()
        self._at = 0.0
        self._moments: list[tuple[float, int, Happening]] = []
        self._numbers = count()
        self._desks = {person.id: Desk(person, scenario.seed, number) for person in staff}
        self._callers: dict[CallId, Caller] = {}  # neither answered nor gone
        self._ringing: dict[DemandId, Reservation] = {}
        self._calls: list[Call] = []
        self._store = MemoryAvailability(scenario.rules)
        ids = count(1)
        self._dispatcher = Dispatcher(
            self._store,
            plan,
            scenario.rules,
            clock=lambda: self._now,
            new_id=lambda: ReservationId(f"{next(ids)}"),
            on_reserved=self._rings,
            on_expired=self._rang_out,
            on_generation=_of_no_interest,
        )

    @property
    def _now(self) -> float:
        return self._midnight + self._at

    # --- the queue of moments ------------------------------------------------------------------

    def open(self, asking: Sequence[Caller]) -> None:
        """Everything that is known before the day begins."""
        for desk in self._desks.values():
            edges = {edge for pair in (*desk.person.shifts, *desk.person.breaks) for edge in pair}
            for edge in sorted(edges):
                self._then(edge, partial(self._presents, desk))
            if desk.person.group.counter and desk.person.shifts:
                first = desk.person.shifts[0][0]
                self._then(first + desk.counter_changes_after(), partial(self._counter, desk))
        for caller in asking:
            self._then(caller.at, partial(self._asks, caller))

    async def until_midnight(self, progress: Callable[[float], None] | None) -> None:
        while self._moments and self._moments[0][0] < DAY_S:
            self._at = self._moments[0][0]
            changed = False
            while self._moments and self._moments[0][0] <= self._at:
                changed |= await heapq.heappop(self._moments)[2]()
            if changed:
                await self._dispatcher.round(self._now)
            if progress is not None:
                progress(self._at / DAY_S)
        await self._dispatcher.close()
        self._at = DAY_S

    def result(self) -> Day:
        left = [Call(c, Fate.WAITING, DAY_S - c.at) for c in self._callers.values()]
        work: dict[str, Work] = {group.id: Work(0) for group in self._scenario.groups}
        for desk in self._desks.values():
            desk.closes(DAY_S)
            so_far = work[desk.person.group.id]
            work[desk.person.group.id] = Work(
                so_far.agents + 1,
                so_far.duty_s + desk.spent.duty_s,
                so_far.busy_s + desk.spent.busy_s,
                so_far.missed + desk.missed,
            )
        return Day(tuple(sorted((*self._calls, *left), key=lambda call: call.caller.at)), work)

    def _then(self, at: float, happening: Happening) -> None:
        heapq.heappush(self._moments, (max(at, self._at), next(self._numbers), happening))

    def _looks_by_itself(self, demand: DemandId, after_s: float) -> None:
        """If the demand still waits after so many seconds, there is a round within INTERVAL_S."""
        at = ceil((self._at + after_s) / INTERVAL_S) * INTERVAL_S
        self._then(at, partial(self._still_waits, demand))

    async def _still_waits(self, demand: DemandId) -> bool:
        return demand in self._dispatcher.picture.waiting

    # --- residents -----------------------------------------------------------------------------

    async def _asks(self, caller: Caller) -> bool:
        admission = admit(self._dispatcher.picture, self._plan, caller.item, caller.site, self._now)
        if admission.kind is not Admitting.OPEN:
            self._calls.append(Call(caller, Fate.TURNED_AWAY, 0.0))
            return False
        self._callers[caller.id] = caller
        rule = self._plan.items[caller.item]
        waiting = Waiting(
            id=DemandId(caller.id),
            call=caller.id,
            queue=rule.queue,
            item=caller.item,
            station=StationId(caller.site),
            site=caller.site,
            enqueued_at=self._now,
            party=Party(needs=rule.needs),
            lane=caller.lane,
        )
        await self._store.enqueue(waiting)
        if caller.patience_s is not None:
            self._then(caller.at + caller.patience_s, partial(self._goes, caller, Fate.ABANDONED))
        queue = self._plan.queues[rule.queue]
        self._then(caller.at + queue.wait_at_most_s, partial(self._goes, caller, Fate.UNANSWERED))
        for after_s in {ring.after_s for ring in queue.rings} - {0.0}:
            self._looks_by_itself(waiting.id, after_s)
        return True

    async def _goes(self, caller: Caller, fate: Fate) -> bool:
        if caller.id not in self._callers:
            return False
        ringing = self._ringing.get(DemandId(caller.id))
        if ringing is None:
            await self._store.withdraw(DemandId(caller.id))
        else:
            await self._given_back(ringing, Release.WITHDRAWN)
        self._ended(caller, fate)
        return True

    def _ended(self, caller: Caller, fate: Fate, group: str | None = None) -> None:
        del self._callers[caller.id]
        self._calls.append(Call(caller, fate, self._at - caller.at, group))

    # --- rings ---------------------------------------------------------------------------------

    async def _rings(self, reservation: Reservation) -> None:
        self._ringing[reservation.demand] = reservation
        desk = self._desks[reservation.agent]
        answers = desk.answers_after()
        if answers is not None and answers < self._scenario.rules.ring:
            self._then(self._at + answers, partial(self._answers, reservation))
        else:
            self._then(reservation.until - self._midnight, _deadline)

    async def _answers(self, reservation: Reservation) -> bool:
        answered = await self._store.accept(reservation.id, reservation.agent, self._now)
        if answered is not Acceptance.COMPLETE:
            return False  # the resident went away
        del self._ringing[reservation.demand]
        caller = self._callers[reservation.call]
        desk = self._desks[reservation.agent]
        self._ended(caller, Fate.ANSWERED, desk.person.group.id)
        await self._look(desk)
        self._then(self._at + caller.talk_s, partial(self._hangs_up, desk, caller))
        return True

    async def _rang_out(self, reservation: Reservation) -> None:
        self._desks[reservation.agent].missed += 1
        await self._given_back(reservation, Release.NO_ANSWER)
        self._looks_by_itself(reservation.demand, self._scenario.rules.no_answer_backoff)

    async def _given_back(self, reservation: Reservation, why: Release) -> None:
        self._ringing.pop(reservation.demand, None)
        await self._store.give_back(reservation.id, why, self._now)
        desk = self._desks[reservation.agent]
        presence = await self._look(desk)
        if presence is Presence.PAUSED and desk.declared[0] is Presence.AVAILABLE:
            desk.away = True
            desk.declared = desk.presence(self._at)
            self._then(self._at + desk.person.group.back_after_s, partial(self._comes_back, desk))

    # --- talks ---------------------------------------------------------------------------------

    async def _hangs_up(self, desk: Desk, caller: Caller) -> bool:
        await self._store.release(desk.person.id, caller.id, Release.ENDED, self._now)
        await self._look(desk)
        at_most = self._scenario.rules.wrap_up
        self._then(self._at + min(caller.wrap_up_s, at_most), partial(self._is_ready, desk, caller))
        return True

    async def _is_ready(self, desk: Desk, caller: Caller) -> bool:
        await self._store.release(desk.person.id, caller.id, Release.READY, self._now)
        await self._look(desk)
        return True

    # --- presence ------------------------------------------------------------------------------

    async def _presents(self, desk: Desk) -> bool:
        """Declare what the timetable and the counter say, if it is anything new."""
        presence = desk.presence(self._at)
        if presence == desk.declared:
            return False
        if desk.declared[0] is Presence.SIGNED_OUT:
            await self._store.sign_in(desk.person.id, desk.person.profile, self._now)
        desk.declared = presence
        await self._store.declare(desk.person.id, *presence, self._now)
        await self._look(desk)
        return True

    async def _comes_back(self, desk: Desk) -> bool:
        desk.away = False
        return await self._presents(desk)

    async def _counter(self, desk: Desk) -> bool:
        desk.at_counter = not desk.at_counter
        self._then(self._at + desk.counter_changes_after(), partial(self._counter, desk))
        return await self._presents(desk)

    async def _look(self, desk: Desk) -> Presence | None:
        agent = await self._store.agent(desk.person.id)
        if agent is None:
            return None
        desk.seen(agent, self._at)
        return agent.presence


async def _of_no_interest(generation: int) -> None:
    """This store loses nothing."""


async def _deadline() -> bool:
    """The round finds the reservation overdue."""
    return True
