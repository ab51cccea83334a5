"""One participant's encrypted datagram path: ICE, DTLS and SRTP.

This is the only file that touches names which aioice and aiortc keep private;
tests/media/test_transport.py fails when a version moves one of them. Above it, a transport is what
``Transport`` shows: an address to advertise, ``connect``, plain RTP and RTCP in and out, and the
moment somebody was last heard.

What a stranger sends costs a look-up: non-STUN is accepted only from an address that has passed an
authenticated connectivity check (RFC 8445, 7.3), everything else is counted and dropped here.
"""

import asyncio
import logging
import random
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pylibsrtp
from aioice.candidate import Candidate, candidate_foundation, candidate_priority
from aioice.ice import Connection, StunProtocol, get_host_addresses
from aioice.stun import Message
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)

from media.sdp import Remote

logger = logging.getLogger(__name__)

MAX_DATAGRAM = 1500  # libsrtp's buffer in pylibsrtp; anything longer is not ours
MAX_PLAIN = 1356  # what pylibsrtp agrees to protect
MAX_PENDING = 64  # DTLS datagrams that wait for the handshake
MAX_ADDRESSES = 16  # authenticated addresses of one peer
RECEIVE_BUFFER = 1 << 20

Address = tuple[str, int]


class TransportFailed(ConnectionError):
    """ICE or DTLS did not come up. The text is the reason, one word."""


