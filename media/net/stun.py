"""STUN messages as ICE uses them (RFC 8489; RFC 8445, 16). Pure bytes: no socket, no clock, no randomness.

Whatever the bytes, the only thing raised here is ``Malformed``; ``local_ufrag``, which every stranger can
make the node call, raises nothing and looks at a handful of attributes.
"""

import hmac
import socket
from binascii import crc32
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from struct import Struct

from media.net.batch import Address

COOKIE = 0x2112A442
MAX_ATTRIBUTES = 32  # a browser's check has about eight
_FIRST_ATTRIBUTES = 8  # among which a check has its USERNAME
_HEADER = Struct(">HHI12s")
_ATTRIBUTE = Struct(">HH")
_FINGERPRINT_XOR = 0x5354554E
_INTEGRITY_BYTES, _FINGERPRINT_BYTES = 20, 4  # of the values, HMAC-SHA1 and CRC-32


class Malformed(ValueError):
    """Not a STUN message, or one that contradicts itself."""


class Kind(IntEnum):
    """Message types of the one method that ICE uses, Binding."""

    REQUEST = 0x0001
    INDICATION = 0x0011
    SUCCESS = 0x0101
    ERROR = 0x0111


class Attribute(IntEnum):
    USERNAME = 0x0006
    MESSAGE_INTEGRITY = 0x0008
    ERROR_CODE = 0x0009
    UNKNOWN_ATTRIBUTES = 0x000A
    MESSAGE_INTEGRITY_SHA256 = 0x001C
    XOR_MAPPED_ADDRESS = 0x0020
    PRIORITY = 0x0024
    USE_CANDIDATE = 0x0025
    FINGERPRINT = 0x8028
    ICE_CONTROLLED = 0x8029
    ICE_CONTROLLING = 0x802A


_KINDS = {int(kind): kind for kind in Kind}
_KNOWN = frozenset(int(attribute) for attribute in Attribute)
_SIZES = {  # of values whose size is fixed
    Attribute.MESSAGE_INTEGRITY: _INTEGRITY_BYTES,
    Attribute.PRIORITY: 4,
    Attribute.USE_CANDIDATE: 0,
    Attribute.FINGERPRINT: _FINGERPRINT_BYTES,
    Attribute.ICE_CONTROLLED: 8,
    Attribute.ICE_CONTROLLING: 8,
}


@dataclass(frozen=True)
class Message:
    """``attributes`` holds the first of each type; what follows MESSAGE-INTEGRITY is not in it, as nobody
    vouches for it. ``covered`` is what MESSAGE-INTEGRITY is computed over; None when there is none."""

    kind: Kind
    transaction: bytes
    attributes: dict[int, bytes]
    covered: bytes | None

    def is_authentic(self, password: bytes) -> bool:
        """Does MESSAGE-INTEGRITY verify with this short-term credential (RFC 8489, 14.5)?"""
        if self.covered is None:
            return False
        expected = hmac.digest(password, self.covered, "sha1")
        return hmac.compare_digest(expected, self.attributes[Attribute.MESSAGE_INTEGRITY])

    @property
    def unknown(self) -> tuple[int, ...]:
        """The comprehension-required attributes that nobody here comprehends."""
        return tuple(name for name in self.attributes if name < 0x8000 and name not in _KNOWN)

    @property
    def error(self) -> int | None:
        """The code of an error response (RFC 8489, 14.8)."""
        value = self.attributes.get(Attribute.ERROR_CODE, b"")
        return (value[2] & 7) * 100 + value[3] if len(value) >= 4 else None

    @property
    def mapped_address(self) -> Address | None:
        """XOR-MAPPED-ADDRESS (RFC 8489, 14.2)."""
        value = self.attributes.get(Attribute.XOR_MAPPED_ADDRESS, b"")
        if len(value) not in (8, 20) or value[1] != (1 if len(value) == 8 else 2):
            return None
        plain = _xor(value[2:4], _COOKIE) + _xor(value[4:], _COOKIE + self.transaction)
        if len(value) == 8:
            return Address(_AF_INET + plain + bytes(8))
        return Address(_AF_INET6 + plain[:2] + bytes(4) + plain[2:] + bytes(4))


