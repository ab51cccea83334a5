"""The two questions: how many are needed, and what dedicated windows cost."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.simulation.needed import FARTHEST, fewest, needed
from agents.simulation.scenario import Department, Goal
from agents.simulation.tally import meets
from agents.simulation.windows import Reached, Windows, measured, split, windows
from records.model import Text
from tests.agents.simulation.halls import AT_ONCE, EXPONENTIAL, LAND, NAME, TAX, hall

LONG = replace(EXPONENTIAL, talk_s=300.0)


def unheard(label: Text, share: float) -> None:
    """Progress that nobody looks at."""


def searched(is_enough: Callable[[int], bool], least: int, first: int) -> tuple[int | None, list[int]]:
    tried: list[int] = []

    async def meets_with(count: int) -> bool:
        tried.append(count)
        return is_enough(count)

    return asyncio.run(fewest(meets_with, least, first)), tried


@given(limit=st.integers(0, 200), least=st.integers(0, 10), first=st.integers(1, 60))
def test_the_search_finds_the_fewest_and_tries_nothing_twice(limit: int, least: int, first: int) -> None:
    found, tried = searched(lambda count: count >= limit, least, first)
    wanted = max(limit, least)
    assert found == (wanted if wanted <= max(first, least) * FARTHEST else None)
    assert len(tried) == len(set(tried)) <= 20
    assert min(tried) >= least


def test_the_fewest_reach_the_goal_and_one_less_does_not() -> None:
    scenario = replace(hall(600.0, replace(AT_ONCE, agents=2), service=LONG), goal=Goal(90.0, 15.0))
    found = asyncio.run(needed(scenario, 1, unheard))
    assert found.enough is not None
    assert meets(found.enough.level, scenario.goal)
    assert [meets(one.level, scenario.goal) for one in found.tried] == [
        one.agents >= found.enough.agents for one in found.tried
    ]
    assert found.enough.agents - 1 in [one.agents for one in found.tried]


def test_one_group_alone_may_be_changed() -> None:
    groups = (replace(AT_ONCE, id="here", agents=1), replace(AT_ONCE, id="there", agents=1))
    found = asyncio.run(needed(hall(600.0, *groups, service=LONG), 1, unheard, "there"))
    assert found.enough is not None
    assert found.enough.sizes["here"] == 1
    assert found.enough.sizes["there"] > 1


def test_what_people_cannot_mend_is_not_searched_for_ever() -> None:
    deaf = replace(AT_ONCE, miss=0.5)
    found = asyncio.run(needed(hall(200.0, deaf), 1, unheard))
    assert found.enough is None
    assert found.tried[-1].agents == FARTHEST


TABLE = {
    TAX: [Reached(0, 100), Reached(70, 100), Reached(95, 100)],
    LAND: [Reached(0, 10), Reached(10, 10)],
}


@pytest.mark.parametrize(("agents", "expected"), [(1, (1, 0)), (2, (2, 0)), (3, (2, 1)), (9, (2, 1))])
def test_one_agent_more_goes_where_it_gains_most(agents: int, expected: tuple[int, int]) -> None:
    found = split(TABLE, lambda so_far: so_far.total >= agents)
    assert (found.agents[TAX], found.agents[LAND]) == expected


def test_windows_of_their_own_take_more_than_a_pool() -> None:
    departments = tuple(replace(Department(TAX, NAME), id=id_) for id_ in (TAX, LAND))
    scenario = hall(600.0, replace(AT_ONCE, agents=4), departments=departments, service=LONG)
    pool = asyncio.run(needed(scenario, 1, unheard))
    alone: Windows = asyncio.run(windows(scenario, 1, 4, unheard))
    assert pool.enough is not None
    assert alone.overall is not None
    assert alone.same.total == 4
    assert pool.enough.agents < alone.overall.total <= alone.each.total
    assert alone.missing == 0


def test_every_call_of_every_department_is_counted() -> None:
    scenario = hall(300.0, departments=(Department(TAX, NAME), Department(LAND, NAME)))
    table = asyncio.run(measured(scenario, 2, unheard))
    with_nobody = sum(reached[0].counted for reached in table.values())
    assert with_nobody == sum(reached[-1].counted for reached in table.values())
    assert all(reached[0].within == 0 for reached in table.values())
