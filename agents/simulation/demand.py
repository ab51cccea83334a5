"""Who asks for what, and when: drawn from a scenario before its day begins, the same for the same seed.

Each quantity is drawn from dice of its own, so that what a scenario changes in one does not move the others,
and two rosters are compared against the very same callers.
"""

import sys
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from math import exp, gamma, log, sqrt
from random import Random
from statistics import NormalDist
from typing import Generic, TypeVar

from msgspec import Struct

from agents.agent import Lane
from agents.simulation.scenario import Department, Patience, Scenario, Shape
from records.model import CallId, DepartmentId, ItemId, SiteId, Tier

T = TypeVar("T")

HOUR_S = 3600.0
HOURS = 24
NORMAL = NormalDist()


class Caller(Struct, frozen=True):
    """``at`` is in seconds since midnight; the other times are how long they last."""

    id: CallId
    at: float
    department: DepartmentId
    item: ItemId
    site: SiteId
    lane: Lane
    talk_s: float
    wrap_up_s: float
    patience_s: float | None


def dice(seed: int, *what: object) -> Random:
    """Reproducible on every machine and in every process."""
    return Random("/".join(map(str, (seed, *what))))  # noqa: S311 (a simulation, not a secret)


def callers(scenario: Scenario, day: int = 0) -> tuple[Caller, ...]:
    """Everybody who asks on the ``day``-th of many such days, in the order of asking."""

    def of(what: str) -> Random:
        return dice(scenario.seed, day, what)

    department, site, lane = _departments(scenario), _sites(scenario), _lanes(scenario)
    pick_department, pick_item, pick_site, pick_lane = of("department"), of("item"), of("site"), of("lane")
    talk, wrap_up, patience = of("talk"), of("wrap-up"), of("patience")
    items = {d.id: _items(d, scenario.demand.zipf) for d in scenario.departments}
    made = []
    for number, at in enumerate(arrivals(hourly(scenario), of("arrivals")), 1):
        asked = department.pick(pick_department)
        made.append(
            Caller(
                CallId(f"{number}"),
                at,
                asked.id,
                items[asked.id].pick(pick_item),
                site.pick(pick_site),
                lane.pick(pick_lane),
                duration(talk, talk_mean(scenario, asked), _talk_cv(scenario, asked), scenario.service.shape),
                duration(
                    wrap_up, scenario.service.wrap_up_s, scenario.service.wrap_up_cv, scenario.service.shape
                ),
                _patience(patience, scenario.demand.patience),
            )
        )
    return tuple(made)


def hourly(scenario: Scenario) -> tuple[float, ...]:
    """Calls to be expected in each hour of the day."""
    weights = {int(hour): weight for hour, weight in scenario.demand.by_hour.items()}
    total = sum(weights.values())
    return tuple(scenario.demand.calls * weights.get(hour, 0.0) / total for hour in range(HOURS))


def arrivals(expected: Sequence[float], random: Random) -> list[float]:
    """The moments of a Poisson process whose rate is ``expected[h]`` calls in hour h, by thinning.

    P. A. W. Lewis and G. S. Shedler, "Simulation of Nonhomogeneous Poisson Processes by Thinning", Naval
    Research Logistics Quarterly 26 (1979).
    """
    most, at = max(expected) / HOUR_S, 0.0
    kept: list[float] = []
    while True:
        at += random.expovariate(most)
        if at >= len(expected) * HOUR_S:
            return kept
        if random.random() * most * HOUR_S < expected[int(at // HOUR_S)]:
            kept.append(at)


def duration(random: Random, mean: float, cv: float, shape: Shape = Shape.LOGNORMAL) -> float:
    """One draw with that mean and coefficient of variation (an exponential one has 1, whatever is asked)."""
    one = random.random()  # always one number: another mean must not shift the draws after it
    if shape is Shape.EXPONENTIAL:
        return -log(1 - one) * mean
    if mean <= 0 or cv <= 0:
        return mean
    variance = log(1 + cv * cv)
    return exp(NORMAL.inv_cdf(max(one, sys.float_info.min)) * sqrt(variance) + log(mean) - variance / 2)


def talk_mean(scenario: Scenario, department: Department) -> float:
    return scenario.service.talk_s if department.talk_s is None else department.talk_s


def _talk_cv(scenario: Scenario, department: Department) -> float:
    return scenario.service.talk_cv if department.talk_cv is None else department.talk_cv


def handle_mean(scenario: Scenario) -> float:
    """Seconds that a call keeps an agent on average over all callers, without the ring."""
    total = sum(department.weight for department in scenario.departments)
    talk = sum(d.weight * talk_mean(scenario, d) for d in scenario.departments) / total
    return talk + scenario.service.wrap_up_s


def sites_of(scenario: Scenario, tier: Tier) -> tuple[SiteId, ...]:
    """The ids of that tier's sites, town by town."""
    towns = scenario.sites.towns
    if tier is Tier.DISTRICT:
        return (scenario.sites.district,)
    if tier is Tier.TOWN:
        return tuple(town.id for town in towns)
    return tuple(SiteId(f"{town.id}-{n}") for town in towns for n in range(1, town.villages + 1))


def items_of(department: Department) -> tuple[ItemId, ...]:
    """The ids of its items, the most asked for first."""
    return tuple(ItemId(f"{department.id}-{n}") for n in range(1, department.items + 1))


class _Urn(Generic[T]):
    """Things drawn in proportion to their weights."""

    def __init__(self, things: Sequence[T], weights: Sequence[float]) -> None:
        self._things = things
        self._edges = list(accumulate(weights))

    def pick(self, random: Random) -> T:
        return self._things[
            min(bisect(self._edges, random.random() * self._edges[-1]), len(self._things) - 1)
        ]


def _departments(scenario: Scenario) -> _Urn[Department]:
    return _Urn(scenario.departments, [department.weight for department in scenario.departments])


def _items(department: Department, zipf: float) -> _Urn[ItemId]:
    return _Urn(items_of(department), [n**-zipf for n in range(1, department.items + 1)])


def _sites(scenario: Scenario) -> _Urn[SiteId]:
    sites, towns = scenario.sites, scenario.sites.towns
    weights = [sites.weight, *(town.weight for town in towns)]
    weights += [town.village_weight for town in towns for _ in range(town.villages)]
    return _Urn([site for tier in Tier for site in sites_of(scenario, tier)], weights)


def _lanes(scenario: Scenario) -> _Urn[Lane]:
    shares = scenario.demand.lanes
    return _Urn([*shares, Lane.NORMAL], [*shares.values(), 1 - sum(shares.values())])


def _patience(random: Random, patience: Patience | None) -> float | None:
    if patience is None:
        return None
    scale = patience.mean_s / gamma(1 + 1 / patience.shape)
    return random.weibullvariate(scale, patience.shape)
