"""Little halls to simulate: one queue, one department, and whatever a test says otherwise."""

import asyncio
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from agents.plan import Ring, Scope
from agents.simulation.demand import Caller, callers
from agents.simulation.roster import people
from agents.simulation.run import day
from agents.simulation.scenario import Demand, Department, Group, QueueTable, Scenario, Service, Shape
from agents.simulation.tally import Day
from records.model import DepartmentId, Text

NAME = Text("小厅", "A little hall")
TAX, LAND = DepartmentId("tax"), DepartmentId("land")
ALL_DAY = {str(hour): 1.0 for hour in range(24)}
AT_ONCE = Group("desk", NAME, 1, ("00:00-24:00",), answer_s=0.0, answer_cv=0.0)
EXPONENTIAL = Service(talk_s=60.0, wrap_up_s=0.0, shape=Shape.EXPONENTIAL)


def hall(
    calls: float = 100.0,
    *groups: Group,
    service: Service = EXPONENTIAL,
    departments: tuple[Department, ...] = (Department(TAX, NAME),),
    **queue: object,
) -> Scenario:
    """All agents answer at once unless ``groups`` says otherwise; ``queue``: fields of its one queue."""
    settings = {"id": "hall", "name": NAME, "rings": (Ring(Scope.ALL),), "longest": 10_000} | queue
    return Scenario(
        name=NAME,
        demand=Demand(calls=calls, by_hour=ALL_DAY),
        departments=departments,
        queues=(msgspec.convert(settings, QueueTable),),
        groups=groups or (AT_ONCE,),
        service=service,
    )


def simulated(scenario: Scenario, asking: Sequence[Caller] | None = None, number: int = 0) -> Day:
    return asyncio.run(
        day(scenario, people(scenario), callers(scenario, number) if asking is None else asking, number)
    )


def at(scenario: Scenario, *moments: float, **fields: object) -> tuple[Caller, ...]:
    """Callers at those seconds of the day, with what ``fields`` say of each."""
    known = callers(replace(scenario, demand=replace(scenario.demand, calls=1000.0)))
    return tuple(replace(known[n], at=moment, **fields) for n, moment in enumerate(moments))
