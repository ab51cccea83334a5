"""One track as a participant sends it: repaired, deduplicated, handed to whoever looks on. Pure; time is
an argument, what is to be sent comes back or goes through ``Feedback``.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from media.protocol import Source
from media.rtp import TS_MOD, Reception, SenderReport, extend
from media.vp8 import starts_key_frame

NACK_AFTER_S = 0.08  # between two requests for the same packet
NACK_TRIES = 6
NACK_MAX = 200  # packets asked for at once; more is hopeless, a key frame is better
WINDOW = 1024  # how far back a packet is still taken
KEY_FRAME_AGAIN_S = 0.15  # from one request to the next while no key frame comes
# libwebrtc ignores a request within 300 ms of the one that it answered last. Counted from the arrival of that
# answer, which is later, the next request is never ignored.
KEY_FRAME_INTERVAL_S = 0.3


class Packet(NamedTuple):
    """One packet of a track. ``seq`` and ``timestamp`` are extended: they never wrap."""

    seq: int
    timestamp: int
    marker: bool
    payload: bytes
    arrived: float  # monotonic seconds


class Sink(Protocol):
    """Whoever gets a track: a viewer's slot, or the recorder."""

    def packet(self, track: "Upstream", packet: Packet) -> None: ...

    def report(self, track: "Upstream", report: SenderReport) -> None: ...


class Feedback(Protocol):
    """What a track asks of its sender."""

    def send_nack(self, ssrc: int, lost: list[int]) -> None: ...

    def send_pli(self, ssrc: int) -> None: ...


@dataclass
class _Missing:
    tries: int
    at: float  # of the last request


