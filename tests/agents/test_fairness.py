"""Among equals nobody is rung more than others: 10,000 calls in virtual time."""

import random
from collections.abc import Sequence
from heapq import heappop, heappush

import pytest
from msgspec.structs import replace

from agents.agent import Agent
from agents.plan import Policy
from agents.policies import POLICIES
from records.model import AccountId
from tests.agents.district import TAX, free

AGENTS, CALLS = 20, 10_000
TALK_S, BETWEEN_S = 300.0, 20.0  # an offered load of 15 erlangs on 20 agents


def jain(shares: Sequence[float]) -> float:
    """R. Jain, D. Chiu, W. Hawe, "A quantitative measure of fairness and discrimination for resource
    allocation in shared computer systems", DEC-TR-301 (1984): 1 when all are equal, 1/n when one has all."""
    return sum(shares) ** 2 / (len(shares) * sum(share * share for share in shares))


def day(policy: Policy, seed: int) -> list[int]:
    """How many calls each agent took; calls wait in line while everybody talks."""
    chance, rank = random.Random(seed), POLICIES[policy]
    idle = {agent.id: agent for agent in (free(f"agent-{n:02}") for n in range(AGENTS))}
    talks: list[tuple[float, AccountId, Agent]] = []
    taken = dict.fromkeys(idle, 0)
    now = 0.0
    for _ in range(CALLS):
        now += chance.expovariate(1 / BETWEEN_S)
        if not idle:
            now = max(now, talks[0][0])
        while talks and talks[0][0] <= now:
            ends, id_, agent = heappop(talks)
            idle[id_] = replace(agent, idle_since=ends)
        agent = min(idle.values(), key=lambda a: rank(a, (TAX,), None, now))
        talk = chance.expovariate(1 / TALK_S)
        heappush(talks, (now + talk, agent.id, replace(agent, offered_at=now, busy_s=agent.busy_s + talk)))
        del idle[agent.id]
        taken[agent.id] += 1
    return list(taken.values())


@pytest.mark.parametrize("policy", Policy)
def test_calls_are_shared_out_fairly_among_equals(policy: Policy) -> None:
    assert jain(day(policy, seed=4)) >= 0.98


def test_the_measure_sees_unfairness() -> None:
    assert jain([10_000, *[0] * 19]) == pytest.approx(1 / 20)
    assert jain([500] * 20) == pytest.approx(1)
