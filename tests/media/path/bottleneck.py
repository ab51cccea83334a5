"""One sender, the node and one viewer behind a bottleneck, stepped by the millisecond. No real clock.

The sender obeys REMB as Chromium was seen to: down within half a second, up within two. The path from the
node to the viewer has a rate that changes, a queue or a policer, delay, jitter and loss by a seed; the viewer
reports every 60 ms by transport-wide feedback on a clock of its own.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from media.path.arrivals import Arrivals
from media.path.downlink import Downlink
from media.path.rates import OPEN, Rates, Viewer

START = 1000.0
BEST = 2_500_000  # bit/s, what the sender wants to send


@dataclass
class Path:
    """``rate`` in bit/s by the second since the start. ``queue`` in seconds; with ``bucket`` bytes there is
    none, and what is too much is dropped."""

    rate: Callable[[float], float] = lambda t: 20_000_000
    queue: float = 0.5
    bucket: int = 0
    delay: float = 0.025
    jitter: float = 0.0
    loss: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._free_at = 0.0
        self._tokens, self._filled = float(self.bucket), START

    def passes(self, size: int, now: float) -> float | None:
        """When it arrives; None when it does not."""
        rate = self.rate(now - START)
        if self.bucket:
            self._tokens = min(self.bucket, self._tokens + (now - self._filled) * rate / 8)
            self._filled = now
            if self._tokens < size:
                return None
            self._tokens -= size
            through = now
        else:
            if self._free_at - now > self.queue:
                return None
            self._free_at = through = max(now, self._free_at) + 8 * size / rate
        if self.random.random() < self.loss:
            return None
        return through + self.delay + self.random.random() * self.jitter


@dataclass
class Second:
    """What happened in one second."""

    sent: int = 0  # bit/s of pictures from the sender
    video: int = 0  # bit/s of pictures that arrived
    sound: int = 0  # packets of sound that arrived, of 50
    latest: float = 0.0  # the longest that sound was on its way, seconds
    padding: int = 0  # bit/s
    limits: list[int | None] = field(default_factory=list)


class Call:
    def __init__(self, path: Path, drift: float = 0.0, feedback_loss: float = 0.0) -> None:
        self.path = path
        self.downlink = Downlink()
        self.seconds: list[Second] = []
        self._rates: Rates[str] = Rates()
        self._arrivals = Arrivals()
        self._reports = 0
        self._drift, self._feedback_loss = drift, feedback_loss
        self._random = random.Random(path.seed + 1)
        self._under_way: list[tuple[float, int, int, float, str]] = []  # arrives, seq, size, sent, kind
        self._feedback: list[tuple[float, bytes]] = []
        self._remb: list[tuple[float, int]] = []
        self._target = 300_000.0
        self._allowed = BEST
        self._ripe = 0.0
        self._paced: list[int] = []
        self._credit = 0.0

    def run(self, seconds: int) -> list[Second]:
        for _ in range(seconds):
            self.seconds.append(Second())
            for ms in range(1000):
                self._step(START + len(self.seconds) - 1 + ms / 1000, ms)
        return self.seconds

    def _step(self, now: float, ms: int) -> None:
        self._sender(now, ms)
        self._viewer(now, ms)
        self._node(now, ms)

    # --- the sender ---

    def _sender(self, now: float, ms: int) -> None:
        while self._remb and self._remb[0][0] <= now:
            allowed = min(BEST, self._remb.pop(0)[1])
            if allowed > self._allowed:
                self._ripe = now + 0.4  # the encoder takes its time
            self._allowed = allowed
        goal = max(30_000.0, self._allowed - 50_000)
        if goal < self._target:
            self._target += (goal - self._target) * 0.005
        elif now >= self._ripe:
            self._target += (goal - self._target) * 0.002
        if ms % 20 == 0:
            self._send(120, now, "sound")
        if ms % 33 == 0:
            frame = int(self._target / 30 / 8 * self._random.uniform(0.6, 1.4))
            self._paced += [min(1200, frame - at) for at in range(0, frame, 1200)]
        self._credit = min(self._credit + 2.5 * self._target / 8000, 2400.0)
        while self._paced and self._credit > 0:
            size = self._paced.pop(0)
            self._credit -= size
            self.seconds[-1].sent += 8 * size
            if self.downlink.video_allowed(now):
                self._send(size, now, "video")

    def _send(self, size: int, now: float, kind: str) -> None:
        seq = self.downlink.sent(size, now)
        at = self.path.passes(size, now)
        if at is not None:
            self._under_way.append((at, seq, size, now, kind))

    # --- the viewer ---

    def _viewer(self, now: float, ms: int) -> None:
        second = self.seconds[-1]
        came = sorted(item for item in self._under_way if item[0] <= now)
        if came:
            self._under_way = [item for item in self._under_way if item[0] > now]
        for at, seq, size, sent, kind in came:
            self._arrivals.add(seq, (at - START) * (1 + self._drift) + 77.0)
            if kind == "video":
                second.video += 8 * size
            elif kind == "sound":
                second.sound += 1
                second.latest = max(second.latest, at - sent)
        if ms % 60 == 0:
            self._reports += 1
            for body in self._arrivals.drain(float(self._reports)):
                if self._random.random() >= self._feedback_loss:
                    self._feedback.append((now + self.path.delay, body))

    # --- the node ---

    def _node(self, now: float, ms: int) -> None:
        while self._feedback and self._feedback[0][0] <= now:
            self.downlink.feedback(memoryview(self._feedback.pop(0)[1]), now)
        if ms % 10 == 0:
            padding = self.downlink.probe(now)
            self.seconds[-1].padding += 8 * padding
            while padding > 0:
                self._send(min(padding, 240), now, "padding")
                padding -= 240
        if ms % 50 == 0:
            self.seconds[-1].limits.append(self.downlink.limit)
            viewer = Viewer(self.downlink.limit, 1, {"resident": 1})
            for _, bitrate in self._rates.tick({"resident": START - 10}, [viewer], now):
                self._remb.append((now + 0.05, min(bitrate, OPEN)))
