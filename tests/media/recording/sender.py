"""One participant as the recorder gets them: packets with times of their own, in simulated time."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from media.codecs import OPUS, VP8, Codec
from media.path.packet import Packet, SenderReport, Sink
from media.protocol import Source
from media.recording.disk import Disk
from media.recording.part import OpenPart
from media.recording.recorder import Recorder
from media.recording.seal import SealedInfo
from records.model import MediaKind
from tests.media.encoded import opus_packets, vp8_frames, vp8_payloads

NTP = 3_900_000_000.0


class Line:
    """A track that only hands on."""

    def __init__(self, video: bool) -> None:
        self.video = video
        self.sinks: list[Sink] = []
        self.begun = 0
        self.asked: list[float] = []

    def begin(self, sink: Sink, now: float) -> None:
        self.begun += 1

    def request_key_frame(self, now: float) -> None:
        self.asked.append(now)


@dataclass
class Sender:
    """``at`` are seconds from the start of the call. Sequence numbers and timestamps are extended."""

    folder: Path
    disk: Disk
    start: float = field(default_factory=time.monotonic)
    opened: list[OpenPart] = field(default_factory=list)
    mic_base: int = 4_294_900_000
    camera_base: int = 4_294_000_000

    def __post_init__(self) -> None:
        self.tracks = {source: Line(source is not Source.MIC) for source in Source}
        self.recorder = Recorder(
            self.tracks, self.folder, "call-1.p-g1", "p-g1", self.disk, self.opened.append
        )
        self._seq = dict.fromkeys(Source, 65_000)

    def sound(
        self,
        number: int,
        at: float,
        lost: bool = False,
        stamp: int | None = None,
        payload: bytes | None = None,
    ) -> None:
        """Packet ``number`` of 20 ms, arriving ``at``."""
        stamp = self.mic_base + 960 * (number if stamp is None else stamp)
        payload = opus_packets(100)[number % 100] if payload is None else payload
        self.packet(Source.MIC, payload, stamp, True, at, lost, OPUS)

    def picture(self, number: int, at: float, lost: bool = False, source: Source = Source.CAMERA) -> None:
        """Frame ``number`` of 1/30 s, its first packet lost or none."""
        pieces = vp8_payloads(vp8_frames(60)[number % 60])
        self.frame(pieces, self.camera_base + 3000 * number, at, lost, source)

    def frame(
        self,
        pieces: list[bytes],
        stamp: int,
        at: float,
        lost: bool = False,
        source: Source = Source.CAMERA,
        codec: Codec = VP8,
    ) -> None:
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1
            self.packet(source, piece, stamp, last, at, lost and index == 0, codec)

    def packet(
        self, source: Source, payload: bytes, stamp: int, marker: bool, at: float, lost: bool, codec: Codec
    ) -> None:
        """Into the recorder, unless it is lost."""
        seq = self._seq[source]
        self._seq[source] = seq + 1
        if not lost:
            self.give(source, self.made(source, seq, payload, stamp, marker, at, codec))
        self.recorder.tick(self.start + at)

    def made(
        self,
        source: Source,
        seq: int,
        payload: bytes,
        stamp: int,
        marker: bool,
        at: float,
        codec: Codec,
    ) -> Packet:
        return Packet(seq, stamp, marker, codec.payload_type, payload, self.start + at, False)

    def give(self, source: Source, packet: Packet) -> None:
        for sink in self.tracks[source].sinks:
            sink.packet(packet)

    def report(self, source: Source, ntp: float, stamp: int) -> None:
        """``ntp`` are seconds of the sender's call; the timestamp is cut to what the wire has."""
        for sink in self.tracks[source].sinks:
            sink.report(SenderReport(NTP + ntp, stamp % (1 << 32)))

    async def seal(self) -> dict[MediaKind, tuple[Path, SealedInfo]]:
        return {opened.kind: (opened.path, info) for opened, info in await self.recorder.seal()}
