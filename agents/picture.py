"""What one process knows of its hall: everything live, kept up to date change by change, with indices. Pure.

The dispatcher owns it and applies what the store says; everybody else only reads.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from agents import lanes
from agents.agent import Agent, DemandId, Presence, Reservation, ReservationId, Waiting
from agents.availability import Changes, Position, Snapshot
from agents.openings import Openings
from agents.ordered import Ordered
from agents.plan import Plan
from records.model import AccountId, QueueId, SkillId


class Picture:
    """``position``: how far it follows the store; None before the first changes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.position: Position | None = None
        self._agents: dict[AccountId, Agent] = {}
        self._waiting: dict[DemandId, Waiting] = {}
        self._reservations: dict[ReservationId, Reservation] = {}
        self.agents: Mapping[AccountId, Agent] = MappingProxyType(self._agents)
        self.waiting: Mapping[DemandId, Waiting] = MappingProxyType(self._waiting)
        self.reservations: Mapping[ReservationId, Reservation] = MappingProxyType(self._reservations)
        # Under None: whatever their skills.
        self._free: defaultdict[SkillId | None, Ordered[Agent]] = defaultdict(Ordered)
        self._on_duty: defaultdict[SkillId | None, dict[AccountId, Agent]] = defaultdict(dict)
        self._queues: dict[QueueId, Ordered[Waiting]] = {}
        self._lines: dict[lanes.Line, Ordered[Waiting]] = {}
        # By a skill without which nobody takes what is in the line; under None: those that ask for no skill.
        self._gates: defaultdict[SkillId | None, dict[lanes.Line, Ordered[Waiting]]] = defaultdict(dict)
        self._deadlines: Ordered[Reservation] = Ordered()
        self._wrapping_up: Ordered[Agent] = Ordered()
        self._openings = Openings()

    @classmethod
    def of(cls, snapshot: Snapshot, plan: Plan) -> "Picture":
        picture = cls(plan)
        picture._put(snapshot.agents, snapshot.waiting, snapshot.reservations)
        return picture

    # --- following the store -------------------------------------------------------------------

    def apply(self, changes: Changes) -> None:
        """What the store answered to ``changes(picture.position)``."""
        if changes.whole:
            self._forget()
        self._put(changes.agents, changes.waiting, changes.reservations)
        for agent in changes.gone_agents:
            self._drop_agent(agent)
        for demand in changes.gone_waiting:
            self._drop_waiting(demand)
        for reservation in changes.gone_reservations:
            self._drop_reservation(reservation)
        self.position = changes.position

    def _forget(self) -> None:
        for part in (self._agents, self._waiting, self._reservations):
            part.clear()
        for index in (self._free, self._on_duty, self._queues, self._lines, self._gates):
            index.clear()
        self._deadlines.clear()
        self._wrapping_up.clear()
        self._openings.clear()

    def _put(
        self, agents: Iterable[Agent], waiting: Iterable[Waiting], reservations: Iterable[Reservation]
    ) -> None:
        for agent in agents:
            self._put_agent(agent)
        for demand in waiting:
            self._put_waiting(demand)
        for reservation in reservations:
            self._put_reservation(reservation)

    # --- reading -------------------------------------------------------------------------------

    def free(self, skill: SkillId | None = None) -> Sequence[Agent]:
        """Those who may be rung and have the skill at any level (None: whatever their skills), the longest
        idle first, then by id."""
        return self._free.get(skill, ())

    def on_duty(self, skill: SkillId | None = None) -> Collection[Agent]:
        """Those who are available, free or busy, and have the skill at any level (None: everybody)."""
        return self._on_duty[skill].values() if skill in self._on_duty else ()

    def queue(self, queue: QueueId) -> Sequence[Waiting]:
        """The demands of a queue in the order of their turns (agents.lanes)."""
        return self._queues.get(queue, ())

    def queues(self) -> Collection[QueueId]:
        """The queues in which somebody waits."""
        return self._queues.keys()

    def lines(self) -> Mapping[lanes.Line, Sequence[Waiting]]:
        """The demands that differ only in where they come from and when, in the order of their turns."""
        return self._lines

    def lines_in_reach(self) -> Mapping[lanes.Line, Sequence[Waiting]]:
        """Of the lines those for which somebody is free who has a skill that they need."""
        found: dict[lanes.Line, Sequence[Waiting]] = {}
        for skill, free in self._free.items():
            if free:
                found.update(self._gates.get(skill, {}))
        return found

    def overdue(self, now: float) -> tuple[tuple[Reservation, ...], tuple[Agent, ...]]:
        """Reservations at or past their deadline, and agents whose wrap-up is over; the oldest first."""
        return tuple(self._deadlines.until(now)), tuple(self._wrapping_up.until(now))

    def opens_after(self, now: float) -> float | None:
        """The next moment at which somebody who waits may be asked for further away; for moments that only
        go forward."""
        return self._openings.after(now, self._waiting)

    # --- the indices ---------------------------------------------------------------------------

    def _put_agent(self, agent: Agent) -> None:
        self._drop_agent(agent.id)
        self._agents[agent.id] = agent
        for skill in _keys(agent):
            if agent.presence is Presence.AVAILABLE:
                self._on_duty[skill][agent.id] = agent
            if agent.routable:
                self._free[skill].add(agent.idle_since, agent.id, agent)
        if agent.wrap_up_until is not None:
            self._wrapping_up.add(agent.wrap_up_until, agent.id, agent)

    def _drop_agent(self, id_: AccountId) -> None:
        agent = self._agents.pop(id_, None)
        if agent is None:
            return
        for skill in _keys(agent):
            if agent.presence is Presence.AVAILABLE:
                del self._on_duty[skill][id_]
            if agent.routable:
                self._free[skill].remove(agent.idle_since, id_)
        if agent.wrap_up_until is not None:
            self._wrapping_up.remove(agent.wrap_up_until, id_)

    def _put_waiting(self, waiting: Waiting) -> None:
        self._drop_waiting(waiting.id)
        self._waiting[waiting.id] = waiting
        turn, id_ = lanes.turn(waiting, self.plan)
        self._queues.setdefault(waiting.queue, Ordered()).add(turn, id_, waiting)
        self._line(lanes.line(waiting)).add(turn, id_, waiting)
        self._openings.add(waiting, self.plan)

    def _drop_waiting(self, id_: DemandId) -> None:
        waiting = self._waiting.pop(id_, None)
        if waiting is None:
            return
        place, line = lanes.turn(waiting, self.plan), lanes.line(waiting)
        self._queues[waiting.queue].remove(*place)
        if not self._queues[waiting.queue]:
            del self._queues[waiting.queue]
        self._lines[line].remove(*place)
        if not self._lines[line]:
            del self._lines[line]
            for gate in self._gates_of(line):
                del self._gates[gate][line]

    def _line(self, line: lanes.Line) -> Ordered[Waiting]:
        found = self._lines.get(line)
        if found is None:
            found = self._lines[line] = Ordered()
            for gate in self._gates_of(line):
                self._gates[gate][line] = found
        return found

    def _gates_of(self, line: lanes.Line) -> set[SkillId | None]:
        """Who has none of these skills can take nothing of it. The pool of its queue stands in for any."""
        gate, pool = (line.second or line.first).gate, self.plan.queue(line.queue).pool
        return {gate} if gate is None or pool is None else {gate, pool}

    def _put_reservation(self, reservation: Reservation) -> None:
        self._drop_reservation(reservation.id)
        self._reservations[reservation.id] = reservation
        self._deadlines.add(reservation.until, reservation.id, reservation)

    def _drop_reservation(self, id_: ReservationId) -> None:
        reservation = self._reservations.pop(id_, None)
        if reservation is not None:
            self._deadlines.remove(reservation.until, id_)


def _keys(agent: Agent) -> tuple[SkillId | None, ...]:
    return (None, *agent.profile.skills)
