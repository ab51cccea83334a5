"""What happens in a simulated day, told in little halls; the store and the dispatcher are the real ones."""

from collections import Counter
from itertools import pairwise

import pytest
from msgspec.structs import replace

from agents.agent import Lane
from agents.availability import Rules
from agents.simulation.demand import callers
from agents.simulation.scenario import Break, Department, Group, RulesTable, Service, Sites, Town, load
from agents.simulation.tally import Call, Day, Fate
from records.model import Hours, ItemId, SiteId, SkillId, Span, Tier
from tests.agents.simulation.halls import AT_ONCE, LAND, NAME, TAX, at, hall, simulated

HOUR = 3600.0
NOON = 12 * HOUR
RING = Rules().ring


def fates(day: Day) -> Counter[Fate]:
    return Counter(call.fate for call in day.calls)


def waits(day: Day) -> list[float]:
    return [round(call.wait_s, 3) for call in day.calls]


def groups(day: Day) -> list[str | None]:
    return [call.group for call in day.calls]


def answered_at(call: Call) -> float:
    return call.caller.at + call.wait_s


# --- one agent ---------------------------------------------------------------------------------


def test_who_calls_a_free_agent_does_not_wait() -> None:
    scenario = hall()
    day = simulated(scenario, at(scenario, NOON, talk_s=300.0, wrap_up_s=30.0))
    assert waits(day) == [0.0]
    assert day.work["desk"].busy_s == pytest.approx(330.0)
    assert day.work["desk"].duty_s == pytest.approx(24 * HOUR)


def test_the_next_waits_for_talk_and_wrap_up_in_the_order_of_asking() -> None:
    scenario = hall()
    day = simulated(scenario, at(scenario, NOON, NOON + 10, NOON + 20, talk_s=100.0, wrap_up_s=20.0))
    assert waits(day) == [0.0, 110.0, 220.0]


def test_ringing_takes_its_time_and_is_part_of_the_wait() -> None:
    slow = replace(AT_ONCE, answer_s=4.0)
    scenario = hall(100.0, slow)
    assert waits(simulated(scenario, at(scenario, NOON))) == [4.0]


def test_a_wrap_up_ends_at_its_maximum() -> None:
    scenario = replace(hall(), rules=RulesTable(wrap_up=60.0))
    day = simulated(scenario, at(scenario, NOON, NOON, talk_s=100.0, wrap_up_s=1000.0))
    assert waits(day) == [0.0, 160.0]


def test_a_break_begins_after_the_call_and_ends_by_the_clock() -> None:
    scenario = hall(100.0, replace(AT_ONCE, breaks=(Break("12:00", 20),)))
    day = simulated(scenario, at(scenario, NOON - 60, NOON - 30, talk_s=120.0, wrap_up_s=0.0))
    assert [answered_at(call) for call in day.calls] == [NOON - 60, NOON + 1200]


def test_an_elder_goes_before_who_came_a_little_earlier() -> None:
    scenario = hall()
    first, second = at(scenario, NOON, NOON + 10, talk_s=100.0, wrap_up_s=0.0)
    elder = replace(at(scenario, NOON, NOON, NOON + 20, talk_s=100.0, wrap_up_s=0.0)[2], lane=Lane.ELDER)
    day = simulated(scenario, (first, second, elder))
    assert waits(day) == [0.0, 190.0, 80.0]


# --- who is not answered -----------------------------------------------------------------------


def test_who_loses_patience_goes_and_the_next_moves_up() -> None:
    scenario = hall()
    asking = at(scenario, NOON, NOON + 10, NOON + 20, talk_s=100.0, wrap_up_s=0.0)
    hasty = replace(asking[1], patience_s=30.0)
    day = simulated(scenario, (asking[0], hasty, asking[2]))
    assert [call.fate for call in day.calls] == [Fate.ANSWERED, Fate.ABANDONED, Fate.ANSWERED]
    assert waits(day) == [0.0, 30.0, 80.0]


def test_who_goes_while_it_rings_leaves_the_agent_free() -> None:
    scenario = hall(100.0, replace(AT_ONCE, answer_s=5.0))
    hasty, patient = at(scenario, NOON, NOON + 1, talk_s=60.0)
    day = simulated(scenario, (replace(hasty, patience_s=2.0), patient))
    assert waits(day) == [2.0, 6.0]
    assert day.work["desk"].missed == 0


def test_nobody_on_duty_is_told_at_once() -> None:
    scenario = hall(100.0, replace(AT_ONCE, hours=("09:00-12:00",)))
    day = simulated(scenario, at(scenario, NOON - 1, NOON + 1))
    assert [call.fate for call in day.calls] == [Fate.ANSWERED, Fate.TURNED_AWAY]


def test_a_closed_or_a_full_queue_is_told_at_once() -> None:
    morning = Hours((Span((1, 2, 3, 4, 5), 9 * 60, 12 * 60),))
    closed = hall(hours=morning)
    assert fates(simulated(closed, at(closed, NOON + 1))) == {Fate.TURNED_AWAY: 1}
    full = hall(longest=1)
    day = simulated(full, at(full, NOON, NOON + 1, NOON + 2, talk_s=100.0))
    assert [call.fate for call in day.calls] == [Fate.ANSWERED, Fate.ANSWERED, Fate.TURNED_AWAY]


def test_nobody_waits_longer_than_the_queue_allows_nor_after_midnight() -> None:
    scenario = hall(wait_at_most_s=100.0)
    day = simulated(scenario, at(scenario, NOON, NOON + 1, 24 * HOUR - 20, 24 * HOUR - 10, talk_s=500.0))
    assert [call.fate for call in day.calls] == [Fate.ANSWERED, Fate.UNANSWERED, Fate.ANSWERED, Fate.WAITING]
    assert waits(day) == [0.0, 100.0, 0.0, 10.0]


