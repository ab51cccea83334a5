"""All callers of all calls in one thread: what came is read, what is due is sent, every millisecond.

What it measures does not depend on how well it keeps time itself: a packet's way begins when it is handed to
the kernel and ends at the kernel's receive stamp.
"""

import asyncio
import heapq
import random
import select
import time
from collections.abc import Callable
from itertools import count

from media.net.batch import Batch
from media.net.udp import Udp
from tests.media.caller import Caller
from tests.media.caller_dtls import Identity
from tests.media.caller_streams import Outgoing

TURN_S = 0.001
TICK_S = 0.02  # of a caller
PACE_S = 0.0032  # between two packets of a frame
AT_ONCE = 256  # jobs in one turn
LATE_S = 0.5  # behind by more than this, a track goes on from now rather than catching up

Job = Callable[[float], float]  # does what is due and says when it is due again; 0: never


class Generator:
    """``behind`` is how late a frame was sent at most, in seconds: more than a few hundredths and it is the
    generator's core that is full, not the server's."""

    def __init__(self, host: str = "127.0.0.1", seed: int = 1) -> None:
        self.identity = Identity()
        self.random = random.Random(seed)
        self.behind = 0.0
        self._host = host
        self._inbox, self._outbox = Batch(receives=True), Batch(receives=False)
        self._callers: dict[int, Caller] = {}  # by descriptor
        self._wires: dict[Caller, Udp] = {}
        self._poll = select.epoll()
        self._jobs: list[tuple[float, int, Job]] = []
        self._order = count()

    def caller(self) -> Caller:
        """A new one on a port of its own."""
        wire = Udp(self._host)
        caller = Caller(self.identity, wire, self._inbox, self._outbox)
        self._callers[wire.fileno()] = caller
        self._wires[caller] = wire
        self._poll.register(wire.fileno(), select.EPOLLIN)

        def tick(now: float) -> float:
            if caller not in self._wires:
                return 0.0
            caller.tick(now)
            return now + TICK_S

        self._add(time.time() + self.random.random() * TICK_S, tick)
        return caller

    def remove(self, caller: Caller) -> None:
        """Say goodbye and close its port. What it sends stops."""
        wire = self._wires.pop(caller, None)
        if wire is None:
            return
        caller.close()
        self._poll.unregister(wire.fileno())
        del self._callers[wire.fileno()]
        wire.close()

    def send(self, caller: Caller, track: Outgoing) -> None:
        """From now on a frame every interval, at a phase of its own, its packets one by one: a browser's
        pacer spreads them at 2.5 times the track's rate."""
        interval = track.clip.interval
        next_at = time.time() + self.random.random() * interval

        def frame(now: float) -> float:
            nonlocal next_at
            if caller not in self._wires:
                return 0.0
            late, sent = now - next_at, track.piece + 1
            if sent == 1 and late > self.behind:
                self.behind = late
            left = caller.send_frame(track, time.time(), most=1)
            if left:
                return next_at + sent * min(PACE_S, 0.9 * interval / (sent + left))
            next_at = next_at + interval if late < LATE_S else now + interval
            return next_at

        self._add(next_at, frame)

    def _add(self, due: float, job: Job) -> None:
        heapq.heappush(self._jobs, (due, next(self._order), job))

    def turn(self) -> None:
        """Read what came, send what is due."""
        self._read()
        jobs, order = self._jobs, self._order
        now, sent = time.time(), 0
        # What becomes due meanwhile waits for the next turn, so that the control messages have theirs.
        while jobs and jobs[0][0] <= now and sent < AT_ONCE:
            due = jobs[0][2](now)
            if due:
                heapq.heapreplace(jobs, (due, next(order), jobs[0][2]))
            else:
                heapq.heappop(jobs)
            sent += 1
            if not sent & 15:
                self._read()

    def _read(self) -> None:
        now = time.time()
        for descriptor, _ in self._poll.poll(0, 1024):
            caller = self._callers.get(descriptor)
            if caller is not None:
                caller.receive(now)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.turn()
            await asyncio.sleep(TURN_S)

    def remove_all(self) -> None:
        for caller in list(self._wires):
            self.remove(caller)

    def close(self) -> None:
        self.remove_all()
        self._poll.close()
