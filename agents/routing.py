"""Matching: which agents are rung for which demands. Pure; settling it is the store's part.

Strict first come, first served by turn (agents.lanes), across the queues: a demand that nobody can take
holds up nobody, but whoever could take an earlier demand is never given a later one first.

A demand that needs two people at once (``second``) gets both or neither. When it is its turn and only its
``second`` is free, that one is kept for it, as long as somebody on duty could be its first: the next such
agent who comes free has it. While nobody for ``second`` is free, its agent goes on to the next demand. So
two people, of whom the second is the rare one, wait for each other only on one side; nobody is idle longer
than until the next agent comes free, and nobody who came later gets the second first.

Cost: with L lines for whose skill somebody is free (agents.lanes.Line), D demands looked at and A free agents
it is O(L + D log L + A log A); other lines and demands behind the last free agent cost nothing. Where places,
passes or hours keep the free from what waits, demands are looked at in vain, at most all.
"""

from collections.abc import Collection, Iterator
from heapq import heapify, heappop, heappush

from msgspec import Struct

from agents.agent import Agent, DemandId, Party, Waiting
from agents.crew import Crew, Known, order_of
from agents.lanes import turn
from agents.plan import Plan
from agents.policies import POLICIES
from agents.rings import is_anybody, open_rings
from agents.takers import asks_alone, is_on_duty, is_passed_over, may_take, sought, widest, without_absent
from records.model import AccountId

__all__ = ["Match", "match", "matches", "may_take"]


class Match(Struct, frozen=True):
    """Who is to be rung, in the order of party, second."""

    demand: DemandId
    agents: tuple[AccountId, ...]


def match(picture: Known, plan: Plan, now: float) -> tuple[Match, ...]:
    """For each demand in order of turn the best by its queue's policy of those who are free, may take it and
    are within its open rings; each agent once."""
    return tuple(matches(picture, plan, now))


def matches(picture: Known, plan: Plan, now: float) -> Iterator[Match]:
    """The same one by one, for who needs only the first of them. The picture must not change meanwhile."""
    return _Round(picture, plan, now).matches() if picture.free() else iter(())


class _Round:
    def __init__(self, picture: Known, plan: Plan, now: float) -> None:
        self._picture = picture
        self._plan = plan
        self._now = now
        self._taken: set[AccountId] = set()  # or kept for a demand that waits for its first
        self._free = Crew(picture.free, plan, now, self._taken)
        self._on_duty = Crew(picture.on_duty, plan, now)

    def matches(self) -> Iterator[Match]:
        for waiting in self._in_turn():
            demand = without_absent(waiting, self._wanted(waiting), self._plan, self._now)
            agents = self._pair(demand) if demand.second is not None else self._one(demand)
            if agents:
                self._taken.update(agents)
                yield Match(demand.id, agents)
            if len(self._taken) == len(self._picture.free()):
                return

    # --- whose turn it is ----------------------------------------------------------------------

    def _in_turn(self) -> Iterator[Waiting]:
        """The demands of all lines that somebody free could serve, merged by turn."""
        lines = [demands for demands in self._picture.lines_in_reach().values() if self._has_hope(demands[0])]
        heads = [(turn(demands[0], self._plan), n, 0) for n, demands in enumerate(lines)]
        heapify(heads)
        while heads:
            _, n, at = heappop(heads)
            demands = lines[n]
            yield demands[at]
            at += 1
            if at < len(demands) and self._has_hope(demands[at]):
                heappush(heads, (turn(demands[at], self._plan), n, at))

    def _has_hope(self, example: Waiting) -> bool:
        """Whether anybody free is what the line looks for, wherever the demand comes from."""
        party = example.second or example.party
        order = order_of(self._plan.queue(example.queue).policy, party)
        return any(
            self._free.shortlist(looked_for, order).best() is not None
            for looked_for in widest(example, party, self._plan)
        )

    # --- who takes it --------------------------------------------------------------------------

    def _one(self, demand: Waiting) -> tuple[AccountId, ...]:
        agent = self._best(demand, demand.party)
        return () if agent is None else (agent.id,)

    def _pair(self, demand: Waiting) -> tuple[AccountId, ...]:
        """Both, or nobody; then its second may be kept."""
        party, other = demand.party, demand.second
        assert other is not None
        first = self._best(demand, party)
        second = self._best(demand, other, first)
        if second is None:  # its only second may be who would have been its first
            second = self._best(demand, other)
            first = None if second is None else self._best(demand, party, second)
        if second is None:
            return ()
        if first is None:
            if self._is_first_to_come(demand, second):
                self._taken.add(second.id)
            return ()
        return first.id, second.id

    def _is_first_to_come(self, demand: Waiting, second: Agent) -> bool:
        """Whether somebody else on duty, who is busy now, could be its first."""
        alone = asks_alone(demand, demand.party, self._now)
        if alone is not None:
            wanted = self._wanted(demand)
            return alone != second.id and wanted is not None and self._is_there(wanted, demand)
        rings = open_rings(demand, demand.party, self._on_duty, self._plan, self._now)
        return is_anybody(demand, demand.party, rings, self._on_duty, self._plan, self._now, second.id)

    def _best(self, demand: Waiting, party: Party, but: Agent | None = None) -> Agent | None:
        wanted = self._wanted(demand) if party is not demand.second else None
        if wanted is not None and not self._may_ring(wanted, demand, but):
            wanted = None
        if asks_alone(demand, party, self._now) is not None:
            return wanted
        found = [*self._found(demand, party, but), *([] if wanted is None else [wanted])]
        if len(found) < 2:
            return found[0] if found else None
        rank = POLICIES[self._plan.queue(demand.queue).policy]
        name = None if wanted is None else wanted.id
        return min(found, key=lambda agent: rank(agent, party.needs, name, self._now))

    def _found(self, demand: Waiting, party: Party, but: Agent | None) -> Iterator[Agent]:
        """The best of each open ring."""
        besides = self._besides(demand, but)
        order = order_of(self._plan.queue(demand.queue).policy, party)
        for ring in open_rings(demand, party, self._on_duty, self._plan, self._now):
            looked_for = sought(demand, party, ring.scope, self._plan)
            if looked_for is not None:
                best = self._free.shortlist(looked_for, order).best(besides)
                if best is not None:
                    yield best

    def _besides(self, demand: Waiting, but: Agent | None) -> Collection[AccountId]:
        passed_over = (agent for agent in demand.passed_over if is_passed_over(agent, demand, self._now))
        return {*passed_over, *(() if but is None else (but.id,))}

    def _may_ring(self, wanted: Agent, demand: Waiting, but: Agent | None) -> bool:
        is_free = wanted.routable and wanted.id not in self._taken and wanted is not but
        return is_free and self._is_there(wanted, demand)

    def _is_there(self, wanted: Agent, demand: Waiting) -> bool:
        return is_on_duty(wanted, self._plan, self._now) and may_take(
            wanted, demand, demand.party, self._plan, self._now
        )

    def _wanted(self, demand: Waiting) -> Agent | None:
        return None if demand.wanted is None else self._picture.agents.get(demand.wanted)
