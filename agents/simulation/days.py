"""Many days of a scenario, each with callers of its own."""

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil

from agents.simulation.demand import callers
from agents.simulation.roster import people
from agents.simulation.run import day
from agents.simulation.scenario import Scenario
from agents.simulation.tally import Day
from records.model import Text

CALLS = 4000  # so many tell 95 % from 94 %: the standard error of a share of 95 % is then 0.35 %

Progress = Callable[[Text, float], None]  # what is being done, and which share of it is


def enough(scenario: Scenario) -> int:
    """Days that have CALLS calls together."""
    return max(1, ceil(CALLS / scenario.demand.calls))


async def simulate(
    scenario: Scenario, days: int, label: Text, progress: Progress, sizes: Mapping[str, int] | None = None
) -> tuple[Day, ...]:
    """``sizes``: of groups, where they are not the scenario's own."""
    staff, done = people(scenario, sizes), []
    for n in range(days):
        done.append(
            await day(scenario, staff, callers(scenario, n), n, partial(_within, progress, label, n, days))
        )
    progress(label, 1.0)
    return tuple(done)


def _within(progress: Progress, label: Text, day: int, days: int, share: float) -> None:
    progress(label, (day + share) / days)
