"""A sender, the node's part and a viewer, with a simulated network between them: minutes of a call in a
moment, and no clock but the argument.

    Sender -> Link -> Upstream -> Slot -> Link -> Viewer, feedback the other way over links of their own
"""

import itertools
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from media.codecs import OPUS, RED, VP8
from media.path.packet import Packet, SenderReport
from media.path.slot import Slot
from media.path.upstream import Upstream
from media.protocol import Source
from media.wire import red, rtcp, rtp
from tests.media.link import Link

KEY, DELTA, REST = b"\x90\x80\x01\x00", b"\x90\x80\x01\x01", b"\x80\x80\x01"
HEAD = struct.Struct("!BBHLL")
STEP_S = 0.005


def view(data: bytes) -> memoryview:
    return memoryview(bytearray(data))


class Sender:
    """A browser's track: 30 pictures of some packets or 50 sounds a second. It answers NACKs and PLIs as
    Chromium does: video over RTX, sound as it was; a key frame at most every 300 ms."""

    def __init__(self, source: Source, seq: int = 0, timestamp: int = 0, with_red: bool = False) -> None:
        self.video = source is not Source.MIC
        self.seq, self.timestamp = seq, timestamp
        self.key_frames = self.made = 0
        self.with_red = with_red
        self._sent: dict[int, bytes] = {}
        self._next_at: float | None = None
        self._key_wanted, self._key_at = self.video, -1.0
        self._rtx_seq = 0
        self._before: red.Redundant | None = None

    def run(self, link: Link, now: float) -> None:
        if self._next_at is None:
            self._next_at = now
        while self._next_at <= now:
            self._make(link, self._next_at)
            self._next_at += 1 / 30 if self.video else 0.02

    def _make(self, link: Link, now: float) -> None:
        self.timestamp = (self.timestamp + (3000 if self.video else 960)) % 2**32
        if not self.video:
            self._sound(link, now)
            return
        key = self._key_wanted and now - self._key_at >= 0.3
        if key:
            self._key_wanted, self._key_at = False, now
            self.key_frames += 1
        count = 12 if key else 4
        for part in range(count):
            start = (KEY if key else DELTA) if part == 0 else REST
            self._send(link, now, VP8.payload_type, part == count - 1, start + self._name())

    def _sound(self, link: Link, now: float) -> None:
        payload, payload_type = b"\xf8" + self._name(), OPUS.payload_type
        block = red.Redundant(payload_type, 960, payload)
        if self.with_red:
            redundant = () if self._before is None else (self._before,)
            payload, payload_type = red.build(red.Red(payload_type, payload, redundant)), RED.payload_type
        self._before = block
        self._send(link, now, payload_type, False, payload)

    def _name(self) -> bytes:
        """Tells each packet from all others."""
        return self.made.to_bytes(4, "big")

    def _send(self, link: Link, now: float, payload_type: int, marker: bool, payload: bytes) -> None:
        data = HEAD.pack(0x80, marker << 7 | payload_type, self.seq, self.timestamp, 1) + payload
        self._sent[self.seq] = data
        self.seq = (self.seq + 1) % 2**16
        self.made += 1
        link.send(data, now)

    def asked(self, data: bytes, link: Link, now: float) -> None:
        for message in rtcp.parse(view(data), len(data)):
            if isinstance(message, rtcp.KeyFrameRequest):
                self._key_wanted = True
            elif isinstance(message, rtcp.Nack):
                for seq in message.lost:
                    self._again(seq, link, now)

    def _again(self, seq: int, link: Link, now: float) -> None:
        data = self._sent.get(seq)
        if data is None:
            return
        if self.video:
            _, kind, _, timestamp, _ = HEAD.unpack_from(data)
            self._rtx_seq = (self._rtx_seq + 1) % 2**16
            head = HEAD.pack(0x80, kind + 1, self._rtx_seq, timestamp, 2)
            data = head + seq.to_bytes(2, "big") + data[12:]
        link.send(data, now)


class Asking:
    """``Feedback`` over a link."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.now = 0.0
        self.nacks = self.plis = 0

    def send_nack(self, ssrc: int, lost: list[int]) -> None:
        self.nacks += 1
        self.link.send(rtcp.build_nack(9, ssrc, lost), self.now)

    def send_pli(self, ssrc: int) -> None:
        self.plis += 1
        self.link.send(rtcp.build_pli(9, ssrc), self.now)


class Port:
    """``Peer`` and ``Path``: writes what the slot sends onto a link."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.now = 0.0
        self.allowed = True
        self.numbers = itertools.count()
        self._memory = memoryview(bytearray(2048))

    def buffer(self) -> memoryview:
        return self._memory

    def send_rtp(self, size: int) -> None:
        self.link.send(bytes(self._memory[:size]), self.now)

    def send_rtcp(self, packet: bytes) -> None:
        self.link.send(packet, self.now)

    def send_again(self, packet: bytes) -> None:
        self.link.send(packet, self.now)

    def sent(self, size: int, now: float) -> int:
        return next(self.numbers) % 2**16

    def video_allowed(self, now: float) -> bool:
        return self.allowed


@dataclass
class Got:
    """One packet, as the viewer has it after repair."""

    seq: int  # extended
    timestamp: int
    payload_type: int
    marker: int
    payload: bytes


@dataclass
class _Wanted:
    tries: int
    at: float


