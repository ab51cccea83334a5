"""A slot: what one viewer sees on one m-line. Sources change, the viewer's stream never jumps. Pure.

Each slot owns an SSRC, a sequence and a timestamp line. A change of source moves both offsets so that the
next packet follows the last one sent; video waits for a key frame of the new source and asks for it. What the
source lost for good leaves no hole: while nothing after it was sent its numbers are not used at all; else
they are sent as packets without payload, which a receiver takes for padding.
"""

from collections.abc import Iterable, Sequence
from math import inf
from typing import NamedTuple

from media.codecs import AUDIO, RED, VIDEO
from media.path.packet import Packet, SenderReport
from media.path.retransmission import Retransmission
from media.path.rtx import PADDING, Path, Peer, Rtx
from media.path.upstream import FREEZE_S, WINDOW, Upstream
from media.wire.rtcp import Reception, build_sender_report
from media.wire.rtp import ELEMENT, HEADER_BYTES, ONE_WORD, PLAIN, SEQ_MOD, TS_MOD, extend, write

KEPT_SOUND = 64  # packets as they were sent, 1.3 s
_SWITCH_GAP_S = 0.02  # what a change of source advances the timestamps at least
_MAX_NACKED = 512  # numbers of one request that are looked at
_MAX_SPANS = 16
_MAX_EMPTY = 512
_KEPT_REPORTS = 8
_SOON, _MIN_RTT_S = 0.8, 0.02  # of a round trip: a viewer that asks again after less has not waited for it
_NEIGHBOURS = 64  # packets looked at for the time of one that is lost
_REPEATED = 32  # packets looked at for a probe
_RED = RED.payload_type


class _Span(NamedTuple):
    """From number ``start`` on, numbers sent are the source's plus ``offset``."""

    start: int
    offset: int


def _nothing(like: Packet) -> Packet:
    """A packet without payload, of the same time."""
    return Packet(like.seq, like.timestamp, False, like.payload_type, b"", like.arrived, False)


