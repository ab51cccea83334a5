"""RTP and RTCP on the wire (RFC 3550, 4585, 4588, 5104, 8285), as far as the node speaks it. Pure.

Parsers raise Malformed and nothing else, whatever the bytes are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from struct import Struct, pack, unpack_from
from typing import NamedTuple

from media.sdp import EXT_MID, EXT_TRANSPORT_CC

SEQ_MOD = 1 << 16
TS_MOD = 1 << 32
NTP_EPOCH = 2_208_988_800  # 1900 -> 1970, seconds

_HEADER = Struct("!BBHLL")
_SR, _RR, _BYE, _RTPFB, _PSFB = 200, 201, 203, 205, 206
_NACK, _TRANSPORT_CC = 1, 15
_PLI, _FIR = 1, 4


class Malformed(ValueError):
    """Bytes that are not RTP or RTCP."""


class Rtp(NamedTuple):
    """One RTP packet without its CSRCs and padding."""

    payload_type: int
    marker: bool
    seq: int
    timestamp: int
    ssrc: int
    payload: bytes
    mid: str | None
    transport_seq: int | None


def parse_rtp(data: bytes) -> Rtp:
    if len(data) < 12:
        raise Malformed("short")
    flags, kind, seq, timestamp, ssrc = _HEADER.unpack_from(data)
    if flags >> 6 != 2:
        raise Malformed("version")
    start = 12 + 4 * (flags & 15)
    mid = transport_seq = None
    if flags & 16:
        if len(data) < start + 4:
            raise Malformed("extension")
        profile, words = unpack_from("!HH", data, start)
        end = start + 4 + 4 * words
        if len(data) < end:
            raise Malformed("extension")
        if profile == 0xBEDE:
            mid, transport_seq = _one_byte_extensions(data, start + 4, end)
        start = end
    stop = len(data)
    if flags & 32 and stop > start:
        stop -= data[-1]
    if stop < start:
        raise Malformed("length")
    return Rtp(kind & 127, kind > 127, seq, timestamp, ssrc, data[start:stop], mid, transport_seq)


def _one_byte_extensions(data: bytes, at: int, end: int) -> tuple[str | None, int | None]:
    """The MID and the transport-wide sequence number (RFC 8285, 4.2)."""
    mid: str | None = None
    transport_seq: int | None = None
    while at < end:
        head = data[at]
        if head == 0:
            at += 1
            continue
        number, size = head >> 4, (head & 15) + 1
        at += 1
        if number == 15 or at + size > end:
            break
        if number == EXT_TRANSPORT_CC and size >= 2:
            transport_seq = data[at] << 8 | data[at + 1]
        elif number == EXT_MID:
            mid = data[at : at + size].decode("ascii", "replace")
        at += size
    return mid, transport_seq


def build_rtp(payload_type: int, marker: bool, seq: int, timestamp: int, ssrc: int, payload: bytes) -> bytes:
    """Without extensions: the SSRCs that the node sends are signalled, so it needs no MID."""
    return _HEADER.pack(0x80, payload_type | (marker << 7), seq, timestamp, ssrc) + payload


def extend(seq: int, near: int, modulus: int = SEQ_MOD) -> int:
    """The integer congruent to ``seq`` that is nearest to ``near``: undoes wrapping."""
    half = modulus >> 1
    return near + ((seq - near + half) % modulus) - half


# --- RTCP in -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class SenderReport:
    ssrc: int
    ntp: float  # seconds since 1900 on the sender's clock
    timestamp: int


@dataclass(frozen=True)
class ReportBlock:
    """RFC 3550, 6.4.1; what a viewer says of one SSRC that we send."""

    ssrc: int
    fraction_lost: float
    jitter: int


@dataclass(frozen=True)
class Nack:
    ssrc: int
    lost: tuple[int, ...]


@dataclass(frozen=True)
class KeyFrameRequest:
    """PLI (RFC 4585, 6.3.1) or FIR (RFC 5104, 4.3.1)."""

    ssrc: int


@dataclass(frozen=True)
class Bye:
    ssrcs: tuple[int, ...]


Rtcp = SenderReport | ReportBlock | Nack | KeyFrameRequest | Bye


def parse_rtcp(data: bytes) -> Iterator[Rtcp]:
    """What the node acts on; other packets of the compound are passed over. Raises Malformed."""
    at = 0
    while at < len(data):
        if len(data) < at + 4:
            raise Malformed("rtcp header")
        flags, kind, words = unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        if flags >> 6 != 2 or end > len(data):
            raise Malformed("rtcp length")
        yield from _parse_one(flags & 31, kind, data[at + 4 : end])
        at = end


def _parse_one(count: int, kind: int, body: bytes) -> Iterator[Rtcp]:
    if kind == _SR and len(body) >= 24:
        ssrc, seconds, fraction, timestamp = unpack_from("!LLLL", body)
        yield SenderReport(ssrc, seconds + fraction / (1 << 32), timestamp)
        yield from _report_blocks(body[24:], count)
    elif kind == _RR and len(body) >= 4:
        yield from _report_blocks(body[4:], count)
    elif kind == _RTPFB and count == _NACK and len(body) >= 12:
        yield Nack(unpack_from("!L", body, 4)[0], tuple(_nacked(body[8:])))
    elif kind == _PSFB and count == _PLI and len(body) >= 8:
        yield KeyFrameRequest(unpack_from("!L", body, 4)[0])
    elif kind == _PSFB and count == _FIR:
        for at in range(8, len(body) - 7, 8):
            yield KeyFrameRequest(unpack_from("!L", body, at)[0])
    elif kind == _BYE and len(body) >= 4 * count:
        yield Bye(unpack_from(f"!{count}L", body))


def _report_blocks(body: bytes, count: int) -> Iterator[ReportBlock]:
    for at in range(0, min(24 * count, len(body) - 23), 24):
        ssrc, fraction = unpack_from("!LB", body, at)
        yield ReportBlock(ssrc, fraction / 256, unpack_from("!L", body, at + 12)[0])


def _nacked(body: bytes) -> Iterator[int]:
    for at in range(0, len(body) - 3, 4):
        first, mask = unpack_from("!HH", body, at)
        yield first
        for bit in range(16):
            if mask >> bit & 1:
                yield (first + bit + 1) % SEQ_MOD


# --- RTCP out ----------------------------------------------------------------------------------


def _rtcp(count: int, kind: int, body: bytes) -> bytes:
    return pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def build_sender_report(ssrc: int, ntp: float, timestamp: int, packets: int, octets: int) -> bytes:
    seconds = int(ntp)
    fraction = int((ntp - seconds) * (1 << 32))
    body = pack("!LLLLLL", ssrc, seconds, fraction, timestamp, packets % TS_MOD, octets % TS_MOD)
    return _rtcp(0, _SR, body)


class Reception(NamedTuple):
    """What a receiver report says of one SSRC (RFC 3550, 6.4.2)."""

    ssrc: int
    fraction_lost: float
    lost: int
    highest: int  # extended sequence number
    jitter: int  # in the clock of the stream
    last_report: int  # middle 32 bits of the last sender report's NTP time; 0 when there was none
    delay: float  # since then, seconds


def build_receiver_report(ssrc: int, blocks: Sequence[Reception]) -> bytes:
    body = pack("!L", ssrc)
    for b in blocks[:31]:
        lost = max(-(1 << 23), min(b.lost, (1 << 23) - 1)) & 0xFFFFFF
        fraction = max(0, min(255, int(b.fraction_lost * 256)))
        body += pack(
            "!LLLLLL",
            b.ssrc,
            fraction << 24 | lost,
            b.highest % TS_MOD,
            b.jitter % TS_MOD,
            b.last_report,
            min(int(b.delay * 65536), TS_MOD - 1),
        )
    return _rtcp(min(len(blocks), 31), _RR, body)


def build_nack(sender: int, media: int, lost: Iterable[int]) -> bytes:
    """``lost`` in ascending order as extended numbers (RFC 4585, 6.2.1)."""
    body = pack("!LL", sender, media)
    first: int | None = None
    mask = 0
    for seq in lost:
        if first is not None and seq - first <= 16:
            mask |= 1 << (seq - first - 1)
            continue
        if first is not None:
            body += pack("!HH", first % SEQ_MOD, mask)
        first, mask = seq, 0
    if first is not None:
        body += pack("!HH", first % SEQ_MOD, mask)
    return _rtcp(_NACK, _RTPFB, body)


def build_pli(sender: int, media: int) -> bytes:
    return _rtcp(_PLI, _PSFB, pack("!LL", sender, media))


def build_transport_feedback(sender: int, media: int, body: bytes) -> bytes:
    return _rtcp(_TRANSPORT_CC, _RTPFB, pack("!LL", sender, media) + body)
