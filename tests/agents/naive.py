"""Matching as it is defined, with no regard to cost: what agents.routing is compared with."""

from agents.agent import Agent, Party, Waiting
from agents.lanes import turn
from agents.picture import Picture
from agents.plan import Plan, Ring
from agents.policies import POLICIES, Key
from agents.routing import Match
from agents.takers import (
    asks_alone,
    fits,
    is_on_duty,
    is_passed_over,
    may_take,
    rings_of,
    sought,
    without_absent,
)
from records.model import AccountId


def naive_match(picture: Picture, plan: Plan, now: float) -> tuple[Match, ...]:
    """Every demand by turn, every agent for each of them."""
    hall = _Hall(picture, plan, now)
    made: list[Match] = []
    for demand in sorted(picture.waiting.values(), key=lambda waiting: turn(waiting, plan)):
        agents = hall.serve(demand)
        if agents:
            made.append(Match(demand.id, agents))
    return tuple(made)


class _Hall:
    def __init__(self, picture: Picture, plan: Plan, now: float) -> None:
        self.picture, self.plan, self.now = picture, plan, now
        self.free = {agent.id for agent in picture.agents.values() if agent.routable}

    def serve(self, waiting: Waiting) -> tuple[AccountId, ...]:
        wanted = None if waiting.wanted is None else self.picture.agents.get(waiting.wanted)
        demand = without_absent(waiting, wanted, self.plan, self.now)
        firsts = self.free_for(demand, demand.party)
        if demand.second is None:
            chosen = (firsts[0].id,) if firsts else ()
        else:
            chosen = self.both(demand, firsts, self.free_for(demand, demand.second))
        self.free -= set(chosen)
        return chosen

    def both(self, demand: Waiting, firsts: list[Agent], seconds: list[Agent]) -> tuple[AccountId, ...]:
        for one in firsts:
            for other in seconds:
                if one.id != other.id:
                    return one.id, other.id
        if seconds and any(
            agent.id != seconds[0].id and self.could(agent, demand, demand.party)
            for agent in self.picture.agents.values()
        ):
            self.free.discard(seconds[0].id)
        return ()

    def free_for(self, demand: Waiting, party: Party) -> list[Agent]:
        """The best first."""
        agents = [self.picture.agents[id_] for id_ in self.free]
        return sorted((a for a in agents if self.could(a, demand, party)), key=self.rank(demand, party))

    def rank(self, demand: Waiting, party: Party):  # type: ignore[no-untyped-def]
        policy = POLICIES[self.plan.queue(demand.queue).policy]
        wanted = None if party is demand.second else demand.wanted

        def key(agent: Agent) -> Key:
            return policy(agent, party.needs, wanted, self.now)

        return key

    def could(self, agent: Agent, demand: Waiting, party: Party) -> bool:
        """On duty, may take it, and within the open rings or wanted by name."""
        if not is_on_duty(agent, self.plan, self.now):
            return False
        if not may_take(agent, demand, party, self.plan, self.now):
            return False
        is_wanted = party is not demand.second and demand.wanted == agent.id
        return is_wanted or any(self.is_in(ring, agent, demand, party) for ring in self.open(demand, party))

    def open(self, demand: Waiting, party: Party) -> tuple[Ring, ...]:
        rings = rings_of(demand, party, self.plan)
        count = len(rings)
        while count > 1 and demand.enqueued_at + rings[count - 1].after_s > self.now:
            if not any(self.is_there(ring, demand, party) for ring in rings[: count - 1]):
                break
            count -= 1
        return rings[:count]

    def is_there(self, ring: Ring, demand: Waiting, party: Party) -> bool:
        return any(
            is_on_duty(agent, self.plan, self.now)
            and not is_passed_over(agent.id, demand, self.now)
            and self.is_in(ring, agent, demand, party)
            for agent in self.picture.agents.values()
        )

    def is_in(self, ring: Ring, agent: Agent, demand: Waiting, party: Party) -> bool:
        looked_for = sought(demand, party, ring.scope, self.plan)
        return looked_for is not None and fits(agent.profile, looked_for, self.plan)


def overtaken(
    picture: Picture, plan: Plan, now: float, made: tuple[Match, ...]
) -> list[tuple[Waiting, Match]]:
    """Demands for one person that got nobody, or a worse place, though somebody who could take them was
    given to a later one."""
    hall = _Hall(picture, plan, now)
    served = {match.demand for match in made}
    found = []
    for earlier in picture.waiting.values():
        if earlier.second is not None or earlier.id in served or asks_alone(earlier, earlier.party, now):
            continue
        for match in made:
            later = picture.waiting[match.demand]
            if turn(later, plan) > turn(earlier, plan) and any(
                hall.could(picture.agents[agent], earlier, earlier.party) for agent in match.agents
            ):
                found.append((earlier, match))
    return found
