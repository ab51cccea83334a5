"""One track as a participant sends it: in order where it can be, repaired, each packet once, handed to
whoever looks on. Pure; time is an argument, what the sender is asked for goes through ``Feedback``.

Numbers handed on are extended: they never wrap and never go back. A sender that begins anew (encoder
restarted, laptop woken, another SSRC) is seen as a jump by more than ``WINDOW`` numbers above
the newest: sequence numbers and timestamps then have nothing to do with those before.
"""

from math import inf
from typing import Protocol

from media.codecs import OPUS, RED
from media.path.history import SOUND_BYTES, SOUND_PACKETS, VIDEO_BYTES, VIDEO_PACKETS, History
from media.path.key_frames import INTERVAL_S, KeyFrames
from media.path.nack import SOUND_S, VIDEO_S, Nack
from media.path.packet import Packet, SenderReport, Sink
from media.protocol import Source
from media.wire import red, rtcp
from media.wire.keyframes import starts_key_frame
from media.wire.rtp import TS_MOD, Malformed, extend

WINDOW = 1024  # how far ahead or back a packet may be and still belong to what was before
MAX_PAYLOAD = 1460  # bytes; what is longer fits no datagram of ours
FREEZE_S = 0.5
_EARLIER = 16  # packets that the very first may have overtaken
_BELIEVED = 8  # duplicates in a row
_DISAGREE_S = 10.0  # between the sender's timestamps and arrival from one picture to the next: another clock
# What is kept since the last key frame is short enough to begin with: any age up to the time in which no
# other key frame can be had, or a little older when it is few packets. A longer one would flood the viewer's
# path, an older one would make its clock start late.
_SHORT_S, _SHORT_PACKETS, _SHORT_BYTES = 0.5, 40, 64_000
_MAX_BURST_PACKETS, _MAX_BURST_BYTES = 160, 160_000

_OPUS, _RED = OPUS.payload_type, RED.payload_type
_Arguments = tuple[int, int, bool, int, bytes, float]


class Feedback(Protocol):
    """What a track asks of its sender."""

    def send_nack(self, ssrc: int, lost: list[int]) -> None:
        """Extended numbers, ascending."""

    def send_pli(self, ssrc: int) -> None: ...


class Viewer(Sink, Protocol):
    """A sink that is also told what will never come."""

    def given_up(self, start: int, stop: int) -> None:
        """Packets ``start`` up to ``stop`` are lost for good. Said of a gap in the middle some time after it,
        of one that is hopeless before the packet that follows it."""


