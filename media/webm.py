"""A WebM file of Opus and VP8, as bytes to be written (RFC 9559, RFC 8794, the WebM guidelines).

Sans I/O: ``Muxer`` says what to write where. The file is playable at any moment: clusters of about one
second with unknown size until they are closed, no index. ``finish`` adds what makes it seekable.
docs/recording-format.md draws the layout. Times are milliseconds (the file's timestamp scale).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from struct import pack
from typing import NamedTuple

AUDIO, VIDEO = 1, 2  # track numbers
CLUSTER_MS = 1000
OPUS_PRE_SKIP = 312  # samples: libopus' look-ahead at 48 kHz
SEEK_PRE_ROLL_NS = 80_000_000  # what an Opus decoder needs before it is right (RFC 7845, 4.6)

EBML, SEGMENT, VOID = 0x1A45DFA3, 0x18538067, 0xEC
SEEK_HEAD, SEEK, SEEK_ID, SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
INFO, TIMESTAMP_SCALE, DURATION, DATE_UTC, MUXING_APP, WRITING_APP = (
    0x1549A966,
    0x2AD7B1,
    0x4489,
    0x4461,
    0x4D80,
    0x5741,
)
TRACKS, CLUSTER, CLUSTER_TIMESTAMP, SIMPLE_BLOCK = 0x1654AE6B, 0x1F43B675, 0xE7, 0xA3
CUES, CUE_POINT, CUE_TIME, CUE_TRACK_POSITIONS, CUE_TRACK, CUE_CLUSTER_POSITION = (
    0x1C53BB6B,
    0xBB,
    0xB3,
    0xB7,
    0xF7,
    0xF1,
)
TRACK_ENTRY, VIDEO_SETTINGS, PIXEL_WIDTH, PIXEL_HEIGHT = 0xAE, 0xE0, 0xB0, 0xBA

UNKNOWN_SIZE = b"\x01" + b"\xff" * 7
SEEK_HEAD_ROOM = 96  # bytes kept free for it
_EPOCH_2001 = 978_307_200  # Unix time of Matroska's date zero


class Write(NamedTuple):
    offset: int
    data: bytes


@dataclass(frozen=True)
class Layout:
    """Where the patchable places of a file are. Absolute byte offsets."""

    segment_data: int  # positions in SeekHead and Cues count from here
    seek_head: int
    duration: int
    info: int
    tracks: int
    width: int | None  # of the two-byte values; None without a video track
    height: int | None


class Cue(NamedTuple):
    time: int
    track: int
    cluster: int  # absolute offset


@dataclass
class Index:
    """What the sealing of a file needs to know of it."""

    layout: Layout
    size: int  # bytes so far
    cues: list[Cue] = field(default_factory=list)
    end: int = 0  # ms: where the last frame ends
    cluster: int | None = None  # offset of the cluster that is still open


# --- EBML --------------------------------------------------------------------------------------


def element_id(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def size_8(size: int) -> bytes:
    """A size in eight bytes, so that it can be patched."""
    return (size | 1 << 56).to_bytes(8, "big")


def _size(size: int) -> bytes:
    length = 1
    while size >= (1 << 7 * length) - 1:
        length += 1
    return (size | 1 << 7 * length).to_bytes(length, "big")


def element(number: int, payload: bytes) -> bytes:
    return element_id(number) + _size(len(payload)) + payload


def _uint(number: int, value: int, width: int | None = None) -> bytes:
    return element(number, value.to_bytes(width or max(1, (value.bit_length() + 7) // 8), "big"))


def void(total: int) -> bytes:
    """An element of exactly ``total`` bytes (2 to 127) that says nothing."""
    return bytes([VOID, 0x80 | (total - 2)]) + bytes(total - 2)


# --- the head ----------------------------------------------------------------------------------


def head(audio: bool, video: bool, started_at: float) -> tuple[bytes, Layout]:
    """Everything before the first cluster. ``started_at`` is Unix seconds of timestamp 0."""
    out = element(
        EBML,
        _uint(0x4286, 1)  # EBMLVersion
        + _uint(0x42F7, 1)  # EBMLReadVersion
        + _uint(0x42F2, 4)  # EBMLMaxIDLength
        + _uint(0x42F3, 8)  # EBMLMaxSizeLength
        + element(0x4282, b"webm")  # DocType
        + _uint(0x4287, 4)  # DocTypeVersion
        + _uint(0x4285, 2),  # DocTypeReadVersion
    )
    out += element_id(SEGMENT) + UNKNOWN_SIZE
    segment_data = seek_head = len(out)
    out += void(SEEK_HEAD_ROOM)
    info = len(out)
    date = pack("!q", int((started_at - _EPOCH_2001) * 1e9))
    before = _uint(TIMESTAMP_SCALE, 1_000_000) + element(DATE_UTC, date)
    after = element(MUXING_APP, b"bangban") + element(WRITING_APP, b"bangban")
    out += element(INFO, before + void(11) + after)
    duration = len(out) - len(after) - 11
    tracks = len(out)
    out += element(TRACKS, (_audio_track() if audio else b"") + (_video_track() if video else b""))
    # The video track comes last and ends in its two patchable numbers.
    width, height = (len(out) - 6, len(out) - 2) if video else (None, None)
    return out, Layout(segment_data, seek_head, duration, info, tracks, width, height)


def _track(number: int, kind: int, codec: bytes, rest: bytes) -> bytes:
    common = _uint(0xD7, number) + _uint(0x73C5, number) + _uint(0x83, kind) + _uint(0x9C, 0)
    return element(TRACK_ENTRY, common + element(0x86, codec) + rest)


def _audio_track() -> bytes:
    private = b"OpusHead" + pack("<BBHLhB", 1, 2, OPUS_PRE_SKIP, 48_000, 0, 0)  # RFC 7845, 5.1
    settings = element(0xB5, pack("!d", 48_000.0)) + _uint(0x9F, 2)
    delay = OPUS_PRE_SKIP * 1_000_000_000 // 48_000
    rest = element(0x63A2, private) + _uint(0x56AA, delay) + _uint(0x56BB, SEEK_PRE_ROLL_NS)
    return _track(AUDIO, 2, b"A_OPUS", rest + element(0xE1, settings))


def _video_track() -> bytes:
    size = _uint(PIXEL_WIDTH, 640, 2) + _uint(PIXEL_HEIGHT, 480, 2)
    return _track(VIDEO, 1, b"V_VP8", element(VIDEO_SETTINGS, size))


# --- frames ------------------------------------------------------------------------------------


class Muxer:
    """Frames in, writes out (``take``). Per track, times must not go back."""

    def __init__(self, audio: bool, video: bool, started_at: float) -> None:
        data, layout = head(audio, video, started_at)
        self.index = Index(layout, len(data))
        self.sized = False
        self._video = video
        self._out = bytearray(data)  # appended since the last take
        self._out_at = 0
        self._patches: list[Write] = []
        self._cluster_time = 0
        self._cued = -CLUSTER_MS * 10

    def frame(self, track: int, time: int, data: bytes, key: bool, duration: int) -> None:
        """``duration`` in ms only serves to know where the file ends."""
        index = self.index
        relative = time - self._cluster_time
        starts = track == VIDEO and key
        if index.cluster is None or starts or relative >= CLUSTER_MS or relative < -32_000:
            self._open_cluster(time)
            relative = 0
        if starts or (not self._video and time - self._cued >= 5 * CLUSTER_MS):
            assert index.cluster is not None
            index.cues.append(Cue(time, track, index.cluster))
            self._cued = time
        flags = 0x80 if key else 0
        self._append(element(SIMPLE_BLOCK, pack("!BhB", 0x80 | track, relative, flags) + data))
        index.end = max(index.end, time + duration)

    def picture_size(self, width: int, height: int) -> None:
        """What the track's head says; VP8 key frames carry it too, so later changes stay playable."""
        layout = self.index.layout
        if layout.width is not None and layout.height is not None:
            self._patches.append(Write(layout.width, pack("!H", width)))
            self._patches.append(Write(layout.height, pack("!H", height)))
        self.sized = True

    def _open_cluster(self, time: int) -> None:
        if self.index.cluster is not None:
            self._patches.append(close_cluster(self.index.cluster, self.index.size))
        self.index.cluster = self.index.size
        self._cluster_time = max(time, 0)
        self._append(element_id(CLUSTER) + UNKNOWN_SIZE + _uint(CLUSTER_TIMESTAMP, self._cluster_time, 4))

    def _append(self, data: bytes) -> None:
        self._out += data
        self.index.size += len(data)

    def take(self) -> list[Write]:
        """What came since the last call, appended bytes first."""
        writes = [Write(self._out_at, bytes(self._out))] if self._out else []
        self._out_at += len(self._out)
        self._out.clear()
        writes += self._patches
        self._patches = []
        return writes

    def finish(self) -> list[Write]:
        return self.take() + finish(self.index)


