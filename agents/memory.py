"""Availability in one process's memory: for tests and for reading how the verbs work without Redis.

No verb awaits anything, so each is atomic on its event loop.
"""

from msgspec import Struct

from agents import transitions
from agents.agent import Agent, PauseReason, Presence, Release, Reservation, ReservationId, Waiting
from agents.availability import Rules, Snapshot, UnknownAgent
from records.model import AccountId, CallId, SiteId, SkillId


class _Held(Struct, frozen=True):
    reservation: Reservation
    waiting: Waiting


class MemoryAvailability:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._agents: dict[AccountId, Agent] = {}
        self._waiting: dict[CallId, Waiting] = {}
        self._held: dict[ReservationId, _Held] = {}
        self._taken: set[CallId] = set()  # reserved or in a call
        self._fence = 0

    async def sign_in(self, agent: AccountId, skills: dict[SkillId, int], site: SiteId, now: float) -> Agent:
        known = self._agents.get(agent)
        return self._keep(transitions.signed_in(known, agent, skills, site, now))

    async def declare(
        self, agent: AccountId, presence: Presence, reason: PauseReason | None, now: float
    ) -> Agent:
        known = self._agents.get(agent)
        if known is None:
            raise UnknownAgent(agent)
        return self._keep(transitions.declared(known, presence, reason, now))

    async def agent(self, agent: AccountId) -> Agent | None:
        return self._agents.get(agent)

    async def enqueue(self, waiting: Waiting) -> None:
        if waiting.call not in self._taken:
            self._waiting.setdefault(waiting.call, waiting)

    async def withdraw(self, call: CallId) -> None:
        self._waiting.pop(call, None)

    async def reserve(
        self, agent: AccountId, call: CallId, reservation: ReservationId, until: float, now: float
    ) -> Reservation | None:
        held = self._held.get(reservation)
        if held is not None:
            mine = (held.reservation.agent, held.reservation.call) == (agent, call)
            return held.reservation if mine else None
        known, waiting = self._agents.get(agent), self._waiting.get(call)
        if known is None or waiting is None or not transitions.may_reserve(known, waiting, now):
            return None
        self._fence += 1
        made = Reservation(reservation, call, agent, until, self._fence)
        self._keep(transitions.reserved(known, call, reservation, now))
        self._held[reservation] = _Held(made, self._waiting.pop(call))
        self._taken.add(call)
        return made

    async def accept(self, reservation: ReservationId, now: float) -> bool:
        held = self._held.get(reservation)
        if held is None:
            return any(transitions.is_in_call_by(a, reservation) for a in self._agents.values())
        if held.reservation.until <= now:
            return False
        del self._held[reservation]
        self._keep(transitions.accepted(self._agents[held.reservation.agent], now))
        return True

    async def give_back(self, reservation: ReservationId, why: Release, now: float) -> bool:
        transitions.check_give_back(why)
        held = self._held.pop(reservation, None)
        if held is None:
            return False
        agent, call = held.reservation.agent, held.reservation.call
        self._keep(transitions.given_back(self._agents[agent], why, self._rules, now))
        self._taken.discard(call)
        back = transitions.put_back(held.waiting, agent, why, self._rules, now)
        if back is not None:
            self._waiting[call] = back
        return True

    async def release(self, agent: AccountId, call: CallId, why: Release, now: float) -> bool:
        transitions.check_release(why)
        known = self._agents.get(agent)
        after = None if known is None else transitions.released(known, call, why, self._rules, now)
        if after is None:
            return False
        self._keep(after)
        if why is Release.ENDED:
            self._taken.discard(call)
        return True

    async def overdue(self, now: float) -> tuple[tuple[Reservation, ...], tuple[Agent, ...]]:
        return transitions.overdue(await self.snapshot(), now)

    async def snapshot(self) -> Snapshot:
        return Snapshot(
            agents=tuple(sorted(self._agents.values(), key=lambda a: a.id)),
            waiting=transitions.in_order(self._waiting.values()),
            reservations=tuple(sorted((h.reservation for h in self._held.values()), key=lambda r: r.fence)),
        )

    def _keep(self, agent: Agent) -> Agent:
        self._agents[agent.id] = agent
        return agent
