"""What one viewer's path carries, found from the transport-wide feedback that the viewer sends. Pure.

Every RTP packet to the viewer is numbered here (``sent``); the feedback says when each arrived. The queue,
the rate and the loss that follow give ``limit``. Nothing here knows of tracks: who must send less is decided
in rates.py. Times are monotonic seconds and arguments.
"""

from array import array

from media.path.limiter import Limiter, Phase
from media.path.prober import Prober
from media.path.window import Window
from media.wire.rtp import SEQ_MOD
from media.wire.twcc import TICK_MOD, TICKS_PER_S, parse

_RING = 4096  # packets that feedback may still speak of: four seconds of a thousand a second
_MASK = _RING - 1
_PAUSE_S, _RESUME_S = 0.4, 0.1  # of queue: when pictures make way for sound, and when they may come back
_FRESH_S = 0.5  # the last feedback, for a probe
_STALE_S = 3.0  # without feedback: the queue is not known any more


class Downlink:
    """``limit``: bit/s that the path carries, None while no end was seen."""

    def __init__(self) -> None:
        self.window = Window()
        self._limiter = Limiter()
        self._prober = Prober()
        self._last = SEQ_MOD - 1  # number of the newest packet, unwrapped
        self._bytes = 0  # sent up to and with it
        self._sent_at = array("d", bytes(8 * _RING))  # 0: arrived, or never sent
        self._sent_bytes = array("q", bytes(8 * _RING))  # ``_bytes`` after each
        self._acked = 0
        self._spoken = self._last  # the newest packet that feedback spoke of
        self._tick = 0  # the newest arrival, unwrapped; any at first
        self._paused = False

    @property
    def limit(self) -> int | None:
        return self._limiter.limit

    def sent(self, size: int, now: float) -> int:
        """The transport-wide sequence number for a packet of ``size`` bytes that is about to be sent."""
        self._last = number = self._last + 1
        self._bytes = total = self._bytes + size
        place = number & _MASK
        self._sent_at[place] = now
        self._sent_bytes[place] = total
        return number & 0xFFFF

    def feedback(self, body: memoryview, now: float) -> None:
        """Raises Malformed, before anything changed. What it says of packets never sent, or reported as
        arrived before, is passed over."""
        said = parse(body)
        half = SEQ_MOD >> 1
        first = self._last + ((said.first - self._last + half) % SEQ_MOD) - half
        oldest, newest = max(self._last - _RING + 2, SEQ_MOD), self._last
        self._pass_over(first, oldest)
        self._spoken = max(self._spoken, min(first + said.span - 1, newest))
        sent_at, sent_bytes, prober = self._sent_at, self._sent_bytes, self._prober
        acked, latest, tick = 0, -1, self._tick
        arrival, delay, departure = tick - TICK_MOD, float("inf"), 0.0
        for offset, wire in zip(said.arrived, said.ticks, strict=True):
            number = first + offset
            if not oldest <= number <= newest:
                continue
            place = number & _MASK
            at = sent_at[place]
            if not at:
                continue
            sent_at[place] = 0.0
            size = sent_bytes[place] - sent_bytes[place - 1]
            acked += size
            tick += ((wire - tick + (TICK_MOD >> 1)) % TICK_MOD) - (TICK_MOD >> 1)
            latest, arrival, departure = number, max(arrival, tick), at
            if tick / TICKS_PER_S - at < delay:
                delay = tick / TICKS_PER_S - at
            if prober.first <= number <= prober.last:
                prober.note(size, at, tick / TICKS_PER_S)
        if latest < 0:
            return
        self._tick = tick
        self._acked += acked
        samples = self.window.samples
        if not samples or departure > samples[-1].sent:  # else: only what came late
            passed = sent_bytes[latest & _MASK]
            self.window.add(now, arrival / TICKS_PER_S, departure, passed, self._acked, delay)
            self._conclude(now)

    def _pass_over(self, first: int, oldest: int) -> None:
        """Packets that no feedback spoke of, because it was lost itself, are no loss."""
        for number in range(max(self._spoken + 1, oldest), min(first, self._last + 1)):
            place = number & _MASK
            self._sent_at[place] = 0.0
            self._acked += self._sent_bytes[place] - self._sent_bytes[place - 1]

    def _conclude(self, now: float) -> None:
        window, limiter, prober = self.window, self._limiter, self._prober
        limiter.take(window, now)
        if limiter.phase is not Phase.STEADY:
            prober.abandon(now)
        elif self._spoken >= prober.last:
            totals = self._sent_bytes
            sent = totals[int(prober.last) & _MASK] - totals[int(prober.first) - 1 & _MASK]
            found = prober.conclude(sent, limiter.usual_loss, now)
            if found is not None:
                limiter.lift(found, now)
        if window.queue > _PAUSE_S:
            self._paused = True
        elif window.queue < _RESUME_S:
            self._paused = False

    def video_allowed(self, now: float) -> bool:
        """False while the queue on the path is so long that sound would suffer from more."""
        return not self._paused or now - self.window.newest > _STALE_S

    def probe(self, now: float) -> int:
        """How many bytes of padding to send now, number them by ``sent`` as everything else. To be called
        every 10 ms or so."""
        limiter, prober = self._limiter, self._prober
        if limiter.limit is None or limiter.phase is not Phase.STEADY or now - self.window.newest > _FRESH_S:
            return 0
        prober.put_off(limiter.calm_since, limiter.mistaken, limiter.mistaken_at)
        return prober.pad(limiter.limit, self._last + 1, self._bytes, now)
