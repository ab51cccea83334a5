"""One participant's connection: ICE-lite, DTLS and SRTP put together (RFC 8827, 6.5). No I/O, no clock.

``Port`` hands a peer the datagrams that are its own; what the peer sends waits in its outlet's batch until
the port flushes. A peer whose network changes keeps its keys: only ICE is done again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, Protocol

from media.net import stun
from media.net.batch import SLOT_BYTES, SLOTS, Address, Batch
from media.net.dtls import Certificate, Dtls, State
from media.net.ice import Agent, Credentials, Outcome, Path
from media.net.srtp import TRAILER, Srtp
from media.sdp import BadAnswer, Remote

CONNECT_S = 15.0  # from the answer, or from an ICE restart, until packets must flow
SILENCE_S = 5.8  # without anything authentic from a connected peer; with the ticks' coarseness known within 6
MAX_EARLY = 8  # DTLS datagrams kept until the answer is known
MAX_PLAIN = SLOT_BYTES - TRAILER  # bytes of a packet to be sent: what protecting adds must fit behind it
MAX_STREAMS = 64  # SSRCs decrypted of one peer: each keeps a stream in libsrtp
# What one participant may have the node work on between two ticks of the port, about 0.1 s, so that nobody
# takes the loop from the others. A browser stays far below, also when the loop was stuck for a second. A byte
# of RTCP may cost half a microsecond.
MAX_RTP = 1000  # packets
MAX_RTCP = 10_000  # bytes
MAX_CHECKS = 50  # authentic ones: nobody else can use them up

_SSRC = Struct(">I")
_RTP_SSRC, _RTCP_SSRC = 8, 4  # where it stands


class Receiver(Protocol):
    """Who a connection is for. ``packet`` is decrypted in place and valid during the call only."""

    def rtp(self, packet: memoryview, size: int, arrived: float) -> None: ...
    def rtcp(self, packet: memoryview, size: int, arrived: float) -> None: ...
    def connected(self) -> None: ...

    def closed(self, reason: str) -> None:
        """Once: "closed" by the other end, "silent", "ice_timeout", "dtls_timeout" or "dtls_failed"."""


class _Nobody:
    """The receiver of a connection that is over."""

    def rtp(self, packet: memoryview, size: int, arrived: float) -> None: ...
    def rtcp(self, packet: memoryview, size: int, arrived: float) -> None: ...
    def connected(self) -> None: ...
    def closed(self, reason: str) -> None: ...


class Wire(Protocol):
    """A UDP socket, or a simulated network."""

    def receive(self, batch: Batch) -> int: ...
    def send(self, batch: Batch) -> None: ...


@dataclass
class Counters:
    """Datagrams that were dropped, by reason."""

    empty: int = 0
    oversized: int = 0
    stranger: int = 0  # from an address that nobody has proved to be his, or for somebody who is not here
    malformed: int = 0
    unauthentic: int = 0  # did not verify, or was here before
    overflow: int = 0  # beyond a bound, or before there were keys
    failed: int = 0  # something raised on its way, here or in whoever gets the packets


class Outlet:
    """What waits to be sent over one wire."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.batch = Batch(receives=False)

    def send(self, data: bytes, address: Address) -> None:
        batch = self.batch
        if batch.count == SLOTS:
            self.wire.send(batch)
        batch.views[batch.count][: len(data)] = data
        batch.add(len(data), address)

    def flush(self) -> None:
        if self.batch.count:
            self.wire.send(self.batch)


class Home(Protocol):
    """Where a peer lives: the port."""

    certificate: Certificate

    @property
    def outlets(self) -> Sequence[Outlet]: ...

    def register(self, peer: "Peer", retired: str | None) -> None:
        """The peer answers to its current ufrag from now on, and no longer to ``retired``."""

    def forget(self, peer: "Peer") -> None: ...