# --- several agents ----------------------------------------------------------------------------


def test_a_missed_ring_goes_on_to_somebody_else() -> None:
    deaf = replace(AT_ONCE, id="a", miss=0.999999)
    scenario = hall(100.0, deaf, replace(AT_ONCE, id="b"))
    day = simulated(scenario, at(scenario, NOON, NOON + 60, NOON + 120, talk_s=1.0, wrap_up_s=0.0))
    assert groups(day) == ["b", "b", "b"]
    assert waits(day) == [RING, RING, 0.0]  # the longest idle is rung; after two misses it is paused
    assert day.work["a"].missed == 2


def test_two_misses_pause_and_the_agent_comes_back() -> None:
    deaf = replace(AT_ONCE, miss=0.999999, back_after_s=300.0)
    scenario = hall(100.0, deaf)
    day = simulated(scenario, at(scenario, NOON))
    assert fates(day) == {Fate.UNANSWERED: 1}
    rung = 1800.0 / (2 * RING + Rules().no_answer_backoff + 300.0)
    assert day.work["desk"].missed == pytest.approx(2 * rung, abs=2)


def test_the_department_is_asked_first_and_the_pool_after_its_delay() -> None:
    own = Group("own", NAME, 1, ("09:00-13:00",), department=TAX, skills={SkillId("tax"): 3}, answer_s=0.0)
    pool = Group("pool", NAME, 1, ("00:00-24:00",), skills={SkillId("general"): 1}, answer_s=0.0)
    scenario = hall(
        100.0, own, pool, rings=[{"scope": "department"}, {"scope": "pool", "after_s": 8.0}], pool="general"
    )
    day = simulated(scenario, at(scenario, NOON, NOON + 1, 14 * HOUR, talk_s=60.0, wrap_up_s=0.0))
    assert groups(day) == ["own", "pool", "pool"]
    # The dispatcher looks at least every half second; and with nobody of the department there, at once.
    assert day.calls[1].wait_s == pytest.approx(8.0, abs=0.5)
    assert (day.calls[0].wait_s, day.calls[2].wait_s) == (0.0, 0.0)


def test_who_is_not_empowered_is_never_asked() -> None:
    village = Group("village", NAME, 5, ("00:00-24:00",), at=Tier.VILLAGE, answer_s=0.0)
    scenario = replace(
        hall(100.0, village, AT_ONCE, rings=[{"scope": "own_site"}, {"scope": "district", "after_s": 5.0}]),
        departments=(Department(TAX, NAME, items=2, empowers={Tier.VILLAGE: 1}),),
        sites=Sites(towns=(Town(SiteId("north"), 1),)),
    )
    one, two, three = at(
        scenario, NOON, NOON + 10, NOON + 20, site=SiteId("north-1"), talk_s=60.0, wrap_up_s=0.0
    )
    asking = (
        replace(one, item=ItemId("tax-1")),
        replace(two, item=ItemId("tax-2")),
        replace(three, item=ItemId("tax-2")),
    )
    day = simulated(scenario, asking)
    assert groups(day) == ["village", "desk", "desk"]
    assert waits(day) == [0.0, 0.0, 50.0]


def test_equals_have_equal_work() -> None:
    """Longest idle first: of the calls of a quiet day every agent gets the same share."""
    desks = tuple(replace(AT_ONCE, id=f"desk-{n}") for n in range(4))
    scenario = hall(100.0, *desks)
    day = simulated(scenario, at(scenario, *(NOON + 60 * n for n in range(40)), talk_s=30.0, wrap_up_s=0.0))
    assert set(Counter(groups(day)).values()) == {10}


# --- whole days --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["jiading-5", "three-tier"])
def test_everybody_who_asks_meets_one_fate(name: str) -> None:
    """Overloaded, so that all that can go wrong does."""
    scenario = load(name)
    demand = replace(scenario.demand, calls=min(scenario.demand.calls * 3, 900.0))
    few = tuple(replace(group, agents=1, miss=0.2) for group in scenario.groups[-2:])
    hard = replace(scenario, demand=demand, groups=few)
    asked = callers(hard)
    day = simulated(hard, asked)
    assert [call.caller.id for call in day.calls] == [caller.id for caller in asked]
    assert fates(day)[Fate.ANSWERED] > 0
    assert fates(day)[Fate.ABANDONED] > 0


def test_one_agent_is_in_one_call_at_a_time() -> None:
    scenario = hall(2000.0, service=Service(talk_s=60.0, wrap_up_s=10.0), wait_at_most_s=600.0)
    talks = sorted(
        (answered_at(call), call.caller.talk_s + min(call.caller.wrap_up_s, Rules().wrap_up))
        for call in simulated(scenario).calls
        if call.fate is Fate.ANSWERED
    )
    assert all(start + lasts <= later + 1e-6 for (start, lasts), (later, _) in pairwise(talks))


def test_the_same_seed_makes_the_same_day() -> None:
    scenario = load("jiading-5")
    assert simulated(scenario, number=2) == simulated(scenario, number=2)
    assert simulated(scenario, number=2) != simulated(scenario, number=3)
    assert simulated(scenario) != simulated(replace(scenario, seed=1))


def test_departments_do_not_take_each_others_calls() -> None:
    tax, land = (
        Group(id_, NAME, 1, ("00:00-24:00",), department=id_, skills={SkillId(id_): 3}) for id_ in (TAX, LAND)
    )
    scenario = hall(300.0, tax, land, departments=(Department(TAX, NAME), Department(LAND, NAME)))
    answered = [call for call in simulated(scenario).calls if call.group is not None]
    assert len(answered) > 200
    assert all(call.group == call.caller.department for call in answered)
