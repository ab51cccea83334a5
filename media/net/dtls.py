"""DTLS 1.2 and the keys it yields for SRTP (RFC 6347, RFC 5764), without a socket and without a clock.

OpenSSL does the handshake on memory. Its retransmission timer runs on the machine's clock and cannot be
stepped, so the last flight is kept and sent again from here; the records are the same bit by bit, which
DTLS's own replay check makes harmless to whoever has them already.
"""

import datetime
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum, auto

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL

from media.net.srtp import PROFILES, Srtp

MTU = 1200  # bytes of a datagram that pass everywhere, TURN's overhead included
RESEND_S, RESEND_MAX_S = 0.2, 1.6  # doubled from the one to the other
_REPEAT_S = 0.05  # at most so often is the last flight repeated because the other end repeated its own
_DTLS_1_2 = 0xFEFD
_HEADER_BYTES = 13
_CHANGE_CIPHER_SPEC, _ALERT, _HANDSHAKE, _APPLICATION_DATA = 20, 21, 22, 23
_EXPORTER = b"EXTRACTOR-dtls_srtp"
# Our certificate is an ECDSA one; what is left are the ciphers that browsers put first.
_CIPHERS = b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384"
_STRONGEST_FIRST = ("sha-512", "sha-384", "sha-256")


class State(Enum):
    HANDSHAKE = auto()
    CONNECTED = auto()
    CLOSED = auto()  # the other end said goodbye
    FAILED = auto()