@dataclass(frozen=True)
class Network:
    """Where a node listens. ``addresses`` empty means every address of this host but loopback
    (loopback when there is no other). ``public_address`` is advertised besides, for a 1:1 NAT."""

    addresses: tuple[str, ...] = ()
    public_address: str | None = None
    port_min: int = 0
    port_max: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.port_min <= self.port_max < 1 << 16 or (self.port_max and not self.port_min):
            raise ValueError(f"no port range: {self.port_min} to {self.port_max}")

    def local(self) -> list[str]:
        if self.addresses:
            return list(self.addresses)
        return get_host_addresses(use_ipv4=True, use_ipv6=True) or ["127.0.0.1"]

    def bind(self, address: str) -> socket.socket:
        """A bound, non-blocking UDP socket in the port range. Raises OSError when none is free."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        try:
            self._bind(sock, address)
        except OSError:
            sock.close()
            raise
        return sock

    def _bind(self, sock: socket.socket, address: str) -> None:
        if not self.port_min:
            sock.bind((address, 0))
            return
        ports = list(range(self.port_min, self.port_max + 1))
        random.shuffle(ports)
        for port in ports:
            try:
                sock.bind((address, port))
            except OSError:
                continue
            return
        raise OSError(f"no free UDP port between {self.port_min} and {self.port_max} on {address}")


@dataclass
class Counters:
    """Datagrams that were dropped at the door, by reason."""

    empty: int = 0
    oversized: int = 0
    stranger: int = 0
    malformed: int = 0
    unauthentic: int = 0  # SRTP that did not verify, or replayed
    overflow: int = 0
    failed: int = 0  # something raised on its way, here or in whoever gets the packets


class Certificate:
    """One per process: making one costs more than a handshake."""

    def __init__(self) -> None:
        self._certificate = RTCCertificate.generateCertificate()

    @property
    def fingerprint(self) -> str:
        """The sha-256 fingerprint as SDP writes it (RFC 8122)."""
        return next(f.value for f in self._certificate.getFingerprints() if f.algorithm == "sha-256")


class _Port(StunProtocol):
    """A UDP socket of one ICE agent. Sorts datagrams by their first byte (RFC 7983)."""

    receiver: "_Ice"

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        assert isinstance(data, bytes)
        try:
            if not data:
                self.receiver.counters.empty += 1
            elif len(data) > MAX_DATAGRAM:
                self.receiver.counters.oversized += 1
            elif data[0] < 4:
                super().datagram_received(data, addr)
            else:
                self.receiver.media_received(data, (addr[0], addr[1]))
        except Exception:
            # Whatever a datagram holds, the next one must be read.
            self.receiver.counters.failed += 1
            # Named once for each connection: a fault of the recorder's must be seen, thousands are a flood.
            level = logging.ERROR if self.receiver.counters.failed == 1 else logging.DEBUG
            logger.log(level, "datagram dropped", exc_info=True)


class _Ice(Connection):
    """aioice's agent, with our sockets and a guarded door. Controlled; never asks a STUN server."""

    def __init__(self, network: Network, on_srtp: Callable[[bytes], None], counters: Counters) -> None:
        super().__init__(ice_controlling=False)
        self.counters = counters
        self.heard = time.monotonic()
        self._network = network
        self._on_srtp = on_srtp
        self._verified: dict[Address, None] = {}

    async def get_component_candidates(
        self, component: int, addresses: list[str], timeout: int = 5
    ) -> list[Candidate]:
        loop = asyncio.get_running_loop()
        found: list[Candidate] = []
        for address in self._network.local():
            try:
                sock = self._network.bind(address)
            except OSError as error:
                logger.warning("cannot listen on %s: %s", address, error)
                continue
            _, port = await loop.create_datagram_endpoint(lambda: _Port(self), sock=sock)
            port.local_candidate = _host_candidate(component, address, sock.getsockname()[1])
            self._protocols.append(port)
            found.append(port.local_candidate)
        return found

    def request_received(self, message: Message, addr: Address, protocol: StunProtocol) -> None:
        if not self._authentic(message):
            self.counters.stranger += 1
            return
        self.heard = time.monotonic()
        if addr not in self._verified:
            if len(self._verified) >= MAX_ADDRESSES:
                del self._verified[next(iter(self._verified))]
            self._verified[addr] = None
        super().request_received(message, addr, protocol)

    def _authentic(self, message: Message) -> bool:
        username = message.attributes.get("USERNAME")
        return (
            username is not None
            and "PRIORITY" in message.attributes
            and self._valid_username(username)
            and message.check_message_integrity(self.local_password.encode())
        )

    def media_received(self, data: bytes, addr: Address) -> None:
        if addr not in self._verified:
            self.counters.stranger += 1
        elif 127 < data[0] < 192:
            self._on_srtp(data)
        elif 19 < data[0] < 64:
            self.data_received(data, 1)
        else:
            self.counters.malformed += 1

    def data_received(self, data: bytes, component: int) -> None:
        # Also called by StunProtocol with what looked like STUN and was not.
        if data[0] < 4:
            self.counters.malformed += 1
        elif self._queue.qsize() >= MAX_PENDING:
            self.counters.overflow += 1
        else:
            super().data_received(data, component)

    def send_now(self, data: bytes) -> None:
        """To the nominated address, or nowhere."""
        pair = self._nominated.get(1)
        if pair is not None:
            pair.protocol.transport.sendto(data, pair.remote_addr)


def _host_candidate(component: int, host: str, port: int) -> Candidate:
    return Candidate(
        foundation=candidate_foundation("host", "udp", host),
        component=component,
        transport="udp",
        priority=candidate_priority(component, "host"),
        host=host,
        port=port,
        type="host",
    )


class _IceForDtls:
    """The three members of RTCIceTransport that RTCDtlsTransport uses."""

    role = "controlled"

    def __init__(self, ice: _Ice) -> None:
        self._recv = ice.recv
        self._send = ice.send


@dataclass(frozen=True)
class Listener:
    """Where a transport delivers; called from the event loop. ``closed`` once, after connect."""

    rtp: Callable[[bytes], None]
    rtcp: Callable[[bytes], None]
    closed: Callable[[], None] = field(default=lambda: None)