def close_cluster(cluster: int, end: int) -> Write:
    return Write(cluster + 4, size_8(end - cluster - 12))


def finish(index: Index) -> list[Write]:
    """Close the last cluster, add the cues, and fill in what the head left open."""
    layout = index.layout
    writes = []
    if index.cluster is not None:
        writes.append(close_cluster(index.cluster, index.size))
    positions = {INFO: layout.info, TRACKS: layout.tracks}
    end = index.size
    if index.cues:
        data = element(CUES, b"".join(_cue_point(cue, layout) for cue in index.cues))
        writes.append(Write(end, data))
        positions[CUES] = end
        end += len(data)
    writes.append(Write(layout.seek_head, _seek_head(positions, layout.segment_data)))
    writes.append(Write(layout.duration, element(DURATION, pack("!d", float(index.end)))))
    writes.append(Write(layout.segment_data - 8, size_8(end - layout.segment_data)))
    return writes


def _cue_point(cue: Cue, layout: Layout) -> bytes:
    where = _uint(CUE_TRACK, cue.track) + _uint(CUE_CLUSTER_POSITION, cue.cluster - layout.segment_data)
    return element(CUE_POINT, _uint(CUE_TIME, cue.time) + element(CUE_TRACK_POSITIONS, where))


def _seek_head(positions: dict[int, int], segment_data: int) -> bytes:
    seeks = b"".join(
        element(SEEK, element(SEEK_ID, element_id(number)) + _uint(SEEK_POSITION, at - segment_data, 8))
        for number, at in positions.items()
    )
    data = element(SEEK_HEAD, seeks)
    return data + void(SEEK_HEAD_ROOM - len(data))


def apply(data: bytearray, writes: Sequence[Write]) -> None:
    """The writes, carried out in memory."""
    for offset, piece in writes:
        if offset > len(data):
            data.extend(bytes(offset - len(data)))
        data[offset : offset + len(piece)] = piece
