"""SRTP and SRTCP in place (RFC 3711, RFC 7714), through libsrtp.

The only file that touches names which pylibsrtp keeps private: its wrapper copies every packet three times.
tests/media/net/test_srtp.py fails when a version moves one of them.
"""

from dataclasses import dataclass
from typing import Any

from pylibsrtp import Policy, Session
from pylibsrtp import _binding as _srtp

TRAILER = 16 + 4  # bytes that protecting adds at most: a GCM tag, and SRTCP's index
WINDOW = 256  # packets that a retransmission or a reordering may lie behind

_lib: Any = _srtp.lib
_ffi: Any = _srtp.ffi
_protect, _unprotect = _lib.srtp_protect, _lib.srtp_unprotect
_protect_rtcp, _unprotect_rtcp = _lib.srtp_protect_rtcp, _lib.srtp_unprotect_rtcp


@dataclass(frozen=True)
class Profile:
    """A DTLS-SRTP protection profile. ``name`` is OpenSSL's; sizes in bytes."""

    name: bytes
    number: int
    key: int
    salt: int


# In the order in which the node, being the DTLS server, prefers them.
PROFILES = (
    Profile(b"SRTP_AEAD_AES_128_GCM", Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    Profile(b"SRTP_AES128_CM_SHA1_80", Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
)


class Srtp:
    """Both directions of one connection. ``material`` is DTLS's exporter output (RFC 5764, 4.2) of
    ``2 * (key + salt)`` bytes. Pointers are C pointers to writable memory with ``TRAILER`` bytes to spare."""

    def __init__(self, profile: Profile, material: bytes, is_server: bool) -> None:
        keys = [material[: profile.key], material[profile.key : 2 * profile.key]]
        rest = material[2 * profile.key :]
        salts = [rest[: profile.salt], rest[profile.salt : 2 * profile.salt]]
        client, server = keys[0] + salts[0], keys[1] + salts[1]
        mine, theirs = (server, client) if is_server else (client, server)
        self._sending = _session(profile, mine, Policy.SSRC_ANY_OUTBOUND)
        self._receiving = _session(profile, theirs, Policy.SSRC_ANY_INBOUND)
        self._out, self._in = self._sending._srtp[0], self._receiving._srtp[0]
        self._size = _ffi.new("int *")

    def protect(self, pointer: Any, size: int) -> int:
        """The protected packet's size, in place; 0 when libsrtp refuses (a resend from before its window)."""
        length = self._size
        length[0] = size
        return 0 if _protect(self._out, pointer, length) else length[0]

    def unprotect(self, pointer: Any, size: int) -> int:
        """The plain packet's size, in place; 0 when it does not verify or was here before."""
        length = self._size
        length[0] = size
        return 0 if _unprotect(self._in, pointer, length) else length[0]

    def protect_rtcp(self, pointer: Any, size: int) -> int:
        length = self._size
        length[0] = size
        return 0 if _protect_rtcp(self._out, pointer, length) else length[0]

    def unprotect_rtcp(self, pointer: Any, size: int) -> int:
        length = self._size
        length[0] = size
        return 0 if _unprotect_rtcp(self._in, pointer, length) else length[0]


def _session(profile: Profile, key: bytes, ssrcs: int) -> Session:
    policy = Policy(key=key, ssrc_type=ssrcs, srtp_profile=profile.number)
    policy.window_size = WINDOW
    # A sound packet that the viewer missed is sent again bit by bit as it was: the same bytes under the same
    # index give nothing away.
    policy.allow_repeat_tx = True
    return Session(policy)
