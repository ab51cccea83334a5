"""One participant's connection: what it sends (three upstream tracks) and what it is shown (seven slots).

Sans-I/O: packets come in through ``rtp`` and ``rtcp``, time through ``tick``; what goes out is written into
the peer's datagrams. Around it: net/ brings and takes the datagrams, path/ decides what becomes of packets.
"""

import secrets
from typing import Protocol

from media import codecs
from media.beat import following
from media.net.peer import Peer
from media.net.port import Port
from media.path.arrivals import Arrivals
from media.path.downlink import Downlink
from media.path.slot import Slot
from media.path.upstream import Upstream
from media.protocol import Mid, Source, VideoCodec
from media.sdp import AUDIO, UPSTREAM, Local, Ssrcs, offer, parse_answer
from media.wire.rtcp import (
    Bye,
    KeyFrameRequest,
    Nack,
    Reception,
    Remb,
    Rtcp,
    SenderReport,
    TransportFeedback,
    build_nack,
    build_pli,
    build_receiver_report,
    build_remb,
    build_transport_feedback,
)
from media.wire.rtcp import parse as parse_rtcp
from media.wire.rtp import Header, Malformed, mid, parse

REPORT_S = 1.0  # between two receiver reports

FLOWS_S = 2.0  # a track without packets for this long takes no share of anybody's path
MAX_ROUND_TRIP_S = 10.0  # longer ones are a viewer's mistake

_SOUND = frozenset(codec.payload_type for codec in codecs.AUDIO)
_VIDEO = frozenset(codec.payload_type for codec in codecs.VIDEO)
SOURCE_OF = {Mid.MIC: Source.MIC, Mid.CAMERA: Source.CAMERA, Mid.SHARE: Source.SHARE}


class Watcher(Protocol):
    """Who wants to know how a connection fares."""

    def connected(self) -> None: ...

    def closed(self, reason: str) -> None:
        """Once. The reason is one of docs/media.md, "Endings of a connection"."""


class _Requests:
    """What the tracks ask of their sender. Apart from the leg, so that tracks do not keep it: a leg that is
    closed is freed at once, not when the garbage collector comes round."""

    def __init__(self, peer: Peer, ssrc: int) -> None:
        self._peer, self._ssrc = peer, ssrc

    def send_nack(self, ssrc: int, lost: list[int]) -> None:
        self._peer.send_rtcp(build_nack(self._ssrc, ssrc, lost))

    def send_pli(self, ssrc: int) -> None:
        self._peer.send_rtcp(build_pli(self._ssrc, ssrc))


