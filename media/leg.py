"""One participant's connection: what it sends (three upstream tracks) and what it is shown (seven slots)."""

import secrets
import time
from collections.abc import Callable

from media.forwarder import Slot
from media.protocol import Mid, Source
from media.rtp import (
    NTP_EPOCH,
    Bye,
    KeyFrameRequest,
    Malformed,
    Nack,
    Rtcp,
    Rtp,
    SenderReport,
    build_nack,
    build_pli,
    build_receiver_report,
    build_transport_feedback,
    parse_rtcp,
    parse_rtp,
)
from media.sdp import AUDIO, OPUS, RTX, UPSTREAM, VP8, Local, Ssrcs, offer, parse_answer
from media.transport import Certificate, Listener, Network, Transport
from media.twcc import ArrivalLog
from media.upstream import Upstream

CONNECT_TIMEOUT_S = 15.0
SILENCE_S = 6.0
_FEEDBACK_S = 0.05
_REPORT_S = 1.0

SOURCE_OF = {Mid.MIC: Source.MIC, Mid.CAMERA: Source.CAMERA, Mid.SHARE: Source.SHARE}


class Leg:
    """``open()`` makes the offer, ``accept()`` takes the answer, ``tick()`` runs it, ``close()`` ends it."""

    def __init__(self, network: Network, certificate: Certificate, closed: Callable[[], None]) -> None:
        self.transport = Transport(network, certificate, Listener(self._rtp, self._rtcp, closed))
        self.tracks = {source: Upstream(source, self) for source in Source}
        self._ssrcs = _own_ssrcs()
        self.slots = {
            mid: Slot(
                mid not in AUDIO,
                self._ssrcs[mid],
                self.transport.send_rtp,
                self.transport.send_rtcp,
                secrets.randbelow(1 << 15),
            )
            for mid in Mid
        }
        self.offer = ""
        self.answered = False
        self.malformed = 0
        self._slot_by_ssrc = {slot.ssrcs.media: slot for slot in self.slots.values()}
        self._track_by_ssrc: dict[int, Upstream] = {}
        self._track_by_rtx: dict[int, Upstream] = {}
        self._certificate = certificate
        self._arrivals = ArrivalLog()
        self._clock_offset: float | None = None  # from the peer's NTP clock to this node's
        self._feedback_at = self._report_at = 0.0

    # --- life ---

    async def open(self) -> str:
        """The offer. Raises TransportFailed."""
        await self.transport.gather()
        self.offer = offer(
            Local(
                session=secrets.randbits(62),
                ufrag=self.transport.ufrag,
                password=self.transport.password,
                fingerprint=self._certificate.fingerprint,
                candidates=self.transport.candidates,
                ssrcs=self._ssrcs,
            )
        )
        return self.offer

    async def accept(self, sdp: str) -> None:
        """Connect as the answer says. Raises BadAnswer before anything changed, TransportFailed later."""
        description = parse_answer(sdp)
        self.answered = True
        for mid, ssrcs in description.ssrcs.items():
            self._bind(self.tracks[SOURCE_OF[mid]], ssrcs)
        await self.transport.connect(description.remote, CONNECT_TIMEOUT_S)
        now = time.monotonic()
        for slot in self.slots.values():
            slot.restart(now)

    def _bind(self, track: Upstream, ssrcs: Ssrcs) -> None:
        track.ssrc = ssrcs.media
        self._track_by_ssrc[ssrcs.media] = track
        if ssrcs.rtx is not None:
            self._track_by_rtx[ssrcs.rtx] = track

    def silent(self, now: float) -> bool:
        return self.transport.connected and now - self.transport.heard > SILENCE_S

    async def close(self) -> None:
        for slot in self.slots.values():
            slot.show(None, 0.0)
        await self.transport.close()

    # --- packets from the participant ---

    def _rtp(self, data: bytes) -> None:
        now = time.monotonic()
        try:
            packet = parse_rtp(data)
        except Malformed:
            self.malformed += 1
            return
        if packet.transport_seq is not None:
            self._arrivals.add(packet.transport_seq, now)
        if packet.payload_type == RTX:
            self._rtx(packet, now)
        else:
            self._media(packet, now)

    def _media(self, packet: Rtp, now: float) -> None:
        track = self._track_by_ssrc.get(packet.ssrc) or self._by_mid(packet)
        if track is None or packet.payload_type != (VP8 if track.video else OPUS):
            self.malformed += 1
            return
        track.receive(packet.seq, packet.timestamp, packet.marker, packet.payload, now)

    def _rtx(self, packet: Rtp, now: float) -> None:
        """RFC 4588: the original sequence number, then the original payload. Probes are padding only."""
        track = self._track_by_rtx.get(packet.ssrc) or self._by_mid(packet)
        if track is not None and track.video and len(packet.payload) > 2:
            original = packet.payload[0] << 8 | packet.payload[1]
            track.receive(original, packet.timestamp, packet.marker, packet.payload[2:], now)

    def _by_mid(self, packet: Rtp) -> Upstream | None:
        """An SSRC that the answer did not signal, named by its MID extension (RFC 8843, 9.2)."""
        if packet.mid not in UPSTREAM:
            return None
        track = self.tracks[SOURCE_OF[Mid(packet.mid)]]
        rtx = packet.payload_type == RTX
        table = self._track_by_rtx if rtx else self._track_by_ssrc
        for ssrc in [ssrc for ssrc, owner in table.items() if owner is track]:
            del table[ssrc]
        table[packet.ssrc] = track
        if not rtx:
            track.ssrc = packet.ssrc
        return track

    def _rtcp(self, data: bytes) -> None:
        now = time.monotonic()
        try:
            for report in parse_rtcp(data):
                self._act(report, now)
        except Malformed:
            self.malformed += 1

    def _act(self, report: Rtcp, now: float) -> None:
        match report:
            case SenderReport():
                if (track := self._track_by_ssrc.get(report.ssrc)) is not None:
                    if self._clock_offset is None:
                        self._clock_offset = time.time() + NTP_EPOCH - report.ntp
                    track.sender_report(report, self._clock_offset, now)
            case Nack():
                if (slot := self._slot_by_ssrc.get(report.ssrc)) is not None and slot.video:
                    slot.nacked(report.lost)
            case KeyFrameRequest():
                if (slot := self._slot_by_ssrc.get(report.ssrc)) is not None:
                    slot.key_frame_wanted(now)
            case Bye():
                pass  # a track that stopped; DTLS says when the connection is over

    # --- feedback to the participant ---

    def send_nack(self, ssrc: int, lost: list[int]) -> None:
        self.transport.send_rtcp(build_nack(self._ssrcs[Mid.MIC].media, ssrc, lost))

    def send_pli(self, ssrc: int) -> None:
        self.transport.send_rtcp(build_pli(self._ssrcs[Mid.MIC].media, ssrc))

    def tick(self, now: float) -> None:
        if not self.transport.connected:
            return
        for track in self.tracks.values():
            track.tick(now)
        sender = self._ssrcs[Mid.MIC].media
        if now - self._feedback_at >= _FEEDBACK_S:
            self._feedback_at = now
            media = next((t.ssrc for t in self.tracks.values() if t.ssrc is not None), 0)
            for body in self._arrivals.drain():
                self.transport.send_rtcp(build_transport_feedback(sender, media, body))
        if now - self._report_at >= _REPORT_S:
            self._report_at = now
            blocks = [b for t in self.tracks.values() if (b := t.reception(now)) is not None]
            self.transport.send_rtcp(build_receiver_report(sender, blocks))


def _own_ssrcs() -> dict[Mid, Ssrcs]:
    """Random, distinct, never zero."""
    numbers: set[int] = set()
    while len(numbers) < 2 * len(Mid):
        numbers.add(secrets.randbelow((1 << 32) - 1) + 1)
    pool = list(numbers)
    return {mid: Ssrcs(pool.pop(), None if mid in AUDIO else pool.pop()) for mid in Mid}
