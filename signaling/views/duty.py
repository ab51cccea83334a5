"""Who is there for each queue. Pure."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from agents.agent import Agent, Party
from agents.crew import Crew
from agents.lanes import who
from agents.picture import Picture
from agents.plan import ItemRule, Plan
from agents.takers import Sought
from records.model import AccountId, QueueId


class Duty(Struct, frozen=True):
    """Agents who could take a queue's calls, in any of its rings: those on duty, and of these free."""

    on_duty: int = 0
    free: int = 0


def duty(picture: Picture, plan: Plan, now: float) -> Mapping[QueueId, Duty]:
    """For every queue of the plan."""
    looked_for: dict[QueueId, set[Sought]] = {queue: set() for queue in plan.queues}
    for rule in plan.items.values():
        looked_for.setdefault(rule.queue, set()).update(_sought(rule, plan))
    crew = Crew(picture.on_duty, plan, now)
    return {queue: _of(crew, wanted) for queue, wanted in looked_for.items()}


def _of(crew: Crew, wanted: set[Sought]) -> Duty:
    found: dict[AccountId, Agent] = {}
    for one in wanted:
        found.update((agent.id, agent) for agent in crew.shortlist(one).all())
    return Duty(len(found), sum(agent.routable for agent in found.values()))


def _sought(rule: ItemRule, plan: Plan) -> Iterator[Sought]:
    yield Sought(who(Party(needs=rule.needs)), rule.sites)
    pool = plan.queue(rule.queue).pool
    if pool is not None:
        yield Sought(who(Party(needs={pool: 1})), rule.sites)
