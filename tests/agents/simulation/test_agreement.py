"""Where theory knows the answer, the simulation gives it.

Equal agents, one queue, exponential talks, nobody goes away: an M/M/n queue, of which Erlang-C gives the mean
wait and the chance of waiting. The simulated means are compared by batch means: the day is cut into hours, so
long that they are nearly independent (some fifteen times what the queue needs to forget). Their spread gives
the standard error of the day's mean, and the difference may be four of these. With the t distribution of 22
degrees of freedom that fails one seed in 1,700; this seed is fixed.
"""

from math import sqrt
from statistics import fmean, stdev

import pytest
from msgspec.structs import replace

from agents.simulation import erlang
from agents.simulation.tally import Day, Fate
from tests.agents.simulation.halls import AT_ONCE, EXPONENTIAL, hall, simulated

TALK_S = EXPONENTIAL.talk_s
HOUR_S, WARM_UP = 3600.0, 1  # the first hour begins with nobody there


def batches(day: Day, of: str) -> list[float]:
    hours: list[list[float]] = [[] for _ in range(24)]
    for call in day.calls:
        value = call.wait_s if of == "wait" else float(call.wait_s > 0)
        hours[int(call.caller.at // HOUR_S)].append(value)
    return [fmean(hour) for hour in hours[WARM_UP:]]


def agrees(means: list[float], expected: float) -> bool:
    return abs(fmean(means) - expected) <= 4 * stdev(means) / sqrt(len(means))


@pytest.fixture(scope="module", params=[(2, 1.2), (6, 4.2)], ids=["2 agents", "6 agents"])
def queue(request: pytest.FixtureRequest) -> tuple[int, float, Day]:
    agents, load = request.param
    scenario = hall(86400 / TALK_S * load, replace(AT_ONCE, agents=agents))
    return agents, load, simulated(scenario)


def test_the_mean_wait_is_erlangs(queue: tuple[int, float, Day]) -> None:
    agents, load, day = queue
    means = batches(day, "wait")
    assert {call.fate for call in day.calls} <= {Fate.ANSWERED, Fate.WAITING}
    assert agrees(means, erlang.mean_wait(load, agents, TALK_S))
    # And it is sharp enough to notice two agents more.
    assert not agrees(means, erlang.mean_wait(load, agents + 2, TALK_S))


def test_as_many_wait_as_erlang_says(queue: tuple[int, float, Day]) -> None:
    agents, load, day = queue
    means = batches(day, "delayed")
    assert agrees(means, erlang.delayed(load, agents))
    assert not agrees(means, erlang.delayed(load, agents + 1))
    assert not agrees(means, erlang.delayed(load * 1.15, agents))