class Slot:
    """``rtx`` is the SSRC for retransmissions, None for sound or when the viewer takes none. Counters are
    sums since the beginning; ``lost`` and ``jitter_ms`` are what the viewer reports, ``unrepaired`` what it
    asked for and could not be given."""

    # These are more than instances of a class can share keys for (30): each would have a dictionary of its
    # own, and every look into it is one more line of memory to fetch, on the way of every packet.
    __slots__ = (
        "_accepts",
        "_after",
        "_buffer",
        "_clock_rate",
        "_empty",
        "_first",
        "_last",
        "_next",
        "_now",
        "_number",
        "_offset",
        "_path",
        "_peer",
        "_picture",
        "_replaying",
        "_reported_at",
        "_rtx",
        "_send",
        "_sound",
        "_spans",
        "_start",
        "_takes_red",
        "_timestamp_offset",
        "_waiting",
        "_waiting_since",
        "bytes",
        "freezes",
        "jitter_ms",
        "key_frames",
        "lost",
        "packets",
        "paused",
        "resent",
        "retransmission",
        "source",
        "ssrc",
        "unrepaired",
        "video",
    )

    def __init__(
        self, video: bool, ssrc: int, rtx: int | None, peer: Peer, path: Path, first_seq: int = 0
    ) -> None:
        self.video = video
        self.ssrc = ssrc
        self.source: Upstream | None = None
        self.paused = False
        self.packets = self.bytes = self.key_frames = self.freezes = 0
        self.lost = self.unrepaired = self.resent = 0
        self.jitter_ms = 0.0
        self.retransmission = Retransmission()
        self._peer, self._path = peer, path
        self._buffer, self._send, self._number = peer.buffer, peer.send_rtp, path.sent
        self._clock_rate = 90_000 if video else 48_000
        self._now = 0.0  # the latest time heard of
        self._next = -1  # the source's number that is in turn; -1: whatever comes is looked at closely
        self._waiting = True  # for the packet that a new source may start with
        self._waiting_since = inf
        self._replaying = False
        self._start = 0  # the source's number of that packet
        self._offset = 0  # from the source's numbers to the slot's, extended
        self._timestamp_offset = TS_MOD
        self._last: Packet | None = None  # the newest sent
        self._picture = -1  # the source's timestamp of the picture that is being sent
        self._first = first_seq + SEQ_MOD  # the slot's number of the very first packet
        self._after = self._first  # while waiting: the slot's number of the next packet
        self._spans: list[_Span] = []
        self._empty: dict[int, Packet] = {}  # by number: what was sent without payload
        self._reported_at: dict[int, float] = {}  # by the middle 32 bits of the NTP time
        self._sound: list[bytes] = [] if video else [b""] * KEPT_SOUND
        self._rtx = None if rtx is None else Rtx(rtx, peer, path, first_seq)
        every = VIDEO if video else AUDIO
        self.accept(number for c in every for number in (c.payload_type, c.rtx) if number is not None)

    def accept(self, payload_types: Iterable[int]) -> None:
        """What the viewer's answer takes, RTX included; everything else is not sent."""
        self._accepts = frozenset(payload_types)
        self._takes_red = _RED in self._accepts and not self.video
        if self._rtx is not None:
            self._rtx.takes = self._accepts

    # --- what is shown ---

    def show(self, source: Upstream | None, now: float) -> None:
        """Idempotent. None shows nothing."""
        if source is self.source:
            return
        self._stop(now)
        if self.source is not None:
            self.source.sinks.remove(self)
            self.source.viewers.remove(self)
        self.source = source
        if source is not None:
            source.sinks.append(self)
            source.viewers.append(self)
        self.restart(now)

    def pause(self, now: float) -> None:
        """Hold, or mute: nothing is sent. Idempotent."""
        if not self.paused:
            self._stop(now)
            self.paused = True

    def resume(self, now: float) -> None:
        """Idempotent."""
        if self.paused:
            self.paused = False
            self.restart(now)

    def restart(self, now: float) -> None:
        """The viewer has nothing of this source yet: begin where a decoder can."""
        self._stop(now)
        if self.source is not None and self.video and not self.paused:
            self._begin_with(self.source, now)

    def _begin_with(self, source: Upstream, now: float) -> None:
        self._replaying = True
        source.begin(self, now)
        self._replaying = False

    def _stop(self, now: float) -> None:
        self._now = max(self._now, now)
        if not self._waiting and self.source is not None:
            # What is still asked for upstream will not be sent in these numbers any more.
            for seq in self.source.awaited(self._start, self._next):
                self.given_up(seq, seq + 1)
            self._after = self._next + self._offset
        self._waiting, self._waiting_since, self._next = True, inf, -1
        self._spans.clear()

    # --- from the source ---

    def packet(self, packet: Packet) -> None:
        """Run for every packet and viewer of every call: the usual case is in turn and of the same picture as
        the one before. ``now`` for the path is the time of arrival, which is some milliseconds early."""
        now = packet.arrived
        if now > self._now:
            self._now = now
        else:
            now = self._now
        if packet.seq == self._next and packet.timestamp == self._picture:
            self._next += 1
            self._last = packet
        elif not self._admit(packet, now):
            return
        payload, payload_type = packet.payload, packet.payload_type
        if self._takes_red and self.source is not None and self.source.red is not None:
            payload, payload_type = self.source.red, _RED
        size = HEADER_BYTES + len(payload)
        seq = packet.seq + self._offset & 0xFFFF
        buffer = self._buffer()
        write(
            buffer,
            0,
            PLAIN | packet.marker << 7 | payload_type,
            seq,
            packet.timestamp + self._timestamp_offset & 0xFFFFFFFF,
            self.ssrc,
            ONE_WORD,
            ELEMENT | self._number(size, now) << 8,
        )
        buffer[HEADER_BYTES:size] = payload
        self.packets += 1
        self.bytes += size
        if not self.video:
            self._sound[seq % KEPT_SOUND] = bytes(buffer[:size])
        self._send(size)

    def _admit(self, packet: Packet, now: float) -> bool:
        """Whether a packet out of turn, or the first of a picture, is to be sent."""
        if self.paused or self.source is None:
            return False
        if self._waiting:
            return self._may_begin(packet, self.source, now)
        seq = packet.seq
        if seq < self._next:  # repaired
            return seq >= self._start and packet.payload_type in self._accepts
        fits = packet.payload_type in self._accepts and (not self.video or self._path.video_allowed(now))
        if not fits or seq - self._next >= WINDOW:
            self._stop(now)
            return self._may_begin(packet, self.source, now)
        self._picture, self._next, self._last = packet.timestamp, seq + 1, packet
        self.key_frames += packet.key
        return True

    def _may_begin(self, packet: Packet, source: Upstream, now: float) -> bool:
        # Sound begins with the newest: after a late packet would come a hole of what was there before.
        may = self._can_begin(packet, source, now) if self.video else packet.seq == source.highest
        if packet.payload_type not in self._accepts or not may:
            self._waiting_since = min(self._waiting_since, now)
            return False
        self._begin(packet, source, now)
        return True

    def _can_begin(self, packet: Packet, source: Upstream, now: float) -> bool:
        if not self._path.video_allowed(now):
            return False
        if not packet.key:
            if not self._replaying:
                source.request_key_frame(now)
            return False
        if packet.seq != source.highest and not self._replaying:
            self._begin_with(source, now)  # a repaired one: packets after it have come already
            return False
        return True

    def _begin(self, packet: Packet, source: Upstream, now: float) -> None:
        last, passed = self._last, _SWITCH_GAP_S
        timestamp = TS_MOD
        if last is not None:
            passed = max(passed, packet.arrived - last.arrived)
            timestamp = last.timestamp + self._timestamp_offset
            self.freezes += self.video and now - self._waiting_since > FREEZE_S
        self._timestamp_offset = timestamp + int(passed * self._clock_rate) - packet.timestamp
        self._offset = self._after - packet.seq
        self._spans = [_Span(self._after, self._offset)]
        self._waiting, self._start = False, packet.seq
        self._picture, self._next, self._last = packet.timestamp, packet.seq + 1, packet
        self.key_frames += packet.key
        if (report := source.current_report(now)) is not None:
            self.report(report)

    def given_up(self, start: int, stop: int) -> None:
        """See ``Viewer``. The upstream drops what comes after all, so no number is used twice."""
        if self._waiting or stop <= self._start:
            return
        if start == self._next:
            self._next = self._start = stop
            self._offset -= stop - start
            self._spans = [*self._spans[1 - _MAX_SPANS :], _Span(stop + self._offset, self._offset)]
        elif self.source is not None and self._last is not None:
            fetch = self.source.fetch
            kept = (p for seq in range(start - 1, start - _NEIGHBOURS, -1) if (p := fetch(seq)) is not None)
            before = next(kept, self._last)
            for seq in range(max(start, self._start), min(stop, self._next)):
                self._send_empty(seq, before)

    def _send_empty(self, seq: int, before: Packet) -> None:
        number = seq + next(s.offset for s in reversed(self._spans) if s.start - s.offset <= seq)
        timestamp = before.timestamp + self._timestamp_offset & 0xFFFFFFFF
        buffer = self._buffer()
        element = ELEMENT | self._number(HEADER_BYTES, self._now) << 8
        write(
            buffer, 0, PLAIN | before.payload_type, number & 0xFFFF, timestamp, self.ssrc, ONE_WORD, element
        )
        self.packets += 1
        self.bytes += HEADER_BYTES
        if self.video:
            self._empty[number] = _nothing(before)
            if len(self._empty) > _MAX_EMPTY:
                del self._empty[next(iter(self._empty))]
        else:
            self._sound[number % KEPT_SOUND] = bytes(buffer[:HEADER_BYTES])
        self._send(HEADER_BYTES)

    def report(self, report: SenderReport) -> None:
        """How the source's timestamps relate to time, in the slot's numbers: keeps lips in step. NTP times
        are the sender's own moved by a constant, so its sound and picture keep their distance."""
        if self._waiting:
            return
        timestamp = report.timestamp + self._timestamp_offset
        octets = self.bytes - HEADER_BYTES * self.packets
        self._peer.send_rtcp(build_sender_report(self.ssrc, report.ntp, timestamp, self.packets, octets))
        heard = 0.0 if self.source is None else self.source.reported_at
        self._reported_at[int(report.ntp * 65536) & 0xFFFFFFFF] = max(self._now, heard)
        if len(self._reported_at) > _KEPT_REPORTS:
            del self._reported_at[next(iter(self._reported_at))]

    # --- from the viewer ---

    def key_frame_wanted(self, now: float) -> None:
        if self.source is not None and not self.paused:
            self.source.request_key_frame(now)

    def reception(self, block: Reception, now: float) -> float | None:
        """What the viewer reports of this slot. Returns the round trip in seconds, when it tells it (RFC
        3550, 6.4.1): by when the report it answers was sent, as NTP times here are not the node's clock."""
        self.lost, self.jitter_ms = block.lost, block.jitter / self._clock_rate * 1000
        sent_at = self._reported_at.get(block.last_report)
        if sent_at is None or now - sent_at < block.delay:
            return None
        rtt = now - sent_at - block.delay
        self.tell_round_trip(rtt)
        return rtt

    def tell_round_trip(self, seconds: float) -> None:
        """Of the way to the viewer and back, by this slot's reports or another's."""
        self.retransmission.rtt = max(_SOON * seconds, _MIN_RTT_S)

    def nacked(self, lost: Sequence[int], now: float) -> None:
        """Send again: video over RTX (RFC 4588) out of the source's history, sound bit by bit as it was."""
        self._now = max(self._now, now)
        self.retransmission.fill(self.bytes, now)
        newest = (self._after if self._waiting else self._next + self._offset) - 1
        for wire in lost[:_MAX_NACKED]:
            number = extend(wire, newest)
            if number > newest or not self.retransmission.allows(number, now):
                continue
            size = self._again_over_rtx(number) if self.video else self._again_as_it_was(number)
            if size:
                self.retransmission.sent(number, size, now)
                self.resent += 1

    def _again_as_it_was(self, number: int) -> int:
        kept = self._sound[number % KEPT_SOUND]
        if kept[2:4] != (number & 0xFFFF).to_bytes(2, "big"):
            self.unrepaired += 1
            return 0
        self._peer.send_again(kept)
        return len(kept)

    def _again_over_rtx(self, number: int) -> int:
        """Bytes sent; 0 when it is not there: still missing upstream, or too old. What was of an earlier
        source, or before a pause, nobody needs any more: a packet of nothing ends the asking."""
        last, source, rtx = self._last, self.source, self._rtx
        if self._waiting or last is None or source is None or rtx is None:
            return 0
        offset = next((span.offset for span in reversed(self._spans) if span.start <= number), None)
        packet = self._empty.get(number)
        if offset is not None:
            packet = source.fetch(number - offset) or packet
        elif number >= self._first:
            packet = packet or _nothing(last)
        if packet is not None:
            return rtx.send(packet, number, packet.timestamp + self._timestamp_offset, self._now)
        if offset is not None and number - offset < source.highest - WINDOW // 2:
            self.unrepaired += 1
        return 0

    # --- probes ---

    def pad(self, count: int, now: float) -> int:
        """Send about ``count`` bytes that a viewer throws away, to see what the path carries: the newest
        packets once more, then padding. Returns the bytes sent; 0 when there is nothing to send them with."""
        self._now = max(self._now, now)
        last, rtx = self._last, self._rtx
        if rtx is None or self._waiting or self.source is None or last is None:
            return 0
        sent, newest = 0, self._next - 1
        for seq in range(newest, max(self._start - 1, newest - _REPEATED), -1):
            packet = self.source.fetch(seq) if sent < count else None
            if packet is not None and len(packet.payload) > PADDING:
                timestamp = packet.timestamp + self._timestamp_offset
                sent += rtx.send(packet, seq + self._offset, timestamp, self._now)
        while sent < count:
            more = rtx.pad(last.payload_type, last.timestamp + self._timestamp_offset, self._now)
            if not more:
                break
            sent += more
        return sent
