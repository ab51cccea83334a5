"""The formulas, against their definitions and against known values."""

from math import exp, factorial, inf

import pytest

from agents.simulation.erlang import agents_for, answered_within, blocked, delayed, mean_wait


@pytest.mark.parametrize(("load", "agents"), [(0.5, 1), (1, 1), (3, 5), (8, 10), (20, 21)])
def test_they_are_what_the_sums_say(load: float, agents: int) -> None:
    terms = [load**n / factorial(n) for n in range(agents + 1)]
    assert blocked(load, agents) == pytest.approx(terms[-1] / sum(terms))
    if load < agents:
        last = terms[-1] * agents / (agents - load)
        assert delayed(load, agents) == pytest.approx(last / (sum(terms[:-1]) + last))


def test_known_values() -> None:
    assert blocked(1, 1) == 0.5
    assert blocked(10, 10) == pytest.approx(0.2146, abs=5e-5)
    assert delayed(8, 10) == pytest.approx(0.4092, abs=5e-5)


def test_one_agent_is_the_m_m_1_queue() -> None:
    assert delayed(0.8, 1) == pytest.approx(0.8)
    assert mean_wait(0.8, 1, 60) == pytest.approx(0.8 * 60 / 0.2)
    assert answered_within(0.8, 1, 60, 30) == pytest.approx(1 - 0.8 * exp(-0.2 * 30 / 60))


def test_large_numbers_neither_overflow_nor_lose_precision() -> None:
    assert 0 < delayed(10_000, 10_100) < 1
    assert mean_wait(10_000, 10_100, 300) < 300


def test_too_few_agents_wait_for_ever() -> None:
    assert delayed(5, 5) == 1.0
    assert mean_wait(5, 5, 60) == inf
    assert answered_within(5, 4, 60, 15) == 0.0


def test_nothing_to_do_needs_nobody() -> None:
    assert (delayed(0, 0), mean_wait(0, 0, 60), answered_within(0, 0, 60, 15)) == (0.0, 0.0, 1.0)
    assert agents_for(0, 60, 15, 0.95) == 0


@pytest.mark.parametrize("load", [0.1, 1.0, 4.7, 60.0])
def test_as_many_as_needed_and_not_one_more(load: float) -> None:
    agents = agents_for(load, 480, 15, 0.95)
    assert answered_within(load, agents, 480, 15) >= 0.95
    assert answered_within(load, agents - 1, 480, 15) < 0.95
