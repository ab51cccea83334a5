"""What can happen in a hall, carried out on a store by several processes; and the truth to hold it against.

Each process has a dispatcher with a connection of its own and owns some of the sockets. What a dispatcher
announces lies in ``mail`` until it is delivered: late, out of order or twice. Nothing here draws at random.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from msgspec.structs import replace

from agents.agent import (
    Acceptance,
    Activity,
    Agent,
    DemandId,
    Lane,
    Party,
    PauseReason,
    Presence,
    Release,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.availability import Ask, Availability, Changes, Position, Snapshot, UnknownAgent
from agents.dispatcher import RECEIVER_GRACE_S, Dispatcher
from agents.lanes import turn
from records.model import AccountId, CallId, ItemId, QueueId, SiteId, StationId
from tests.agents.stateful import hall
from tests.agents.stateful.owners import Case, Desk
from tests.agents.stateful.stores import Store

PROCESSES = 3


class Crashed(Exception):
    """The dispatcher's process died; what it had reserved is not announced by anybody."""


class Hand:
    """A process's way to the store, which can be out of date, and can die between a verb and its answer."""

    def __init__(self, world: "World", store: Availability) -> None:
        self._world = world
        self._store = store
        self.stale = self.dies = False

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._store, verb)

    async def changes(self, since: Position | None) -> Changes:
        if self.stale and since is not None:
            return Changes(since, whole=False)
        return await self._store.changes(since)

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        before = await self._store.snapshot()
        answers = await self._store.reserve(asks, now)
        made = [reservation for reservation in answers if reservation is not None]
        self._world.has_reserved(before, made, now, fresh=not self.stale)
        if self.dies:
            raise Crashed
        return answers


class Process:
    """``deaf``: its receivers do nothing, as when signaling hangs."""

    def __init__(self, world: "World", number: int, hand: Hand) -> None:
        self.world = world
        self.number = number
        self.hand = hand
        self.deaf = False
        self.begin()

    def begin(self) -> None:
        self.dispatcher = Dispatcher(
            self.hand,
            hall.PLAN,
            hall.RULES,
            lambda: self.world.now,
            lambda: ReservationId(f"r{next(self.world.ids)}"),
            self.on_reserved,
            self.on_expired,
            self.on_generation,
        )

    async def on_reserved(self, reservation: Reservation) -> None:
        self.world.mail.append(reservation)

    async def on_expired(self, reservation: Reservation) -> None:
        if not self.deaf:
            with self.world.noting():
                await self.hand.give_back(reservation.id, Release.NO_ANSWER, self.world.now)

    async def on_generation(self, generation: int) -> None:
        with self.world.noting():
            await self.world.tell_what_is_known(self.number)


