"""Whether a path carries more than its limit: a short cluster of padding, and what arrives of it. Pure.

The cluster is small (two fifths more than the limit, for 150 ms) until one gets through; then each next one
tries twice what the last has shown, as soon as its result is known.
"""

from math import inf
from statistics import fmean

_FIRST, _NEXT = 1.4, 2.0  # times the limit
_CLUSTER_S = 0.15
_FEW_BYTES = 6_000  # a slow cluster lasts longer: a few packets measure nothing
_MAX_CLUSTER_S = 0.4
_FEWEST = 4  # packets that must have arrived
_CALM_S = 0.35  # without a queue before a cluster
_WAIT_S = 1.0  # at most, for the feedback on a cluster
_RETRY_S = (1.0, 2.0)  # after one, and more failures
_MISTAKEN_S = (1.0, 2.0, 3.0)  # after so many raises in a row that had to be taken back
_TICK_BYTES = 12_000  # in one tick, whatever has been missed
_AHEAD_BYTES = 1200  # a packet may be sent before its time
_THROUGH = 0.88  # of the rate of the cluster
_LOST = 0.1  # more of it than this, and than twice the usual, was too much for the path


class Prober:
    """``first`` and ``last`` are the numbers of the packets sent during the cluster, media and all; ``last``
    is infinite until it is over. Without a cluster under way both are infinite."""

    def __init__(self) -> None:
        self.first = self.last = inf
        self._rate = 0.0
        self._started = self._ended = 0.0
        self._length = 0.0
        self._sent_before = 0
        self._next = -inf
        self._failures = 0
        self._factor = _FIRST
        self._clear()

    def _clear(self) -> None:
        self.first = self.last = inf
        self._bytes = 0
        self._sent: list[float] = []
        self._arrived: list[float] = []

    def pad(self, limit: int, number: int, sent: int, now: float) -> int:
        """Bytes of padding to send now. ``number`` is the next packet's, ``sent`` all bytes before it."""
        if self.first == inf:
            if now < self._next:
                return 0
            self._rate = self._factor * limit
            self.first, self._started, self._sent_before = number, now, sent
            self._length = min(max(_CLUSTER_S, 8 * _FEW_BYTES / self._rate), _MAX_CLUSTER_S)
        if self.last < inf:
            if now - self._ended > _WAIT_S:
                self._fail(now)
            return 0
        if now - self._started >= self._length:
            self.last, self._ended = number - 1, now
            return 0
        due = self._rate * (now - self._started) / 8 + _AHEAD_BYTES - (sent - self._sent_before)
        return max(0, min(int(due), _TICK_BYTES))

    def put_off(self, calm_since: float, mistaken: int, mistaken_at: float) -> None:
        """No cluster before the queue was gone for a while, and later after raises that were wrong."""
        self._next = max(self._next, calm_since + _CALM_S)
        if mistaken:
            pause = _MISTAKEN_S[min(mistaken, len(_MISTAKEN_S)) - 1]
            self._next = max(self._next, mistaken_at + pause)

    def note(self, size: int, sent: float, arrived: float) -> None:
        """A packet of the cluster arrived. In the order of sending."""
        self._bytes += size
        self._sent.append(sent)
        self._arrived.append(arrived)

    def abandon(self, now: float) -> None:
        """The path is in trouble: nothing is to be learnt now."""
        if self.first < inf:
            self._fail(now)

    def conclude(self, sent: int, loss: float, now: float) -> float | None:
        """All feedback on the cluster of ``sent`` bytes is there; ``loss`` is what the path always loses. The
        bit/s that the limit may be, if something was measured."""
        packets = len(self._sent)
        sending = self._sent[-1] - self._sent[0] if packets >= _FEWEST else 0.0
        if sending < _CLUSTER_S / 2:
            self._fail(now)
            return None
        tried = min(self._rate, 8 * sent / sending)
        carried = tried / max(1.0, self._stretch())
        if carried >= _THROUGH * tried and 1 - self._bytes / sent < 2 * loss + _LOST + 1 / packets:
            self._clear()
            self._failures, self._factor, self._next = 0, _NEXT, now
            return carried
        self._fail(now)
        return 0.9 * carried  # not all came through, but it measured the path

    def _stretch(self) -> float:
        """How much longer the cluster took to arrive than to be sent, from the middle of its first third to
        the middle of its last: jitter weighs little there."""
        third = len(self._sent) // 3 or 1
        sending = fmean(self._sent[-third:]) - fmean(self._sent[:third])
        arriving = fmean(self._arrived[-third:]) - fmean(self._arrived[:third])
        return arriving / sending if sending > 0 else inf

    def _fail(self, now: float) -> None:
        self._clear()
        self._next = now + _RETRY_S[min(self._failures, len(_RETRY_S) - 1)]
        self._failures += 1
        self._factor = _FIRST
