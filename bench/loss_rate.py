"""How a sender's rate follows what the path of the one who looks on carries; a part of bench.loss."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from tests.media.browser import stats
from tests.media.conftest import Control
from tests.media.impaired import CAMERA, Impaired, shown
from tests.media.lossy import Lossy

SENDER, VIEWER = 0, 1
NOISE = "peer.noise(1280, 720)"
GOOD, BACK = 2_500_000, 2_000_000  # bit/s
CAP = 500_000  # bit/s that the viewer's path carries for a while
QUEUE = 31_250  # bytes: half a second of it
BURST = 16_000  # bytes that a policer lets pass above the rate: a quarter of a second of it
CAPPED_S = 12.0
PATIENCE_S = 20.0
_LOOK_S = 0.1
_WINDOW_S = 1.0  # over which the rate of the sender is taken


@dataclass(frozen=True)
class Rate:
    """Seconds, None when it was not seen within the time it was given. Shares of 1, while the path was
    capped."""

    found: float | None
    followed: float | None
    back: float | None
    back_whole: float | None
    fps: float
    frozen: float
    concealed: float
    sent: float  # bit/s at the end of the cap


class Sending:
    """The sender's stats, and its rate on the wire over the last second."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._seen: deque[tuple[float, int]] = deque()
        self.rate = 0.0
        self.available = 0.0
        self.target = 0.0

    async def look(self) -> None:
        seen: dict[str, Any] = await stats(self._page)
        tracks = seen["outbound"].values()
        self.available, self.target = seen["available"], seen["outbound"]["camera"]["target"]
        self._seen.append((time.monotonic(), sum(track["bytes"] + track["headers"] for track in tracks)))
        while len(self._seen) > 2 and self._seen[-1][0] - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        (began, before), (ended, after) = self._seen[0], self._seen[-1]
        self.rate = 8 * (after - before) / (ended - began) if ended - began > _WINDOW_S / 2 else float("inf")

    async def until(self, holds: Callable[[], bool], since: float, within_s: float) -> float | None:
        """Seconds since then, when it holds."""
        while time.monotonic() - since < within_s:
            await self.look()
            if holds():
                return time.monotonic() - since
            await asyncio.sleep(_LOOK_S)
        return None


async def rate(control: Control, both: list[Page], ways: list[Lossy], polices: bool) -> Rate:
    call = Impaired(control, both, ways, "policed" if polices else "queued")
    await call.begin((NOISE, CAMERA))
    sending, narrow = Sending(both[SENDER]), ways[VIEWER].down
    found = await sending.until(lambda: sending.available >= GOOD, call.began, PATIENCE_S)
    await sending.until(lambda: False, time.monotonic(), 3.0)

    narrow.queue, narrow.polices, narrow.rate = BURST if polices else QUEUE, polices, CAP
    capped, before = time.monotonic(), await call.look()
    followed = await sending.until(lambda: sending.rate <= CAP, capped, CAPPED_S)
    await sending.until(lambda: False, time.monotonic(), max(0.0, capped + CAPPED_S - time.monotonic()))
    after, took, sent = await call.look(), time.monotonic() - capped, sending.rate
    seen = shown(before[VIEWER:], after[VIEWER:], took)

    narrow.rate = None
    lifted = time.monotonic()
    back = await sending.until(lambda: min(sending.available, sending.target) >= BACK, lifted, PATIENCE_S)
    whole = await sending.until(lambda: sending.available >= GOOD, lifted, PATIENCE_S)
    await call.end()
    return Rate(found, followed, back, whole, seen.fps, seen.frozen, seen.concealed, sent)


def report(name: str, rate: Rate) -> str:
    def seconds(value: float | None) -> str:
        return "never" if value is None else f"{value:.1f} s"

    return (
        f"{name}: 2.5 Mbit/s found in {seconds(rate.found)}; capped at 0.5 Mbit/s the sender followed in "
        f"{seconds(rate.followed)} (to {rate.sent / 1000:.0f} kbit/s), {rate.fps:.0f} pictures a second, "
        f"{rate.frozen * 100:.1f} % frozen, {rate.concealed * 100:.1f} % of the sound concealed; "
        f"lifted, 2 Mbit/s again in {seconds(rate.back)}, 2.5 in {seconds(rate.back_whole)}"
    )
