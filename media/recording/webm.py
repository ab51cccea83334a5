"""A Matroska file of Opus and one video codec, as bytes to be written (RFC 9559, the WebM guidelines).

Sans I/O. ``Muxer`` collects frames and gives out whole clusters of known size, so that nothing that was
written is touched again but the head: at any moment the file is a playable prefix. ``finish`` fills in the
head and adds what makes the file seekable. docs/recording-format.md draws the layout. Times are
milliseconds (the file's timestamp scale).
"""

from dataclasses import dataclass, field
from struct import Struct, pack
from typing import NamedTuple

from media.recording import ebml
from media.recording.ebml import element, element_id, size_8, uint, void

AUDIO, VIDEO = 1, 2  # track numbers
CLUSTER_MS = 1000
CUE_MS = 5000  # how far apart cues are in a file of sound, until pictures come
NEVER = 1 << 62
PICTURE_MS = 33  # what the last picture of a file is taken to last
OPUS_PRE_SKIP = 312  # samples: libopus' look-ahead at 48 kHz
SEEK_PRE_ROLL_NS = 80_000_000  # what an Opus decoder needs before it is right (RFC 7845, 4.6)
WEBM, MATROSKA = "webm", "matroska"

SEEK_HEAD_ROOM = 96  # bytes kept free for it
DURATION_ROOM = 11
TRACKS_ROOM = 1024
_MAX_PRIVATE = 700  # bytes of CodecPrivate that fit there
_EPOCH_2001 = 978_307_200  # Unix time of Matroska's date zero

# Id, size, track, time within the cluster, flags. The size of a picture takes four bytes, of sound two.
_PICTURE = Struct("!BIBhB").pack
_SOUND = Struct("!BHBhB").pack
_BLOCK = ebml.SIMPLE_BLOCK
_PICTURE_TRACK, _SOUND_TRACK = 0x80 | VIDEO, 0x80 | AUDIO
_CLUSTER_HEAD = Struct("!LQBBL").pack  # id, size in eight bytes; Timestamp: id, size, value
MAX_PICTURE = 4 << 20  # bytes; a larger frame is not one
MAX_SOUND = 8192


class Write(NamedTuple):
    offset: int
    data: bytes


@dataclass(frozen=True)
class VideoFormat:
    """What a file's head says of its pictures."""

    codec: str  # CodecID
    width: int
    height: int
    private: bytes = b""  # CodecPrivate

    @property
    def doc_type(self) -> str:
        return doc_type_of(self.codec)


def doc_type_of(codec: str) -> str:
    """What a file with such pictures calls itself: WebM knows the free codecs only."""
    return WEBM if codec in ("V_VP8", "V_VP9", "V_AV1") else MATROSKA


class Layout(NamedTuple):
    """Where the parts of the head are that are filled in later. Absolute byte offsets."""

    segment_data: int  # positions in SeekHead and Cues count from here
    seek_head: int
    info: int
    duration: int
    tracks: int

    @property
    def end(self) -> int:
        return self.tracks + TRACKS_ROOM


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


# --- the head ----------------------------------------------------------------------------------


def head(doc_type: str, audio: bool, video: VideoFormat | None, started_at: float) -> tuple[bytes, Layout]:
    """Everything before the first cluster. ``started_at`` is Unix seconds of timestamp 0."""
    out = element(
        ebml.EBML,
        uint(0x4286, 1)  # EBMLVersion
        + uint(0x42F7, 1)  # EBMLReadVersion
        + uint(0x42F2, 4)  # EBMLMaxIDLength
        + uint(0x42F3, 8)  # EBMLMaxSizeLength
        + element(ebml.DOC_TYPE, doc_type.encode())
        + uint(0x4287, 4)  # DocTypeVersion
        + uint(0x4285, 2),  # DocTypeReadVersion
    )
    out += element_id(ebml.SEGMENT) + ebml.UNKNOWN_SIZE
    segment_data = len(out)
    out += void(SEEK_HEAD_ROOM)
    info = len(out)
    date = pack("!q", int((started_at - _EPOCH_2001) * 1e9))
    before = uint(ebml.TIMESTAMP_SCALE, 1_000_000) + element(ebml.DATE_UTC, date)
    after = element(ebml.MUXING_APP, b"bangban") + element(ebml.WRITING_APP, b"bangban")
    out += element(ebml.INFO, before + void(DURATION_ROOM) + after)
    layout = Layout(segment_data, segment_data, info, len(out) - len(after) - DURATION_ROOM, len(out))
    return out + tracks(audio, video), layout


