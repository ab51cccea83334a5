"""Ranking: which agent should be rung for which call. Pure; settling it is the store's part.

Strict first come, first served inside a skill: a call that nobody can take does not hold up the next one,
but whoever could take an earlier call is never given a later one first.
"""

from agents.agent import Agent, Waiting
from agents.availability import Snapshot
from records.model import AccountId, CallId


def match(snapshot: Snapshot, now: float) -> tuple[tuple[CallId, AccountId], ...]:
    """For each waiting call in order of the queue the longest-idle agent who can take it, each once.

    Equal idle times are decided by the agent's id, so that every dispatcher ranks alike.
    """
    free = sorted((a for a in snapshot.agents if a.routable), key=lambda a: (a.idle_since, a.id))
    pairs: list[tuple[CallId, AccountId]] = []
    for waiting in snapshot.waiting:
        agent = next((a for a in free if can_take(a, waiting, now)), None)
        if agent is not None:
            free.remove(agent)
            pairs.append((waiting.call, agent.id))
    return tuple(pairs)


def can_take(agent: Agent, waiting: Waiting, now: float) -> bool:
    """Has the skill, and is not passed over for this call. Says nothing of whether the agent is free."""
    return waiting.skill in agent.skills and not is_passed_over(agent, waiting, now)


def is_passed_over(agent: Agent, waiting: Waiting, now: float) -> bool:
    return waiting.passed_over.get(agent.id, now) > now
