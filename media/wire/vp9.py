"""VP9 in RTP (RFC 9628). Pure.

As every codec here: ``starts_key_frame(payload)`` for the packet path, ``Depacketizer`` for the recorder
(see ``frame.py``).
"""

from typing import NamedTuple

from media.wire.rtp import Malformed

_I, _P, _L, _F, _B, _E, _V = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02


class Descriptor(NamedTuple):
    """RFC 9628, 4.2."""

    size: int  # bytes of the descriptor
    predicted: bool  # by an earlier picture
    starts: bool  # a layer's frame
    ends: bool  # a layer's frame
    spatial: int  # layer, 0 when it does not say


def starts_key_frame(payload: bytes) -> bool:
    """Whether this packet is the first of a key frame; False for what is no VP9."""
    if not payload or payload[0] & (_P | _B) != _B:
        return False
    try:
        descriptor = parse_descriptor(payload)
    except Malformed:
        return False
    return descriptor.spatial == 0 and is_key_frame(payload, descriptor.size)


def parse_descriptor(payload: bytes) -> Descriptor:
    """Raises Malformed, also when nothing follows the descriptor."""
    try:
        first = payload[0]
        at, spatial = 1, 0
        if first & _I:
            at += 2 if payload[at] & 0x80 else 1
        if first & _L:
            spatial = payload[at] >> 1 & 7
            at += 1 if first & _F else 2  # without flexible mode TL0PICIDX follows
        if first & _F and first & _P:
            differences = 1
            while payload[at] & 1 and differences < 3:
                at += 1
                differences += 1
            at += 1
        if first & _V:
            at += _structure_size(payload, at)
    except IndexError:
        raise Malformed("short") from None
    if at >= len(payload):
        raise Malformed("no picture data")
    return Descriptor(at, first & _P > 0, first & _B > 0, first & _E > 0, spatial)


def _structure_size(payload: bytes, start: int) -> int:
    """Of the scalability structure (4.2.1). Raises IndexError."""
    head = payload[start]
    at = start + 1
    if head & 0x10:
        at += 4 * ((head >> 5) + 1)
    if head & 0x08:
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (payload[at] >> 2 & 3)
    return at - start


def is_key_frame(frame: bytes, at: int = 0) -> bool:
    """The head of the frame at ``at`` (VP9 bitstream specification, 6.2): marker 2, no frame shown again,
    frame_type 0. Profile 3, which has one bit more, is not offered."""
    return len(frame) > at and frame[at] & 0b1100_1100 == 0b1000_0000
