"""Whether the tables of a scenario fit each other. Pure."""

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from agents.agent import Lane
from agents.simulation.clock import minute, stretch
from agents.simulation.scenario import ANYTHING, HALL, Group, Scenario
from records.model import Tier


def inconsistent(scenario: Scenario) -> Iterator[str]:
    """One sentence for each thing that does not fit, beginning with its path."""
    yield from _time_zone(scenario)
    yield from _twice("departments", (d.id for d in scenario.departments))
    yield from _twice("queues", (q.id for q in scenario.queues))
    yield from _twice("groups", (g.id for g in scenario.groups))
    yield from _twice("sites.towns", (t.id for t in scenario.sites.towns))
    yield from _demand(scenario)
    yield from _departments(scenario)
    yield from _queues(scenario)
    if not any(group.agents for group in scenario.groups):
        yield "groups: nobody works"
    for at, group in enumerate(scenario.groups):
        yield from (f"groups[{at}].{sentence}" for sentence in _group(scenario, group))


def _time_zone(scenario: Scenario) -> Iterator[str]:
    try:
        ZoneInfo(scenario.timezone)
    except (LookupError, ValueError, OSError):
        yield f"timezone: no time zone '{scenario.timezone}'"


def _twice(path: str, ids: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for at, id_ in enumerate(ids):
        if id_ in seen:
            yield f"{path}[{at}].id: '{id_}' is there twice"
        seen.add(id_)


def _demand(scenario: Scenario) -> Iterator[str]:
    demand, sites = scenario.demand, scenario.sites
    if not sum(demand.by_hour.values()):
        yield "demand.by_hour: no hour has any weight"
    if len({int(hour) for hour in demand.by_hour}) < len(demand.by_hour):
        yield "demand.by_hour: an hour is there twice"
    if sum(demand.lanes.values()) > 1:
        yield "demand.lanes: the shares are more than 1 together"
    if Lane.NORMAL in demand.lanes:
        yield "demand.lanes.normal: is what the other lanes leave"
    if not sum(department.weight for department in scenario.departments):
        yield "departments: none has any weight"
    if not sites.weight + sum(t.weight + t.villages * t.village_weight for t in sites.towns):
        yield "sites: none has any weight"


def _departments(scenario: Scenario) -> Iterator[str]:
    queues = {queue.id for queue in scenario.queues}
    for at, department in enumerate(scenario.departments):
        here = f"departments[{at}]"
        if department.id in (HALL, ANYTHING):
            yield f"{here}.id: '{department.id}' means something else here"
        if department.queue is not None and department.queue not in queues:
            yield f"{here}.queue: no queue '{department.queue}'"
        for tier, items in department.empowers.items():
            if items > department.items:
                yield f"{here}.empowers.{tier}: more than its {department.items} items"


def _queues(scenario: Scenario) -> Iterator[str]:
    for at, queue in enumerate(scenario.queues):
        if not queue.rings:
            yield f"queues[{at}].rings: at least one"
        if queue.hours.closed and scenario.day.isoformat() in queue.hours.closed:
            yield f"queues[{at}].hours.closed: the scenario's own day"


def _group(scenario: Scenario, group: Group) -> Iterator[str]:
    departments = {department.id for department in scenario.departments}
    known = {*departments, ANYTHING, *(q.pool for q in scenario.queues if q.pool is not None)}
    if group.department not in {*departments, HALL}:
        yield f"department: no department '{group.department}'"
    for skill in group.skills:
        if skill not in known:
            yield f"skills: '{skill}' is neither a department nor a queue's pool skill"
    if group.at is not Tier.DISTRICT and not scenario.sites.towns:
        yield f"at: there is no {group.at} in sites"
    yield from _hours(group)


def _hours(group: Group) -> Iterator[str]:
    if not group.hours:
        yield "hours: at least one stretch"
    last = 0
    for at, text in enumerate(group.hours):
        start, end = stretch(text)
        if not last <= start < end:
            yield f"hours[{at}]: '{text}' ends before it begins, or before the one before it"
        last = end
    for at, pause in enumerate(group.breaks):
        if minute(pause.at) + pause.minutes * pause.relays > 24 * 60:
            yield f"breaks[{at}]: goes on after midnight"