def tracks(audio: bool, video: VideoFormat | None) -> bytes:
    """Tracks and what is left free behind it, ``TRACKS_ROOM`` bytes: the pictures may come later."""
    entries = (_audio_track() if audio else b"") + (_video_track(video) if video is not None else b"")
    data = element(ebml.TRACKS, entries)
    return data + void(TRACKS_ROOM - len(data))


def _track(number: int, kind: int, codec: str, rest: bytes) -> bytes:
    common = uint(ebml.TRACK_NUMBER, number) + uint(ebml.TRACK_UID, number)
    common += uint(ebml.TRACK_TYPE, kind) + uint(ebml.FLAG_LACING, 0)
    return element(ebml.TRACK_ENTRY, common + element(ebml.CODEC_ID, codec.encode()) + rest)


def _audio_track() -> bytes:
    private = b"OpusHead" + pack("<BBHLhB", 1, 2, OPUS_PRE_SKIP, 48_000, 0, 0)  # RFC 7845, 5.1
    settings = element(ebml.SAMPLING_FREQUENCY, pack("!d", 48_000.0)) + uint(ebml.CHANNELS, 2)
    delay = OPUS_PRE_SKIP * 1_000_000_000 // 48_000
    rest = element(ebml.CODEC_PRIVATE, private) + uint(ebml.CODEC_DELAY, delay)
    rest += uint(ebml.SEEK_PRE_ROLL, SEEK_PRE_ROLL_NS) + element(ebml.AUDIO_SETTINGS, settings)
    return _track(AUDIO, 2, "A_OPUS", rest)


def _video_track(video: VideoFormat) -> bytes:
    private = element(ebml.CODEC_PRIVATE, video.private) if 0 < len(video.private) <= _MAX_PRIVATE else b""
    size = uint(ebml.PIXEL_WIDTH, video.width, 2) + uint(ebml.PIXEL_HEIGHT, video.height, 2)
    return _track(VIDEO, 1, video.codec, private + element(ebml.VIDEO_SETTINGS, size))


# --- frames ------------------------------------------------------------------------------------


