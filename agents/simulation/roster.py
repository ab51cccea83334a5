"""Who works when: the groups of a scenario as single agents with a timetable. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from msgspec import Struct

from agents.agent import Profile
from agents.simulation.clock import minute, stretch
from agents.simulation.demand import sites_of
from agents.simulation.scenario import ANYTHING, Group, Scenario
from records.model import AccountId, SiteId, SkillId

MINUTE_S = 60.0
DAY_MIN = 24 * 60


class Person(Struct, frozen=True):
    """``shifts`` and ``breaks``: from and until, in seconds since midnight, in order."""

    id: AccountId
    group: Group
    profile: Profile
    shifts: tuple[tuple[float, float], ...]
    breaks: tuple[tuple[float, float], ...]

    def at_work(self, at: float) -> bool:
        """Signed in and not on a break, by the timetable."""
        return any(a <= at < b for a, b in self.shifts) and not any(a <= at < b for a, b in self.breaks)


def people(scenario: Scenario, sizes: Mapping[str, int] | None = None) -> tuple[Person, ...]:
    """``sizes``: how many a group has in all, instead of what the scenario says; spread over its sites."""
    found: list[Person] = []
    for group in scenario.groups:
        count = size(scenario, group) if sizes is None else sizes.get(group.id, size(scenario, group))
        found += _members(scenario, group, count)
    return tuple(found)


def size(scenario: Scenario, group: Group) -> int:
    """How many agents the group has at all its sites."""
    return group.agents * len(sites_of(scenario, group.at))


def sizes(scenario: Scenario) -> dict[str, int]:
    return {group.id: size(scenario, group) for group in scenario.groups}


def scaled(before: Mapping[str, int], total: int) -> dict[str, int]:
    """So many agents in all, in the proportions of ``before``, by largest remainder; a group that has
    anybody keeps one."""
    kept = {id_: int(n > 0) for id_, n in before.items()}
    left = max(0, total - sum(kept.values()))
    weights = {id_: max(0.0, n / sum(before.values()) * total - kept[id_]) for id_, n in before.items()}
    return {id_: kept[id_] + more for id_, more in apportioned(weights, left).items()}


def apportioned(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """``total`` split in proportion to the weights, by largest remainder; the first of equals first."""
    whole = sum(weights.values())
    if not whole:
        weights, whole = dict.fromkeys(weights, 1.0), float(len(weights))
    exact = {id_: weight / whole * total for id_, weight in weights.items()}
    split = {id_: int(share) for id_, share in exact.items()}
    rest = sorted(exact, key=lambda id_: split[id_] - exact[id_])
    for id_ in rest[: total - sum(split.values())]:
        split[id_] += 1
    return split


def on_duty(staff: Sequence[Person]) -> tuple[float, ...]:
    """How many are at work in each minute of the day by the timetable, less their time at the counter."""
    change = [0.0] * (DAY_MIN + 1)
    for person in staff:
        share = 1 - person.group.counter
        for start, end in _working(person):
            change[round(start / MINUTE_S)] += share
            change[round(end / MINUTE_S)] -= share
    return tuple(accumulate(change[:DAY_MIN]))


def _working(person: Person) -> Iterator[tuple[float, float]]:
    """The shifts without the breaks."""
    for start, end in person.shifts:
        at = start
        for off, on in person.breaks:
            if off < end and on > at:
                if off > at:
                    yield at, off
                at = min(on, end)
        if at < end:
            yield at, end


def _members(scenario: Scenario, group: Group, count: int) -> Iterator[Person]:
    sites = sites_of(scenario, group.at)
    shifts = tuple((a * MINUTE_S, b * MINUTE_S) for a, b in map(stretch, group.hours))
    for n in range(count):
        profile = Profile(_skills(scenario, group), _site(sites, n, count), group.department)
        yield Person(AccountId(f"{group.id}-{n + 1}"), group, profile, shifts, _breaks(group, n))


def _site(sites: Sequence[SiteId], n: int, count: int) -> SiteId:
    """Evenly over the sites, also when there are fewer agents than sites."""
    return sites[n * len(sites) // count if count < len(sites) else n % len(sites)]


def _skills(scenario: Scenario, group: Group) -> dict[SkillId, int]:
    every = group.skills.get(ANYTHING)
    general = {} if every is None else {SkillId(d.id): every for d in scenario.departments}
    return general | {skill: level for skill, level in group.skills.items() if skill != ANYTHING}


def _breaks(group: Group, n: int) -> tuple[tuple[float, float], ...]:
    """Of the group's n-th agent: its relay goes after those before it."""
    found = []
    for pause in group.breaks:
        start = minute(pause.at) * MINUTE_S + n % pause.relays * pause.minutes * MINUTE_S
        found.append((start, start + pause.minutes * MINUTE_S))
    return tuple(sorted(found))
