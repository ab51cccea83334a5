"""A slot: what one viewer sees on one m-line. Sources change, the viewer's stream never jumps. Pure.

Each slot owns an SSRC, a sequence and a timestamp line. A change of source moves both offsets so that
the next packet follows the last one sent; video waits for a key frame of the new source and asks for it.
"""

from collections.abc import Callable

from media.rtp import SEQ_MOD, TS_MOD, SenderReport, build_rtp, build_sender_report, extend
from media.sdp import OPUS, RTX, VP8, Ssrcs
from media.upstream import Packet, Upstream
from media.vp8 import starts_key_frame

HISTORY = 512  # packets kept for retransmission: two to three seconds of video
_SWITCH_GAP_S = 0.02  # what a change of source advances the timestamps at least


class Slot:
    """``send_rtp`` and ``send_rtcp`` carry plain packets to the viewer; ``clock`` is monotonic seconds."""

    def __init__(
        self,
        video: bool,
        ssrcs: Ssrcs,
        send_rtp: Callable[[bytes], None],
        send_rtcp: Callable[[bytes], None],
        first_seq: int = 0,
    ) -> None:
        self.video = video
        self.ssrcs = ssrcs
        self.source: Upstream | None = None
        self._send_rtp = send_rtp
        self._send_rtcp = send_rtcp
        self._clock_rate = 90_000 if video else 48_000
        self._waiting = True  # for the packet that a new source may start with
        self._start = 0  # the source's sequence number of that packet
        self._seq_offset = 0
        self._timestamp_offset = 0
        self._last_seq = first_seq + SEQ_MOD
        self._last_timestamp = TS_MOD
        self._last_at: float | None = None
        self._history: list[tuple[int, Packet] | None] = [None] * HISTORY if video else []
        self._rtx_seq = first_seq
        self._packets = self._octets = 0

    def show(self, source: Upstream | None, now: float) -> None:
        """Idempotent. None shows nothing."""
        if source is self.source:
            return
        if self.source is not None:
            self.source.sinks.remove(self)
        self.source = source
        if source is not None:
            source.sinks.append(self)
        self.restart(now)

    def restart(self, now: float) -> None:
        """The viewer has nothing of this source yet: begin where a decoder can."""
        self._waiting = True
        if self.source is not None and self.video:
            self.source.begin(self, now)

    # --- from the source ---

    def packet(self, track: Upstream, packet: Packet) -> None:
        if self._waiting:
            if self.video and not starts_key_frame(packet.payload):
                track.request_key_frame(packet.arrived)
                return
            self._begin(packet)
        elif packet.seq < self._start:
            return
        seq = packet.seq + self._seq_offset
        timestamp = packet.timestamp + self._timestamp_offset
        if seq > self._last_seq:
            self._last_seq, self._last_timestamp, self._last_at = seq, timestamp, packet.arrived
        if self.video:
            self._history[seq % HISTORY] = (seq, packet)
        self._packets += 1
        self._octets += len(packet.payload)
        self._send_rtp(self._build(packet, seq))

    def _begin(self, packet: Packet) -> None:
        passed = _SWITCH_GAP_S
        if self._last_at is not None:
            passed = max(passed, packet.arrived - self._last_at)
        self._start = packet.seq
        self._seq_offset = self._last_seq + 1 - packet.seq
        self._timestamp_offset = self._last_timestamp + int(passed * self._clock_rate) - packet.timestamp
        self._waiting = False

    def _build(self, packet: Packet, seq: int) -> bytes:
        return build_rtp(
            VP8 if self.video else OPUS,
            packet.marker,
            seq % SEQ_MOD,
            (packet.timestamp + self._timestamp_offset) % TS_MOD,
            self.ssrcs.media,
            packet.payload,
        )

    def report(self, track: Upstream, report: SenderReport) -> None:
        """Pass on how the source's timestamps relate to time, in the slot's numbers: keeps lips in step."""
        if self._waiting:
            return
        timestamp = (report.timestamp + self._timestamp_offset) % TS_MOD
        self._send_rtcp(
            build_sender_report(self.ssrcs.media, report.ntp, timestamp, self._packets, self._octets)
        )

    # --- from the viewer ---

    def nacked(self, lost: tuple[int, ...]) -> None:
        """Send again over RTX (RFC 4588) what is still in the history."""
        if self.ssrcs.rtx is None or self._waiting:
            return
        for wire in lost[:HISTORY]:
            seq = extend(wire, self._last_seq)
            kept = self._history[seq % HISTORY]
            if kept is None or kept[0] != seq:
                continue
            packet = kept[1]
            if packet.seq + self._seq_offset != seq:
                continue  # of an earlier source; its picture is gone
            self._rtx_seq = (self._rtx_seq + 1) % SEQ_MOD
            self._send_rtp(
                build_rtp(
                    RTX,
                    packet.marker,
                    self._rtx_seq,
                    (packet.timestamp + self._timestamp_offset) % TS_MOD,
                    self.ssrcs.rtx,
                    wire.to_bytes(2, "big") + packet.payload,
                )
            )

    def key_frame_wanted(self, now: float) -> None:
        if self.source is not None:
            self.source.request_key_frame(now)
