"""VP8 in RTP (RFC 7741): the payload descriptor, key frames, and frames put together again. Pure."""

from typing import NamedTuple


class MalformedVp8(ValueError):
    pass


class Descriptor(NamedTuple):
    size: int  # bytes of the descriptor
    starts_frame: bool  # S set and PID 0


def parse_descriptor(payload: bytes) -> Descriptor:
    """RFC 7741, 4.2. Raises MalformedVp8."""
    if not payload:
        raise MalformedVp8("empty")
    first = payload[0]
    size = 1
    if first & 0x80:
        size = 2
        if len(payload) < 2:
            raise MalformedVp8("extension")
        extension = payload[1]
        if extension & 0x80:
            if len(payload) < 3:
                raise MalformedVp8("picture id")
            size += 2 if payload[2] & 0x80 else 1
        size += 1 if extension & 0x40 else 0
        size += 1 if extension & 0x30 else 0
    if len(payload) <= size:
        raise MalformedVp8("no picture data")
    return Descriptor(size, bool(first & 0x10) and first & 7 == 0)


def starts_key_frame(payload: bytes) -> bool:
    """Whether this packet is the first of a key frame."""
    try:
        descriptor = parse_descriptor(payload)
    except MalformedVp8:
        return False
    return descriptor.starts_frame and not payload[descriptor.size] & 1


def is_key_frame(frame: bytes) -> bool:
    """RFC 6386, 9.1: the P bit is 0, the start code follows."""
    return len(frame) >= 10 and not frame[0] & 1 and frame[3:6] == b"\x9d\x01\x2a"


def picture_size(key_frame: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    width = int.from_bytes(key_frame[6:8], "little") & 0x3FFF
    height = int.from_bytes(key_frame[8:10], "little") & 0x3FFF
    return width, height
