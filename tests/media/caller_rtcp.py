"""RTCP as a caller reads and writes it (RFC 3550, 4585, 5104; transport-wide feedback). Pure.

Not the node's, so that each tests the other.
"""

from collections.abc import Iterator, Sequence
from struct import pack, unpack_from
from typing import NamedTuple

NTP_EPOCH = 2_208_988_800  # 1900 -> 1970, seconds
SR, RR, RTPFB, PSFB = 200, 201, 205, 206
NACK, TRANSPORT_CC = 1, 15  # of RTPFB
PLI, FIR, AFB = 1, 4, 15  # of PSFB
_TICK_S = 0.00025
_REFERENCE_TICKS = 256  # 64 ms


class Part(NamedTuple):
    """One packet of a compound. ``body`` begins behind the header of four bytes."""

    kind: int
    format: int  # or how many blocks it has
    body: bytes


def parts(data: bytes) -> Iterator[Part]:
    at = 0
    while at + 4 <= len(data):
        flags, kind, words = unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        yield Part(kind, flags & 31, data[at + 4 : end])
        at = end


def nacked(body: bytes) -> Iterator[int]:
    for at in range(8, len(body) - 3, 4):
        first, mask = unpack_from("!HH", body, at)
        yield first
        for bit in range(16):
            if mask >> bit & 1:
                yield (first + bit + 1) & 0xFFFF


def requested(part: Part) -> Iterator[int]:
    """SSRCs of which a key frame is asked for."""
    if part.format == PLI and len(part.body) >= 8:
        yield unpack_from("!L", part.body, 4)[0]
    elif part.format == FIR:
        for at in range(8, len(part.body) - 7, 8):
            yield unpack_from("!L", part.body, at)[0]


def remb(body: bytes) -> int | None:
    """bit/s of a receiver's limit (draft-alvestrand-rmcat-remb)."""
    if body[8:12] != b"REMB" or len(body) < 16:
        return None
    word = unpack_from("!L", body, 12)[0] & 0xFFFFFF
    return int((word & 0x3FFFF) << (word >> 18))


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


class Block(NamedTuple):
    """A report block; ``delay`` is seconds since the sender report."""

    ssrc: int
    lost: int
    highest: int
    last_report: int
    delay: float


def _blocks(blocks: Sequence[Block]) -> bytes:
    return b"".join(
        pack(
            "!LLLLLL",
            block.ssrc,
            min(block.lost, 0x7FFFFF),
            block.highest & 0xFFFFFFFF,
            0,
            block.last_report,
            int(block.delay * 65536) & 0xFFFFFFFF if block.last_report else 0,
        )
        for block in blocks
    )


def sender_report(
    ssrc: int, now: float, timestamp: int, packets: int, octets: int, blocks: Sequence[Block]
) -> bytes:
    seconds = int(now)
    ntp = (seconds + NTP_EPOCH, int((now - seconds) * (1 << 32)))
    head = pack("!LLLLLL", ssrc, *ntp, timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    return _packet(SR, len(blocks), head + _blocks(blocks))


def receiver_report(ssrc: int, blocks: Sequence[Block]) -> bytes:
    return _packet(RR, len(blocks), pack("!L", ssrc) + _blocks(blocks))


def nack(sender: int, media: int, lost: Sequence[int]) -> bytes:
    body = pack("!LL", sender, media)
    for number in lost:
        body += pack("!HH", number & 0xFFFF, 0)
    return _packet(RTPFB, NACK, body)


def pli(sender: int, media: int) -> bytes:
    return _packet(PSFB, PLI, pack("!LL", sender, media))


def transport_feedback(
    sender: int, media: int, numbers: Sequence[int], times: Sequence[float], count: int
) -> bytes:
    """Of extended numbers in ascending order, within one message's reach, and when each came (seconds)."""
    first = numbers[0]
    reference = int(times[0] / _TICK_S) // _REFERENCE_TICKS
    at = reference * _REFERENCE_TICKS
    symbols = [0] * (numbers[-1] - first + 1)
    deltas = bytearray()
    for number, time in zip(numbers, times, strict=True):
        delta = max(-32768, min(32767, int(time / _TICK_S) - at))
        at += delta
        if 0 <= delta <= 255:
            symbols[number - first] = 1
            deltas.append(delta)
        else:
            symbols[number - first] = 2
            deltas += pack("!h", delta)
    total = len(symbols)
    symbols += [0] * (-total % 7)
    chunks = bytearray()
    for i in range(0, len(symbols), 7):
        a, b, c, d, e, f, g = symbols[i : i + 7]
        vector = 0xC000 | a << 12 | b << 10 | c << 8 | d << 6 | e << 4 | f << 2 | g
        chunks += vector.to_bytes(2, "big")
    body = pack("!LLHH", sender, media, first & 0xFFFF, total)
    body += (reference & 0xFFFFFF).to_bytes(3, "big") + bytes([count & 255]) + chunks + deltas
    return _packet(RTPFB, TRANSPORT_CC, body + bytes(-len(body) % 4))
