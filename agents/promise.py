"""What somebody who waits was told, and what it says now. Pure and immutable.

A place and a time, once told, only get better, unless the reason is told with them:

- PRIORITY: the place grew, because somebody with precedence came or came back.
- FEWER_AGENTS: fewer are on duty than when it was told.
- LONGER_CALLS: talks take longer than when it was told; also when the told time is over, for then the talks
  that had to end have not.

What has no such cause (a mean that sways a little) is not told at all: the told time stands and counts down
with the clock. A reason stays in view for a while, or nobody would read it.
"""

from math import ceil, floor

from msgspec import Struct
from msgspec.structs import replace

from agents.agent import WaitReason

SLACK_S = 15.0  # a time that is later by no more than this is not worth a word
LONGER = 1.1  # talks count as longer from this factor on
REASON_SHOWN_S = 20.0


class Forecast(Struct, frozen=True):
    """What is computed at one moment (agents.waiting). ``wait_s``: from how many to how many seconds from
    now; None when there is no basis. ``talk_s``: the mean of the recent talks that it rests on."""

    place: int
    on_duty: int
    talk_s: float | None = None
    wait_s: tuple[float, float] | None = None


class Promise(Struct, frozen=True):
    """``low_at``, ``high_at``: between which moments (Unix seconds) it was said to be over; None: nothing was
    said. ``on_duty``, ``talk_s``: what that rested on. ``reason``: why it is later than before, told at
    ``reason_at``."""

    place: int
    low_at: float | None
    high_at: float | None
    on_duty: int
    talk_s: float | None
    reason: WaitReason | None = None
    reason_at: float = 0.0

    @classmethod
    def first(cls, forecast: Forecast, now: float) -> "Promise":
        low, high = (None, None) if forecast.wait_s is None else forecast.wait_s
        return cls(
            forecast.place,
            None if low is None else now + low,
            None if high is None else now + high,
            forecast.on_duty,
            forecast.talk_s,
        )

    def renewed(self, forecast: Forecast, now: float) -> "Promise":
        """What to say now, given what is computed now."""
        fresh = Promise.first(forecast, now)
        if not self._is_worse(fresh):
            return self._kept_reason(fresh, now)
        reason = self._reason(fresh, now)
        if reason is not None:
            return replace(fresh, reason=reason, reason_at=now)
        held = replace(self, place=fresh.place, low_at=_earlier(self.low_at, fresh.low_at))
        return self._kept_reason(replace(held, high_at=_earlier(self.high_at, fresh.high_at)), now)

    def remaining(self, now: float) -> tuple[int, int] | None:
        """From how many to how many seconds are left of what was told."""
        if self.low_at is None or self.high_at is None:
            return None
        return max(0, floor(self.low_at - now)), max(0, ceil(self.high_at - now))

    def _is_worse(self, fresh: "Promise") -> bool:
        return (
            fresh.place > self.place
            or _is_later(self.low_at, fresh.low_at)
            or _is_later(self.high_at, fresh.high_at)
        )

    def _reason(self, fresh: "Promise", now: float) -> WaitReason | None:
        """Why it must be told; None when what was told may stand."""
        if fresh.place > self.place:
            return WaitReason.PRIORITY
        if self.high_at is not None and self.high_at <= now:
            return WaitReason.FEWER_AGENTS if fresh.on_duty < self.on_duty else WaitReason.LONGER_CALLS
        if not _is_later(self.high_at, fresh.high_at, SLACK_S):
            return None
        if fresh.on_duty < self.on_duty:
            return WaitReason.FEWER_AGENTS
        if self.talk_s is not None and fresh.talk_s is not None and fresh.talk_s > LONGER * self.talk_s:
            return WaitReason.LONGER_CALLS
        return None

    def _kept_reason(self, told: "Promise", now: float) -> "Promise":
        if self.reason is None or now >= self.reason_at + REASON_SHOWN_S:
            return replace(told, reason=None)
        return replace(told, reason=self.reason, reason_at=self.reason_at)


def _is_later(told: float | None, fresh: float | None, by: float = 0.0) -> bool:
    """Nothing that can be said any more is later than anything."""
    return told is not None and (fresh is None or fresh > told + by)


def _earlier(told: float | None, fresh: float | None) -> float | None:
    return told if fresh is None or told is None else min(told, fresh)
