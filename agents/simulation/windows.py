"""What a dedicated window for each department costs: the same callers, every agent bound to one department.

Departments do not share anybody then, so each is simulated by itself with one agent, two agents and so on,
and what is best for the whole is put together from that, one agent at a time where it gains most.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from agents.plan import Ring, Scope
from agents.simulation import words
from agents.simulation.days import Progress
from agents.simulation.demand import Caller, callers
from agents.simulation.roster import people, size
from agents.simulation.run import day
from agents.simulation.scenario import Department, Group, Scenario
from agents.simulation.tally import Day, calls_of, level
from records.model import DepartmentId, SkillId, Tier

MOST = 40  # agents of one department
PLENTY = 0.995  # a department that answers so many in time gets nobody more


class Reached(Struct, frozen=True):
    """Calls answered within the goal, of so many that count."""

    within: int
    counted: int

    @property
    def share(self) -> float:
        return self.within / self.counted if self.counted else 1.0


class Split(Struct, frozen=True):
    """How many agents each department has, and what they reach together."""

    agents: dict[DepartmentId, int]
    share: float

    @property
    def total(self) -> int:
        return sum(self.agents.values())


class Windows(Struct, frozen=True):
    """``same``: with a given number of agents. ``overall``: the fewest for the goal over all calls; None when
    it is out of reach. ``each``: the fewest with whom every department meets it by itself, or does its best:
    ``missing`` do not meet it with any number, for a missed ring among few calls is enough."""

    same: Split
    overall: Split | None
    each: Split
    missing: int


Table = Mapping[DepartmentId, Sequence[Reached]]  # by department, then with 0, 1, 2 ... agents


async def windows(scenario: Scenario, days: int, agents: int, progress: Progress) -> Windows:
    table = await measured(scenario, days, progress)
    goal = scenario.goal.pct / 100
    return Windows(
        same=split(table, lambda so_far: so_far.total >= agents),
        overall=_met(split(table, lambda so_far: so_far.share >= goal), goal),
        each=_together(table, {id_: _fewest(reached, goal) for id_, reached in table.items()}),
        missing=sum(max(one.share for one in reached) < goal for reached in table.values()),
    )


async def measured(scenario: Scenario, days: int, progress: Progress) -> Table:
    asking = [callers(scenario, n) for n in range(days)]
    table = {}
    for at, department in enumerate(scenario.departments):
        share = at / len(scenario.departments)
        progress(words.TRYING_WINDOWS, share)
        own = [tuple(c for c in one if c.department == department.id) for one in asking]
        table[department.id] = await _department(scenario, department, own)
    progress(words.TRYING_WINDOWS, 1.0)
    return table


def split(table: Table, is_enough: Callable[[Split], bool]) -> Split:
    """One agent more where it gains most, until it is enough or nobody gains; the first of equals first."""
    agents = dict.fromkeys(table, 0)
    while True:
        so_far = _together(table, agents)
        if is_enough(so_far):
            return so_far
        open_ = [id_ for id_ in table if agents[id_] + 1 < len(table[id_])]
        if not open_:
            return so_far
        best = max(open_, key=partial(_gain, table, agents))
        agents[best] += 1


def dedicated(scenario: Scenario, department: Department, agents: int) -> Scenario:
    """That department's callers and agents alone. These keep the hours and habits of the largest group at the
    hall (or of the largest anywhere)."""
    at_hall = [group for group in scenario.groups if group.at is Tier.DISTRICT]
    like = max(at_hall or scenario.groups, key=lambda group: size(scenario, group))
    return replace(
        scenario,
        departments=(replace(department, empowers={}),),
        queues=tuple(replace(queue, rings=(Ring(Scope.ALL),)) for queue in scenario.queues),
        groups=(_window(like, department, agents),),
    )


def _window(like: Group, department: Department, agents: int) -> Group:
    return replace(
        like,
        id=f"{department.id}-window",
        name=department.name,
        agents=agents,
        at=Tier.DISTRICT,
        department=department.id,
        skills={SkillId(department.id): 5},
    )


async def _department(
    scenario: Scenario, department: Department, asking: Sequence[Sequence[Caller]]
) -> list[Reached]:
    found = [Reached(0, sum(map(len, asking)))]
    while found[-1].share < PLENTY and len(found) <= MOST:
        alone = dedicated(scenario, department, len(found))
        done: list[Day] = [await day(alone, people(alone), own, n) for n, own in enumerate(asking)]
        reached = level(calls_of(done), scenario.goal)
        found.append(Reached(reached.within, reached.counted))
        if len(found) > 3 and found[-1] == found[-2] == found[-3]:
            break  # what is missed is not for want of agents
    return found


def _together(table: Table, agents: Mapping[DepartmentId, int]) -> Split:
    reached = [table[id_][n] for id_, n in agents.items()]
    counted = sum(one.counted for one in reached)
    share = sum(one.within for one in reached) / counted if counted else 1.0
    return Split(dict(agents), share)


def _gain(table: Table, agents: Mapping[DepartmentId, int], id_: DepartmentId) -> float:
    n = agents[id_]
    return table[id_][n + 1].within - table[id_][n].within


def _met(found: Split, goal: float) -> Split | None:
    return found if found.share >= goal else None


def _fewest(reached: Sequence[Reached], goal: float) -> int:
    """Agents of one department for the goal, or for the best that it can do."""
    enough = min(goal, max(one.share for one in reached))
    return next(n for n, one in enumerate(reached) if one.share >= enough)
