"""A WebRTC client as the node sees one: ICE, DTLS, SRTP and RTCP as a browser does them, on one UDP socket.

No I/O but through its ``Wire`` and no clock: ``now`` is Unix seconds, as the kernel's receive stamps are.
Whoever owns it calls ``receive`` when the wire is readable, ``tick`` every 20 ms or so and ``send_frame`` as
each frame is due. It is also the load generator's, so the way of a packet is kept short.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import Protocol

from media.net.batch import SLOTS, Address, Batch, address_of, host_port
from media.net.srtp import Srtp
from tests.media import caller_rtcp as rtcp
from tests.media.caller_dtls import Dtls, Identity
from tests.media.caller_ice import Ice
from tests.media.caller_sdp import RTX, TRANSPORT_CC, VP8, Local, Parsed, answer, offer, parse
from tests.media.caller_streams import RING, TAIL, Incoming, Outgoing

FEEDBACK_S = 0.1  # between transport-wide feedback messages
REPORT_S = 1.0
KEY_FRAME_S = 0.3  # a browser ignores a request that comes this soon after a key frame
FEEDBACK_SPAN = 1000  # transport-wide numbers in one feedback message
OFFERED_EXTENSION = 3

_HEADER = Struct("!BBHLL")
_LONG_HEADER = Struct("!BBHLLHHBHB")  # with extension 3 of two bytes (RFC 8285)
_LONG = _LONG_HEADER.size
_EXTENSION = Struct("!HHBH")
_TAIL = Struct("!Q")
_SHORT = Struct("!H")
_ONE_BYTE = 0xBEDE


class Wire(Protocol):
    host: str
    port: int

    def receive(self, batch: Batch) -> int: ...
    def send(self, batch: Batch) -> None: ...


class Caller:
    """``inbox`` and ``outbox`` may be shared by callers that take turns: neither keeps anything meanwhile.

    ``sources``: what this caller ought to receive, by whether it is video; packets are compared with it.
    """

    def __init__(self, identity: Identity, wire: Wire, inbox: Batch, outbox: Batch) -> None:
        self.wire = wire
        self.ice = Ice(secrets.token_hex(4), secrets.token_hex(12))
        self.connected = False
        self.failed = ""
        self.closed = False  # the other end said goodbye
        self.outgoing: dict[int, Outgoing] = {}  # by SSRC
        self.incoming: dict[int, Incoming] = {}
        self.sources: dict[bool, Outgoing] = {}
        self.feedbacks = 0  # transport-wide feedback messages received
        self.limit: int | None = None  # bit/s of the last REMB
        self.unauthentic = 0
        self.unknown = 0  # packets of no SSRC that was signalled
        self._identity = identity
        self._inbox, self._outbox = inbox, outbox
        self._dtls: Dtls | None = None
        self._dtls_begun = False
        self._srtp: Srtp | None = None
        self._remote = Address(b"")
        self._extension_in = 0
        self._transport_seq = 0
        self._rtx: dict[int, Incoming] = {}
        self._numbers: list[int] = []  # transport-wide, extended; and when each came
        self._times: list[float] = []
        self._highest = 1 << 16
        self._count = 0
        self._feedback_due = self._report_due = 0.0

    # --- descriptions ---

    @property
    def local(self) -> Local:
        return Local(
            self.ice.ufrag, self.ice.password, self._identity.fingerprint, self.wire.host, self.wire.port
        )

    def answer(self, sdp: str, sends: dict[str, Outgoing], now: float) -> str:
        """The answer to an offer; checks begin. ``sends`` is by MID."""
        described = parse(sdp)
        self._add(sends.values())
        self._begin(described, is_server=False, now=now)
        return answer(
            described, self.local, {mid: (track.ssrc, track.rtx_ssrc) for mid, track in sends.items()}
        )

    def offer(self, audio: Outgoing, video: Outgoing) -> str:
        """An offer to send these."""
        self._add([audio, video])
        return offer(self.local, audio.ssrc, (video.ssrc, video.rtx_ssrc))

    def answered(self, sdp: str, now: float) -> None:
        """The answer to it came; checks begin."""
        described = parse(sdp)
        self._begin(described, is_server=described.setup == "active", now=now)

    def restart(self, sdp: str, sends: dict[str, Outgoing], now: float) -> str:
        """The answer to an offer with new ICE credentials: DTLS and SRTP stay as they are."""
        described = parse(sdp)
        self.ice.ufrag, self.ice.password = secrets.token_hex(4), secrets.token_hex(12)
        self.ice.start(described.ufrag, described.password, now)
        return answer(
            described, self.local, {mid: (track.ssrc, track.rtx_ssrc) for mid, track in sends.items()}
        )

    def _add(self, tracks: Iterable[Outgoing]) -> None:
        for track in tracks:
            self.outgoing[track.ssrc] = track

    def _begin(self, remote: Parsed, is_server: bool, now: float) -> None:
        if not remote.candidates:
            raise ValueError("no address to connect to")
        self._remote = address_of(*remote.candidates[0])
        for section in remote.sections:
            number = section.extensions.get(TRANSPORT_CC, 0)
            for track in self.outgoing.values():
                if track.clip.video == section.video and section.receives:
                    track.extension = track.extension or number
            if not section.sends or not section.ssrc:
                continue
            self._extension_in = self._extension_in or number
            incoming = Incoming(
                section.ssrc, section.video, section.rtx_ssrc, self.sources.get(section.video)
            )
            self.incoming[section.ssrc] = incoming
            if section.rtx_ssrc:
                self._rtx[section.rtx_ssrc] = incoming
        self._dtls = Dtls(self._identity, is_server, remote.fingerprint)
        self.ice.start(remote.ufrag, remote.password, now)
        self._feedback_due = now + FEEDBACK_S
        self._report_due = now + REPORT_S * (0.5 + secrets.randbelow(1000) / 1000)
        self.tick(now)

    @property
    def progress(self) -> str:
        """How far the connection has come, in words."""
        if self.connected or self.failed:
            return self.failed or "connected"
        if not self.ice.nominated:
            return "no check was answered"
        return "DTLS has begun" if self._dtls_begun else "no DTLS yet"

    # --- time ---

    def tick(self, now: float) -> None:
        check = self.ice.tick(now)
        if check is not None:
            self._send([check])
        if self._dtls is not None and not self.connected and self._dtls_begun:
            self._send(self._dtls.tick())
        if not self.connected:
            return
        if now >= self._feedback_due:
            self._feedback_due = now + FEEDBACK_S
            self._send_feedback()
        for incoming in self.incoming.values():
            if incoming.missing and (lost := incoming.wanted(now)):
                self.send_rtcp(rtcp.nack(self._ssrc(), incoming.ssrc, lost[:200]))
        if now >= self._report_due:
            self._report_due = now + REPORT_S
            self._send_reports(now)

    def _ssrc(self) -> int:
        """Ours, where RTCP wants one; 1 is what a browser says that sends nothing."""
        return next(iter(self.outgoing), 1)

    def _send_feedback(self) -> None:
        while self._numbers:
            order = sorted(zip(self._numbers, self._times, strict=True))
            end = order[0][0] + FEEDBACK_SPAN
            now = [pair for pair in order if pair[0] < end]
            later = order[len(now) :]
            self._numbers, self._times = [n for n, _ in later], [t for _, t in later]
            media = next(iter(self.incoming), 0)
            numbers, times = [n for n, _ in now], [t for _, t in now]
            self.send_rtcp(rtcp.transport_feedback(self._ssrc(), media, numbers, times, self._count))
            self._count += 1

    def _send_reports(self, now: float) -> None:
        blocks = [
            rtcp.Block(i.ssrc, len(i.missing), i.next - 1, i.last_report, now - i.reported_at)
            for i in self.incoming.values()
            if i.received
        ]
        reports = b""
        for track in self.outgoing.values():
            if track.seq == track.begun:
                continue
            age = now - track.ring[(track.seq - 1) & (RING - 1)][0]
            timestamp = track.timestamp - track.step + int(age * track.clip.clock_rate)
            packets = track.seq - track.begun
            reports += rtcp.sender_report(track.ssrc, now, timestamp, packets, track.octets, blocks)
            blocks = []
        if blocks:
            reports = rtcp.receiver_report(self._ssrc(), blocks)
        if reports:
            self.send_rtcp(reports)

    # --- out ---

    def send_frame(self, track: Outgoing, now: float, most: int = SLOTS * 8) -> int:
        """The next frame of a track, all its packets at once or the next ``most`` of them; how many are left.
        Nothing before the connection is up."""
        srtp = self._srtp
        if srtp is None:
            return 0
        batch, remote, extension = self._outbox, self._remote, track.extension << 4 | 1
        payloads = track.next_frame()
        video, left, seq = track.clip.video, len(payloads) - track.piece, track.seq
        kind = track.clip.payload_type
        for payload in payloads[track.piece : track.piece + most]:
            left -= 1
            if video and not left:
                kind |= 0x80
            slot = batch.count
            if slot == SLOTS:
                self.wire.send(batch)
                slot = 0
            view = batch.views[slot]
            if extension > 1:
                _LONG_HEADER.pack_into(
                    *(view, 0, 0x90, kind, seq & 0xFFFF, track.timestamp, track.ssrc),
                    *(_ONE_BYTE, 1, extension, self._transport_seq, 0),
                )
                self._transport_seq = (self._transport_seq + 1) & 0xFFFF
                start = _LONG
            else:
                _HEADER.pack_into(view, 0, 0x80, kind, seq & 0xFFFF, track.timestamp, track.ssrc)
                start = 12
            size = start + len(payload)
            view[start:size] = payload
            if video:
                _SHORT.pack_into(view, start + 2, 0x8000 | track.picture)
            batch.add(srtp.protect(batch.pointers[slot], size), remote)
            track.remember(seq, payload, kind, now)
            seq += 1
        track.seq = seq
        track.piece += most
        if not left:
            track.advance()
        self.wire.send(batch)
        return left

    def send_rtcp(self, packet: bytes) -> None:
        if self._srtp is None:
            return
        batch = self._outbox
        batch.views[0][: len(packet)] = packet
        batch.add(self._srtp.protect_rtcp(batch.pointers[0], len(packet)), self._remote)
        self.wire.send(batch)

    def request_key_frame(self, incoming: Incoming) -> None:
        self.send_rtcp(rtcp.pli(self._ssrc(), incoming.ssrc))

    def send_rtp(self, packet: bytes) -> None:
        """As it is, protected: for tests of what a peer may not do."""
        if self._srtp is None:
            return
        batch = self._outbox
        batch.views[0][: len(packet)] = packet
        if size := self._srtp.protect(batch.pointers[0], len(packet)):
            batch.add(size, self._remote)
            self.wire.send(batch)

    def send_raw(self, datagram: bytes) -> None:
        """As it is, to where the media goes: for tests of what a peer may not do."""
        self._send([datagram])

    def close(self) -> None:
        """Say goodbye. The wire is its owner's."""
        if self._dtls is not None:
            self._send(self._dtls.close())
        self.connected, self._srtp = False, None

    def _send(self, datagrams: Sequence[bytes]) -> None:
        batch = self._outbox
        for datagram in datagrams:
            batch.views[batch.count][: len(datagram)] = datagram
            batch.add(len(datagram), self._remote)
        if batch.count:
            self.wire.send(batch)

    def _resend(self, track: Outgoing, lost: Iterator[int]) -> None:
        """By RTX (RFC 4588), sound as it was."""
        srtp = self._srtp
        assert srtp is not None
        for short in lost:
            seq = track.seq - ((track.seq - short) & 0xFFFF or 1 << 16)
            if not track.begun <= seq < track.seq or track.seq - seq > RING:
                continue
            _, _, payload, timestamp, kind, picture = track.ring[seq & (RING - 1)]
            batch = self._outbox
            view = batch.views[0]
            start = 12
            if track.rtx_ssrc:
                rtx = track.rtx_seq & 0xFFFF
                _HEADER.pack_into(view, 0, 0x80, kind & 0x80 | RTX, rtx, timestamp, track.rtx_ssrc)
                _SHORT.pack_into(view, 12, short)
                track.rtx_seq += 1
                start = 14
            else:
                _HEADER.pack_into(view, 0, 0x80, kind, short, timestamp, track.ssrc)
            size = start + len(payload)
            view[start:size] = payload
            if track.clip.video:
                _SHORT.pack_into(view, start + 2, 0x8000 | picture)
            if size := srtp.protect(batch.pointers[0], size):
                batch.add(size, self._remote)
                self.wire.send(batch)
                track.resent += 1

    # --- in ---

    def receive(self, now: float) -> int:
        """Take what the wire has, up to one batch; how many datagrams."""
        batch = self._inbox
        count = self.wire.receive(batch)
        sizes, stamps = batch.sizes(), batch.stamps()
        for slot in range(count):
            view, size = batch.views[slot], sizes[slot]
            first = view[0] if size else 0
            if 127 < first < 192:
                if self._srtp is None or size < 12:
                    continue
                if 192 <= view[1] <= 223:  # RFC 5761, 4
                    size = self._srtp.unprotect_rtcp(batch.pointers[slot], size)
                    if size:
                        self._rtcp(bytes(view[:size]), now)
                else:
                    size = self._srtp.unprotect(batch.pointers[slot], size)
                    if size:
                        self._rtp(view, size, stamps[slot] if stamps else now, now)
                if not size:
                    self.unauthentic += 1
            elif 19 < first < 64:
                self._dtls_received(bytes(view[:size]))
            elif size and first < 4:
                self._stun_received(bytes(view[:size]), batch.addresses()[slot])
        return count

    def _rtp(self, view: memoryview, size: int, arrived: float, now: float) -> None:
        flags, _, seq, _, ssrc = _HEADER.unpack_from(view)
        start = 12 + 4 * (flags & 15)
        if flags & 0x10:
            _, words, head, number = _EXTENSION.unpack_from(view, start)
            end = start + 4 + 4 * words
            if head == self._extension_in << 4 | 1:
                self._arrived(number, arrived)
            elif self._extension_in:
                self._look_for_number(view, start + 4, end, arrived)
            start = end
        if flags & 0x20:
            size -= view[size - 1]
        incoming = self.incoming.get(ssrc)
        if incoming is not None:
            if size - start >= TAIL:
                incoming.receive(seq, _TAIL.unpack_from(view, size - TAIL)[0], arrived, now)
            return
        repaired = self._rtx.get(ssrc)
        if repaired is None:
            self.unknown += 1
        elif size - start >= TAIL + 2:
            original = _SHORT.unpack_from(view, start)[0]
            repaired.repair(original, _TAIL.unpack_from(view, size - TAIL)[0], arrived, now)

    def _arrived(self, number: int, arrived: float) -> None:
        highest = self._highest
        extended = highest + ((number - highest + 0x8000) & 0xFFFF) - 0x8000
        if extended > highest:
            self._highest = extended
        self._numbers.append(extended)
        self._times.append(arrived)

    def _look_for_number(self, view: memoryview, at: int, end: int, arrived: float) -> None:
        while at < end:
            head = view[at]
            if head == 0:
                at += 1
                continue
            if head >> 4 == self._extension_in:
                self._arrived(_SHORT.unpack_from(view, at + 1)[0], arrived)
                return
            at += 2 + (head & 15)

    def _rtcp(self, packet: bytes, now: float) -> None:
        for part in rtcp.parts(packet):
            if part.kind == rtcp.SR and len(part.body) >= 24:
                incoming = self.incoming.get(int.from_bytes(part.body[:4], "big"))
                if incoming is not None:
                    incoming.last_report = int.from_bytes(part.body[6:10], "big")
                    incoming.reported_at = now
                    incoming.reports += 1
            elif part.kind == rtcp.RTPFB and part.format == rtcp.TRANSPORT_CC:
                self.feedbacks += 1
            elif part.kind == rtcp.RTPFB and part.format == rtcp.NACK:
                track = self.outgoing.get(int.from_bytes(part.body[4:8], "big"))
                if track is not None:
                    self._resend(track, rtcp.nacked(part.body))
            elif part.kind == rtcp.PSFB:
                self._payload_feedback(part)

    def _payload_feedback(self, part: rtcp.Part) -> None:
        for ssrc in rtcp.requested(part):
            track = self.outgoing.get(ssrc)
            if track is None or not track.clip.video:
                continue
            # The clip's only key frame is its first, so its age is where the clip is.
            if track.seq > track.begun and 0 < track.frame * track.clip.interval < KEY_FRAME_S:
                track.requests += 1
            else:
                track.request_key_frame()
        if part.format == rtcp.AFB and (limit := rtcp.remb(part.body)) is not None:
            self.limit = limit

    def _stun_received(self, datagram: bytes, source: Address) -> None:
        try:
            reply = self.ice.receive(datagram, host_port(source))
        except ValueError:
            self.unauthentic += 1
            return
        if reply is not None:
            self._send([reply])
        if self.ice.nominated and self._dtls is not None and not self._dtls_begun:
            self._dtls_begun = True
            self._send(self._dtls.start())

    def _dtls_received(self, datagram: bytes) -> None:
        dtls = self._dtls
        if dtls is None:
            return
        self._dtls_begun = True
        self._send(dtls.receive(datagram))
        self.failed = dtls.failed
        self.closed = dtls.closed
        if dtls.srtp is not None and not self.connected and not dtls.closed:
            self._srtp, self.connected = dtls.srtp, True


__all__ = ["RTX", "VP8", "Caller", "Identity", "Wire"]
