"""Availability in one process's memory: for simulations, tests, and reading how the verbs work without Redis.

No verb awaits anything, so each is atomic on its event loop.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from agents import transitions
from agents.agent import (
    Acceptance,
    Activity,
    Agent,
    DemandId,
    PauseReason,
    Presence,
    Profile,
    Release,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.availability import Ask, Changes, Position, Rules, Snapshot, UnknownAgent
from agents.transitions import Held, Taken
from records.model import AccountId, CallId

LOG = 4096  # so many changes are remembered one by one


class _Touched(NamedTuple):
    """The ids of what one verb wrote."""

    agents: tuple[AccountId, ...]
    demand: DemandId | None
    reservation: ReservationId | None


class MemoryAvailability:
    """``generation``: the first one's name; the fences begin there."""

    def __init__(self, rules: Rules, generation: int = 1) -> None:
        self._rules = rules
        self._begin(generation)

    def lose_everything(self, generation: int | None = None) -> None:
        """As when Redis is emptied: nothing is known any more, and a new generation begins."""
        self._begin(self._fence + 1 if generation is None else generation)

    def _begin(self, generation: int) -> None:
        self._generation = self._fence = generation
        self._seq = 0
        self._log: deque[_Touched] = deque(maxlen=LOG)
        self._agents: dict[AccountId, Agent] = {}
        self._waiting: dict[DemandId, Waiting] = {}
        self._held: dict[ReservationId, tuple[int, Held]] = {}  # with its fence
        self._taken: dict[DemandId, Taken] = {}

    # --- agents --------------------------------------------------------------------------------

    async def sign_in(self, agent: AccountId, profile: Profile, now: float) -> Agent:
        return self._keep(transitions.signed_in(self._agents.get(agent), agent, profile, now))

    async def declare(
        self, agent: AccountId, presence: Presence, reason: PauseReason | None, now: float
    ) -> Agent:
        known = self._agents.get(agent)
        if known is None:
            raise UnknownAgent(agent)
        return self._keep(transitions.declared(known, presence, reason, now))

    async def agent(self, agent: AccountId) -> Agent | None:
        return self._agents.get(agent)

    async def restore(self, agent: Agent, now: float) -> bool:
        known = self._agents.get(agent.id)
        if known is not None and not transitions.fell_back(known, agent):
            return False
        if known is not None and known.reservation in self._held:
            if transitions.is_lost_yes(known, agent):
                self._complete(known.reservation, now)
                return True
            await self.give_back(known.reservation, Release.LOST, now, by=agent.id)
            return await self.restore(agent, now)
        if known is not None and known.activity is Activity.IN_CALL and known.demand is not None:
            self._leave(known.demand, agent.id)
        taken = None if agent.demand is None else self._taken.get(agent.demand)
        after, taken = transitions.restored(agent, taken, now)
        self._agents[agent.id] = after
        waited = None
        if after.demand is not None and after.activity is Activity.IN_CALL and taken is not None:
            self._taken[after.demand] = taken
            waited = self._waiting.pop(after.demand, None)
        self._changed([agent.id], None if waited is None else waited.id)
        return True

    # --- the queue -----------------------------------------------------------------------------

    async def enqueue(self, waiting: Waiting) -> None:
        if waiting.id in self._taken:
            return
        known = self._waiting.get(waiting.id)
        after = transitions.enqueued(known, waiting)
        if after is not known:
            self._waiting[waiting.id] = after
            self._changed(demand=waiting.id)

    async def withdraw(self, demand: DemandId) -> None:
        if self._waiting.pop(demand, None) is not None:
            self._changed(demand=demand)

    # --- the reservation -----------------------------------------------------------------------

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        return tuple(self._reserve(ask, now) for ask in asks)

    def _reserve(self, ask: Ask, now: float) -> Reservation | None:
        if ask.reservation in self._held:
            fence, held = self._held[ask.reservation]
            return held.reservation(ask.reservation, fence) if transitions.is_answer(held, ask) else None
        waiting = self._waiting.get(ask.demand)
        known = [self._agents[agent] for agent in ask.agents if agent in self._agents]
        if waiting is None or len(known) < len(ask.agents):
            return None
        if not transitions.may_reserve(known, waiting, now):
            return None
        self._fence += 1
        for agent in known:
            self._agents[agent.id] = transitions.reserved(agent, waiting, ask.reservation, self._fence, now)
        held = Held(ask.agents, ask.until, self._waiting.pop(ask.demand))
        self._held[ask.reservation] = self._fence, held
        self._taken[ask.demand] = Taken(ask.reservation, ask.agents)
        self._changed(ask.agents, ask.demand, ask.reservation)
        return held.reservation(ask.reservation, self._fence)

    async def accept(self, reservation: ReservationId, agent: AccountId, now: float) -> Acceptance:
        if reservation not in self._held:
            in_call = transitions.is_in_call_by(self._agents.get(agent), reservation)
            return Acceptance.COMPLETE if in_call else Acceptance.REFUSED
        fence, held = self._held[reservation]
        answer = transitions.acceptance(held, agent, now)
        match answer:
            case Acceptance.PARTIAL if agent not in held.accepted:
                self._held[reservation] = fence, transitions.with_yes(held, agent)
                self._changed(reservation=reservation)
            case Acceptance.COMPLETE:
                self._complete(reservation, now)
            case _:
                pass
        return answer

    def _complete(self, reservation: ReservationId, now: float) -> None:
        _, held = self._held.pop(reservation)
        for reserved in held.agents:
            self._agents[reserved] = transitions.accepted(self._agents[reserved], now)
        self._changed(held.agents, reservation=reservation)

    async def give_back(
        self, reservation: ReservationId, why: Release, now: float, by: AccountId | None = None
    ) -> bool:
        transitions.check_give_back(why)
        if reservation not in self._held:
            return False
        _, held = self._held[reservation]
        culprits = transitions.whose_doing(held, by)
        if not culprits:
            return False
        del self._held[reservation]
        for agent in held.agents:
            how = why if agent in culprits else Release.WITHDRAWN
            self._agents[agent] = transitions.given_back(self._agents[agent], how, self._rules, now)
        del self._taken[held.waiting.id]
        back = transitions.put_back(held.waiting, culprits, why, self._rules, now)
        if back is not None:
            self._waiting[back.id] = back
        self._changed(held.agents, None if back is None else back.id, reservation)
        return True

    # --- the call and after it -----------------------------------------------------------------

    async def release(self, agent: AccountId, call: CallId, why: Release, now: float) -> bool:
        transitions.check_release(why)
        known = self._agents.get(agent)
        after = None if known is None else transitions.released(known, call, why, self._rules, now)
        if after is None:
            return False
        self._keep(after)
        if why is Release.ENDED and after.demand is not None:
            self._leave(after.demand, agent)
        return True

    def _leave(self, demand: DemandId, agent: AccountId) -> None:
        others = transitions.left(self._taken.pop(demand, None), agent)
        if others is not None:
            self._taken[demand] = others

    async def extend(self, agent: AccountId, call: CallId, now: float) -> Agent | None:
        known = self._agents.get(agent)
        after = None if known is None else transitions.extended(known, call, self._rules, now)
        return None if after is None else self._keep(after)

    # --- reading -------------------------------------------------------------------------------

    async def changes(self, since: Position | None) -> Changes:
        here = Position(self._generation, self._seq)
        missed = -1 if since is None or since.generation != here.generation else here.seq - since.seq
        if not 0 <= missed <= len(self._log):
            everything = await self.snapshot()
            return Changes(here, True, everything.agents, everything.waiting, everything.reservations)
        return self._since(here, tuple(islice(reversed(self._log), missed)))

    def _since(self, here: Position, touched: tuple[_Touched, ...]) -> Changes:
        agents = sorted({agent for one in touched for agent in one.agents})
        demands = sorted({one.demand for one in touched if one.demand is not None})
        ids = sorted({one.reservation for one in touched if one.reservation is not None})
        return Changes(
            position=here,
            whole=False,
            agents=tuple(self._agents[agent] for agent in agents),
            waiting=transitions.in_order(self._waiting[d] for d in demands if d in self._waiting),
            reservations=self._reservations(id_ for id_ in ids if id_ in self._held),
            gone_waiting=tuple(d for d in demands if d not in self._waiting),
            gone_reservations=tuple(id_ for id_ in ids if id_ not in self._held),
        )

    async def snapshot(self) -> Snapshot:
        return Snapshot(
            agents=tuple(sorted(self._agents.values(), key=lambda a: a.id)),
            waiting=transitions.in_order(self._waiting.values()),
            reservations=self._reservations(self._held),
        )

    def _reservations(self, ids: Iterable[ReservationId]) -> tuple[Reservation, ...]:
        held = ((id_, *self._held[id_]) for id_ in ids)
        return tuple(sorted((h.reservation(id_, fence) for id_, fence, h in held), key=lambda r: r.fence))

    # --- writing -------------------------------------------------------------------------------

    def _keep(self, agent: Agent) -> Agent:
        if self._agents.get(agent.id) != agent:
            self._agents[agent.id] = agent
            self._changed([agent.id])
        return agent

    def _changed(
        self,
        agents: Iterable[AccountId] = (),
        demand: DemandId | None = None,
        reservation: ReservationId | None = None,
    ) -> None:
        self._seq += 1
        self._log.append(_Touched(tuple(agents), demand, reservation))