class Transport:
    def __init__(self, network: Network, certificate: Certificate, listener: Listener) -> None:
        self.counters = Counters()
        self.connected = False
        self._network = network
        self._listener = listener
        self._ice = _Ice(network, self._srtp_received, self.counters)
        self._dtls = RTCDtlsTransport(_IceForDtls(self._ice), [certificate._certificate])  # type: ignore[arg-type]
        self._dtls.on("statechange", self._dtls_changed)

    async def gather(self) -> None:
        """Open the sockets. Raises TransportFailed("no_address") when none could be opened."""
        await self._ice.gather_candidates()
        if not self._ice.local_candidates:
            raise TransportFailed("no_address")

    @property
    def ufrag(self) -> str:
        return self._ice.local_username

    @property
    def password(self) -> str:
        return self._ice.local_password

    @property
    def candidates(self) -> tuple[str, ...]:
        """Candidate attribute values to offer (RFC 8839, 5.1)."""
        own = self._ice.local_candidates
        public = self._network.public_address
        if public is not None:
            own += [_host_candidate(c.component, public, c.port) for c in own[:1] if c.host != public]
        return tuple(c.to_sdp() for c in own)

    @property
    def heard(self) -> float:
        """When the other end last sent something that verified (monotonic seconds)."""
        return self._ice.heard

    async def connect(self, remote: Remote, timeout: float) -> None:
        """Raises TransportFailed: "ice_timeout", "dtls_timeout", "dtls_failed" or "closed"."""
        self._ice.remote_username, self._ice.remote_password = remote.ufrag, remote.password
        stage = "ice"
        try:
            async with asyncio.timeout(timeout):
                await self._add_candidates(remote.candidates)
                await self._ice.connect()
                stage = "dtls"
                self._dtls._set_role("client" if remote.dtls_server else "server")
                fingerprints = [RTCDtlsFingerprint(algorithm=a, value=v) for a, v in remote.fingerprints]
                await self._dtls.start(RTCDtlsParameters(fingerprints=fingerprints))
        except TimeoutError:
            raise TransportFailed(f"{stage}_timeout") from None
        except ConnectionError:
            raise TransportFailed("closed") from None
        if self._dtls.state != "connected":
            raise TransportFailed("dtls_failed")
        self.connected = True
        self._ice.heard = time.monotonic()

    async def _add_candidates(self, candidates: tuple[str, ...]) -> None:
        """The other end's own checks are enough; its candidates only save a moment. ``.local`` names would
        need multicast look-ups and TCP is not spoken, so both are passed over."""
        for text in candidates:
            try:
                candidate = Candidate.from_sdp(text)
            except ValueError:
                continue
            usable = candidate.transport.lower() == "udp" and 0 < candidate.port < 1 << 16
            if usable and not candidate.host.endswith(".local"):
                await self._ice.add_remote_candidate(candidate)

    def _srtp_received(self, data: bytes) -> None:
        session = self._dtls._rx_srtp
        if session is None or not self.connected:
            return
        is_rtcp = len(data) > 1 and 192 <= data[1] <= 223  # RFC 5761, 4
        try:
            plain = session.unprotect_rtcp(data) if is_rtcp else session.unprotect(data)
        except pylibsrtp.Error:
            self.counters.unauthentic += 1
            return
        self._ice.heard = time.monotonic()
        (self._listener.rtcp if is_rtcp else self._listener.rtp)(plain)

    def send_rtp(self, packet: bytes) -> None:
        """Nothing happens before connect and after close, and with what is too long to protect."""
        if self.connected and len(packet) <= MAX_PLAIN:
            try:
                self._ice.send_now(self._dtls._tx_srtp.protect(packet))
            except pylibsrtp.Error:
                # libsrtp refuses a resend from before its window; the viewer asks for a key frame instead.
                self.counters.overflow += 1

    def send_rtcp(self, packet: bytes) -> None:
        if self.connected and len(packet) <= MAX_PLAIN - 4:
            self._ice.send_now(self._dtls._tx_srtp.protect_rtcp(packet))

    def _dtls_changed(self) -> None:
        if self._dtls.state == "closed" and self.connected:
            self.connected = False
            self._listener.closed()

    async def close(self) -> None:
        """Say goodbye (close_notify) and free the sockets. Idempotent; ``closed`` is not called any more."""
        self.connected = False
        await self._dtls.stop()
        await self._ice.close()
