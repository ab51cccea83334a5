"""Who asks: as often, as long and for what the scenario says, and the same again for the same seed."""

from collections import Counter
from itertools import pairwise
from math import sqrt
from statistics import fmean, pstdev

import pytest
from msgspec.structs import replace

from agents.agent import Lane
from agents.simulation.demand import arrivals, callers, dice, duration, hourly
from agents.simulation.scenario import Demand, Department, Patience, Service, Shape, Sites, Town
from records.model import SiteId
from tests.agents.simulation.halls import ALL_DAY, LAND, NAME, TAX, hall

MANY = hall(20_000.0)


def test_the_same_seed_brings_the_same_people() -> None:
    assert callers(MANY, 3) == callers(MANY, 3)
    assert callers(MANY, 3) != callers(MANY, 4)
    assert callers(MANY, 3) != callers(replace(MANY, seed=2), 3)


def test_what_is_changed_in_one_thing_leaves_the_others_alone() -> None:
    longer = replace(MANY, service=Service(talk_s=600.0, shape=Shape.EXPONENTIAL, wrap_up_s=9.0))
    for one, other in zip(callers(MANY), callers(longer), strict=True):
        assert (one.at, one.item, one.site) == (other.at, other.item, other.site)
        assert other.talk_s == pytest.approx(10 * one.talk_s)


def test_each_hour_has_its_calls() -> None:
    """Counts of a Poisson process have the standard deviation sqrt(n): none may be 4.5 of them away."""
    demand = Demand(calls=20_000.0, by_hour={"8": 1.0, "9": 5.0, "17": 2.0})
    expected = hourly(replace(MANY, demand=demand))
    assert (expected[8], expected[9], expected[17]) == (2500.0, 12500.0, 5000.0)
    seen = Counter(int(at // 3600) for at in arrivals(expected, dice(1)))
    for hour, calls in enumerate(expected):
        assert abs(seen[hour] - calls) <= 4.5 * sqrt(calls)


def test_they_come_independently_of_each_other() -> None:
    """The gaps of a Poisson process are exponential: as variable as they are long."""
    moments = arrivals((400.0,) * 24, dice(1))
    gaps = [later - sooner for sooner, later in pairwise(moments)]
    assert pstdev(gaps) / fmean(gaps) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("shape", "cv", "expected_cv"),
    [(Shape.LOGNORMAL, 0.8, 0.8), (Shape.EXPONENTIAL, 0.8, 1.0), (Shape.LOGNORMAL, 0, 0)],
)
def test_durations_have_their_mean_and_variation(shape: Shape, cv: float, expected_cv: float) -> None:
    random = dice(1)
    drawn = [duration(random, 420.0, cv, shape) for _ in range(40_000)]
    assert fmean(drawn) == pytest.approx(420.0, rel=0.02)
    assert pstdev(drawn) / fmean(drawn) == pytest.approx(expected_cv, rel=0.05)


def test_patience_has_its_mean() -> None:
    demand = Demand(calls=20_000.0, by_hour=ALL_DAY, patience=Patience(mean_s=180.0, shape=1.5))
    waits = [caller.patience_s or 0.0 for caller in callers(replace(MANY, demand=demand))]
    assert fmean(waits) == pytest.approx(180.0, rel=0.02)


def test_departments_items_sites_and_lanes_have_their_shares() -> None:
    scenario = replace(
        MANY,
        demand=replace(MANY.demand, lanes={Lane.ELDER: 0.25}, zipf=1.0),
        departments=(Department(TAX, NAME, weight=3.0, items=2), Department(LAND, NAME, weight=1.0)),
        sites=Sites(weight=0.0, towns=(Town(SiteId("north"), villages=3, weight=1.0, village_weight=1.0),)),
    )
    asked = callers(scenario)

    def share(count: int) -> float:
        return count / len(asked)

    assert share(sum(c.department == TAX for c in asked)) == pytest.approx(0.75, abs=0.02)
    assert share(sum(c.item == "tax-1" for c in asked)) == pytest.approx(0.5, abs=0.02)
    assert share(sum(c.lane is Lane.ELDER for c in asked)) == pytest.approx(0.25, abs=0.02)
    for site in ("north", "north-1", "north-2", "north-3"):
        assert share(sum(c.site == site for c in asked)) == pytest.approx(0.25, abs=0.02)
