"""Who of several is rung, by the queue's policy."""

import msgspec
import pytest
from msgspec.structs import replace

from agents.agent import Agent
from agents.plan import Policy, Queue
from agents.policies import POLICIES
from agents.routing import match
from tests.agents.district import HELPER, LAND, TAX, free, picture, plan, queue, waits


def rung(policy: Policy, *agents: Agent, now: float = 1000.0, **asked: object) -> str:
    demand = replace(waits("a"), **asked)
    of = plan(queue(policy=policy))
    (made,) = match(picture(agents, [demand], of), of, now)
    return made.agents[0]


@pytest.mark.parametrize("policy", Policy)
def test_every_policy_is_there_and_decides_ties_by_the_agent_s_id(policy: Policy) -> None:
    assert policy in POLICIES
    assert rung(policy, free("wang"), free("lin"), free("zhao")) == "lin"


def test_longest_idle() -> None:
    assert rung(Policy.LONGEST_IDLE, free("lin", since=30), free("wang", since=10)) == "wang"


def test_least_occupied_goes_by_the_share_of_the_shift() -> None:
    all_day = replace(free("lin"), signed_in_at=0, busy_s=400)  # 40 % of 1,000 s
    since_noon = replace(free("wang"), signed_in_at=500, busy_s=300)  # 60 % of 500 s
    assert rung(Policy.LEAST_OCCUPIED, since_noon, all_day) == "lin"


def test_a_shift_that_begins_now_is_not_occupied() -> None:
    new = replace(free("wang", since=999), signed_in_at=1000)
    assert rung(Policy.LEAST_OCCUPIED, replace(free("lin"), busy_s=1), new) == "wang"


def test_round_robin_goes_by_the_last_ring_even_if_nobody_answered() -> None:
    rung_before = replace(free("lin", since=0), offered_at=900)
    assert rung(Policy.ROUND_ROBIN, rung_before, replace(free("wang", since=800), offered_at=700)) == "wang"


def test_highest_level_counts_only_what_is_needed_and_then_who_is_idle() -> None:
    agents = [
        free("lin", {TAX: 2, LAND: 5}, since=0),
        free("wang", {TAX: 4}, since=20),
        free("zhao", {TAX: 4}, since=10),
    ]
    assert rung(Policy.HIGHEST_LEVEL, *agents) == "zhao"


def test_highest_level_in_two_skills_is_by_their_sum() -> None:
    agents = [free("lin", {TAX: 5, HELPER: 1}), free("wang", {TAX: 4, HELPER: 3})]
    demand = waits("a", needs={TAX: 1, HELPER: 1})
    of = plan(queue(policy=Policy.HIGHEST_LEVEL))
    assert match(picture(agents, [demand], of), of, 5)[0].agents == ("wang",)


def test_each_of_two_queues_has_its_own_order() -> None:
    """Ranks that were made for one demand do not leak into another's."""
    of = plan(queue(policy=Policy.HIGHEST_LEVEL))
    agents = [free("lin", {TAX: 1, HELPER: 5}, since=0), free("wang", {TAX: 5, HELPER: 1}, since=1)]
    demands = [waits("a", 0, needs={TAX: 1}), waits("b", 1, needs={HELPER: 1})]
    assert [m.agents for m in match(picture(agents, demands, of), of, 5)] == [("wang",), ("lin",)]


def test_one_skill_ranks_otherwise_than_two() -> None:
    of = plan(queue(policy=Policy.HIGHEST_LEVEL))
    agents = [
        free("lin", {TAX: 5, HELPER: 1}),
        free("wang", {TAX: 4, HELPER: 5}),
        free("zhao", {TAX: 3, HELPER: 1}),
    ]
    demands = [waits("both", 0, needs={TAX: 1, HELPER: 1}), waits("one", 1, needs={TAX: 1})]
    assert [m.agents for m in match(picture(agents, demands, of), of, 5)] == [("wang",), ("lin",)]
    swapped = [replace(demands[0], enqueued_at=2.0), demands[1]]
    assert [m.agents for m in match(picture(agents, swapped, of), of, 5)] == [("lin",), ("wang",)]


def test_the_last_agent_is_preferred_even_when_it_need_not_be_that_one_any_more() -> None:
    agents = [free("lin", since=0), free("wang", since=50)]
    wanted = {"wanted": "wang", "wanted_until": 20.0}
    assert rung(Policy.LAST_AGENT_FIRST, *agents, now=100, **wanted) == "wang"
    assert rung(Policy.LONGEST_IDLE, *agents, now=100, **wanted) == "lin"


def test_an_unknown_policy_is_refused_by_name() -> None:
    text = {"id": "q", "name": {"zh": "队列", "en": "Queue"}, "policy": "longest_idel"}
    with pytest.raises(msgspec.ValidationError, match=r"longest_idel.*\$\.policy"):
        msgspec.convert(text, Queue)
