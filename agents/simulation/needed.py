"""How many agents a goal needs: a search by simulating. Every size meets the same callers."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from agents.simulation import days as running
from agents.simulation import words
from agents.simulation.days import Progress
from agents.simulation.roster import scaled, sizes
from agents.simulation.scenario import Scenario
from agents.simulation.tally import Level, calls_of, level, meets

FARTHEST = 6  # times as many as one would begin with: where that is not enough, more will not help


class Tried(Struct, frozen=True):
    sizes: dict[str, int]
    level: Level

    @property
    def agents(self) -> int:
        return sum(self.sizes.values())


class Needed(Struct, frozen=True):
    """``enough``: the fewest that met the goal; None when the most that was tried did not."""

    enough: Tried | None
    tried: tuple[Tried, ...]  # by size


async def needed(scenario: Scenario, days: int, progress: Progress, group: str | None = None) -> Needed:
    """All groups in proportion, or one of them while the others stay as they are."""
    before = sizes(scenario)
    tried: dict[int, Tried] = {}

    async def meets_with(count: int) -> bool:
        counts = scaled(before, count) if group is None else before | {group: count}
        tried[count] = await _try(scenario, days, progress, counts)
        return meets(tried[count].level, scenario.goal)

    least = sum(n > 0 for n in before.values()) if group is None else 0
    first = sum(before.values()) if group is None else before[group]
    found = await fewest(meets_with, least, max(first, 1))
    return Needed(None if found is None else tried[found], tuple(tried[n] for n in sorted(tried)))


async def now(scenario: Scenario, days: int, progress: Progress) -> Tried:
    """What the scenario's own roster reaches."""
    return await _try(scenario, days, progress, sizes(scenario))


async def _try(scenario: Scenario, days: int, progress: Progress, counts: dict[str, int]) -> Tried:
    label = words.filled(words.TRYING, agents=sum(counts.values()))
    done = await running.simulate(scenario, days, label, progress, counts)
    return Tried(counts, level(calls_of(done), scenario.goal))


async def fewest(meets_with: Callable[[int], Awaitable[bool]], least: int, first: int) -> int | None:
    """The smallest count from ``least`` on that meets it, if more never harm; begins with ``first``, strides
    up to FARTHEST times as many, and halves what is left."""
    first = max(first, least)
    high: int | None
    if await meets_with(first):
        low, high = await _down(meets_with, least, first)
    else:
        low, high = await _up(meets_with, first, first * FARTHEST)
    while high is not None and high - low > 1:
        middle = (low + high) // 2
        if await meets_with(middle):
            high = middle
        else:
            low = middle
    return high


async def _down(meets_with: Callable[[int], Awaitable[bool]], least: int, first: int) -> tuple[int, int]:
    """One that does not (or is not tried), and one above it that does."""
    high, stride = first, 1
    while high > least:
        lower = max(least, high - stride)
        if not await meets_with(lower):
            return lower, high
        high, stride = lower, stride * 2
    return least - 1, high


async def _up(meets_with: Callable[[int], Awaitable[bool]], first: int, most: int) -> tuple[int, int | None]:
    low, stride = first, 1
    while low < most:
        higher = min(most, low + stride)
        if await meets_with(higher):
            return low, higher
        low, stride = higher, stride * 2
    return low, None
