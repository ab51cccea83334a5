"""The asyncio shell around ``Port``: when to look for datagrams, when to send, when to tick.

While nothing comes, the event loop watches the sockets and there is no poll. Once something came, the sockets
are not watched but looked at every few milliseconds until a look finds nothing: under load one wake-up serves
a hundred datagrams, and a quiet port costs nothing (as Linux's NAPI does with a network card).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar

from media.net.port import DRAIN_LIMIT, Port
from media.net.udp import Udp

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

POLL_S = 0.003  # between looks under load: a datagram waits half of it on average
POLL_SOON_S = 0.001  # between looks when the last one found FEW datagrams or less
FEW = 8
TICK_S = 0.010  # between ticks while datagrams come, at least
LINGER_S = 1.0  # so long after the last datagram the ticks go on: somebody speaks, or is to be asked again
IDLE_TICK_S = 0.1  # between ticks while none come; handshakes and silence are looked at this often
STALL_S = 1.0  # without a turn: the process was stopped, and so was the time of those it listens to


class Pump:
    """Runs from ``start`` to ``close``. ``on_tick`` gets the time (monotonic seconds) about each TICK_S while
    datagrams come and shortly after, else each IDLE_TICK_S. What is raised on the way is logged; the pump
    goes on. The wires stay their owner's, who closes them afterwards."""

    def __init__(self, port: Port, wires: Sequence[Udp], on_tick: Callable[[float], None]) -> None:
        self._port = port
        self._wires = wires
        self._on_tick = on_tick
        self._loop = asyncio.get_running_loop()
        self._poll: asyncio.Handle | None = None  # None while the sockets are watched
        self._timer: asyncio.TimerHandle | None = None
        self._next_tick = 0.0
        self._came = float("-inf")  # when there was a datagram last
        self._kept = 0.0  # when the port's timers were looked at last
        self._is_running = False

    def start(self) -> None:
        self._is_running = True
        self._kept = time.monotonic()
        self._watch()
        self._keep_time()

    def close(self) -> None:
        """Sends what was queued. Idempotent."""
        if not self._is_running:
            return
        self._is_running = False
        if self._poll is None:
            self._unwatch()
        for handle in (self._poll, self._timer):
            if handle is not None:
                handle.cancel()
        self.flush()

    def flush(self) -> None:
        """Send now what was queued outside of a drain, by whoever answers a control message."""
        self._guarded(self._port.flush)

    def _readable(self) -> None:
        self._unwatch()
        self._look()

    def _look(self) -> None:
        now = time.monotonic()
        count = self._guarded(self._port.drain, now) or 0
        if count:
            self._came = now
        self.flush()  # before the tick, which may take milliseconds
        if now >= self._next_tick:
            self._tick(now)
            self.flush()
        if not self._is_running:
            return  # somebody who was called closed it
        if count == 0:
            self._watch()
        elif count >= DRAIN_LIMIT:
            self._poll = self._loop.call_soon(self._look)  # there is more: others first, then at once
        else:
            self._poll = self._loop.call_later(POLL_S if count > FEW else POLL_SOON_S, self._look)

    def _keep_time(self) -> None:
        now = time.monotonic()
        since = now - self._kept
        if since > IDLE_TICK_S - TICK_S:
            self._kept = now
            if since < STALL_S:  # else what came meanwhile waits in the sockets: nobody is silent unheard
                self._guarded(self._port.tick, now)
        if now >= self._next_tick:
            self._tick(now)
        self.flush()
        if self._is_running:
            pause = TICK_S if now - self._came < LINGER_S else IDLE_TICK_S
            self._timer = self._loop.call_later(pause, self._keep_time)

    def _tick(self, now: float) -> None:
        self._next_tick = now + TICK_S
        self._guarded(self._on_tick, now)

    def _watch(self) -> None:
        self._poll = None
        for wire in self._wires:
            self._loop.add_reader(wire.fileno(), self._readable)

    def _unwatch(self) -> None:
        for wire in self._wires:
            self._loop.remove_reader(wire.fileno())

    def _guarded(self, step: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return step(*args, **kwargs)
        except Exception:
            logger.exception("%s", step)
            return None