class Certificate:
    """A self-signed ECDSA P-256 certificate and the context of all handshakes made with it. One per process:
    making one costs more than a handshake."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "media")])
        now = datetime.datetime.now(datetime.UTC)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365))
            .sign(key, hashes.SHA256())
        )
        self.context = _context(key, self._certificate)

    @property
    def fingerprint(self) -> str:
        """The sha-256 fingerprint as SDP writes it (RFC 8122, 5)."""
        return self._certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _context(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> SSL.Context:
    context = SSL.Context(SSL.DTLS_METHOD)
    # Said explicitly: OpenSSL 4 would also speak DTLS 1.3, whose flights and keys are others.
    context.set_min_proto_version(_DTLS_1_2)
    context.set_max_proto_version(_DTLS_1_2)
    context.set_options(SSL.OP_NO_QUERY_MTU | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_cipher_list(_CIPHERS)
    context.set_tlsext_use_srtp(b":".join(profile.name for profile in PROFILES))
    context.use_certificate(certificate)
    context.use_privatekey(key)
    # Who signed the other's certificate says nothing; its fingerprint in the answer says all.
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    return context


class Dtls:
    """One association. Give it what arrives (bytes 20 to 63, RFC 7983) and the time; send what it returns.

    Nothing that arrives raises. ``srtp`` is there when ``state`` is CONNECTED, which it is only once the
    other end's certificate has one of ``fingerprints``: (hash name, value) as in SDP.
    """

    def __init__(
        self, certificate: Certificate, fingerprints: Sequence[tuple[str, str]], is_server: bool = True
    ) -> None:
        self.state = State.HANDSHAKE
        self.srtp: Srtp | None = None
        self._fingerprints = fingerprints
        self._is_server = is_server
        self._flight: list[bytes] = []
        self._resend_at, self._resend_after = 0.0, RESEND_S
        self._repeated_at = float("-inf")
        self._tls = SSL.Connection(certificate.context, None)
        self._tls.set_ciphertext_mtu(MTU)
        if is_server:
            self._tls.set_accept_state()
        else:
            self._tls.set_connect_state()

    def start(self, now: float) -> list[bytes]:
        """The client's first flight."""
        return self._shake_hands(now)

    def receive(self, datagram: bytes, now: float) -> list[bytes]:
        if self.state is State.HANDSHAKE:
            if not _records(datagram):
                return []
            self._tls.bio_write(datagram)
            return self._shake_hands(now)
        if self.state is State.CONNECTED:
            return self._after_handshake(datagram, now)
        return []

    def tick(self, now: float) -> list[bytes]:
        """The last flight again, when its time has come."""
        if self.state is not State.HANDSHAKE or not self._flight or now < self._resend_at:
            return []
        self._resend_after = min(2 * self._resend_after, RESEND_MAX_S)
        self._resend_at = now + self._resend_after
        return self._flight

    def close(self) -> list[bytes]:
        """Say goodbye (close_notify). Nothing is received after it."""
        said: list[bytes] = []
        if self.state is State.CONNECTED:
            with suppress(SSL.Error):  # the other end was faster
                self._tls.shutdown()
            said = self._output()
        if self.state is not State.FAILED:
            self.state = State.CLOSED
        return said

    def _shake_hands(self, now: float) -> list[bytes]:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error:
            self.state = State.FAILED
        else:
            self._finish()
            if self.state is State.FAILED:
                return []  # whoever it is need not know how far he came
        output = self._output()
        if output and self.state is not State.FAILED:
            self._flight = output
            self._resend_after = RESEND_S
            self._resend_at = now + RESEND_S
        return output

    def _finish(self) -> None:
        """The handshake is through: is it with whom the answer came from?"""
        chosen = self._tls.get_selected_srtp_profile()
        profile = next((profile for profile in PROFILES if profile.name == chosen), None)
        if profile is None or not self._is_expected_certificate():
            self.state = State.FAILED
            return
        material = self._tls.export_keying_material(_EXPORTER, 2 * (profile.key + profile.salt))
        self.srtp = Srtp(profile, material, self._is_server)
        self.state = State.CONNECTED

    def _is_expected_certificate(self) -> bool:
        """RFC 8122, 5: of several hashes the strongest counts."""
        certificate = self._tls.get_peer_certificate()
        if certificate is None:
            return False
        for algorithm in _STRONGEST_FIRST:
            values = [value.upper() for name, value in self._fingerprints if name.lower() == algorithm]
            if values:
                return certificate.digest(algorithm.replace("-", "")).decode() in values
        return False

    def _after_handshake(self, datagram: bytes, now: float) -> list[bytes]:
        """Only alerts reach OpenSSL now, so nobody can begin a second handshake. Handshake records mean that
        the other end has not heard our last flight."""
        repeat = False
        for record in _records(datagram):
            if record[0] == _ALERT:
                self._hear_alert(record)
            elif record[0] in (_HANDSHAKE, _CHANGE_CIPHER_SPEC):
                repeat = True
        if not repeat or self.state is not State.CONNECTED or now < self._repeated_at + _REPEAT_S:
            return []
        self._repeated_at = now
        return self._flight

    def _hear_alert(self, record: bytes) -> None:
        self._tls.bio_write(record)
        try:
            self._tls.recv(1)
        except SSL.ZeroReturnError:
            self.state = State.CLOSED
        except SSL.WantReadError:
            pass  # a warning, or not from the other end
        except SSL.Error:
            self.state = State.FAILED

    def _output(self) -> list[bytes]:
        """What OpenSSL wrote, which is a string of records, as datagrams."""
        written = b""
        while True:
            try:
                written += self._tls.bio_read(1 << 16)
            except SSL.WantReadError:
                break
        datagrams: list[bytes] = []
        for record in _records(written):
            if datagrams and len(datagrams[-1]) + len(record) <= MTU:
                datagrams[-1] += record
            else:
                datagrams.append(record)
        return datagrams


def _records(data: bytes) -> list[bytes]:
    """The records of a datagram (RFC 6347, 4.1), none when it is not made of records."""
    records = []
    at = 0
    while at < len(data):
        end = at + _HEADER_BYTES + int.from_bytes(data[at + 11 : at + 13], "big")
        is_record = _CHANGE_CIPHER_SPEC <= data[at] <= _APPLICATION_DATA and data[at + 1 : at + 2] == b"\xfe"
        if not is_record or at + _HEADER_BYTES > len(data) or end > len(data):
            return []
        records.append(data[at:end])
        at = end
    return records
