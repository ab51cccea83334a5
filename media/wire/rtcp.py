"""RTCP on the wire (RFC 3550, 6; RFC 4585; RFC 5104; RFC 5506), as far as the node speaks it. Pure.

``parse`` raises Malformed and nothing else, whatever the bytes are; a compound is understood whole or not
at all. What one datagram can hold bounds the work: a NACK of 1,500 bytes names some 6,000 packets, so
who answers one keeps a bound of their own.
"""

from collections.abc import Iterable, Iterator, Sequence
from struct import Struct, error, pack, unpack_from
from typing import NamedTuple

from media.wire.rtp import SEQ_MOD, TS_MOD, Malformed

NTP_EPOCH = 2_208_988_800  # 1900 -> 1970, seconds
MAX_NACK_PAIRS = 256  # in one message that the node builds; each names up to 17 packets
_MAX_BLOCKS = 31

_HEAD = Struct("!BBH")
_SR, _RR, _BYE, _RTPFB, _PSFB = 200, 201, 203, 205, 206
_NACK, _TRANSPORT_CC = 1, 15
_PLI, _FIR, _APPLICATION = 1, 4, 15


class SenderReport(NamedTuple):
    """RFC 3550, 6.4.1."""

    ssrc: int
    ntp: float  # seconds since 1900 on the sender's clock
    timestamp: int  # as on the wire
    packets: int
    octets: int
    middle: int  # the middle 32 bits of the NTP time: ``last_report`` of a Reception that answers


class Reception(NamedTuple):
    """A report block: how an SSRC is received (RFC 3550, 6.4.1). Read and written."""

    ssrc: int
    fraction_lost: float  # of what was expected since the report before
    lost: int  # may be negative: duplicates count as received
    highest: int  # extended sequence number; 32 bits of it are on the wire
    jitter: int  # in the clock of the stream
    last_report: int  # middle 32 bits of the last sender report's NTP time; 0 when there was none
    delay: float  # since then, seconds


class Nack(NamedTuple):
    """RFC 4585, 6.2.1."""

    ssrc: int
    lost: tuple[int, ...]  # as on the wire, in the order asked for; may name one twice


class KeyFrameRequest(NamedTuple):
    """PLI (RFC 4585, 6.3.1) or FIR (RFC 5104, 4.3.1)."""

    ssrc: int


class Remb(NamedTuple):
    """draft-alvestrand-rmcat-remb-03: the bit/s that the other end thinks these SSRCs may take together."""

    bitrate: int
    ssrcs: tuple[int, ...]


class TransportFeedback(NamedTuple):
    """What follows the two SSRCs of draft-holmer-rmcat-transport-wide-cc-extensions-01, unread.

    ``body`` lies in the packet that was parsed."""

    body: memoryview


class Bye(NamedTuple):
    ssrcs: tuple[int, ...]


Rtcp = SenderReport | Reception | Nack | KeyFrameRequest | Remb | TransportFeedback | Bye


# --- in ----------------------------------------------------------------------------------------


def parse(packet: memoryview, size: int) -> list[Rtcp]:
    """What the node acts on; other packets of the compound (SDES, XR, APP) are passed over.

    Raises Malformed.
    """
    found: list[Rtcp] = []
    at = 0
    while at < size:
        if size < at + 4:
            raise Malformed("rtcp header")
        flags, kind, words = _HEAD.unpack_from(packet, at)
        body, at = at + 4, at + 4 + 4 * words
        if flags >> 6 != 2 or at > size:
            raise Malformed("rtcp length")
        end = at - _padding(packet, body, at) if flags & 32 else at
        try:
            found += _parse_one(flags & 31, kind, packet[body:end])
        except error:
            raise Malformed(f"rtcp packet of type {kind}") from None
    return found


def _padding(packet: memoryview, body: int, end: int) -> int:
    padding = packet[end - 1] if end > body else 0
    if not 0 < padding <= end - body:
        raise Malformed("rtcp padding")
    return padding


def _parse_one(count: int, kind: int, body: memoryview) -> Iterator[Rtcp]:
    """Raises struct.error when the body is too short for what it is."""
    if kind == _SR:
        ssrc, seconds, fraction, timestamp, packets, octets = unpack_from("!6L", body)
        middle = (seconds & 0xFFFF) << 16 | fraction >> 16
        yield SenderReport(ssrc, seconds + fraction / TS_MOD, timestamp, packets, octets, middle)
        yield from _report_blocks(body[24:], count)
    elif kind == _RR:
        yield from _report_blocks(body[4:], count)
    elif kind == _BYE:
        yield Bye(unpack_from(f"!{count}L", body))
    elif kind == _RTPFB and count == _NACK:
        yield Nack(unpack_from("!4xL", body)[0], tuple(_nacked(body[8:])))
    elif kind == _RTPFB and count == _TRANSPORT_CC:
        unpack_from("!LL", body)
        yield TransportFeedback(body[8:])
    elif kind == _PSFB and count == _PLI:
        yield KeyFrameRequest(unpack_from("!4xL", body)[0])
    elif kind == _PSFB and count == _FIR:
        for at in range(8, len(body) - 7, 8):
            yield KeyFrameRequest(unpack_from("!L", body, at)[0])
    elif kind == _PSFB and count == _APPLICATION and bytes(body[8:12]) == b"REMB":
        yield _remb(body[12:])


