"""What became of the callers, counted: waits, service level, occupancy. Pure. Times in seconds.

Service level and percentiles are those of agents.service, which managers see of real days; besides, who was
turned away counts against it here.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from math import ceil

from msgspec import Struct

from agents.simulation.demand import HOUR_S, HOURS, Caller
from agents.simulation.scenario import Goal


class Fate(StrEnum):
    ANSWERED = "answered"
    ABANDONED = "abandoned"  # the resident went away
    TURNED_AWAY = "turned_away"  # told at once: closed, nobody on duty, or too many waiting
    UNANSWERED = "unanswered"  # nobody could answer for as long as the queue lets anybody wait
    WAITING = "waiting"  # at midnight


class Call(Struct, frozen=True):
    """``wait_s``: until it was answered, or ended otherwise. ``group``: who answered."""

    caller: Caller
    fate: Fate
    wait_s: float
    group: str | None = None


class Work(Struct, frozen=True):
    """What the agents of a group did in a day: seconds on duty (available, or busy), and of these in calls
    and wrap-up. ``missed``: rings that nobody answered."""

    agents: int
    duty_s: float = 0.0
    busy_s: float = 0.0
    missed: int = 0


class Day(Struct, frozen=True):
    calls: tuple[Call, ...]
    work: dict[str, Work]


class Waits(Struct, frozen=True):
    """Of the calls that were answered; nothing of any is None."""

    mean: float | None
    median: float | None
    p95: float | None
    longest: float | None


class Level(Struct, frozen=True):
    """``share``: of those who asked, how many were answered within the goal. Who went away before that time
    is not counted; who was turned away is, and against it. None when there is nobody to count."""

    asked: int
    answered: int
    abandoned: int
    turned_away: int
    unanswered: int
    waiting: int
    within: int  # answered within the goal
    counted: int  # of so many
    waits: Waits

    @property
    def share(self) -> float | None:
        return self.within / self.counted if self.counted else None


def level(calls: Sequence[Call], goal: Goal) -> Level:
    fates = [call.fate for call in calls]
    answered = sorted(call.wait_s for call in calls if call.fate is Fate.ANSWERED)
    counted = sum(not (c.fate is Fate.ABANDONED and c.wait_s <= goal.within_s) for c in calls)
    within = sum(wait <= goal.within_s for wait in answered)
    return Level(
        asked=len(calls),
        answered=len(answered),
        abandoned=fates.count(Fate.ABANDONED),
        turned_away=fates.count(Fate.TURNED_AWAY),
        unanswered=fates.count(Fate.UNANSWERED),
        waiting=fates.count(Fate.WAITING),
        within=within,
        counted=counted,
        waits=_waits(answered),
    )


def meets(reached: Level, goal: Goal) -> bool:
    return reached.within * 100 >= goal.pct * reached.counted


def calls_of(days: Iterable[Day]) -> list[Call]:
    return [call for day in days for call in day.calls]


def by_hour(calls: Iterable[Call]) -> tuple[list[Call], ...]:
    """By the hour of asking."""
    hours: tuple[list[Call], ...] = tuple([] for _ in range(HOURS))
    for call in calls:
        hours[int(call.caller.at // HOUR_S)].append(call)
    return hours


def grouped(calls: Iterable[Call], key: Callable[[Call], str | None]) -> dict[str, list[Call]]:
    found: dict[str, list[Call]] = {}
    for call in calls:
        name = key(call)
        if name is not None:
            found.setdefault(name, []).append(call)
    return found


def work_of(days: Sequence[Day]) -> dict[str, Work]:
    """Of each group over all the days."""
    groups = days[0].work
    return {
        group: Work(
            groups[group].agents,
            sum(day.work[group].duty_s for day in days),
            sum(day.work[group].busy_s for day in days),
            sum(day.work[group].missed for day in days),
        )
        for group in groups
    }


def occupancy(work: Work) -> float | None:
    """The share of duty spent in calls and wrap-up; None without any duty."""
    return work.busy_s / work.duty_s if work.duty_s else None


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least that share of them does not exceed (nearest rank)."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def _waits(ordered: Sequence[float]) -> Waits:
    if not ordered:
        return Waits(None, None, None, None)
    mean = sum(ordered) / len(ordered)
    return Waits(mean, percentile(ordered, 0.5), percentile(ordered, 0.95), ordered[-1])
