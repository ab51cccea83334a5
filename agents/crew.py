"""The agents of one moment, found by whom somebody looks for. Pure.

A round of matching asks for the same people thousands of times. A shortlist is made when it is first asked
for, looks no further than it must, and is shared by all demands that look for the same.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from heapq import merge
from typing import NamedTuple, Protocol

from agents.agent import Agent, DemandId, Party, Waiting
from agents.hours import is_open
from agents.lanes import Line
from agents.plan import Plan, Policy
from agents.policies import POLICIES, Key
from agents.takers import Sought, fits
from records.model import AccountId, QueueId, SiteId, SkillId


class Known(Protocol):
    """What ranking asks of agents.picture.Picture. ``free`` is in the order of idle_since, id."""

    @property
    def agents(self) -> Mapping[AccountId, Agent]: ...
    @property
    def waiting(self) -> Mapping[DemandId, Waiting]: ...
    def free(self, skill: SkillId | None = None) -> Sequence[Agent]: ...
    def on_duty(self, skill: SkillId | None = None) -> Collection[Agent]: ...
    def queue(self, queue: QueueId) -> Sequence[Waiting]: ...
    def lines(self) -> Mapping[Line, Sequence[Waiting]]: ...
    def lines_in_reach(self) -> Mapping[Line, Sequence[Waiting]]: ...


class Shortlist:
    """Agents that fit, the best first. Who was found and not taken is remembered for the next demand."""

    def __init__(self, coming: Iterator[Agent], taken: Collection[AccountId]) -> None:
        self._coming = coming  # without those who are taken by then
        self._taken = taken
        self._found: deque[Agent] = deque()

    def best(self, but: Collection[AccountId] = ()) -> Agent | None:
        """The first that is not taken, nor among ``but``. Whoever was taken once is never looked at again."""
        found, taken = self._found, self._taken
        while found and found[0].id in taken:
            found.popleft()
        for agent in found:
            if agent.id not in taken and agent.id not in but:
                return agent
        for agent in self._coming:
            found.append(agent)
            if agent.id not in but:
                return agent
        return None

    def all(self) -> Sequence[Agent]:
        """Everybody who is not taken."""
        self._found.extend(self._coming)
        return [agent for agent in self._found if agent.id not in self._taken]


class Order(NamedTuple):
    """Demands of equal orders rank agents alike, but for whom they want by name."""

    policy: Policy
    skills: tuple[SkillId, ...] = ()  # whose levels count


AS_GIVEN = Order(Policy.LONGEST_IDLE)


def order_of(policy: Policy, party: Party) -> Order:
    if policy is Policy.HIGHEST_LEVEL:
        return Order(policy, tuple(sorted(party.needs)))
    return AS_GIVEN if policy is Policy.LAST_AGENT_FIRST else Order(policy)


class Crew:
    """``with_skill``: the agents with a skill at any level; everybody for None. Theirs is the order that
    needs no sorting (AS_GIVEN). ``taken``: who counts no more; its owner may add to it."""

    def __init__(
        self,
        with_skill: Callable[[SkillId | None], Collection[Agent]],
        plan: Plan,
        now: float,
        taken: Collection[AccountId] = (),
    ) -> None:
        self._with_skill = with_skill
        self._taken = taken
        self._plan = plan
        self._now = now
        self._zone = plan.zone
        self._shortlists: dict[tuple[Sought, Order], Shortlist] = {}
        self._sorted: dict[tuple[SkillId | None, Order], Collection[Agent]] = {}
        self._sites: dict[tuple[SkillId | None, Order], dict[SiteId, list[Agent]]] = {}
        self._towns: dict[SiteId, list[SiteId]] | None = None

    def shortlist(self, looked_for: Sought, order: Order = AS_GIVEN) -> Shortlist:
        """Those who fit and are at work at this hour, in that order."""
        found = self._shortlists.get((looked_for, order))
        if found is None:
            found = self._shortlists[looked_for, order] = Shortlist(
                self._fitting(looked_for, order), self._taken
            )
        return found

    def _fitting(self, looked_for: Sought, order: Order) -> Iterator[Agent]:
        taken, plan, now, zone = self._taken, self._plan, self._now, self._zone
        for agent in self._candidates(looked_for, order):
            profile = agent.profile
            if (
                agent.id not in taken
                and fits(profile, looked_for, plan)
                and is_open(profile.hours, now, zone)
            ):
                yield agent

    def _candidates(self, looked_for: Sought, order: Order) -> Iterator[Agent]:
        skills = [skill for skill, _ in looked_for.who.needs]
        rarest = min(skills, key=lambda skill: len(self._with_skill(skill))) if skills else None
        if looked_for.place is None:
            return iter(self._ordered(rarest, order))
        at = self._by_site(rarest, order)
        if not looked_for.around:
            return iter(at.get(looked_for.place, ()))
        return merge(*(at.get(site, ()) for site in self._around(looked_for.place)), key=self._rank(order))

    def _rank(self, order: Order) -> Callable[[Agent], Key]:
        rank, now = POLICIES[order.policy], self._now
        return lambda agent: rank(agent, order.skills, None, now)

    def _ordered(self, skill: SkillId | None, order: Order) -> Collection[Agent]:
        everybody = self._with_skill(skill)
        if order == AS_GIVEN:
            return everybody
        if (skill, order) not in self._sorted:
            self._sorted[skill, order] = sorted(everybody, key=self._rank(order))
        return self._sorted[skill, order]

    def _by_site(self, skill: SkillId | None, order: Order) -> dict[SiteId, list[Agent]]:
        found = self._sites.get((skill, order))
        if found is None:
            found = self._sites[skill, order] = {}
            for agent in self._ordered(skill, order):
                found.setdefault(agent.profile.site, []).append(agent)
        return found

    def _around(self, town: SiteId) -> Sequence[SiteId]:
        if self._towns is None:
            self._towns = {}
            for site, rule in self._plan.sites.items():
                if rule.town is not None:
                    self._towns.setdefault(rule.town, []).append(site)
        return self._towns.get(town, ())