def _report_blocks(body: memoryview, count: int) -> Iterator[Reception]:
    for at in range(0, 24 * count, 24):
        ssrc, loss, highest, jitter, last_report, delay = unpack_from("!6L", body, at)
        lost = loss & 0xFFFFFF
        lost -= (lost & 0x800000) << 1
        yield Reception(ssrc, (loss >> 24) / 256, lost, highest, jitter, last_report, delay / 65536)


def _nacked(body: memoryview) -> Iterator[int]:
    for at in range(0, len(body) - 3, 4):
        first, mask = unpack_from("!HH", body, at)
        yield first
        while mask:
            lowest = mask & -mask
            yield (first + lowest.bit_length()) % SEQ_MOD
            mask ^= lowest


def _remb(body: memoryview) -> Remb:
    (word,) = unpack_from("!L", body)
    count, exponent, mantissa = word >> 24, word >> 18 & 63, word & 0x3FFFF
    return Remb(mantissa << exponent, unpack_from(f"!{count}L", body, 4))


# --- out ---------------------------------------------------------------------------------------


def _rtcp(count: int, kind: int, body: bytes) -> bytes:
    return pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def build_sender_report(
    ssrc: int, ntp: float, timestamp: int, packets: int, octets: int, blocks: Sequence[Reception] = ()
) -> bytes:
    """``ntp`` in seconds since 1900; whole numbers are wrapped here. At most 31 blocks are taken."""
    seconds = int(ntp)
    numbers = (seconds, int((ntp - seconds) * TS_MOD), timestamp, packets, octets)
    body = pack("!6L", ssrc, *(number % TS_MOD for number in numbers))
    return _rtcp(min(len(blocks), _MAX_BLOCKS), _SR, body + _pack_blocks(blocks))


def build_receiver_report(ssrc: int, blocks: Sequence[Reception]) -> bytes:
    """At most 31 blocks are taken."""
    return _rtcp(min(len(blocks), _MAX_BLOCKS), _RR, pack("!L", ssrc) + _pack_blocks(blocks))


def _pack_blocks(blocks: Sequence[Reception]) -> bytes:
    """Counts are clamped to what their fields hold."""
    body = b""
    for b in blocks[:_MAX_BLOCKS]:
        lost = max(-(1 << 23), min(b.lost, (1 << 23) - 1)) & 0xFFFFFF
        fraction = max(0, min(255, int(b.fraction_lost * 256)))
        delay = max(0, min(int(b.delay * 65536), TS_MOD - 1))
        loss, highest, jitter = fraction << 24 | lost, b.highest % TS_MOD, b.jitter % TS_MOD
        body += pack("!6L", b.ssrc, loss, highest, jitter, b.last_report, delay)
    return body


def build_nack(sender: int, media: int, lost: Iterable[int]) -> bytes:
    """``lost`` in ascending order as extended numbers. What does not fit ``MAX_NACK_PAIRS`` is left out."""
    pairs: list[tuple[int, int]] = []
    first, mask = None, 0
    for seq in lost:
        if first is not None and seq - first <= 16:
            mask |= 1 << seq - first >> 1
            continue
        if first is not None:
            pairs.append((first, mask))
        first, mask = seq, 0
    if first is not None:
        pairs.append((first, mask))
    body = b"".join(pack("!HH", seq % SEQ_MOD, mask) for seq, mask in pairs[:MAX_NACK_PAIRS])
    return _rtcp(_NACK, _RTPFB, pack("!LL", sender, media) + body)


def build_pli(sender: int, media: int) -> bytes:
    return _rtcp(_PLI, _PSFB, pack("!LL", sender, media))


def build_remb(sender: int, bitrate: int, ssrcs: Sequence[int]) -> bytes:
    """``bitrate`` in bit/s, rounded down to 18 significant bits; at most 255 SSRCs are taken."""
    exponent = max(0, bitrate.bit_length() - 18)
    ssrcs = ssrcs[:255]
    word = len(ssrcs) << 24 | exponent << 18 | bitrate >> exponent
    body = pack("!LL4sL", sender, 0, b"REMB", word) + pack(f"!{len(ssrcs)}L", *ssrcs)
    return _rtcp(_APPLICATION, _PSFB, body)


def build_transport_feedback(sender: int, media: int, body: bytes) -> bytes:
    """``body`` is a multiple of 4 bytes long."""
    return _rtcp(_TRANSPORT_CC, _RTPFB, pack("!LL", sender, media) + body)