class Upstream:
    """The counters are sums since the beginning. ``ssrc`` is None until it is known whom to ask; ``red`` is
    the RED payload of the packet being handed on, when it came in one."""

    # These are more than instances of a class can share keys for (30): each would have a dictionary of its
    # own, and every look into it is one more line of memory to fetch, on the way of every packet.
    __slots__ = (
        "_broken",
        "_broken_at",
        "_early",
        "_expected",
        "_feedback",
        "_first",
        "_frozen_at",
        "_history",
        "_in_a_row",
        "_jitter",
        "_key_at",
        "_key_seq",
        "_keys",
        "_lost_before",
        "_lost_reported",
        "_nack",
        "_next",
        "_repeated",
        "_report",
        "_report_middle",
        "_stray",
        "_timestamp",
        "_transit",
        "_wire",
        "bytes",
        "clock_rate",
        "duplicates",
        "freezes",
        "highest",
        "key_frames",
        "malformed",
        "packets",
        "red",
        "reported_at",
        "sinks",
        "source",
        "ssrc",
        "video",
        "viewers",
    )

    def __init__(self, source: Source, feedback: Feedback) -> None:
        self.source = source
        self.video = source is not Source.MIC
        self.clock_rate = 90_000 if self.video else 48_000
        self.ssrc: int | None = None
        self.sinks: list[Sink] = []
        self.viewers: list[Viewer] = []  # those of the sinks that are
        self.red: bytes | None = None
        self.highest = -1
        self.reported_at = 0.0  # when the last sender report came
        self.packets = self.bytes = self.key_frames = self.freezes = self.duplicates = self.malformed = 0
        self._feedback = feedback
        self._next = -1  # the number on the wire that is in turn; -1: whatever comes begins anew
        self._wire = -1  # the newest timestamp as on the wire; -1: none yet
        self._timestamp = 0
        self._nack = Nack(VIDEO_S if self.video else SOUND_S)
        self._keys = KeyFrames()
        self._history = (
            History(VIDEO_PACKETS, VIDEO_BYTES) if self.video else History(SOUND_PACKETS, SOUND_BYTES)
        )
        self._early: set[int] = set()
        self._stray: _Arguments | None = None  # far from all others; a beginning when the next follows it
        self._repeated, self._in_a_row = (-1, -1), 0  # newest number, and the last duplicate; how many
        self._key_seq = -1  # where the last key frame starts, as long as all since then is there
        self._key_at = self._broken_at = self._frozen_at = -inf
        self._broken = False  # something was given up, no key frame came since
        self._transit = self._jitter = 0.0
        self._first = self._expected = 0
        self._lost_before = self._lost_reported = 0
        self._report: SenderReport | None = None
        self._report_middle = 0

    # --- packets in ---

    def bind(self, ssrc: int) -> None:
        """The sender's SSRC is known, or is another now."""
        if self.ssrc is not None and ssrc != self.ssrc:
            self._next, self._report = -1, None
        self.ssrc = ssrc

    def receive(
        self, seq: int, timestamp: int, marker: bool, payload_type: int, payload: bytes, arrived: float
    ) -> None:
        """A packet as it came, numbers as on the wire. This is run for every packet of every call, so the
        usual case is a straight line: in turn, and mostly of the same picture as the one before."""
        if payload_type == _RED:
            self._receive_red(seq, timestamp, marker, payload, arrived)
            return
        size = len(payload)
        if size > MAX_PAYLOAD:
            self.malformed += 1
            return
        if seq != self._next and not self._out_of_turn(
            seq, timestamp, marker, payload_type, payload, arrived
        ):
            return
        key = False
        if timestamp != self._wire:
            self._advance(seq, timestamp, arrived)
            key = self.video and starts_key_frame(payload_type, payload)
        self._next = seq + 1 & 0xFFFF
        self.highest = extended = self.highest + 1
        packet = Packet(extended, self._timestamp, marker, payload_type, payload, arrived, key)
        if key:
            self._key_came(packet)
        self.packets += 1
        self.bytes += size
        self._history.put(packet)
        for sink in self.sinks:
            sink.packet(packet)

    def repaired(
        self, seq: int, timestamp: int, marker: bool, payload_type: int, payload: bytes, arrived: float
    ) -> None:
        """A packet out of RTX (RFC 4588), with its original number. Only what is missing is taken: probes for
        bandwidth are repetitions too."""
        extended = extend(seq, self.highest)
        if extended in self._nack and len(payload) <= MAX_PAYLOAD:
            self._late(extended, timestamp, marker, payload_type, payload, arrived)
        else:
            self.duplicates += 1

    def _out_of_turn(
        self, seq: int, timestamp: int, marker: bool, payload_type: int, payload: bytes, arrived: float
    ) -> bool:
        """True when it is in turn after all: what is missing before it was noted, or it begins anew."""
        if self._next < 0:
            self._begin_anew(seq)
            return True
        stray, self._stray = self._stray, None
        if stray is not None and stray[0] + 1 & 0xFFFF == seq:
            self._next = -1
            red, self.red = self.red, None  # which is of the packet after it
            self.receive(*stray)
            self.red = red
            return True
        ahead = (seq - self._next + 0x8000 & 0xFFFF) - 0x8000
        if 0 < ahead < WINDOW:
            self._skip(ahead, arrived)
            return True
        if -WINDOW < ahead < 0:
            late = self._late(self.highest + 1 + ahead, timestamp, marker, payload_type, payload, arrived)
            return not late and self._repeats(seq)
        self._stray = (seq, timestamp, marker, payload_type, payload, arrived)
        return False

    def _repeats(self, seq: int) -> bool:
        """A duplicate. When one follows the other and nothing else comes, they are none: the sender has begun
        anew, a little back."""
        follows = self._repeated == (self.highest, seq - 1 & 0xFFFF)
        self._repeated, self._in_a_row = (self.highest, seq), self._in_a_row + 1 if follows else 1
        if self._in_a_row < _BELIEVED:
            return False
        self._in_a_row = 0
        self._begin_anew(seq)
        return True

    def _begin_anew(self, seq: int) -> None:
        """Numbers above all that were (RFC 3550, A.1): those before it are given up."""
        self._told(self._nack.clear())
        base = (self.highest + WINDOW >> 16) + 1 << 16
        self.highest = base + seq - 1
        self._next, self._first, self._expected = seq, base + seq, 0
        self._lost_before, self._lost_reported = self._nack.lost, 0
        self._early = set(range(self._first - _EARLIER, self._first))
        self._wire, self._key_seq, self._broken, self._stray = -1, -1, False, None

    def _skip(self, count: int, now: float) -> None:
        """``count`` packets are missing before the one that is in turn now."""
        start = self.highest + 1
        self.highest += count
        self._stalled(now - (self._transit + self._timestamp) / self.clock_rate, now)
        if not self._nack.add(start, start + count, now):
            self._lost_for_good([*self._nack.clear(count), *range(start, start + count)], now)

    def _advance(self, seq: int, timestamp: int, arrived: float) -> None:
        """The next picture or sound: its timestamp, and how evenly they come (RFC 3550, 6.4.1). Repaired
        packets say nothing of that, so only those in turn come here."""
        now = arrived * self.clock_rate
        if self._wire < 0:
            self._timestamp = ((self._timestamp >> 32) + 1 << 32) + timestamp
            self._transit = now - self._timestamp
        else:
            self._timestamp += (timestamp - self._wire + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            transit = now - self._timestamp
            late = transit - self._transit
            self._transit = transit
            self._jitter += (abs(late) - self._jitter) / 16
            if not -_DISAGREE_S < late / self.clock_rate < FREEZE_S:
                self._irregular(late / self.clock_rate, seq, timestamp, arrived)
        self._wire = timestamp

    def _irregular(self, late: float, seq: int, timestamp: int, arrived: float) -> None:
        if abs(late) >= _DISAGREE_S:
            self._begin_anew(seq)
            self._jitter, self._report = 0.0, None
            self._advance(seq, timestamp, arrived)
        else:
            self._stalled(late, arrived)

    def _late(
        self, seq: int, timestamp: int, marker: bool, payload_type: int, payload: bytes, arrived: float
    ) -> bool:
        """False for duplicates, and what was given up: they end here."""
        waited = self._nack.found(seq, arrived)
        if waited is not None:
            self._stalled(waited, arrived)
        elif seq in self._early:
            self._early.discard(seq)
        else:
            self.duplicates += 1
            return False
        self._hand_on_late(seq, timestamp, marker, payload_type, payload, arrived)
        return True

    def _hand_on_late(
        self, seq: int, timestamp: int, marker: bool, payload_type: int, payload: bytes, arrived: float
    ) -> None:
        key = self.video and starts_key_frame(payload_type, payload)
        extended = extend(timestamp, self._timestamp, TS_MOD)
        packet = Packet(seq, extended, marker, payload_type, payload, arrived, key)
        if key:
            self._key_came(packet)
        self.packets += 1
        self.bytes += len(payload)
        self._history.put(packet)
        for sink in self.sinks:
            sink.packet(packet)

    def _receive_red(self, seq: int, timestamp: int, marker: bool, payload: bytes, arrived: float) -> None:
        """RFC 2198. Whoever gets the track gets plain Opus; what was lost before it is made out of it
        first."""
        try:
            found = red.parse(payload)
        except Malformed:
            self.malformed += 1
            return
        if found.payload_type != _OPUS or len(payload) > MAX_PAYLOAD:
            self.malformed += 1
            return
        if found.redundant and self._next >= 0 and (seq != self._next or self._nack):
            self._restore(seq, timestamp, found.redundant, arrived)
        self.red = payload
        self.receive(seq, timestamp, marker, _OPUS, found.payload, arrived)
        self.red = None

    def _restore(
        self, seq: int, timestamp: int, redundant: tuple[red.Redundant, ...], arrived: float
    ) -> None:
        """What is missing right before ``seq``, out of the redundancy it carries: its last block is of the
        packet before, the one before that of the packet before that."""
        ahead = (seq - self._next + 0x8000 & 0xFFFF) - 0x8000
        if not -WINDOW < ahead < WINDOW:
            return
        if ahead > 0:
            self._skip(ahead, arrived)
            self._next = seq
        lost = self.highest + 1 + min(ahead, 0) - len(redundant)
        for block in redundant:
            if lost in self._nack and block.payload_type == _OPUS:
                self._restore_one(lost, timestamp - block.offset & 0xFFFFFFFF, block.payload, arrived)
            lost += 1

    def _restore_one(self, seq: int, timestamp: int, payload: bytes, arrived: float) -> None:
        before = self._history.fetch(seq - 1)
        if before is not None and before.timestamp >= extend(timestamp, self._timestamp, TS_MOD):
            return  # a block was left out: it is of an earlier packet
        self._nack.restored(seq)
        self._hand_on_late(seq, timestamp, False, _OPUS, payload, arrived)

    # --- what is lost ---

    @property
    def due(self) -> float:
        """When ``tick`` is wanted next, monotonic seconds; infinite while all is well."""
        return min(self._nack.due, self._keys.due)

    def tick(self, now: float) -> None:
        """Requests that are due; every 5 to 10 ms while ``due`` has passed."""
        if now >= self._nack.due:
            ask, over = self._nack.tick(now)
            if ask and self.ssrc is not None:
                self._feedback.send_nack(self.ssrc, ask)
            if over:
                self._lost_for_good(over, now)
        if now >= self._keys.due:
            self.request_key_frame(now)

    def _lost_for_good(self, over: list[int], now: float) -> None:
        self._told(over)
        if not self.video:
            return
        if over[-1] >= self._key_seq:
            self._key_seq = -1
        if not self._broken:
            self._broken, self._broken_at = True, min(self._nack.missed_at, now)
        self.request_key_frame(now)

    def _told(self, over: list[int]) -> None:
        """Tell the viewers of each run of numbers in ``over``."""
        start = 0
        for at in range(1, len(over) + 1):
            if at == len(over) or over[at] != over[at - 1] + 1:
                for viewer in self.viewers:
                    viewer.given_up(over[start], over[at - 1] + 1)
                start = at

    def _stalled(self, seconds: float, now: float) -> None:
        """Nothing could be shown for so long. What stalls together is one freeze."""
        if self.video and seconds > FREEZE_S and now - self._frozen_at > FREEZE_S:
            self.freezes += 1
            self._frozen_at = now

    # --- key frames, and what onlookers ask for ---

    def _key_came(self, packet: Packet) -> None:
        if packet.seq < self._key_seq:
            return
        self.key_frames += 1
        self._keys.came(packet.seq, packet.arrived)
        self._key_seq, self._key_at = packet.seq, packet.arrived
        if self._broken:
            self._broken = False
            self._stalled(packet.arrived - self._broken_at, packet.arrived)

    def request_key_frame(self, now: float) -> None:
        """At once, or as soon as the sender will heed it; dropped when a key frame begins before that."""
        if not self.video:
            return
        if self.ssrc is None:
            self._keys.due = now
        elif self._keys.want(self.highest, now):
            self._feedback.send_pli(self.ssrc)

    def begin(self, sink: Sink, now: float) -> None:
        """See ``Track``. Sound needs nothing to begin with. What is handed on here again has the time at
        which it arrived first."""
        if not self.video:
            return
        packets = self._since_key(now)
        if not packets:
            self.request_key_frame(now)
        for packet in packets:
            sink.packet(packet)

    def _since_key(self, now: float) -> list[Packet]:
        """The last key frame and all after it, when that is whole but for what may still be repaired, and
        short."""
        start, age = self._key_seq, now - self._key_at
        if start < 0 or age > _SHORT_S or self.highest - start >= _MAX_BURST_PACKETS:
            return []
        packets = [p for seq in range(start, self.highest + 1) if (p := self._history.fetch(seq)) is not None]
        size = sum(len(packet.payload) for packet in packets)
        few = len(packets) <= _SHORT_PACKETS and size <= _SHORT_BYTES
        if not packets or packets[0].seq != start or size > _MAX_BURST_BYTES or not (few or age < INTERVAL_S):
            return []
        return packets

    def awaited(self, start: int, stop: int) -> list[int]:
        """What is missing of the packets ``start`` up to ``stop`` and may still come, ascending."""
        return sorted(seq for seq in self._nack if start <= seq < stop)

    def fetch(self, seq: int) -> Packet | None:
        """A packet of the last second or so, for a viewer who missed it."""
        return self._history.fetch(seq)

    # --- reports ---

    def sender_report(self, report: rtcp.SenderReport, offset: float, now: float) -> None:
        """``offset`` brings the sender's clock to the node's; onlookers get it applied."""
        self._report = SenderReport(report.ntp + offset, report.timestamp)
        self.reported_at, self._report_middle = now, report.middle
        for sink in self.sinks:
            sink.report(self._report)

    def current_report(self, now: float) -> SenderReport | None:
        """The last sender report carried forward to ``now``, for who has just begun; None before the
        first."""
        if self._report is None:
            return None
        passed = now - self.reported_at
        ticks = round(passed * self.clock_rate)
        return SenderReport(self._report.ntp + passed, self._report.timestamp + ticks & 0xFFFFFFFF)

    def reception(self, now: float) -> rtcp.Reception | None:
        """For the receiver report; None before the first packet. Losses are those before repair, so that a
        sender of sound adds the redundancy that the way needs."""
        if self.ssrc is None or self._next < 0:
            return None
        expected, lost = self.highest - self._first + 1, self._nack.lost - self._lost_before
        interval, lost_since = expected - self._expected, lost - self._lost_reported
        self._expected, self._lost_reported = expected, lost
        return rtcp.Reception(
            ssrc=self.ssrc,
            fraction_lost=min(1.0, lost_since / interval) if interval > 0 else 0.0,
            lost=lost,
            highest=self.highest - (self._first & ~0xFFFF),
            jitter=int(self._jitter),
            last_report=self._report_middle,
            delay=now - self.reported_at if self._report_middle else 0.0,
        )

    @property
    def lost(self) -> int:
        """Missing on arrival, before repair; what was only overtaken is not counted."""
        return self._nack.lost

    @property
    def unrepaired(self) -> int:
        return self._nack.given_up

    @property
    def rtt(self) -> float:
        """Seconds from a request for a packet to its answer."""
        return self._nack.rtt

    def tell_round_trip(self, seconds: float) -> None:
        """What the connection's reports say of the way to the sender and back."""
        self._nack.round_trip = seconds

    @property
    def jitter_ms(self) -> float:
        return self._jitter / self.clock_rate * 1000