class Upstream:
    def __init__(self, source: Source, feedback: Feedback) -> None:
        self.source = source
        self.video = source is not Source.MIC
        self.clock_rate = 90_000 if self.video else 48_000
        self.ssrc: int | None = None
        self.sinks: list[Sink] = []
        self.last_report: SenderReport | None = None
        self._reported_at = 0.0
        self._feedback = feedback
        self._highest = -1
        self._timestamp = 0
        self._seen = 0  # bit n: highest - n was received
        self._missing: dict[int, _Missing] = {}
        self._pli_at = float("-inf")
        self._pli_due = False
        self._key_at = float("-inf")
        self._since_key: list[Packet] = []  # while no other key frame can be had
        self._first = 0
        self._received = 0
        self._expected_before = self._received_before = 0
        self._jitter = 0.0
        self._transit: float | None = None

    # --- packets in ---

    def receive(self, seq: int, timestamp: int, marker: bool, payload: bytes, now: float) -> None:
        """A packet of this track, also one recovered from RTX. Duplicates and what is too old end here."""
        if self._highest < 0:
            # Room below, so that what was overtaken by the first packet has a number too.
            self._highest = self._first = seq + (1 << 16)
            self._timestamp = timestamp + TS_MOD
            self._seen = 0
        extended = extend(seq, self._highest)
        if not self._note(extended, now):
            return
        self._timestamp = extend(timestamp, self._timestamp, TS_MOD)
        if extended == self._highest:  # one that was repaired says nothing of the network's jitter
            self._measure(self._timestamp, now)
        packet = Packet(extended, self._timestamp, marker, payload, now)
        if self.video:
            self._keep(packet)
        for sink in self.sinks:
            sink.packet(self, packet)

    def _note(self, seq: int, now: float) -> bool:
        """False when it was here before or is too old to know."""
        ahead = seq - self._highest
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & ((1 << WINDOW) - 1) if ahead < WINDOW else 1
            if self.video:
                self._note_missing(self._highest + 1, seq, now)
            self._highest = seq
        else:
            if -ahead >= WINDOW or self._seen >> -ahead & 1:
                return False
            self._seen |= 1 << -ahead
            self._missing.pop(seq, None)
        self._received += 1
        return True

    def _note_missing(self, start: int, stop: int, now: float) -> None:
        if start == stop:
            return
        if stop - start > NACK_MAX or len(self._missing) > NACK_MAX:
            self._missing.clear()
            self.request_key_frame(now)
            return
        lost = list(range(start, stop))
        self._missing.update((seq, _Missing(1, now)) for seq in lost)
        if self.ssrc is not None:
            self._feedback.send_nack(self.ssrc, lost)

    def _keep(self, packet: Packet) -> None:
        """For ``begin``; only what somebody gets anyway."""
        if packet.seq == self._highest and starts_key_frame(packet.payload):
            # Whoever asked before has it now; who comes later asks again.
            self._key_at, self._pli_due = packet.arrived, False
            self._since_key = [packet] if self.sinks else []
        elif packet.arrived - self._key_at >= KEY_FRAME_INTERVAL_S:
            self._since_key = []
        elif self._since_key:
            self._since_key.append(packet)

    def _measure(self, timestamp: int, now: float) -> None:
        """Interarrival jitter (RFC 3550, 6.4.1)."""
        transit = now * self.clock_rate - timestamp
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    def sender_report(self, report: SenderReport, offset: float, now: float) -> None:
        """``offset`` brings the sender's clock to the node's; onlookers get it applied."""
        self.last_report, self._reported_at = report, now
        moved = replace(report, ntp=report.ntp + offset)
        for sink in self.sinks:
            sink.report(self, moved)

    # --- requests out ---

    def begin(self, sink: Sink, now: float) -> None:
        """An onlooker has nothing yet to begin with: it gets the last key frame and all since, when another
        cannot be had so soon, or one is asked for."""
        if self._since_key and now - self._key_at < KEY_FRAME_INTERVAL_S:
            for packet in self._since_key:
                sink.packet(self, packet)
        else:
            self.request_key_frame(now)

    def request_key_frame(self, now: float) -> None:
        """At once, or as soon as the sender will heed it; dropped when a key frame begins before that."""
        at = max(self._pli_at + KEY_FRAME_AGAIN_S, self._key_at + KEY_FRAME_INTERVAL_S)
        if not self.video or self.ssrc is None:
            self._pli_due = self.video
        elif now >= at:
            self._pli_at, self._pli_due = now, False
            self._feedback.send_pli(self.ssrc)
        else:
            self._pli_due = True

    def tick(self, now: float) -> None:
        """Several times a second: due key frame requests and repeated NACKs."""
        if self._pli_due and self.ssrc is not None:
            self.request_key_frame(now)
        if not self._missing:
            return
        again = [seq for seq, m in self._missing.items() if now - m.at >= NACK_AFTER_S]
        given_up = [seq for seq in again if self._missing[seq].tries >= NACK_TRIES]
        for seq in given_up:
            del self._missing[seq]
        if given_up:
            self.request_key_frame(now)
        retry = sorted(seq for seq in again if seq in self._missing)
        for seq in retry:
            self._missing[seq] = _Missing(self._missing[seq].tries + 1, now)
        if retry and self.ssrc is not None:
            self._feedback.send_nack(self.ssrc, retry)

    def reception(self, now: float) -> Reception | None:
        """For the receiver report; None before the first packet. Counts since the last call."""
        if self.ssrc is None or self._highest < 0:
            return None
        expected = self._highest - self._first + 1
        interval = expected - self._expected_before
        lost = interval - (self._received - self._received_before)
        self._expected_before, self._received_before = expected, self._received
        middle = 0
        if self.last_report is not None:
            middle = int(self.last_report.ntp * 65536) & 0xFFFFFFFF
        return Reception(
            ssrc=self.ssrc,
            fraction_lost=max(0.0, lost / interval) if interval > 0 else 0.0,
            lost=expected - self._received,
            highest=self._highest - (1 << 16),
            jitter=int(self._jitter),
            last_report=middle,
            delay=now - self._reported_at if middle else 0.0,
        )