class Leg:
    """``offer`` is to be answered by ``accept``; ``tick`` runs it, ``close`` ends it. ``now`` is monotonic
    seconds throughout; ``ntp_zero`` is what the NTP clock (seconds since 1900) said when ``now`` was 0."""

    def __init__(self, port: Port, watcher: Watcher, ntp_zero: float, now: float) -> None:
        self.peer: Peer = port.open(self, now)
        self.downlink = Downlink()
        self.answered = False
        self.takes: tuple[VideoCodec, ...] = ()  # what it can be shown on the m-line of the share
        self.malformed = 0
        self.restarts = 0
        self.round_trip: float | None = None  # seconds, smoothed
        self._watcher = watcher
        self._ntp_zero = ntp_zero
        self._clock_offset: float | None = None  # from the participant's NTP clock to this node's
        self._port = port
        self._session = secrets.randbits(62)
        self._ssrcs = _own_ssrcs()
        self._rtcp_ssrc = self._ssrcs[Mid.MIC].media
        requests = _Requests(self.peer, self._rtcp_ssrc)
        self.tracks = {source: Upstream(source, requests) for source in Source}
        self._media_ssrc = 0  # one of the participant's: what feedback about all of them is addressed to
        self.slots = {
            mid: Slot(
                mid not in AUDIO, own.media, own.rtx, self.peer, self.downlink, secrets.randbelow(1 << 15)
            )
            for mid, own in self._ssrcs.items()
        }
        self._slot_by_ssrc = {slot.ssrc: slot for slot in self.slots.values()}
        self._track_by_ssrc: dict[int, Upstream] = {}
        self._track_by_rtx: dict[int, Upstream] = {}
        self._arrivals = Arrivals()
        self._began: float | None = None
        self._flow: dict[Source, tuple[int, float]] = {}
        # Connections made in the same moment do not report in the same moment.
        self._report_at = now + secrets.randbelow(1000) / 1000
        self.offer = self._offer()

    # --- life ---

    def _offer(self) -> str:
        return offer(
            Local(
                session=self._session,
                version=self.restarts + 1,
                ufrag=self.peer.ufrag,
                password=self.peer.password,
                fingerprint=self._port.certificate.fingerprint,
                candidates=self._port.candidates,
                ssrcs=self._ssrcs,
            )
        )

    def accept(self, sdp: str, restart: int, now: float) -> None:
        """Connect as the answer says; one to an older offer than the last is passed over. Raises BadAnswer
        before anything changed."""
        if restart != self.restarts:
            return
        description = parse_answer(sdp)
        self.peer.accept(description.remote, now)
        if self.answered:
            return
        self.answered = True
        for mid_, ssrcs in description.ssrcs.items():
            self._bind(self.tracks[SOURCE_OF[mid_]], ssrcs)
        for mid_, slot in self.slots.items():
            slot.accept(description.codecs[mid_])
        taken = description.codecs[Mid.SHARE]
        self.takes = tuple(VideoCodec(c.name) for c in codecs.VIDEO if c.payload_type in taken)

    def restart(self, number: int, now: float) -> None:
        """New ICE credentials, in ``offer`` (RFC 8839, 4.4.1.1.1). A number that was there before changes
        nothing."""
        if number > self.restarts:
            self.restarts = number
            self.peer.restart(now)
            self.offer = self._offer()

    def _bind(self, track: Upstream, ssrcs: Ssrcs) -> None:
        track.bind(ssrcs.media)
        self._media_ssrc = ssrcs.media
        self._track_by_ssrc[ssrcs.media] = track
        self.peer.ssrcs.add(ssrcs.media)
        if ssrcs.rtx is not None:
            self._track_by_rtx[ssrcs.rtx] = track
            self.peer.ssrcs.add(ssrcs.rtx)

    def close(self) -> None:
        for slot in self.slots.values():
            slot.show(None, 0.0)
        self.peer.close()

    def connected(self) -> None:
        self._watcher.connected()

    def closed(self, reason: str) -> None:
        self._watcher.closed(reason)

    # --- packets from the participant ---

    def rtp(self, packet: memoryview, size: int, arrived: float) -> None:
        try:
            header = parse(packet, size)
        except Malformed:
            self.malformed += 1
            return
        payload_type, marker, seq, timestamp, ssrc, start, stop, transport_seq, _ = header
        if transport_seq >= 0:
            self._arrivals.add(transport_seq, arrived)
        track = self._track_by_ssrc.get(ssrc)
        if track is not None and payload_type in (_VIDEO if track.video else _SOUND):
            payload = bytes(packet[start:stop])
            track.receive(seq, timestamp, marker == 1, payload_type, payload, arrived)
        else:
            self._repaired_or_new(packet, header, arrived)

    def _repaired_or_new(self, packet: memoryview, header: Header, arrived: float) -> None:
        payload_type, marker, seq, timestamp, ssrc, start, stop, _, mid_at = header
        codec = codecs.MEDIA_OF_RTX.get(payload_type)
        table = self._track_by_ssrc if codec is None else self._track_by_rtx
        track = table.get(ssrc) or self._by_mid(packet, mid_at, ssrc, table)
        if track is None or (codec is not None and not track.video):
            self.malformed += 1
        elif codec is None and payload_type in (_VIDEO if track.video else _SOUND):
            track.receive(seq, timestamp, marker == 1, payload_type, bytes(packet[start:stop]), arrived)
        elif codec is None:
            self.malformed += 1
        elif stop - start > 2:  # a probe is padding only
            # RFC 4588, 4: the original sequence number, then the original payload.
            original = packet[start] << 8 | packet[start + 1]
            payload = bytes(packet[start + 2 : stop])
            track.repaired(original, timestamp, marker == 1, codec.payload_type, payload, arrived)

    def _by_mid(
        self, packet: memoryview, mid_at: int, ssrc: int, table: dict[int, Upstream]
    ) -> Upstream | None:
        """RFC 8843, 9.2. The newest SSRC of a track and kind takes the place of the one before."""
        name = mid(packet, mid_at) if mid_at else ""
        if name not in UPSTREAM:
            return None
        track = self.tracks[SOURCE_OF[Mid(name)]]
        for old in [old for old, owner in table.items() if owner is track]:
            del table[old]
            self.peer.ssrcs.discard(old)
        table[ssrc] = track
        self.peer.ssrcs.add(ssrc)
        if table is self._track_by_ssrc:
            track.bind(ssrc)
            self._media_ssrc = ssrc
        return track

    def rtcp(self, packet: memoryview, size: int, arrived: float) -> None:
        try:
            for report in parse_rtcp(packet, size):
                self._act(report, arrived)
        except Malformed:  # what transport-wide feedback holds is read only when it is acted on
            self.malformed += 1

    def _act(self, report: Rtcp, now: float) -> None:
        match report:
            case TransportFeedback():
                self.downlink.feedback(report.body, now)
            case Reception():
                self._received(report, now)
            case SenderReport():
                self._sender_report(report, now)
            case Nack():
                if (slot := self._slot_by_ssrc.get(report.ssrc)) is not None:
                    slot.nacked(report.lost, now)
            case KeyFrameRequest():
                if (slot := self._slot_by_ssrc.get(report.ssrc)) is not None:
                    slot.key_frame_wanted(now)
            case Remb() | Bye():
                pass  # the node estimates by itself; DTLS says when the connection is over

    def _sender_report(self, report: SenderReport, now: float) -> None:
        track = self._track_by_ssrc.get(report.ssrc)
        if track is None:
            return
        if self._clock_offset is None:
            # One constant for all tracks and for good: sound and picture keep their distance.
            self._clock_offset = self._ntp_zero + now - report.ntp
        track.sender_report(report, self._clock_offset, now)

    def _received(self, report: Reception, now: float) -> None:
        slot = self._slot_by_ssrc.get(report.ssrc)
        if slot is None:
            return
        found = slot.reception(report, now)
        if found is not None and found < MAX_ROUND_TRIP_S:
            before = self.round_trip
            self.round_trip = found if before is None else before + (found - before) / 4
            for each in self.slots.values():
                each.tell_round_trip(self.round_trip)
            for track in self.tracks.values():
                track.tell_round_trip(self.round_trip)

    # --- feedback to the participant ---

    def sending_since(self, now: float) -> float | None:
        """When it was first seen that packets come; None before."""
        if self._began is None and any(track.packets for track in self.tracks.values()):
            self._began = now
        return self._began

    def flows(self, source: Source, now: float) -> bool:
        """Whether packets of this track came in the last seconds. To be asked several times a second."""
        packets = self.tracks[source].packets
        known, at = self._flow.get(source, (0, float("-inf")))
        if packets != known:
            at = now
            self._flow[source] = (packets, at)
        return now - at < FLOWS_S

    def cap(self, bitrate: int) -> None:
        """Ask the participant to send no more than this, all together, in bit/s."""
        ssrcs = [track.ssrc for track in self.tracks.values() if track.ssrc is not None]
        self.peer.send_rtcp(build_remb(self._rtcp_ssrc, bitrate, ssrcs))

    def tick(self, now: float) -> None:
        """About every 10 ms."""
        if not self.peer.connected:
            return
        for track in self.tracks.values():
            track.tick(now)
        if (padding := self.downlink.probe(now)) > 0:
            self._pad(padding, now)
        for body in self._arrivals.drain(now):
            self.peer.send_rtcp(build_transport_feedback(self._rtcp_ssrc, self._media_ssrc, body))
        if now >= self._report_at:
            self._report_at = following(self._report_at, now, REPORT_S)
            blocks = [b for t in self.tracks.values() if (b := t.reception(now)) is not None]
            self.peer.send_rtcp(build_receiver_report(self._rtcp_ssrc, blocks))

    def _pad(self, size: int, now: float) -> None:
        for slot in self.slots.values():
            if slot.video and slot.source is not None:
                slot.pad(size, now)
                return


def _own_ssrcs() -> dict[Mid, Ssrcs]:
    """Random, distinct, never zero."""
    numbers: set[int] = set()
    while len(numbers) < 2 * len(Mid):
        numbers.add(secrets.randbelow((1 << 32) - 1) + 1)
    pool = list(numbers)
    return {mid: Ssrcs(pool.pop(), None if mid in AUDIO else pool.pop()) for mid in Mid}
