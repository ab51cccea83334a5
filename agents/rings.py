"""How far a demand is asked around: which of its queue's rings are open. Pure.

Rings open one after another and stay open: each after its own delay since the demand was first enqueued, and
at once when nobody in the rings before it is on duty who could take it (free or busy, in its hours, not
passed over for it). So a village without agents costs its residents no waiting.
"""

from collections.abc import Iterable, Iterator

from agents.agent import Agent, Party, Waiting
from agents.crew import Crew, Known
from agents.plan import Plan, Ring
from agents.takers import is_passed_over, rings_of, sought
from records.model import AccountId


def open_rings(waiting: Waiting, party: Party, on_duty: Crew, plan: Plan, now: float) -> tuple[Ring, ...]:
    """The rings within which somebody may be asked for the party at ``now``."""
    rings = rings_of(waiting, party, plan)
    waited = now - waiting.enqueued_at
    count = max((n for n, ring in enumerate(rings, 1) if ring.after_s <= waited), default=min(1, len(rings)))
    if count < len(rings) and not is_anybody(waiting, party, rings[:count], on_duty, plan, now):
        count += 1
        while count < len(rings) and not is_anybody(
            waiting, party, rings[count - 1 : count], on_duty, plan, now
        ):
            count += 1
    return rings[:count]


def is_anybody(
    waiting: Waiting,
    party: Party,
    rings: tuple[Ring, ...],
    crew: Crew,
    plan: Plan,
    now: float,
    but: AccountId | None = None,
) -> bool:
    """Whether one of the crew may be asked for the party within these rings, whoever is wanted by name."""
    besides = {agent for agent in waiting.passed_over if is_passed_over(agent, waiting, now)}
    if but is not None:
        besides.add(but)
    for ring in rings:
        looked_for = sought(waiting, party, ring.scope, plan)
        if looked_for is not None and crew.shortlist(looked_for).best(besides) is not None:
            return True
    return False


def everybody(waiting: Waiting, party: Party, crew: Crew, plan: Plan) -> dict[AccountId, Agent]:
    """All of the crew that could ever be asked for the party, in any ring, whether passed over or not."""
    found: dict[AccountId, Agent] = {}
    for ring in rings_of(waiting, party, plan):
        looked_for = sought(waiting, party, ring.scope, plan)
        if looked_for is not None:
            found.update((agent.id, agent) for agent in crew.shortlist(looked_for).all())
    return found


def widened(waiting: Waiting, picture: Known, plan: Plan, now: float) -> int:
    """How many rings are open; more than one: it is being asked further away."""
    return len(open_rings(waiting, waiting.party, Crew(picture.on_duty, plan, now), plan, now))


def next_opening(waiting: Waiting, picture: Known, plan: Plan, now: float) -> float | None:
    """When more people may be asked than now because time has passed: a ring opens, the one who was wanted
    had its time, or somebody is passed over no longer. None when waiting changes nothing more."""
    return min((at for at in _moments(waiting, picture, plan, now) if at > now), default=None)


def _moments(waiting: Waiting, picture: Known, plan: Plan, now: float) -> Iterator[float]:
    rings = rings_of(waiting, waiting.party, plan)
    return moments(waiting, rings[widened(waiting, picture, plan, now) :])


def moments(waiting: Waiting, rings: Iterable[Ring]) -> Iterator[float]:
    """When more people may be asked because time has passed, if the first of these rings is not open yet."""
    for ring in rings:
        yield waiting.enqueued_at + ring.after_s
    if waiting.wanted_until is not None:
        yield waiting.wanted_until
    yield from waiting.passed_over.values()
