"""What those who wait are told, and those who could help them."""

import pytest
from msgspec.structs import replace

from agents.agent import Agent, DemandId, Lane, Waiting
from agents.plan import Plan, Ring, Scope
from agents.waiting import Outlook, estimate, on_duty, place, takeable
from records.model import AccountId, ItemId
from tests.agents.district import (
    FORD,
    HALL,
    HELPER,
    LAND,
    MILL,
    PLAN,
    SIGN,
    SIGNER,
    TAX,
    away,
    busy,
    for_land,
    free,
    picture,
    plan,
    queue,
    waits,
)

LIN, BOTH = busy(free("lin")), busy(free("both", {TAX: 1, LAND: 1}))
QUEUE = [waits("a", 1), for_land(waits("b", 2)), waits("c", 3)]
TALKS = [240.0, 300.0, 360.0]


def places(agents: list[Agent], waiting: list[Waiting], of: Plan = PLAN) -> list[int]:
    return [place(picture(agents, waiting, of), of, w.id, 9) for w in waiting]


def test_demands_for_the_same_are_ahead_though_nobody_is_there() -> None:
    assert places([], QUEUE) == [0, 0, 1]


def test_demands_that_somebody_on_duty_could_take_as_well_are_ahead() -> None:
    assert places([LIN], QUEUE) == [0, 0, 1]
    assert places([BOTH], QUEUE) == [0, 1, 2]
    assert places([away(BOTH)], QUEUE) == [0, 0, 1]


def test_places_are_by_turn_not_by_the_clock() -> None:
    assert places([LIN], [*QUEUE, waits("elder", 50, lane=Lane.ELDER)]) == [1, 0, 2, 0]


def test_whom_the_pool_could_help_competes() -> None:
    of = plan(queue(Ring(Scope.ALL), Ring(Scope.POOL, 60.0), pool=HELPER))
    general = busy(free("general", {HELPER: 1, LAND: 1}))
    assert places([general], QUEUE, of) == [0, 1, 2]


def test_what_does_not_wait_has_nobody_ahead() -> None:
    assert place(picture([]), PLAN, DemandId("gone"), 9) == 0
    assert on_duty(picture([LIN]), PLAN, DemandId("gone"), 9) == 0


def test_one_outlook_answers_for_all() -> None:
    here = picture([BOTH, LIN], QUEUE)
    outlook = Outlook(here, PLAN, 9)
    assert [outlook.place(w.id) for w in QUEUE] == places([BOTH, LIN], QUEUE) == [0, 1, 2]
    assert [outlook.on_duty(w.id) for w in QUEUE] == [2, 1, 2]


def test_on_duty_is_who_is_available_free_or_busy_in_any_ring() -> None:
    near_first = plan(queue(Ring(Scope.OWN_SITE), Ring(Scope.DISTRICT, 60.0)))
    agents = [
        free("near", site=MILL),
        busy(free("hall", site=HALL)),
        free("far", site=FORD),
        away(free("off")),
    ]
    here = picture(agents, [waits("a")], near_first)
    assert on_duty(here, near_first, DemandId("a"), 9) == 2
    assert on_duty(picture(agents, [waits("a")]), PLAN, DemandId("a"), 9) == 3


def test_a_forecast_is_all_of_it() -> None:
    forecast = Outlook(picture([LIN, BOTH], QUEUE), PLAN, 9).forecast(DemandId("c"), TALKS)
    assert (forecast.place, forecast.on_duty, forecast.talk_s) == (2, 2, 300.0)
    assert forecast.wait_s == estimate(2, 2, TALKS)
    assert Outlook(picture([LIN], QUEUE), PLAN, 9).forecast(DemandId("c"), TALKS[:2]).talk_s is None


@pytest.mark.parametrize(
    ("ahead", "agents", "expected"),
    [(0, 1, (0, 600)), (0, 3, (0, 200)), (3, 2, (300, 900)), (3, 4, (150, 450)), (8, 1, (1800, 3600))],
)
def test_the_range_is_one_deviation_to_either_side(
    ahead: int, agents: int, expected: tuple[int, int]
) -> None:
    assert estimate(ahead, agents, TALKS) == expected


def test_without_agents_or_talks_there_is_no_basis() -> None:
    assert estimate(0, 0, TALKS) is None
    assert estimate(0, 2, TALKS[:2]) is None


# --- for an agent --------------------------------------------------------------------------------


def theirs(agent: Agent, waiting: list[Waiting], of: Plan = PLAN) -> list[str]:
    return [w.id for w in takeable(picture([agent], waiting, of), of, agent.id, 9)]


def test_takeable_is_what_an_agent_could_be_asked_for_in_order_of_turn() -> None:
    assert theirs(LIN, QUEUE) == ["a", "c"]
    assert theirs(BOTH, [*QUEUE, waits("elder", 50, lane=Lane.ELDER)]) == ["elder", "a", "b", "c"]
    assert takeable(picture([LIN], QUEUE), PLAN, AccountId("nobody"), 9) == ()


def test_who_missed_a_call_still_sees_that_its_resident_waits() -> None:
    assert theirs(LIN, [replace(QUEUE[0], passed_over={LIN.id: 40.0})]) == ["a"]


def test_what_somebody_else_alone_is_asked_for_is_not_theirs() -> None:
    waiting = [
        waits("a", 1, wanted="wang"),
        waits("b", 2, wanted="lin"),
        waits("c", 3, wanted="wang", wanted_until=5),
    ]
    assert theirs(LIN, waiting) == ["b", "c"]


def test_a_ring_that_never_reaches_them_is_not_theirs() -> None:
    of = plan(queue(Ring(Scope.OWN_SITE), Ring(Scope.OWN_TOWN, 99.0)))
    waiting = [waits("near", 1, site=MILL), waits("far", 2, site=FORD)]
    assert theirs(free("lin", site=MILL), waiting, of) == ["near"]


def test_an_interpreter_sees_whom_it_is_needed_for() -> None:
    assert theirs(free("mei", {SIGN: 1}), [*QUEUE, waits("d", 4, second=SIGNER)]) == ["d"]


def test_unknown_items_are_nobody_s() -> None:
    assert theirs(LIN, [replace(QUEUE[0], item=ItemId("unknown"))]) == []
