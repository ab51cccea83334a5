"""A caller's end of DTLS-SRTP (RFC 5764), in either role, over memory.

Not the node's, so that each tests the other.
"""

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from OpenSSL import SSL

from media.net.srtp import PROFILES, Profile, Srtp
from tests.certificates import self_signed

MTU = 1200
_LABEL = b"EXTRACTOR-dtls_srtp"


class Identity:
    """A key, its certificate and what TLS needs of them: one for all callers of a process, as making one
    costs more than a handshake."""

    def __init__(self) -> None:
        key, certificate = self_signed("caller")
        self.fingerprint = fingerprint_of(certificate)
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_tlsext_use_srtp(b":".join(profile.name for profile in PROFILES))


def fingerprint_of(certificate: x509.Certificate) -> str:
    """SHA-256 as SDP writes it (RFC 8122)."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


class Dtls:
    """``srtp`` is there once the handshake is done; ``failed`` says why it will not be; ``closed`` that the
    other end said goodbye."""

    def __init__(self, identity: Identity, server: bool, fingerprint: str) -> None:
        self.srtp: Srtp | None = None
        self.profile: Profile | None = None
        self.failed = ""
        self.closed = False
        self._server = server
        self._fingerprint = fingerprint
        self._ssl = SSL.Connection(identity.context)
        self._ssl.set_ciphertext_mtu(MTU)
        if server:
            self._ssl.set_accept_state()
        else:
            self._ssl.set_connect_state()

    def start(self) -> list[bytes]:
        """The first flight, if it is ours to send."""
        return self._go_on()

    def receive(self, datagram: bytes) -> list[bytes]:
        """Datagrams to send in answer."""
        self._ssl.bio_write(datagram)
        if self.srtp is None:
            return self._go_on()
        try:
            self._ssl.recv(2048)
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error:
            self.closed = True
        return self._written()

    def tick(self) -> list[bytes]:
        """Again what got no answer in time."""
        if self.srtp is None and not self.failed and self._ssl.DTLSv1_get_timeout() == 0:
            self._ssl.DTLSv1_handle_timeout()
        return self._written()

    def close(self) -> list[bytes]:
        """close_notify."""
        if self.srtp is not None:
            try:
                self._ssl.shutdown()
            except SSL.Error:
                return []
        return self._written()

    def _go_on(self) -> list[bytes]:
        if self.failed:
            return []
        try:
            self._ssl.do_handshake()
        except SSL.WantReadError:
            return self._written()
        except SSL.Error as error:
            self.failed = f"handshake: {error}"
            return self._written()
        self._finish()
        return self._written()

    def _finish(self) -> None:
        certificate = self._ssl.get_peer_certificate(as_cryptography=True)
        if certificate is None or fingerprint_of(certificate) != self._fingerprint.upper():
            self.failed = "not the certificate of the description"
            return
        name = self._ssl.get_selected_srtp_profile()
        self.profile = next((profile for profile in PROFILES if profile.name == name), None)
        if self.profile is None:
            self.failed = f"no SRTP profile in common: {name!r}"
            return
        size = 2 * (self.profile.key + self.profile.salt)
        self.srtp = Srtp(self.profile, self._ssl.export_keying_material(_LABEL, size), self._server)

    def _written(self) -> list[bytes]:
        try:
            data = self._ssl.bio_read(1 << 16)
        except SSL.WantReadError:
            return []
        return _datagrams(data)


def _datagrams(data: bytes) -> list[bytes]:
    """A flight, cut between records (13 bytes of header, the last two of them the length)."""
    out: list[bytes] = []
    at = start = 0
    while at < len(data):
        end = at + 13 + int.from_bytes(data[at + 11 : at + 13], "big")
        if end - start > MTU and at > start:
            out.append(data[start:at])
            start = at
        at = end
    out.append(data[start:])
    return out
