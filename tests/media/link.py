"""An impaired network path, stepped by time: loss, delay, jitter, reordering, duplicates, a rate.

One model, two uses: simulated minutes of a call, and the proxy between a real browser and a real node
(lossy.py). What becomes of a packet is decided by the seed and by how many came before it, whatever became of
those and whatever was changed in between.
"""

import heapq
import random
from dataclasses import dataclass, field
from typing import Protocol


class Loss(Protocol):
    def lost(self, dice: random.Random) -> bool:
        """Whether the next packet is lost. Draws one number."""


@dataclass
class Uniform:
    share: float

    def lost(self, dice: random.Random) -> bool:
        return dice.random() < self.share


@dataclass
class GilbertElliott:
    """Bursts: in the bad state every packet is lost. ``share`` is the loss in the long run, ``burst`` the
    mean number of packets lost in a row."""

    share: float
    burst: float = 4.0
    _bad: bool = field(default=False, init=False)

    def lost(self, dice: random.Random) -> bool:
        leave = 1 / self.burst
        enter = leave * self.share / (1 - self.share)
        roll = dice.random()
        self._bad = roll >= leave if self._bad else roll < enter
        return self._bad


class Link:
    """One direction. Times are seconds, ``rate`` bit/s; ``queue`` is how many bytes may wait for the rate
    before the tail is dropped. With ``polices`` none wait: what is more than ``queue`` bytes ahead of the
    rate is dropped, the rest passes at once. Jitter keeps the order; ``reorder`` is the share of packets held
    back by ``held``. All may be changed at any time, for the packets that come then."""

    def __init__(
        self,
        seed: int,
        *,
        loss: Loss | None = None,
        delay: float = 0.025,
        jitter: float = 0.0,
        reorder: float = 0.0,
        held: float = 0.01,
        duplicate: float = 0.0,
        rate: float | None = None,
        queue: int = 150_000,
        polices: bool = False,
    ) -> None:
        self.loss, self.delay, self.jitter = loss, delay, jitter
        self.reorder, self.held, self.duplicate = reorder, held, duplicate
        self.rate, self.queue, self.polices = rate, queue, polices
        self.sent = self.dropped = self.bytes = 0
        self._dice = random.Random(seed)
        self._under_way: list[tuple[float, int, bytes]] = []
        self._pushed = 0
        self._free_at = 0.0  # when the bottleneck has sent all that waits
        self._last = 0.0  # the latest arrival of those in order

    def send(self, data: bytes, now: float) -> None:
        self.sent += 1
        self.bytes += len(data)
        # The same number of dice for each packet, so that the fate of one says nothing of the next.
        roll = self._dice.random
        lost = self.loss.lost(self._dice) if self.loss is not None else roll() < 0
        late, is_held, doubled = self.jitter * roll(), roll() < self.reorder, roll() < self.duplicate
        leaves = self._leaves(len(data), now)
        if leaves is None or lost:
            self.dropped += 1
            return
        arrives = max(leaves + self.delay + late, self._last)
        if is_held:
            arrives += self.held
        else:
            self._last = arrives
        self._push(data, arrives)
        if doubled:
            self._push(data, arrives + self.held)

    def spare(self, data: bytes, now: float) -> None:
        """A packet that is no part of what is measured: only delayed, and not counted."""
        self._push(data, now + self.delay)

    def _push(self, data: bytes, arrives: float) -> None:
        self._pushed += 1
        heapq.heappush(self._under_way, (arrives, self._pushed, data))

    def _leaves(self, size: int, now: float) -> float | None:
        if self.rate is None:
            return now
        start = max(now, self._free_at)
        if (start - now) * self.rate / 8 + size > self.queue:
            return None
        self._free_at = start + size * 8 / self.rate
        return now if self.polices else self._free_at

    def arrived(self, now: float) -> list[tuple[float, bytes]]:
        """What has arrived until ``now`` and was not taken yet, each with its time."""
        found = []
        while self._under_way and self._under_way[0][0] <= now:
            at, _, data = heapq.heappop(self._under_way)
            found.append((at, data))
        return found

    @property
    def next(self) -> float | None:
        """When the next packet arrives; None when nothing is under way."""
        return self._under_way[0][0] if self._under_way else None
