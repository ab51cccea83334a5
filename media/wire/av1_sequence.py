"""AV1's sequence header (AV1 specification, 5.5), as far as a file must tell it. Pure."""

from typing import NamedTuple

from media.wire.bits import Bits

_SRGB = (1, 13, 0)  # colour primaries, transfer characteristics, matrix coefficients
_UNSPECIFIED = (2, 2, 2)


class Sequence(NamedTuple):
    width: int
    height: int
    av1c: bytes  # the four bytes that begin an AV1CodecConfigurationRecord (AV1 in ISO-BMFF, 2.3.3)


def parse(body: bytes) -> Sequence:
    """``body`` is the OBU without header and size. Raises Malformed."""
    bits = Bits(body[:512])
    profile = bits.read(3)
    bits.flag()  # still_picture
    reduced = bits.flag()
    level, tier = (bits.read(5), 0) if reduced else _operating_points(bits)
    wide, high = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(wide) + 1, bits.read(high) + 1
    if not reduced and bits.flag():
        bits.read(7)  # lengths of frame ids
    bits.read(3)
    if not reduced:
        _tools(bits)
    bits.read(3)  # superres, cdef, restoration
    colour = _colour(bits, profile)
    return Sequence(width, height, bytes([0x81, profile << 5 | level, tier << 7 | colour, 0]))


def _operating_points(bits: Bits) -> tuple[int, int]:
    """Level and tier of the first."""
    delay_bits = 0
    if bits.flag():  # timing_info
        bits.read(64)
        if bits.flag():
            bits.exp_golomb()
        if bits.flag():  # decoder_model_info
            delay_bits = bits.read(5) + 1
            bits.read(32 + 5 + 5)
    display_delay = bits.flag()
    points = []
    for _ in range(bits.read(5) + 1):
        bits.read(12)
        level = bits.read(5)
        points.append((level, bits.read(1) if level > 7 else 0))
        if delay_bits and bits.flag():
            bits.read(2 * delay_bits + 1)
        if display_delay and bits.flag():
            bits.read(4)
    return points[0]


def _tools(bits: Bits) -> None:
    bits.read(4)
    order_hint = bits.flag()
    if order_hint:
        bits.read(2)
    screen_content = bits.flag() or bits.flag()  # chosen per frame, else forced or not
    if screen_content and not bits.flag():
        bits.read(1)
    if order_hint:
        bits.read(3)


def _colour(bits: Bits, profile: int) -> int:
    """The third byte of av1C but for the tier (5.5.2)."""
    high = bits.flag()
    twelve = profile == 2 and high and bits.flag()
    mono = profile != 1 and bits.flag()
    described = tuple(bits.read(8) for _ in range(3)) if bits.flag() else _UNSPECIFIED
    across = down = position = 0
    if mono:
        across = down = 1
    elif described != _SRGB:
        bits.flag()  # range
        if profile == 0:
            across = down = 1
        elif profile == 2:
            across = bits.read(1) if twelve else 1
            down = bits.read(1) if twelve and across else 0
        position = bits.read(2) if across and down else 0
    return high << 6 | twelve << 5 | mono << 4 | across << 3 | down << 2 | position