class World:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.now = hall.START
        self.ids = count(1)
        self.processes = [Process(self, n, Hand(self, store.hand())) for n in range(PROCESSES)]
        self.desks = {
            id_: Desk(id_, profile, n % PROCESSES) for n, (id_, profile) in enumerate(hall.PROFILES.items())
        }
        self.cases: dict[CallId, Case] = {}
        self.mail: list[Reservation] = []
        self.made: list[Reservation] = []
        self.fence = 0
        self.failures: list[Exception] = []  # of receivers
        self.racing = False  # several hands at once: what one saw before it reserved may be out of date
        self.lost: set[int] = set()  # processes that have not told a new life what they know
        self.forgets = False  # something written is going to be lost, or was: the judges are needed

    @contextmanager
    def noting(self) -> Iterator[None]:
        """A dispatcher survives the errors of its receivers; the test is to end with them all the same."""
        try:
            yield
        except Exception as error:
            self.failures.append(error)
            raise

    async def snapshot(self) -> Snapshot:
        return await self.processes[0].hand.snapshot()

    # --- dispatchers ---------------------------------------------------------------------------

    async def round(self, number: int, stale: bool = False, deaf: bool = False) -> None:
        process = self.processes[number]
        before = await self.snapshot()
        process.hand.stale, process.deaf = stale, deaf
        try:
            made = await process.dispatcher.round(self.now)
        finally:
            process.hand.stale = process.deaf = False
        if not stale:
            after = await self.snapshot()
            self._no_lease_is_outlived(after)
            self._first_come(before, made, after)

    async def all_at_once(self) -> None:
        self.racing = True
        try:
            await asyncio.gather(*(process.dispatcher.round(self.now) for process in self.processes))
        finally:
            self.racing = False

    async def crash(self, number: int, after_reserving: bool) -> None:
        """In the middle of a round, or after it; another begins in its place."""
        process, delivered = self.processes[number], len(self.mail)
        process.hand.dies = after_reserving
        try:
            await process.dispatcher.round(self.now)
        except Crashed:
            pass
        finally:
            process.hand.dies = False
        await process.dispatcher.close()
        del self.mail[delivered:]
        process.begin()

    def has_reserved(self, before: Snapshot, made: list[Reservation], now: float, fresh: bool) -> None:
        agents = {agent.id: agent for agent in before.agents}
        waiting = {demand.id: demand for demand in before.waiting}
        for reservation in made:
            assert self.racing or reservation.fence > self.fence, "a fence did not grow"
            assert reservation.fence not in {other.fence for other in self.made}
            self.fence = max(self.fence, reservation.fence)
            self.made.append(reservation)
            if not self.racing:
                asked = [agents[id_] for id_ in reservation.agents]
                assert all(agent.routable for agent in asked), "offered to somebody who is not free"
                if fresh:
                    _may_be_asked(asked, waiting[reservation.demand], now)

    def _no_lease_is_outlived(self, after: Snapshot) -> None:
        for reservation in after.reservations:
            assert self.now - reservation.until < RECEIVER_GRACE_S, "a lease was outlived"

    def _first_come(self, before: Snapshot, made: tuple[Reservation, ...], after: Snapshot) -> None:
        """Nobody is left waiting behind whom somebody of the same line and lane, but later, was served."""
        were = {demand.id: demand for demand in (*before.waiting, *after.waiting)}
        for reservation in made:
            served = were.get(reservation.demand)
            if served is None or served.wanted is not None:
                continue
            for left in after.waiting:
                earlier = turn(left, hall.PLAN) < turn(served, hall.PLAN)
                if earlier and _is_alike(left, served) and not _passes_over(left, reservation, self.now):
                    raise AssertionError(f"{served.id} was served before {left.id}")

    # --- agents --------------------------------------------------------------------------------

    def hand_of(self, owner: Desk | Case) -> Hand:
        return self.processes[owner.process].hand

    async def arrives(self, desk: Desk) -> None:
        """Also a socket that comes back."""
        hand = self.hand_of(desk)
        if desk.serving is not None:
            await self._restore(desk)
        await hand.sign_in(desk.id, desk.profile, self.now)
        desk.memory = await hand.declare(desk.id, Presence.AVAILABLE, None, self.now)

    async def declares(self, desk: Desk, presence: Presence) -> None:
        reason = PauseReason.BREAK if presence is Presence.PAUSED else None
        try:
            desk.memory = await self.hand_of(desk).declare(desk.id, presence, reason, self.now)
        except UnknownAgent:
            assert desk.memory is None or self.lost

    async def accepts(self, desk: Desk) -> None:
        if desk.ringing is not None:
            await self._accepts(desk, desk.ringing)

    async def _accepts(self, desk: Desk, rung: Reservation) -> None:
        answer = await self.hand_of(desk).accept(rung.id, desk.id, self.now)
        match answer:
            case Acceptance.COMPLETE:
                await self._connects(rung)
            case Acceptance.REFUSED:
                live = {r.id: r for r in (await self.snapshot()).reservations}
                assert rung.id not in live or rung.until <= self.now
                if desk.ringing == rung:
                    desk.ringing = None

    async def _connects(self, rung: Reservation) -> None:
        """Everybody has said yes; the judges let them through, or the store was wrong."""
        case, desks = self.cases[rung.call], [self.desks[agent] for agent in rung.agents]
        if case.serving.get(rung.demand) == rung:
            return  # accepted a second time
        free = all(desk.serving is None for desk in desks)
        if not free or case.ended or rung.demand not in case.demands or rung.demand in case.serving:
            assert self.forgets or (free and case.ended), "the store let two through"
            for desk in desks:
                if desk.serving is None:
                    await self._let_go(desk, rung.call)
            return
        case.serving[rung.demand] = rung
        for desk in desks:
            desk.serving, desk.ringing = rung, None
            desk.fence = max(desk.fence, rung.fence)
            desk.memory = await self.hand_of(desk).agent(desk.id)

    async def declines(self, desk: Desk) -> None:
        rung = desk.ringing
        if rung is not None:
            await self.hand_of(desk).give_back(rung.id, Release.DECLINED, self.now, by=desk.id)
            self._rings_no_more(rung)

    def _rings_no_more(self, rung: Reservation) -> None:
        for desk in self.desks.values():
            if desk.ringing == rung:
                desk.ringing = None

    async def ready(self, desk: Desk) -> None:
        memory = desk.memory
        if memory is not None and memory.call is not None and memory.activity is Activity.WRAP_UP:
            hand = self.hand_of(desk)
            await hand.release(desk.id, memory.call, Release.READY, self.now)
            assert not await hand.release(desk.id, memory.call, Release.READY, self.now)
            desk.memory = await hand.agent(desk.id) or desk.remembered()

    async def extends(self, desk: Desk) -> None:
        memory = desk.memory
        if memory is not None and memory.call is not None and memory.activity is Activity.WRAP_UP:
            desk.memory = await self.hand_of(desk).extend(desk.id, memory.call, self.now) or memory

    async def goes_silent(self, desk: Desk) -> None:
        """Its heartbeat is missing: what it held is freed, and its call goes back to the front."""
        hand, rung, served = self.hand_of(desk), desk.ringing, desk.serving
        if rung is not None:
            await hand.give_back(rung.id, Release.LOST, self.now, by=desk.id)
            self._rings_no_more(rung)
        if desk.memory is not None:
            try:
                desk.memory = await hand.declare(
                    desk.id, Presence.PAUSED, PauseReason.CONNECTION_LOST, self.now
                )
            except UnknownAgent:
                assert self.lost
        if served is not None:
            await self._leaves(served)
            case = self.cases[served.call]
            await self.hand_of(case).enqueue(case.demands[served.demand])

    async def _leaves(self, served: Reservation) -> None:
        """Everybody who serves the demand: joint ones come and go together."""
        del self.cases[served.call].serving[served.demand]
        for agent in served.agents:
            self.desks[agent].serving, self.desks[agent].alone = None, False
            await self._let_go(self.desks[agent], served.call)

    async def _let_go(self, desk: Desk, call: CallId) -> None:
        hand = self.hand_of(desk)
        done = await hand.release(desk.id, call, Release.ENDED, self.now)
        assert done or self.lost or self.forgets, "an end was refused"
        assert not await hand.release(desk.id, call, Release.ENDED, self.now), "it ended twice"
        desk.memory = await hand.agent(desk.id) or desk.remembered()

    # --- calls ---------------------------------------------------------------------------------

    async def asks(
        self, item: ItemId, site: SiteId, lane: Lane, joint: bool, wanted: AccountId | None
    ) -> None:
        id_ = f"call-{len(self.cases):04}."
        rule = hall.PLAN.items[item]
        demand = DemandId(id_)
        waiting = Waiting(
            demand, CallId(id_), rule.queue, item, StationId("s"), site, self.now, Party(needs=rule.needs),
            second=hall.SIGNER if joint else None, lane=lane, wanted=wanted,
            wanted_until=None if wanted is None else self.now + 20.0,
        )  # fmt: skip
        case = Case(CallId(id_), len(self.cases) % PROCESSES, {demand: waiting})
        self.cases[case.id] = case
        await self.hand_of(case).enqueue(waiting)

    async def asks_again(self, case: Case) -> None:
        """The same message twice, or late."""
        for demand, waiting in case.demands.items():
            if not case.ended and demand not in case.serving:
                await self.hand_of(case).enqueue(waiting)

    async def asks_an_expert(self, case: Case) -> None:
        first = DemandId(case.id)
        if case.ended or first not in case.serving or len(case.demands) > 1:
            return
        more = DemandId(f"{case.id}.{next(self.ids)}")
        base = case.demands[first]
        case.demands[more] = replace(
            base, id=more, enqueued_at=self.now, party=hall.TAX_EXPERT, second=None, wanted=None
        )
        await self.hand_of(case).enqueue(case.demands[more])

    async def is_handed_on(self, case: Case, queue: QueueId) -> None:
        """To another queue, keeping its age: from who serves it, or while it waits."""
        first = DemandId(case.id)
        if case.ended:
            return
        served = case.serving.get(first)
        if served is not None:
            await self._leaves(served)
        case.demands[first] = replace(
            case.demands[first], queue=queue, lane=Lane.ESCALATED, wanted=None, wanted_until=None
        )
        await self.hand_of(case).enqueue(case.demands[first])

    async def ends(self, case: Case) -> None:
        """The resident hangs up, or an agent does; a second time it is over already."""
        if case.ended:
            return
        hand = self.hand_of(case)
        for served in tuple(case.serving.values()):
            await self._leaves(served)
        for demand in case.demands:
            await hand.withdraw(demand)
            told = case.told.get(demand)
            if told is not None and await hand.give_back(told.id, Release.WITHDRAWN, self.now):
                self._rings_no_more(told)
        held = {r.call for r in (await self.snapshot()).reservations}
        case.ended, case.clean = True, case.id not in held and not (self.lost or self.forgets)

    async def tidies(self) -> None:
        """What every process does now and then: a call that is over does not stay in the queue."""
        for waiting in (await self.snapshot()).waiting:
            if self.cases[waiting.call].ended:
                await self.hand_of(self.cases[waiting.call]).withdraw(waiting.id)

    # --- messages ------------------------------------------------------------------------------

    async def delivers(self, number: int, again: bool) -> None:
        if not self.mail:
            return
        at = number % len(self.mail)
        rung = self.mail[at] if again else self.mail.pop(at)
        case = self.cases[rung.call]
        live = {r.id for r in (await self.snapshot()).reservations}
        if not case.hears(rung):
            if case.ended or rung.demand not in case.demands:
                await self.hand_of(case).give_back(rung.id, Release.WITHDRAWN, self.now)
            elif rung.id in live and self.cases[rung.call].told.get(rung.demand) != rung:
                assert self.forgets, "a call refused what was not late"
                await self.hand_of(case).give_back(rung.id, Release.WITHDRAWN, self.now)
            return
        for agent in rung.agents:
            desk = self.desks[agent]
            if not desk.hears(rung) and rung.id in live and desk.ringing != rung:
                assert self.forgets, "an agent refused what was not late"
                await self.hand_of(desk).give_back(rung.id, Release.LOST, self.now, by=desk.id)

    async def accepts_late(self, number: int, desk: Desk) -> None:
        """An answer to any reservation that there ever was, from anybody."""
        if not self.made:
            return
        rung = self.made[number % len(self.made)]
        if desk.id in rung.agents:
            await self._accepts(desk, rung)
        else:
            answer = await self.hand_of(desk).accept(rung.id, desk.id, self.now)
            assert answer is Acceptance.REFUSED

    async def gives_back_late(self, number: int, why: Release) -> None:
        if not self.made:
            return
        rung = self.made[number % len(self.made)]
        live = {r.id for r in (await self.snapshot()).reservations}
        done = await self.processes[number % PROCESSES].hand.give_back(rung.id, why, self.now)
        assert done == (rung.id in live)
        self._rings_no_more(rung)

    # --- the store -----------------------------------------------------------------------------

    async def loses_everything(self) -> None:
        await self.store.lose_everything()
        self._is_another()

    async def begins_to_forget(self) -> None:
        await self.store.begin_to_forget()
        self.forgets = True

    async def fails_over(self) -> None:
        self.forgets = True
        await self.store.fail_over()
        self._is_another()

    def _is_another(self) -> None:
        self.lost = set(range(PROCESSES))

    async def tell_what_is_known(self, number: int) -> None:
        """The owners of one process, to a store that began a new life."""
        for desk in self.desks.values():
            if desk.process == number:
                await self._restore(desk)
        for case in self.cases.values():
            if case.process == number:
                await self._restore_case(case)
        self.lost.discard(number)

    async def _restore(self, desk: Desk) -> None:
        remembered, hand = desk.remembered(), self.hand_of(desk)
        if remembered is None or await hand.restore(remembered, self.now):
            return
        known = await hand.agent(desk.id)
        assert known is not None
        if desk.serving is None and known.activity is Activity.IN_CALL and known.call is not None:
            await hand.release(desk.id, known.call, Release.ENDED, self.now)
        elif desk.serving is not None and not _is_serving(known, desk.serving):
            # Only by another ring, made before we could tell: the owner refuses that, and goes on judging.
            assert self.forgets, "known, and not as it is"
            assert known.fence > desk.serving.fence
            desk.alone = True

    async def _restore_case(self, case: Case) -> None:
        hand = self.hand_of(case)
        for demand, waiting in case.demands.items():
            if case.ended:
                await hand.withdraw(demand)
            elif demand not in case.serving:
                await hand.enqueue(waiting)

    # --- in the end ----------------------------------------------------------------------------

    async def comes_to_rest(self) -> None:
        """Every process has its rounds, all mail is read, everybody hangs up: nothing is left."""
        for case in tuple(self.cases.values()):
            await self.ends(case)
        for _ in range(2):
            for number in range(PROCESSES):
                await self.round(number)
            self.now += hall.RULES.ring + 1
            while self.mail:
                await self.delivers(0, again=False)
            await self.tidies()
        for desk in self.desks.values():
            if desk.memory is not None:
                await self.declares(desk, Presence.SIGNED_OUT)
        self.now += 1000
        for _ in range(3):
            for number in range(PROCESSES):
                await self.round(number)
            self.now += hall.RULES.ring + 1
            await self.tidies()


def _is_serving(known: Agent, served: Reservation) -> bool:
    return (known.activity, known.reservation) == (Activity.IN_CALL, served.id)


def _may_be_asked(asked: list[Agent], waiting: Waiting, now: float) -> None:
    parties = [waiting.party, *([] if waiting.second is None else [waiting.second])]
    assert len(parties) == len(asked)
    for agent, party in zip(asked, parties, strict=True):
        assert hall.is_empowered(agent.profile, waiting), "offered to a site that may not"
        assert hall.is_at_work(agent.profile, now), "offered outside hours"
        assert hall.has_skills(agent.profile, party), "offered to somebody without the skill"
        assert waiting.passed_over.get(agent.id, now) <= now, "offered to who has just declined"


def _is_alike(one: Waiting, other: Waiting) -> bool:
    """Whoever may take the one may take the other."""

    def what(w: Waiting) -> tuple[object, ...]:
        return w.queue, w.item, w.site, w.lane, w.party, w.second, w.wanted

    return what(one) == what(other)


def _passes_over(waiting: Waiting, reservation: Reservation, now: float) -> bool:
    return any(waiting.passed_over.get(agent, now) > now for agent in reservation.agents)