class Peer:
    def __init__(self, home: Home, receiver: Receiver, now: float) -> None:
        self.ssrcs: set[int] = set()  # that the other end is known to send
        self.heard = now  # when something authentic came last
        self.connected = False
        self.counters = Counters()
        self.ice = Agent(Credentials.fresh())
        self._home = home
        self._receiver: Receiver = receiver
        self._dtls: Dtls | None = None  # since the answer
        self._fingerprints: tuple[tuple[str, str], ...] = ()
        self._early: list[bytes] = []
        self._deadline = now
        self._is_over = False
        self._srtp: Srtp | None = None  # while connected
        self._streams: set[int] = set()  # SSRCs decrypted that are not in ``ssrcs``
        self._rtp_left, self._rtcp_left, self._checks_left = (
            MAX_RTP,
            MAX_RTCP,
            MAX_CHECKS,
        )  # until the next tick
        self._route(Path(0, Address(b"")))  # gives ``buffer`` its memory before there is an address

    # --- control ---

    @property
    def ufrag(self) -> str:
        return self.ice.credentials.ufrag

    @property
    def password(self) -> str:
        return self.ice.credentials.password

    def accept(self, remote: Remote, now: float) -> None:
        """The answer, the first or one after a restart. Raises BadAnswer. May call ``Receiver.connected``.

        Of ICE nothing is needed from it: a lite agent asks the other end nothing.
        """
        if self._dtls is not None and remote.fingerprints != self._fingerprints:
            raise BadAnswer("the fingerprint changed: that takes a new connection")
        if self._dtls is not None or self._is_over:
            return
        self._fingerprints = remote.fingerprints
        self._dtls = Dtls(self._home.certificate, remote.fingerprints)
        self._deadline = now + CONNECT_S
        early, self._early = self._early, []
        for datagram in early:
            if not self._is_over:
                self.dtls(datagram, now)

    def restart(self, now: float) -> None:
        """New ufrag and password, to be offered; the old ones are good until the new are used (RFC 8445, 9).
        Keys and streams stay. Silence is borne for CONNECT_S, as somebody is on his way back."""
        if not self._is_over:
            self._deadline = now + CONNECT_S
            self._home.register(self, self.ice.restart(Credentials.fresh()))

    def close(self) -> None:
        """Say goodbye and forget. ``Receiver.closed`` is not called any more. Idempotent."""
        if self._dtls is not None:
            self._send_all(self._dtls.close())
        self._leave()

    def tick(self, now: float) -> None:
        """Repeat what was lost of the handshake; give up on whoever is silent."""
        self._rtp_left, self._rtcp_left, self._checks_left = MAX_RTP, MAX_RTCP, MAX_CHECKS
        if self._dtls is None or self._is_over:
            return
        self._send_all(self._dtls.tick(now))
        if now <= self._deadline:
            return
        if not self.connected:
            self._end("ice_timeout" if self.ice.path is None else "dtls_timeout")
        elif now - self.heard > SILENCE_S:
            self._end("silent")

    # --- what arrives; called by the port ---

    def check(self, request: stun.Message, ufrag: str, path: Path, now: float) -> Outcome | None:
        """See ``Agent.check``."""
        if self._checks_left <= 0:
            self.counters.overflow += 1
            return None
        outcome = self.ice.check(request, ufrag, path)
        if outcome is None:
            self.counters.unauthentic += 1
            return None
        self._checks_left -= 1
        self.heard = now
        if outcome.retired is not None and self.connected:
            self._deadline = now  # he is back
        if self.ice.path is not None:
            self._route(self.ice.path)
        return outcome

    def dtls(self, datagram: bytes, now: float) -> None:
        """From one of the peer's own addresses."""
        if self._dtls is None:
            if len(self._early) < MAX_EARLY:
                self._early.append(datagram)
            else:
                self.counters.overflow += 1
            return
        dtls, before = self._dtls, self._dtls.state
        self._send_all(dtls.receive(datagram, now))
        if dtls.state is not before:
            self._dtls_changed(dtls, now)

    def _dtls_changed(self, dtls: Dtls, now: float) -> None:
        if dtls.state is State.CONNECTED:
            self._srtp = dtls.srtp
            self.connected = True
            self.heard = self._deadline = now
            self._receiver.connected()
        elif self.connected:
            self._end("closed")
        else:
            self._end("dtls_failed")

    def rtp(self, packet: memoryview, pointer: Any, size: int, arrived: float) -> None:
        """Still encrypted. ``packet`` and ``pointer`` are the same memory."""
        srtp = self._srtp
        if srtp is None:
            self.counters.overflow += 1
            return
        (ssrc,) = _SSRC.unpack_from(packet, _RTP_SSRC)
        if ssrc in self.ssrcs:
            plain = srtp.unprotect(pointer, size)
        elif self._has_room(ssrc):  # not in the answer; its packets may name it by MID
            plain = srtp.unprotect(pointer, size)
            if plain:
                self._streams.add(ssrc)
        else:
            self.counters.overflow += 1
            return
        if not plain:
            self.counters.unauthentic += 1
        elif self._rtp_left <= 0:
            self.counters.overflow += 1
        else:
            self._rtp_left -= 1
            self.heard = arrived
            self._receiver.rtp(packet, plain, arrived)

    def rtcp(self, packet: memoryview, pointer: Any, size: int, arrived: float) -> None:
        """Likewise. A browser that sends nothing reports under an SSRC of its own making."""
        srtp = self._srtp
        (ssrc,) = _SSRC.unpack_from(packet, _RTCP_SSRC)
        if srtp is None or not (ssrc in self.ssrcs or self._has_room(ssrc)):
            self.counters.overflow += 1
            return
        plain = srtp.unprotect_rtcp(pointer, size)
        if not plain:
            self.counters.unauthentic += 1
            return
        if ssrc not in self.ssrcs:
            self._streams.add(ssrc)
        self.heard = arrived
        if self._rtcp_left >= plain:
            self._rtcp_left -= plain
            self._receiver.rtcp(packet, plain, arrived)
        else:
            self.counters.overflow += 1

    def _has_room(self, ssrc: int) -> bool:
        return ssrc in self._streams or len(self._streams) + len(self.ssrcs) < MAX_STREAMS

    # --- what leaves ---

    def buffer(self) -> memoryview:
        """Where the next RTP packet may be written, up to MAX_PLAIN bytes: valid until ``send_rtp``, or until
        anything else is sent."""
        batch = self._batch
        if batch.count == SLOTS:
            self._outlet.wire.send(batch)
        return batch.views[batch.count]

    def send_rtp(self, size: int) -> None:
        """Protect the ``size`` bytes in ``buffer()`` and queue them. Without a connection they are lost,
        and so is what is longer than MAX_PLAIN."""
        srtp = self._srtp
        if srtp is None or size > MAX_PLAIN:
            return
        batch = self._batch
        size = srtp.protect(batch.pointers[batch.count], size)
        if size:
            batch.add(size, self._address)
        else:
            self.counters.overflow += 1

    def send_rtcp(self, packet: bytes) -> None:
        srtp = self._srtp
        if srtp is None or len(packet) > MAX_PLAIN:
            return
        self.buffer()[: len(packet)] = packet
        batch = self._batch
        size = srtp.protect_rtcp(batch.pointers[batch.count], len(packet))
        if size:
            batch.add(size, self._address)

    def send_again(self, packet: bytes) -> None:
        """A plain RTP packet bit by bit as it was sent before. libsrtp refuses what lies too far back."""
        if len(packet) <= MAX_PLAIN:
            self.buffer()[: len(packet)] = packet
            self.send_rtp(len(packet))

    def _send_all(self, datagrams: Sequence[bytes]) -> None:
        if self.ice.path is not None:
            for datagram in datagrams:
                self._outlet.send(datagram, self._address)

    def _route(self, path: Path) -> None:
        self._outlet = self._home.outlets[path.wire]
        self._batch = self._outlet.batch
        self._address = path.address

    # --- the end ---

    def _end(self, reason: str) -> None:
        if not self._is_over:
            receiver = self._receiver
            self._leave()
            receiver.closed(reason)

    def _leave(self) -> None:
        self._is_over = True
        self.connected = False
        # No memory of a call is left for the garbage collector to find.
        self._srtp = self._dtls = None
        self._receiver = _Nobody()
        self._early.clear()
        self._home.forget(self)
