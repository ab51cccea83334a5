"""How far a demand is asked around."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.agent import Agent, Party, Waiting
from agents.plan import Plan, Ring, Scope
from agents.rings import next_opening, widened
from agents.routing import match
from records.model import ItemId, ParticipantRole, SiteId
from tests.agents.district import (
    FORD,
    HALL,
    HELPER,
    HOUSING,
    LAND,
    MILL,
    NORTH,
    PLAN,
    SIGN,
    SOUTH,
    TAX,
    WELL,
    away,
    busy,
    free,
    picture,
    plan,
    queue,
    waits,
)

WIDENING = plan(
    queue(Ring(Scope.OWN_SITE), Ring(Scope.OWN_TOWN, 20.0), Ring(Scope.DISTRICT, 40.0), Ring(Scope.ALL, 60.0))
)
POOLED = plan(queue(Ring(Scope.DEPARTMENT), Ring(Scope.POOL, 30.0), pool=HELPER))
LOCALS = (
    free("of-mill", site=MILL),
    free("of-well", site=WELL),
    free("of-north", site=NORTH),
    free("of-hall", site=HALL),
    free("of-ford", site=FORD),
)
LIN, WANG, ZHAO = free("lin"), free("wang"), free("zhao")


def rung(agents: list[Agent], waiting: Waiting, of: Plan, now: float) -> str | None:
    made = match(picture(agents, [waiting], of), of, now)
    return made[0].agents[0] if made else None


def reached(scope: Scope, waiting: Waiting) -> list[str]:
    """Who of the locals is in a ring of that scope."""
    of = plan(queue(Ring(scope)))
    return sorted(agent.id for agent in LOCALS if rung([agent], waiting, of, 0.0))


@pytest.mark.parametrize(
    ("scope", "site", "expected"),
    [
        (Scope.OWN_SITE, MILL, ["of-mill"]),
        (Scope.OWN_TOWN, MILL, ["of-mill", "of-north", "of-well"]),
        (Scope.OWN_TOWN, NORTH, ["of-mill", "of-north", "of-well"]),
        (Scope.OWN_TOWN, HALL, []),
        (Scope.DISTRICT, MILL, ["of-hall"]),
        (Scope.ALL, MILL, ["of-ford", "of-hall", "of-mill", "of-north", "of-well"]),
        (Scope.OWN_TOWN, SiteId("unknown"), []),
        (Scope.DISTRICT, SiteId("unknown"), []),
    ],
)
def test_who_belongs_to_a_ring(scope: Scope, site: SiteId, expected: list[str]) -> None:
    assert reached(scope, waits("a", site=site)) == expected


def test_a_department_s_ring_is_its_own_people() -> None:
    of = plan(queue(Ring(Scope.DEPARTMENT)))
    other = free("lin", department=HOUSING)
    assert rung([other], waits("a"), of, 0) is None
    assert rung([other, WANG], waits("a"), of, 0) == "wang"


def test_rings_open_one_after_another_while_somebody_nearer_is_busy() -> None:
    nearer = [busy(agent) for agent in LOCALS[:4]]
    asked = [widened(waits("a", 100), picture(nearer), WIDENING, 100 + t) for t in (0, 19.9, 20, 40, 59, 60)]
    assert asked == [1, 1, 2, 3, 3, 4]


def test_open_rings_stay_open_and_the_policy_decides_among_them() -> None:
    agents = [free("near", site=MILL, since=50), free("far", site=FORD, since=10)]
    assert rung(agents, waits("a", 0), WIDENING, 59) == "near"
    assert rung(agents, waits("a", 0), WIDENING, 60) == "far"


def test_a_ring_without_anybody_on_duty_costs_no_waiting() -> None:
    away_from_mill = [away(free("near", site=MILL)), free("hall", site=HALL)]
    assert rung(away_from_mill, waits("a", 0), WIDENING, 0) == "hall"
    assert widened(waits("a", 0), picture(away_from_mill), WIDENING, 0) == 3


def test_who_is_busy_is_on_duty_all_the_same() -> None:
    agents = [busy(free("near", site=MILL)), free("hall", site=HALL)]
    assert rung(agents, waits("a", 0), WIDENING, 0) is None
    assert rung(agents, waits("a", 0), WIDENING, 40) == "hall"


def test_who_could_not_take_it_is_not_on_duty_for_it() -> None:
    agents = [busy(free("near", {LAND: 5}, site=MILL)), free("hall", site=HALL)]
    assert rung(agents, waits("a", 0), WIDENING, 0) == "hall"


def test_when_everybody_near_has_declined_it_goes_further() -> None:
    declined = replace(waits("a", 0), passed_over={LOCALS[0].id: 30.0})
    assert rung([LOCALS[0], LOCALS[3]], declined, WIDENING, 1) == "of-hall"


def test_with_nobody_anywhere_every_ring_is_open() -> None:
    assert widened(waits("a", 0), picture([]), WIDENING, 0) == 4


def test_a_first_ring_with_a_delay_is_open_all_the_same() -> None:
    of = plan(queue(Ring(Scope.OWN_SITE, 30.0), Ring(Scope.ALL, 60.0)))
    assert rung([LOCALS[0]], waits("a", 0), of, 0) == "of-mill"


def test_before_its_time_by_a_clock_that_jumped_only_the_first_ring_is_open() -> None:
    assert widened(waits("a", 500), picture([busy(LOCALS[0])]), WIDENING, 0) == 1


# --- the pool ------------------------------------------------------------------------------------


def test_the_pool_takes_what_it_has_no_skill_for_once_its_ring_is_open() -> None:
    agents = [free("general", {HELPER: 1}), busy(free("revenue"))]
    assert rung(agents, waits("a", 0), POOLED, 29) is None
    assert rung(agents, waits("a", 0), POOLED, 30) == "general"


def test_the_pool_still_needs_what_the_resident_needs_besides() -> None:
    needs = {TAX: 1, SIGN: 2}
    agents = [free("general", {HELPER: 1}), free("signing", {HELPER: 1, SIGN: 2})]
    assert rung(agents[:1], waits("a", needs=needs), POOLED, 99) is None
    assert rung(agents, waits("a", needs=needs), POOLED, 99) == "signing"


def test_the_pool_is_not_asked_without_a_ring_or_a_skill_for_it() -> None:
    general = free("general", {HELPER: 1})
    assert rung([general], waits("a"), plan(queue(pool=HELPER)), 99) is None
    assert rung([general], waits("a"), plan(queue(Ring(Scope.POOL))), 99) is None


def test_the_pool_is_bound_by_who_may_serve_the_item() -> None:
    of = plan(queue(Ring(Scope.DEPARTMENT), Ring(Scope.POOL), pool=HELPER), sites={HALL, SOUTH})
    assert rung([free("general", {HELPER: 5}, site=MILL)], waits("a"), of, 99) is None
    assert rung([free("general", {HELPER: 5}, site=SOUTH)], waits("a"), of, 99) == "general"


def test_interpreters_are_asked_wherever_they_are() -> None:
    asked = replace(waits("a"), party=Party(role=ParticipantRole.INTERPRETER, needs={SIGN: 1}))
    assert rung([free("far", {SIGN: 1}, site=FORD)], asked, WIDENING, 0) == "far"


# --- when to look again --------------------------------------------------------------------------


def test_the_next_opening_is_the_next_delay() -> None:
    here = picture([busy(agent) for agent in LOCALS])
    openings = [next_opening(waits("a", 100), here, WIDENING, t) for t in (100, 119, 120, 140, 160)]
    assert openings == [120, 120, 140, 160, None]


def test_what_opened_early_is_not_awaited() -> None:
    assert next_opening(waits("a", 100), picture([]), WIDENING, 100) is None
    assert next_opening(waits("a", 100), picture([busy(LOCALS[3])]), WIDENING, 100) == 160


def test_the_end_of_a_wish_and_of_a_pass_are_awaited_too() -> None:
    wish = replace(waits("a", 0, wanted="lin", wanted_until=20.0), passed_over={LIN.id: 12.0})
    assert [next_opening(wish, picture([]), PLAN, t) for t in (0, 12, 20)] == [12, 20, None]


def test_an_unknown_item_opens_nothing() -> None:
    unknown = replace(waits("a"), item=ItemId("unknown"))
    assert rung(list(LOCALS), unknown, WIDENING, 99) is None
    assert next_opening(unknown, picture([]), WIDENING, 0) is None


AGENT = st.builds(
    lambda n, site, state: state(free(f"agent-{n}", site=site)),
    st.integers(0, 9),
    st.sampled_from([HALL, NORTH, SOUTH, MILL, WELL, FORD]),
    st.sampled_from([lambda a: a, busy, away]),
)


@given(st.lists(AGENT, max_size=6, unique_by=lambda agent: agent.id), st.floats(0, 100))
def test_who_waits_is_asked_the_wider_the_longer_and_nobody_looks_too_late(
    agents: list[Agent], now: float
) -> None:
    waiting, here = waits("a", 0), picture(agents)
    count = widened(waiting, here, WIDENING, now)
    opening = next_opening(waiting, here, WIDENING, now)
    if opening is None:
        assert count == len(WIDENING.queues[waiting.queue].rings)
    else:
        assert widened(waiting, here, WIDENING, (now + opening) / 2) == count
        assert widened(waiting, here, WIDENING, opening) > count
