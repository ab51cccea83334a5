"""RTP on the wire (RFC 3550, 5.1) with one-byte header extensions (RFC 8285, 4.2). Pure.

A packet is read and written in place: ``view`` is memory that begins with the packet and may be longer,
``size`` is how much of it is the packet. Parsers raise Malformed and nothing else, whatever the bytes are.

Every packet of a call passes here twice, so a header is a plain tuple of integers, and the packet that
browsers send nearly always (no CSRC, no padding, a transport-wide sequence number and no other extension)
is known by two comparisons.
"""

from struct import Struct

EXT_MID, EXT_TRANSPORT_CC = 1, 3  # extension ids, fixed by the node's offer
HEADER_BYTES = 20  # of what ``write`` writes
SEQ_MOD = 1 << 16
TS_MOD = 1 << 32

Header = tuple[int, int, int, int, int, int, int, int, int]
"""payload type; marker, 0 or 1; sequence number; timestamp; SSRC; where the payload starts and stops;
transport-wide sequence number, -1 when there is none; where the MID extension is, 0 when there is none.

The numbers are as on the wire. The payload is without padding and may be empty."""

_FIXED = Struct("!HHLL").unpack_from
_WITH_EXTENSION = Struct("!HHLLLL")
_unpack = _WITH_EXTENSION.unpack_from
_ONE_BYTE = 0xBEDE  # profile of a one-byte extension block
_TRANSPORT_CC = EXT_TRANSPORT_CC << 4 | 1  # the head of an element of two bytes

# A header whose only extension is the transport-wide sequence number is written by
#   write(view, 0, PLAIN | marker << 7 | payload type, seq, timestamp, ssrc, ONE_WORD, ELEMENT | number << 8)
# with numbers as on the wire: wrapped. Bare, as every packet to every viewer would pay for a call.
write = _WITH_EXTENSION.pack_into
PLAIN = 0x9000  # version 2, an extension
PADDED = 0xB000  # likewise, with padding
ONE_WORD = _ONE_BYTE << 16 | 1
ELEMENT = _TRANSPORT_CC << 24


class Malformed(ValueError):
    """Bytes that are not what they are said to be."""


def parse(view: memoryview, size: int) -> Header:
    """Raises Malformed."""
    if size >= HEADER_BYTES:
        first, seq, timestamp, ssrc, block, word = _unpack(view)
        if block == ONE_WORD and word >> 24 == _TRANSPORT_CC and first >> 8 == 0x90:
            return first & 127, first >> 7 & 1, seq, timestamp, ssrc, 20, size, word >> 8 & 0xFFFF, 0
    return _parse_any(view, size)


def _parse_any(view: memoryview, size: int) -> Header:
    if size < 12:
        raise Malformed("short")
    first, seq, timestamp, ssrc = _FIXED(view)
    if first >> 14 != 2:
        raise Malformed("version")
    start, stop = 12 + 4 * (first >> 8 & 15), size
    transport_seq, mid_at = -1, 0
    if first & 0x1000:
        at = start + 4
        if at > size:
            raise Malformed("extension")
        start = at + 4 * (view[at - 2] << 8 | view[at - 1])
        if start > size:
            raise Malformed("extension")
        if view[at - 4] << 8 | view[at - 3] == _ONE_BYTE:
            transport_seq, mid_at = _extensions(view, at, start)
    if first & 0x2000 and stop > start:
        stop -= view[size - 1]
    if stop < start:
        raise Malformed("length")
    return first & 127, first >> 7 & 1, seq, timestamp, ssrc, start, stop, transport_seq, mid_at


def _extensions(view: memoryview, at: int, end: int) -> tuple[int, int]:
    transport_seq, mid_at = -1, 0
    while at < end:
        head = view[at]
        if head == 0:  # padding between elements
            at += 1
            continue
        following = at + 2 + (head & 15)
        if head >= 0xF0 or following > end:
            break
        if head == _TRANSPORT_CC:
            transport_seq = view[at + 1] << 8 | view[at + 2]
        elif head >> 4 == EXT_MID:
            mid_at = at
        at = following
    return transport_seq, mid_at


def mid(view: memoryview, mid_at: int) -> str:
    """The MID (RFC 8843, 15) of a packet whose header says ``mid_at``; bytes beyond ASCII are replaced."""
    return bytes(view[mid_at + 1 : mid_at + 2 + (view[mid_at] & 15)]).decode("ascii", "replace")


def extend(seq: int, near: int, modulus: int = SEQ_MOD) -> int:
    """The integer congruent to ``seq`` that is nearest to ``near``: undoes wrapping. May be negative."""
    half = modulus >> 1
    return near + ((seq - near + half) % modulus) - half
