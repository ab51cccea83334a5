"""The optimum to compare with: everybody on duty as one pool of equal agents, hour by hour. Pure.

Each minute is taken for a stationary M/M/n queue with the agents on duty in it, and an hour is the mean of
its minutes: the pointwise stationary approximation, L. Green and P. Kolesar, Management Science 37 (1), 1991.
Answering the ring is part of a call's work, and of its wait.
"""

from collections import Counter
from collections.abc import Sequence
from math import inf

from msgspec import Struct

from agents.simulation import erlang
from agents.simulation.demand import HOUR_S, handle_mean, hourly
from agents.simulation.roster import Person, on_duty
from agents.simulation.scenario import Scenario

HOUR_MIN = 60


class Pooled(Struct, frozen=True):
    """``needed``: the fewest agents for the goal; None when not even an answer at once meets it.
    ``wait_s`` is None when in some minute there is more to do than the agents can bear."""

    expected: float  # calls in the hour
    agents: float  # on duty, on average
    load: float  # erlangs
    wait_s: float | None
    within: float
    needed: int | None


def by_hour(scenario: Scenario, staff: Sequence[Person]) -> tuple[Pooled, ...]:
    duty, answer = on_duty(staff), answer_mean(staff)
    service = handle_mean(scenario) + answer
    return tuple(
        _hour(scenario, calls, duty[hour * HOUR_MIN : (hour + 1) * HOUR_MIN], service, answer)
        for hour, calls in enumerate(hourly(scenario))
    )


def answer_mean(staff: Sequence[Person]) -> float:
    """Seconds of ringing before an answer, over all agents."""
    return sum(person.group.answer_s for person in staff) / len(staff) if staff else 0.0


def _hour(scenario: Scenario, calls: float, duty: Sequence[float], service: float, answer: float) -> Pooled:
    load, left = calls / HOUR_S * service, scenario.goal.within_s - answer
    minutes = Counter(round(agents) for agents in duty)
    wait = sum(erlang.mean_wait(load, n, service) * count for n, count in minutes.items()) / len(duty)
    within = sum(erlang.answered_within(load, n, service, left) * count for n, count in minutes.items())
    return Pooled(
        expected=calls,
        agents=sum(duty) / len(duty),
        load=load,
        wait_s=None if wait == inf else wait + answer,
        within=within / len(duty),
        needed=None if left < 0 else erlang.agents_for(load, service, left, scenario.goal.pct / 100),
    )
