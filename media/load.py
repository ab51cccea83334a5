"""How busy a worker is, and whether it takes one more room. Pure but for ``Meter.run``: time is an argument.

A room is refused by what was measured: the share of a core that the process used and how late its event
loop ran, both over the last ``WINDOW_S``. What was just admitted is not in these figures yet; it is counted
with what a room was measured to cost before, so that fifty calls within a second do not all find it idle.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct

SAMPLE_S = 0.05
WINDOW_S = 5.0
SAMPLES = round(WINDOW_S / SAMPLE_S)

CPU_FULL, CPU_AGAIN = 0.80, 0.70  # of one core; full from the first, not full any more below the second
LAG_FULL_S, LAG_AGAIN_S = 0.050, 0.025
LAG_LASTS_S = 5.0  # one hiccup, such as a burst of joins, is no reason to refuse
LAG_CPU = 0.25  # with less than this used, it is not our rooms that make us late, and refusing helps nobody

FIRST_ROOM = 0.015  # of a core: what a room is expected to cost before anything was measured
ROOM_LEAST, ROOM_MOST = 0.004, 0.10
LEARN = 0.1  # weight of the newest measurement

CPU, LAG, CAPACITY, DRAINING = "cpu", "lag", "capacity", "draining"  # why a node is full


class Load(Struct, frozen=True):
    """``cpu``: share of one core. ``lag``: seconds that the loop was late, 99th percentile."""

    cpu: float = 0.0
    lag: float = 0.0


class Meter:
    """Sampled every ``SAMPLE_S``: how late that came, and what the process has used until then."""

    def __init__(self) -> None:
        self._late: deque[float] = deque(maxlen=SAMPLES)
        self._used: deque[tuple[float, float]] = deque(maxlen=SAMPLES + 1)

    def sample(self, late: float, now: float, used: float) -> None:
        """``late`` and ``used`` (CPU time of all threads) in seconds, ``now`` monotonic."""
        self._late.append(max(0.0, late))
        self._used.append((now, used))

    def load(self) -> Load:
        if len(self._used) < 2:
            return Load()
        (began, before), (now, used) = self._used[0], self._used[-1]
        ordered = sorted(self._late)
        return Load(
            cpu=max(0.0, used - before) / max(now - began, SAMPLE_S),
            lag=ordered[max(0, -(-len(ordered) * 99 // 100) - 1)],
        )

    async def run(self) -> None:
        """Until cancelled."""
        due = time.monotonic()
        while True:
            due += SAMPLE_S
            await asyncio.sleep(due - time.monotonic())
            now = time.monotonic()
            self.sample(now - due, now, time.process_time())
            due = max(due, now - SAMPLE_S)  # after a long stop only the stop is late, not all that follows it


class Admission:
    """Called for every room that is to be opened: None, and it is counted, or why it is refused.

    ``rooms`` counts those that are open. ``update`` must be called about twice a second.
    """

    def __init__(self, capacity: int, rooms: Callable[[], int], clock: Callable[[], float]) -> None:
        self.capacity = capacity
        self.draining = False
        self._rooms = rooms
        self._clock = clock
        self._load = Load()
        self._room = FIRST_ROOM
        self._fresh: deque[float] = deque()  # when those were admitted that are not wholly measured yet
        self._cpu_full = False
        self._lag_full = False
        self._late_since: float | None = None

    def __call__(self) -> str | None:
        why = self.full()
        if why is None:
            self._fresh.append(self._clock())
        return why

    def full(self) -> str | None:
        """Why no more rooms are taken: ``DRAINING``, ``CAPACITY``, ``CPU``, ``LAG``; None while they are."""
        if self.draining:
            return DRAINING
        if self._rooms() >= self.capacity:
            return CAPACITY
        if self._cpu_full or self.cpu() >= CPU_FULL:
            return CPU
        return LAG if self._lag_full else None

    def cpu(self) -> float:
        """Share of a core, with what the rooms just admitted will come to."""
        return self._load.cpu + self._room * self._unmeasured()

    @property
    def lag(self) -> float:
        return self._load.lag

    @property
    def room(self) -> float:
        """What a room is expected to cost, as a share of a core."""
        return self._room

    def update(self, load: Load) -> None:
        now, self._load = self._clock(), load
        while self._fresh and now - self._fresh[0] >= WINDOW_S:
            self._fresh.popleft()
        self._learn()
        self._cpu_full = self.cpu() > (CPU_AGAIN if self._cpu_full else CPU_FULL)
        if load.cpu < LAG_CPU or load.lag <= (LAG_AGAIN_S if self._lag_full else LAG_FULL_S):
            self._late_since, self._lag_full = None, False
        else:
            self._late_since = now if self._late_since is None else self._late_since
            self._lag_full = self._lag_full or now - self._late_since >= LAG_LASTS_S

    def _learn(self) -> None:
        """Only from a time in which no room came: otherwise what it costs is not in the figures."""
        rooms = self._rooms()
        if rooms and not self._fresh:
            measured = min(max(self._load.cpu / rooms, ROOM_LEAST), ROOM_MOST)
            self._room += LEARN * (measured - self._room)

    def _unmeasured(self) -> float:
        """How many rooms' cost is missing from the figures: one just admitted wholly, then less and less."""
        now = self._clock()
        return sum(max(0.0, 1.0 - (now - at) / WINDOW_S) for at in self._fresh)