class Viewer:
    """A browser that looks on: asks at once for what is missing, again after each round trip, ten times."""

    def __init__(self, ssrc: int, rtt: float) -> None:
        self.ssrc, self.rtt = ssrc, rtt
        self.got: dict[int, Got] = {}
        self.newest = -1
        self.reports: list[rtcp.SenderReport] = []
        self.padding = self.repaired = 0
        self.given_up: list[int] = []
        self._wanted: dict[int, _Wanted] = {}

    def take(self, data: bytes, link: Link, now: float) -> None:
        if 192 <= data[1] < 224:
            messages = rtcp.parse(view(data), len(data))
            self.reports += [m for m in messages if isinstance(m, rtcp.SenderReport)]
            return
        payload_type, marker, seq, timestamp, ssrc, start, stop, number, _ = rtp.parse(view(data), len(data))
        assert number >= 0
        payload = data[start:stop]
        if ssrc != self.ssrc:
            if len(payload) < 2:
                self.padding += 1
                return
            seq, payload, payload_type = int.from_bytes(payload[:2], "big"), payload[2:], payload_type - 1
            self.repaired += 1
        self._note(Got(seq, timestamp, payload_type, marker, payload), link, now)

    def _note(self, got: Got, link: Link, now: float) -> None:
        if self.newest < 0:
            self.newest = got.seq + 2**16 - 1
        got.seq = rtp.extend(got.seq, self.newest)
        there = self.got.setdefault(got.seq, got)
        assert there == got or not (there.payload and got.payload), "the same number with other bytes"
        self._wanted.pop(got.seq, None)
        if got.seq > self.newest:
            missing = range(self.newest + 1, got.seq)
            self.newest = got.seq
            self._wanted.update((seq, _Wanted(0, 0.0)) for seq in missing)
            self.ask(link, now)

    def ask(self, link: Link, now: float) -> None:
        due = [seq for seq, w in self._wanted.items() if not w.tries or now - w.at >= self.rtt]
        for seq in due:
            if self._wanted[seq].tries == 10:
                del self._wanted[seq]
                self.given_up.append(seq)
            else:
                self._wanted[seq] = _Wanted(self._wanted[seq].tries + 1, now)
        lost = sorted(seq for seq in due if seq in self._wanted)
        if lost:
            link.send(rtcp.build_nack(8, self.ssrc, lost), now)

    @property
    def missing(self) -> list[int]:
        first = min(self.got)
        return [seq for seq in range(first, self.newest) if seq not in self.got]

    def in_order(self) -> list[Got]:
        return [self.got[seq] for seq in sorted(self.got)]

    def media(self) -> list[Got]:
        """In order, without the packets that stand for what was lost upstream."""
        return [got for got in self.in_order() if got.payload]


@dataclass
class Kept:
    """A ``Sink`` that remembers."""

    packets: list[Packet] = field(default_factory=list)
    reports: list[SenderReport] = field(default_factory=list)

    def packet(self, packet: Packet) -> None:
        self.packets.append(packet)

    def report(self, report: SenderReport) -> None:
        self.reports.append(report)


class Call:
    """One track from its sender to one viewer. ``links``: media up, feedback down to the sender, media down
    to the viewer, its feedback up."""

    def __init__(self, sender: Sender, source: Source, links: Sequence[Link]) -> None:
        self.sender = sender
        self.up, self.to_sender, self.down, self.from_viewer = links
        self.asking, self.port = Asking(self.to_sender), Port(self.down)
        self.upstream = Upstream(source, self.asking)
        self.upstream.bind(1)
        self.kept = Kept()
        self.upstream.sinks.append(self.kept)
        video = source is not Source.MIC
        self.slot = Slot(video, 100, 101 if video else None, self.port, self.port, first_seq=65_000)
        self.viewer = Viewer(100, rtt=self.down.delay + self.from_viewer.delay + 0.01)
        self.slot.retransmission.rtt = self.viewer.rtt
        self.slot.show(self.upstream, 0.0)
        self.now = 0.0

    def run(self, seconds: float, sending: bool = True) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.now += STEP_S
            self._step(sending)

    def _step(self, sending: bool) -> None:
        now = self.asking.now = self.port.now = self.now
        if sending:
            self.sender.run(self.up, now)
        for at, data in self.up.arrived(now):
            self._receive(data, at)
        if now >= self.upstream.due:
            self.upstream.tick(now)
        for at, data in self.to_sender.arrived(now):
            self.sender.asked(data, self.up, at)
        for at, data in self.down.arrived(now):
            self.viewer.take(data, self.from_viewer, at)
        self.viewer.ask(self.from_viewer, now)
        for at, data in self.from_viewer.arrived(now):
            for message in rtcp.parse(view(data), len(data)):
                if isinstance(message, rtcp.Nack):
                    self.slot.nacked(message.lost, at)

    def _receive(self, data: bytes, at: float) -> None:
        kind, marker, seq, timestamp, ssrc, start, stop, _, _ = rtp.parse(view(data), len(data))
        payload = data[start:stop]
        if ssrc == 2:
            original = int.from_bytes(payload[:2], "big")
            self.upstream.repaired(original, timestamp, marker == 1, kind - 1, payload[2:], at)
        else:
            self.upstream.receive(seq, timestamp, marker == 1, kind, payload, at)
