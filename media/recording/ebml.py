"""EBML, the elements of a Matroska file (RFC 8794, RFC 9559): their numbers, writing and reading. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

EBML, SEGMENT, VOID = 0x1A45DFA3, 0x18538067, 0xEC
DOC_TYPE = 0x4282
SEEK_HEAD, SEEK, SEEK_ID, SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
INFO, TIMESTAMP_SCALE, DURATION, DATE_UTC = 0x1549A966, 0x2AD7B1, 0x4489, 0x4461
MUXING_APP, WRITING_APP = 0x4D80, 0x5741
TRACKS, TRACK_ENTRY, TRACK_NUMBER, TRACK_UID, TRACK_TYPE = 0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x83
FLAG_LACING, CODEC_ID, CODEC_PRIVATE, CODEC_DELAY, SEEK_PRE_ROLL = 0x9C, 0x86, 0x63A2, 0x56AA, 0x56BB
AUDIO_SETTINGS, SAMPLING_FREQUENCY, CHANNELS = 0xE1, 0xB5, 0x9F
VIDEO_SETTINGS, PIXEL_WIDTH, PIXEL_HEIGHT = 0xE0, 0xB0, 0xBA
CLUSTER, CLUSTER_TIMESTAMP, SIMPLE_BLOCK = 0x1F43B675, 0xE7, 0xA3
CUES, CUE_POINT, CUE_TIME = 0x1C53BB6B, 0xBB, 0xB3
CUE_TRACK_POSITIONS, CUE_TRACK, CUE_CLUSTER_POSITION = 0xB7, 0xF7, 0xF1

UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
_UNKNOWN = (1 << 56) - 1


def element_id(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def size_8(size: int) -> bytes:
    """A size in eight bytes, so that it can be filled in later."""
    return (size | 1 << 56).to_bytes(8, "big")


def _size(size: int) -> bytes:
    length = 1
    while size >= (1 << 7 * length) - 1:
        length += 1
    return (size | 1 << 7 * length).to_bytes(length, "big")


def element(number: int, payload: bytes) -> bytes:
    return element_id(number) + _size(len(payload)) + payload


def uint(number: int, value: int, width: int | None = None) -> bytes:
    return element(number, value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big"))


def void(total: int) -> bytes:
    """An element of exactly ``total`` bytes that says nothing: 2 to 127, or at least 9."""
    if total < 128:
        return bytes([VOID, 0x80 | (total - 2)]) + bytes(total - 2)
    return bytes([VOID]) + size_8(total - 9) + bytes(total - 9)


@dataclass(frozen=True)
class Element:
    number: int
    at: int
    data: int  # where its payload starts
    size: int | None  # of the payload; None: unknown

    @property
    def end(self) -> int:
        """Only of an element whose size is known."""
        assert self.size is not None
        return self.data + self.size


def element_at(data: bytes, at: int) -> Element | None:
    """The element whose head is there; None when the head is torn or is none."""
    head = data[at : at + 12]
    if not head or not head[0]:
        return None
    id_size = 9 - head[0].bit_length()
    if id_size > 4 or len(head) <= id_size or not head[id_size]:
        return None
    size_size = 9 - head[id_size].bit_length()
    if len(head) < id_size + size_size:
        return None
    number = int.from_bytes(head[:id_size], "big")
    size = int.from_bytes(head[id_size : id_size + size_size], "big") & ((1 << 7 * size_size) - 1)
    unknown = size_size == 8 and size == _UNKNOWN
    return Element(number, at, at + id_size + size_size, None if unknown else size)


def children(data: bytes, start: int, end: int) -> Iterator[Element]:
    """The whole elements in a range, up to the first that is torn or of unknown size."""
    while start < end:
        found = element_at(data, start)
        if found is None or found.size is None or found.end > end:
            return
        yield found
        start = found.end
