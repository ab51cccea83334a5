"""VP8 in RTP (RFC 7741) and the head of its pictures (RFC 6386, 9.1). Pure.

As every codec here: ``starts_key_frame(payload)`` for the packet path, ``Depacketizer`` for the recorder
(see ``frame.py``).
"""

from media.wire import frame
from media.wire.rtp import Malformed


def starts_key_frame(payload: bytes) -> bool:
    """Whether this packet is the first of a key frame; False for what is no VP8."""
    try:
        first = payload[0]
        if first & 0x17 != 0x10:  # S set and PID 0: a picture begins
            return False
        if first < 0x80:
            return not payload[1] & 1
        extension = payload[1]
        size = 2
        if extension & 0x80:
            size = 4 if payload[2] & 0x80 else 3
        if extension & 0x40:
            size += 1
        if extension & 0x30:
            size += 1
        return not payload[size] & 1
    except IndexError:
        return False


def descriptor_size(payload: bytes) -> int:
    """Bytes of the payload descriptor (RFC 7741, 4.2). Raises Malformed, also when nothing follows it."""
    size = 1
    if payload and payload[0] & 0x80:
        extension = payload[1] if len(payload) > 1 else 0
        size = 2
        if extension & 0x80:
            size += 2 if len(payload) > 2 and payload[2] & 0x80 else 1
        size += (extension & 0x40 > 0) + (extension & 0x30 > 0)
    if len(payload) <= size:
        raise Malformed("no picture data")
    return size


def is_key_frame(picture: bytes) -> bool:
    """The P bit is 0 and the start code follows."""
    return len(picture) >= 10 and not picture[0] & 1 and picture[3:6] == b"\x9d\x01\x2a"


def picture_size(key_frame: bytes) -> tuple[int, int]:
    """Width and height in pixels, without the scaling that they ask a player for."""
    width = int.from_bytes(key_frame[6:8], "little") & 0x3FFF
    height = int.from_bytes(key_frame[8:10], "little") & 0x3FFF
    return width, height


class Depacketizer(frame.Depacketizer):
    def _starts_key_frame(self, payload: bytes) -> bool:
        return starts_key_frame(payload)

    def _take(self, payload: bytes) -> None:
        size = descriptor_size(payload)
        if (payload[0] & 0x17 == 0x10) == bool(self._pieces):
            raise Malformed("a picture begins inside another, or not at its beginning")
        self._add(payload[size:])

    def _complete(self) -> frame.Frame:
        data = b"".join(self._pieces)
        if is_key_frame(data):
            return frame.Frame(data, True, picture_size(data))
        return frame.Frame(data, False)
