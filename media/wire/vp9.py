"""VP9 in RTP (RFC 9628). Pure.

As every codec here: ``starts_key_frame(payload)`` for the packet path, ``Depacketizer`` for the recorder
(see ``frame.py``).
"""

from typing import NamedTuple

from media.wire import frame
from media.wire.bits import Bits
from media.wire.rtp import Malformed

_I, _P, _L, _F, _B, _E, _V = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02
_SYNC, _RGB = 0x498342, 7
_MAX_LAYERS = 8  # that a superframe holds


class Descriptor(NamedTuple):
    """RFC 9628, 4.2."""

    size: int  # bytes of the descriptor
    predicted: bool  # by an earlier picture
    starts: bool  # a layer's frame
    ends: bool  # a layer's frame
    spatial: int  # layer, 0 when it does not say
    picture: tuple[int, int] = (0, 0)  # width and height of the highest layer, when it says


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
        at, spatial, picture = 1, 0, (0, 0)
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
            at, picture = _structure(payload, at)
    except IndexError:
        raise Malformed("short") from None
    if at >= len(payload):
        raise Malformed("no picture data")
    return Descriptor(at, first & _P > 0, first & _B > 0, first & _E > 0, spatial, picture)


def _structure(payload: bytes, at: int) -> tuple[int, tuple[int, int]]:
    """Where the scalability structure (4.2.1) ends, and the size of the highest layer. Raises IndexError."""
    head = payload[at]
    at += 1
    picture = (0, 0)
    if head & 0x10:
        at += 4 * ((head >> 5) + 1)
        picture = (payload[at - 4] << 8 | payload[at - 3], payload[at - 2] << 8 | payload[at - 1])
    if head & 0x08:
        pictures = payload[at]
        at += 1
        for _ in range(pictures):
            at += 1 + (payload[at] >> 2 & 3)
    return at, picture


def is_key_frame(picture: bytes, at: int = 0) -> bool:
    """The head of the picture at ``at`` (VP9 bitstream specification, 6.2): marker 2, no frame shown again,
    frame_type 0. Profile 3, which has one bit more, is not offered."""
    return len(picture) > at and picture[at] & 0b1100_1100 == 0b1000_0000


def picture_size(key_frame: bytes) -> tuple[int, int]:
    """Width and height in pixels (6.2, 6.2.2 and 6.2.3). Raises Malformed."""
    bits = Bits(key_frame[:16])
    profile = bits.read(4) & 3
    profile = profile >> 1 | (profile & 1) << 1
    bits.read(4)
    if bits.read(24) != _SYNC:
        raise Malformed("no sync code")
    bits.read(1 if profile >= 2 else 0)  # bit depth
    if bits.read(3) != _RGB:
        bits.read(1 if profile in (0, 2) else 4)  # range; subsampling
    elif profile in (1, 3):
        bits.read(1)
    return bits.read(16) + 1, bits.read(16) + 1


class Depacketizer(frame.Depacketizer):
    """Layers' frames of one picture become one superframe. Its size is what the sender says of the highest
    layer; of a single one, what the frame says."""

    def __init__(self) -> None:
        super().__init__()
        self._layers: list[int] = []  # sizes of the layers' frames that are whole
        self._open = False  # a layer's frame was begun
        self._picture = (0, 0)

    def reset(self) -> None:
        super().reset()
        self._layers, self._open, self._picture = [], False, (0, 0)

    def _starts_key_frame(self, payload: bytes) -> bool:
        return starts_key_frame(payload)

    def _take(self, payload: bytes) -> None:
        descriptor = parse_descriptor(payload)
        if descriptor.starts == self._open:
            raise Malformed("a layer's frame begins inside another, or not at its beginning")
        self._add(payload[descriptor.size :])
        self._open = not descriptor.ends
        self._picture = max(self._picture, descriptor.picture)
        if descriptor.ends:
            self._layers.append(self._bytes - sum(self._layers))
        if len(self._layers) > _MAX_LAYERS:
            raise Malformed("too many layers")

    def _complete(self) -> frame.Frame:
        if self._open:
            raise Malformed("a picture ends inside a layer's frame")
        data = b"".join(self._pieces)
        if len(self._layers) > 1:
            data += _superframe_index(self._layers)
        if not is_key_frame(data):
            return frame.Frame(data, False)
        size = picture_size(data)
        return frame.Frame(data, True, max(self._picture, size) if len(self._layers) > 1 else size)


def _superframe_index(sizes: list[int]) -> bytes:
    """VP9 bitstream specification, annex B.2."""
    marker = bytes([0b1101_1000 | len(sizes) - 1])  # four bytes a size
    return marker + b"".join(size.to_bytes(4, "little") for size in sizes) + marker
