"""Who of several agents that can take a demand is rung: the one with the smallest key. Pure.

A policy sees the skills that are asked for, who is wanted by name, if anybody, and the time. Every key ends
with the agent's id, so that all dispatchers of a hall rank alike.
"""

from collections.abc import Callable, Collection, Mapping

from agents.agent import Agent
from agents.plan import Policy
from records.model import AccountId, SkillId

Key = tuple[float, float, AccountId]
Rank = Callable[[Agent, Collection[SkillId], AccountId | None, float], Key]


def longest_idle(agent: Agent, skills: Collection[SkillId], wanted: AccountId | None, now: float) -> Key:
    return 0.0, agent.idle_since, agent.id


def least_occupied(agent: Agent, skills: Collection[SkillId], wanted: AccountId | None, now: float) -> Key:
    """By the share of its shift that went into calls and wrap-up; a shift that begins now has none yet."""
    shift = now - agent.signed_in_at
    return (agent.busy_s / shift if shift > 0 else 0.0), agent.idle_since, agent.id


def highest_level(agent: Agent, skills: Collection[SkillId], wanted: AccountId | None, now: float) -> Key:
    """By the sum of its levels in these skills; equally able ones by how long they have been idle."""
    return -float(sum(agent.profile.skills.get(skill, 0) for skill in skills)), agent.idle_since, agent.id


def round_robin(agent: Agent, skills: Collection[SkillId], wanted: AccountId | None, now: float) -> Key:
    return 0.0, agent.offered_at, agent.id


def last_agent_first(agent: Agent, skills: Collection[SkillId], wanted: AccountId | None, now: float) -> Key:
    """Who is wanted even when it need not be that one any more, then the longest idle."""
    return float(agent.id != wanted), agent.idle_since, agent.id


POLICIES: Mapping[Policy, Rank] = {
    Policy.LONGEST_IDLE: longest_idle,
    Policy.LEAST_OCCUPIED: least_occupied,
    Policy.HIGHEST_LEVEL: highest_level,
    Policy.ROUND_ROBIN: round_robin,
    Policy.LAST_AGENT_FIRST: last_agent_first,
}