def local_ufrag(data: bytes | memoryview) -> bytes | None:
    """Whom a request is for: the first half of USERNAME, which is the receiver's (RFC 8445, 7.2.2). None when
    it is no request or names nobody. Nothing is verified yet."""
    size = len(data)
    if size < _HEADER.size:
        return None
    kind, _, cookie, _ = _HEADER.unpack_from(data)
    if kind != Kind.REQUEST or cookie != COOKIE:
        return None
    at = _HEADER.size
    for _ in range(_FIRST_ATTRIBUTES):
        if at + 4 > size:
            break
        name, length = _ATTRIBUTE.unpack_from(data, at)
        if name == Attribute.USERNAME:
            ours, colon, _ = bytes(data[at + 4 : at + 4 + length]).partition(b":")
            return ours if colon else None
        at += 4 + (length + 3 & ~3)
    return None


def parse(data: bytes) -> Message:
    """Raises Malformed."""
    if len(data) < _HEADER.size or len(data) % 4:
        raise Malformed("size")
    number, length, cookie, transaction = _HEADER.unpack_from(data)
    kind = _KINDS.get(number)
    if kind is None or cookie != COOKIE or length != len(data) - _HEADER.size:
        raise Malformed("header")
    attributes, covered = _attributes(data)
    return Message(kind, transaction, attributes, covered)


def _attributes(data: bytes) -> tuple[dict[int, bytes], bytes | None]:
    attributes: dict[int, bytes] = {}
    covered: bytes | None = None
    at = _HEADER.size
    for _ in range(MAX_ATTRIBUTES + 1):
        if at == len(data):
            return attributes, covered
        name, length = _ATTRIBUTE.unpack_from(data, at)
        end = at + 4 + length
        if end > len(data) or _SIZES.get(name, length) != length:
            raise Malformed("attribute")
        if name == Attribute.FINGERPRINT:
            if end != len(data) or data[at + 4 :] != _fingerprint(data[:at]):
                raise Malformed("fingerprint")
        elif covered is None:
            if name == Attribute.MESSAGE_INTEGRITY:
                covered = _with_length(data[:at], end - _HEADER.size)
            attributes.setdefault(name, data[at + 4 : end])
        at = end + (-length & 3)
    raise Malformed("attributes without end")


def build(
    kind: Kind,
    transaction: bytes,
    attributes: Iterable[tuple[Attribute, bytes]] = (),
    password: bytes | None = None,
) -> bytes:
    """A message with FINGERPRINT, and with MESSAGE-INTEGRITY when there is a password."""
    body = b"".join(_encoded(name, value) for name, value in attributes)
    message = _HEADER.pack(kind, len(body), COOKIE, transaction) + body
    if password is not None:
        message = _with_length(message, len(body) + 4 + _INTEGRITY_BYTES)
        message += _encoded(Attribute.MESSAGE_INTEGRITY, hmac.digest(password, message, "sha1"))
    message = _with_length(message, len(message) - _HEADER.size + 4 + _FINGERPRINT_BYTES)
    return message + _encoded(Attribute.FINGERPRINT, _fingerprint(message))


def xor_mapped_address(address: Address, transaction: bytes) -> tuple[Attribute, bytes]:
    """The attribute that tells somebody which address he was seen at."""
    is_v4 = len(address) == 16
    host = address[4:8] if is_v4 else address[8:24]
    value = _xor(address[2:4], _COOKIE) + _xor(host, _COOKIE + transaction)
    return Attribute.XOR_MAPPED_ADDRESS, (b"\0\1" if is_v4 else b"\0\2") + value


def error_code(code: int, reason: str) -> tuple[Attribute, bytes]:
    return Attribute.ERROR_CODE, bytes((0, 0, code // 100, code % 100)) + reason.encode()


def unknown_attributes(names: Iterable[int]) -> tuple[Attribute, bytes]:
    return Attribute.UNKNOWN_ATTRIBUTES, b"".join(name.to_bytes(2, "big") for name in names)


_COOKIE = COOKIE.to_bytes(4, "big")
_AF_INET = Struct("=H").pack(socket.AF_INET)
_AF_INET6 = Struct("=H").pack(socket.AF_INET6)


def _encoded(name: Attribute, value: bytes) -> bytes:
    return _ATTRIBUTE.pack(name, len(value)) + value + bytes(-len(value) & 3)


def _with_length(message: bytes, length: int) -> bytes:
    """The header's length field counts up to and including the attribute that is being computed."""
    return message[:2] + length.to_bytes(2, "big") + message[4:]


def _fingerprint(message: bytes) -> bytes:
    """Of a message whose length field counts the FINGERPRINT that will follow."""
    return (crc32(message) ^ _FINGERPRINT_XOR).to_bytes(4, "big")


def _xor(value: bytes, mask: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(value, mask, strict=False))
