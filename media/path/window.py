"""What the last two seconds of feedback say of one path: rates, loss and the queue. Pure."""

from collections import deque
from typing import NamedTuple

KEPT_S = 2.2
_STANDING_S = 0.2  # the shortest delay of so long is a queue, not a burst that passes
_BUSY_S, _BUSY_AT_MOST_S = 0.08, 0.4
_DRIFT = 0.00025  # how fast the least delay may rise: twice what the worst clocks do
_JUMP_S = 0.25  # no queue grows faster than time passes; what does is a clock that was set


class Sample(NamedTuple):
    """One feedback. Byte counts are since the beginning."""

    now: float  # when the feedback came
    arrived: float  # when the newest packet in it arrived, on the viewer's clock
    sent: float  # when that one was sent
    passed: int  # bytes sent up to and with that one
    acked: int  # bytes known to have arrived
    delay: float  # the least delay in it: arrival on the viewer's clock minus sending on ours
    queue: float  # of it, above the least delay that the path has shown: seconds in queues


class Flow(NamedTuple):
    """What happened between two samples. ``duration`` is on the viewer's clock."""

    duration: float
    sent: float  # bit/s, by the times of sending
    delivered: float  # bit/s, by the times of arrival
    loss: float  # share of the bytes


class Window:
    def __init__(self) -> None:
        self.samples: deque[Sample] = deque()
        self._least = 0.0
        self._least_at = 0.0

    def add(self, now: float, arrived: float, sent: float, passed: int, acked: int, delay: float) -> None:
        samples = self.samples
        if not samples or delay - samples[-1].delay > now - samples[-1].now + _JUMP_S:
            self._begin(delay, now)
        self._least = min(delay, self._least + _DRIFT * (now - self._least_at))
        self._least_at = now
        samples.append(Sample(now, arrived, sent, passed, acked, delay, delay - self._least))
        while samples[0].now < now - KEPT_S:
            samples.popleft()

    def _begin(self, delay: float, now: float) -> None:
        self.samples.clear()
        self._least, self._least_at = delay, now

    def rebase(self) -> None:
        """What looked like a queue is the way itself, which has become longer."""
        self._begin(min(sample.delay for sample in self.samples), self.newest)

    @property
    def newest(self) -> float:
        """When the last feedback came; -inf when none did."""
        return self.samples[-1].now if self.samples else float("-inf")

    @property
    def queue(self) -> float:
        """Seconds in queues by the last feedback."""
        return self.samples[-1].queue if self.samples else 0.0

    @property
    def standing(self) -> float:
        """The shortest queue of the last moments: what bursts leave behind them is not in it."""
        least = float("inf")
        for sample in reversed(self.samples):
            if sample.now < self.newest - _STANDING_S:
                break
            least = min(least, sample.queue)
        return 0.0 if least == float("inf") else least

    @property
    def whole(self) -> bool:
        """Nothing was lost: known at once, which spares the usual case all the sums."""
        first, last = self.samples[0], self.samples[-1]
        return last.acked - first.acked >= last.passed - first.passed

    def swells(self, by: float) -> bool:
        """The queue has grown by so much over the last feedbacks, with each of them."""
        if len(self.samples) < 4:
            return False
        first, second, third, last = (self.samples[place].queue for place in (-4, -3, -2, -1))
        return first < second < third < last and last - first > by

    def busy(self, queue: float) -> Flow:
        """Of the time since which there was always so much of a queue, a moment at most: what arrived then is
        all that the path carries."""
        last = first = None
        for sample in reversed(self.samples):
            if sample.queue < queue or sample.now < self.newest - _BUSY_AT_MOST_S:
                break
            last, first = last or sample, sample
        if first is None or last is None or last.arrived - first.arrived < _BUSY_S:
            return Flow(0.0, 0.0, 0.0, 0.0)
        return between(first, last)

    def before(self, seconds: float) -> Sample | None:
        """The newest sample that is so much older than the last; the oldest when none is."""
        at = self.newest - seconds
        for sample in reversed(self.samples):
            if sample.now <= at:
                return sample
        return self.samples[0] if self.samples else None

    def flow(self, seconds: float, until: float = 0.0) -> Flow:
        """Of the last ``seconds`` up to ``until`` seconds ago; shorter when less is known."""
        first, last = self.before(seconds + until), self.before(until)
        if first is None or last is None or first is last:
            return Flow(0.0, 0.0, 0.0, 0.0)
        return between(first, last)

    def since(self, at: float) -> Flow:
        """Of what was sent since ``at``."""
        first = next((sample for sample in self.samples if sample.sent >= at), None)
        if first is None or first is self.samples[-1]:
            return Flow(0.0, 0.0, 0.0, 0.0)
        return between(first, self.samples[-1])


def between(first: Sample, last: Sample) -> Flow:
    duration, sending = last.arrived - first.arrived, last.sent - first.sent
    passed, acked = last.passed - first.passed, last.acked - first.acked
    if duration <= 0 or sending <= 0 or passed <= 0:
        return Flow(0.0, 0.0, 0.0, 0.0)
    loss = max(0.0, 1 - acked / passed)
    return Flow(duration, 8 * passed / sending, 8 * acked / duration, loss)
