"""The other end of a connection: a controlling ICE agent, DTLS client and SRTP, sans-I/O like the node's.

It is made of the same parts (STUN, DTLS, SRTP) in their other role; that the parts speak what real browsers
speak is shown elsewhere, against Chromium.
"""

import itertools
from struct import Struct
from typing import Any

from media.net import stun
from media.net.batch import ffi
from media.net.dtls import Certificate, Dtls
from media.net.srtp import TRAILER
from media.net.stun import Attribute, Kind
from media.sdp import Remote

CERTIFICATE = Certificate()
CHECK_S, KEEPALIVE_S = 0.05, 2.0
_numbers = itertools.count(1)
_RTP = Struct(">BBHII")


def rtp(ssrc: int, sequence: int, payload: bytes = b"payload") -> bytes:
    return _RTP.pack(128, 96, sequence, 0, ssrc) + payload


def rtcp(ssrc: int, packet_type: int = 201) -> bytes:
    """An empty receiver report."""
    return bytes((128, packet_type, 0, 1)) + ssrc.to_bytes(4, "big")


def in_place(function: Any, packet: bytes) -> bytes:
    """Do with a copy what ``Srtp`` does in place; empty when it refuses."""
    memory = bytearray(packet) + bytes(TRAILER)
    size = function(ffi.from_buffer(memory), len(packet))
    return bytes(memory[:size])


class Browser:
    """Move ``outgoing`` to the node, give ``receive`` what comes from it, and ``step`` it through time."""

    def __init__(self, node_fingerprint: str, certificate: Certificate = CERTIFICATE) -> None:
        self.ufrag, self.password = f"browser{next(_numbers)}", "p" * 22
        self.certificate = certificate
        self.outgoing: list[bytes] = []
        self.rtp: list[bytes] = []
        self.rtcp: list[bytes] = []
        self.responses: list[stun.Message] = []
        self.nominates = True
        self.dtls = Dtls(certificate, [("sha-256", node_fingerprint)], is_server=False)
        self.has_begun = False  # the handshake
        self.is_allowed = False  # by an answered check
        self._node: tuple[str, str] | None = None
        self._next_check = 0.0

    @property
    def remote(self) -> Remote:
        """What its answer says."""
        fingerprints = (("sha-256", self.certificate.fingerprint),)
        return Remote(self.ufrag, self.password, fingerprints)

    @property
    def is_connected(self) -> bool:
        return self.dtls.srtp is not None

    def offered(self, ufrag: str, password: str) -> None:
        """Begin with ICE, or again."""
        self._node = ufrag, password
        self._next_check = 0.0

    def check(self, *extra: tuple[Attribute, bytes], password: str | None = None) -> bytes:
        """A connectivity check, with another password if wished."""
        assert self._node is not None
        attributes = [
            (Attribute.USERNAME, f"{self._node[0]}:{self.ufrag}".encode()),
            (Attribute.PRIORITY, b"\x6e\0\x1e\xff"),
            (Attribute.ICE_CONTROLLING, bytes(8)),
            *([(Attribute.USE_CANDIDATE, b"")] if self.nominates else []),
            *extra,
        ]
        key = (self._node[1] if password is None else password).encode()
        return stun.build(Kind.REQUEST, next(_numbers).to_bytes(12, "big"), attributes, key)

    def step(self, now: float) -> None:
        if self._node is not None and now >= self._next_check:
            self._next_check = now + (KEEPALIVE_S if self.is_connected else CHECK_S)
            self.outgoing.append(self.check())
        if self.is_allowed and not self.has_begun:
            self.has_begun = True
            self.outgoing += self.dtls.start(now)
        self.outgoing += self.dtls.tick(now)

    def receive(self, data: bytes, now: float) -> None:
        if data[0] < 4:
            message = stun.parse(data)
            self.responses.append(message)
            assert self._node is not None
            if message.kind is Kind.SUCCESS and message.is_authentic(self._node[1].encode()):
                self.is_allowed = True
        elif data[0] < 64:
            self.outgoing += self.dtls.receive(data, now)
        elif self.dtls.srtp is not None:
            if 191 < data[1] < 224:
                self.rtcp.append(in_place(self.dtls.srtp.unprotect_rtcp, data))
            else:
                self.rtp.append(in_place(self.dtls.srtp.unprotect, data))

    def protected(self, packet: bytes) -> bytes:
        assert self.dtls.srtp is not None
        return in_place(self.dtls.srtp.protect, packet)

    def protected_rtcp(self, packet: bytes) -> bytes:
        assert self.dtls.srtp is not None
        return in_place(self.dtls.srtp.protect_rtcp, packet)

    def close(self) -> None:
        self.outgoing += self.dtls.close()
