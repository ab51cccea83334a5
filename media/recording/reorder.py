"""Order restored before frames are put together. Pure; time is an argument."""

from collections.abc import Iterator
from dataclasses import dataclass

from media.path.packet import Packet

PATIENCE_S = 2.0  # how long a missing packet is waited for
MAX_WAITING = 1024  # packets; more than that and the missing one is given up
ANEW = 1 << 15  # a number so far below what is expected is no straggler: the sender counts anew


@dataclass(frozen=True)
class Lost:
    """``count`` packets right before the next one never came; 0: nobody knows how many."""

    count: int


class Reorder:
    """Gives packets out in order, each once, and says where some are missing for good.

    While nothing is missing (``waiting`` is empty) the packet numbered ``next`` needs none of this: whoever
    has it counts ``next`` on by one and goes on.
    """

    def __init__(self, patience: float = PATIENCE_S) -> None:
        self.next: int | None = None
        self.waiting: dict[int, Packet] = {}
        self._patience = patience
        self._anew = False
        self._due = float("inf")  # when the first that is missing is given up

    def push(self, packet: Packet) -> None:
        if self.next is None:
            self.next = packet.seq
        if packet.seq < self.next:
            if self.next - packet.seq < ANEW:
                return
            self.waiting.clear()
            self.next, self._anew = packet.seq, True
        if not self.waiting:
            self._due = packet.arrived + self._patience
        self.waiting[packet.seq] = packet

    def pop(self, now: float) -> Iterator[Packet | Lost]:
        """What is due at ``now``."""
        if self._anew:
            self._anew = False
            yield Lost(0)
        while self.waiting and self.next is not None:
            packet = self.waiting.pop(self.next, None)
            if packet is not None:
                self.next += 1
                self._due = float("-inf")  # of those that are left: not known yet
                yield packet
                continue
            if now < self._due and len(self.waiting) < MAX_WAITING:
                return
            first = min(self.waiting)
            self._due = self.waiting[first].arrived + self._patience
            if now >= self._due or len(self.waiting) >= MAX_WAITING:
                yield Lost(first - self.next)
                self.next = first