class Muxer:
    """Frames in, writes out (``take``). Per track, times must not go back.

    The head is made when the first bytes are taken: until then it is open what the pictures will be.
    """

    def __init__(self, audio: bool, started_at: float) -> None:
        self.video: VideoFormat | None = None
        self.doc_type = WEBM  # may be changed until the head is made
        self.end = 0  # ms: where the last frame ends
        self.pending = 0  # bytes of frames that are not taken yet
        self.index: Index | None = None  # once the head is made
        self._audio = audio
        self._started_at = started_at
        self._tracks_due = False
        self._blocks: list[bytes] = []  # of the open cluster: heads and payloads in turn
        self._closed: list[tuple[list[bytes], int]] = []  # clusters, and their times
        self._cues: list[tuple[int, int, int]] = []  # time, track, number of a cluster not taken yet
        self._time = 0  # of the open cluster
        self._cued = -CUE_MS

    def picture_format(self, video: VideoFormat) -> None:
        """Of the first picture, before it. Later pictures of other sizes carry theirs themselves."""
        self.video = video
        self._tracks_due = True
        if self.index is None and self.doc_type == WEBM:
            self.doc_type = video.doc_type

    def picture(self, time: int, data: bytes, key: bool) -> None:
        relative = time - self._time
        if key or not self._blocks or not -30_000 < relative < CLUSTER_MS:
            self._open_cluster(time)
            relative = 0
            if key:
                self._cues.append((time, VIDEO, len(self._closed)))
                self._cued = NEVER
        size = len(data)
        self._blocks += (
            _PICTURE(_BLOCK, 0x10000004 + size, _PICTURE_TRACK, relative, 0x80 if key else 0),
            data,
        )
        self.pending += size
        if time + PICTURE_MS > self.end:
            self.end = time + PICTURE_MS

    def sound(self, time: int, data: bytes, duration: int) -> None:
        relative = time - self._time
        if not self._blocks or not -30_000 < relative < CLUSTER_MS:
            self._open_cluster(time)
            relative = 0
            if time - self._cued >= CUE_MS:
                self._cues.append((time, AUDIO, len(self._closed)))
                self._cued = time
        size = len(data)
        self._blocks += (_SOUND(_BLOCK, 0x4004 + size, _SOUND_TRACK, relative, 0x80), data)
        self.pending += size + 8
        if time + duration > self.end:
            self.end = time + duration

    def _open_cluster(self, time: int) -> None:
        if self._blocks:
            self._closed.append((self._blocks, self._time))
            self._blocks = []
        self._time = max(time, 0)

    def take(self) -> list[Write]:
        """What came since the last call: whole clusters. First what a reader needs to understand them."""
        self._open_cluster(self._time)
        index, pieces, writes = self.index, list[bytes](), list[Write]()
        if index is None:
            first, layout = head(self.doc_type, self._audio, self.video, self._started_at)
            index = self.index = Index(layout, 0)
            pieces.append(first)
        elif self._tracks_due:
            writes.append(Write(index.layout.tracks, tracks(self._audio, self.video)))
        self._tracks_due = False
        offset, at, starts = index.size, index.size + sum(map(len, pieces)), []
        for blocks, time in self._closed:
            data = b"".join(blocks)
            starts.append(at)
            pieces += (cluster_head(time, len(data)), data)
            at += CLUSTER_HEAD_BYTES + len(data)
        index.cues += [Cue(time, track, starts[number]) for time, track, number in self._cues]
        index.size, index.end = at, self.end
        self._closed, self._cues, self.pending = [], [], 0
        if pieces:
            writes.append(Write(offset, b"".join(pieces)))
        return writes


CLUSTER_HEAD_BYTES = 18


def cluster_head(time: int, size: int) -> bytes:
    """Of a cluster with ``size`` bytes of blocks."""
    return _CLUSTER_HEAD(ebml.CLUSTER, (size + 6) | 1 << 56, ebml.CLUSTER_TIMESTAMP, 0x84, time)


# --- sealing -----------------------------------------------------------------------------------


def finish(index: Index, cues: bool = True) -> list[Write]:
    """Add the cues and fill in what the head left open; the segment's size last. A disk that is full has
    no room for cues."""
    layout = index.layout
    writes = []
    positions = {ebml.INFO: layout.info, ebml.TRACKS: layout.tracks}
    end = index.size
    if cues and index.cues:
        data = element(ebml.CUES, b"".join(_cue_point(cue, layout) for cue in index.cues))
        writes.append(Write(end, data))
        positions[ebml.CUES] = end
        end += len(data)
    writes.append(Write(layout.seek_head, _seek_head(positions, layout.segment_data)))
    writes.append(Write(layout.duration, element(ebml.DURATION, pack("!d", float(index.end)))))
    writes.append(Write(layout.segment_data - 8, size_8(end - layout.segment_data)))
    return writes


def _cue_point(cue: Cue, layout: Layout) -> bytes:
    where = uint(ebml.CUE_TRACK, cue.track)
    where += uint(ebml.CUE_CLUSTER_POSITION, cue.cluster - layout.segment_data)
    return element(ebml.CUE_POINT, uint(ebml.CUE_TIME, cue.time) + element(ebml.CUE_TRACK_POSITIONS, where))


def _seek_head(positions: dict[int, int], segment_data: int) -> bytes:
    seeks = b"".join(
        element(
            ebml.SEEK,
            element(ebml.SEEK_ID, element_id(number)) + uint(ebml.SEEK_POSITION, at - segment_data, 8),
        )
        for number, at in positions.items()
    )
    data = element(ebml.SEEK_HEAD, seeks)
    return data + void(SEEK_HEAD_ROOM - len(data))
