"""The recorder: a participant that only receives, and keeps the encoded frames as they came.

One part for microphone and camera, one for the share, each opened with its first usable packet. Sound
rules the part's time line, and the node's clock rules the sound.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from media.codecs import OPUS
from media.path.packet import Packet, SenderReport, Sink, Track
from media.protocol import Source
from media.recording.audio_line import AudioLine
from media.recording.disk import Disk
from media.recording.part import Sealed
from media.recording.series import Names, Opened, Series
from media.recording.video_line import VideoLine
from records.model import MediaKind

TICK_S = 0.08  # more often is of no use; who asks every 100 ms, give or take 10, never asks in vain
_OPUS = OPUS.payload_type


class Recorder:
    """Records one connection from its making until ``seal``. ``now`` is monotonic seconds."""

    def __init__(
        self,
        tracks: Mapping[Source, Track],
        folder: Path,
        part_stem: str,
        file_stem: str,
        disk: Disk,
        opened: Opened,
    ) -> None:
        self._takes = {
            kind: _Take(kind, tracks, Names(folder, part_stem, file_stem), disk, opened) for kind in MediaKind
        }
        self._disk = disk
        now = time.monotonic()
        self._due = now + TICK_S * disk.phase()
        for take in self._takes.values():
            take.begin(now)

    def tick(self, now: float) -> None:
        """As often as one likes: what waited long enough is written."""
        if now < self._due:
            return
        self._due = now + TICK_S
        for take in self._takes.values():
            take.tick(now)

    def lag_ms(self, now: float) -> float:
        """How long what is oldest has been waiting for the disk; of the whole node."""
        return self._disk.lag_ms(now)

    async def seal(self) -> list[Sealed]:
        """Take no more, seal the parts that were opened. One that cannot be sealed is left to be repaired."""
        sealed: list[Sealed] = []
        for take in self._takes.values():
            take.finish()
        for take in self._takes.values():
            sealed += await take.parts.seal()
        return sealed


class _Ear:
    """A sink that keeps what it hears for the next look, and does nothing else: what is made of it is done
    for many packets at once, when all it takes is in the caches, and never between two packets of a call."""

    def __init__(self, heard: list[Packet], listen: Callable[[], None], line: AudioLine | VideoLine) -> None:
        self.packet = heard.append
        self._listen = listen
        self._line = line

    def report(self, report: SenderReport) -> None:
        self._listen()
        self._line.report(report)


class _Take:
    """The lines of a kind, and where they write."""

    def __init__(
        self, kind: MediaKind, tracks: Mapping[Source, Track], names: Names, disk: Disk, opened: Opened
    ) -> None:
        self.parts = Series(kind, names, disk, opened)
        camera = kind is MediaKind.CAMERA
        mic = tracks.get(Source.MIC) if camera else None
        video = tracks.get(Source.CAMERA if camera else Source.SHARE)
        self._sound = None if mic is None else AudioLine(self.parts)
        self._video = None if video is None else VideoLine(self.parts, video, self._sound)
        self._heard: list[Packet] = []  # since the last look; of both tracks, as they arrived
        self._sinks: list[tuple[Track, Sink]] = []
        if mic is not None and self._sound is not None:
            self._sinks.append((mic, _Ear(self._heard, self._listen, self._sound)))
        if video is not None and self._video is not None:
            self._sinks.append((video, _Ear(self._heard, self._listen, self._video)))

    def begin(self, now: float) -> None:
        for track, sink in self._sinks:
            track.sinks.append(sink)
            track.begin(sink, now)

    def _listen(self) -> None:
        packets = self._heard.copy()
        self._heard.clear()
        sound, video = self._sound, self._video
        for packet in packets:
            if packet.payload_type == _OPUS:
                if sound is not None:
                    sound.packet(packet)
            elif video is not None:
                video.packet(packet)

    def tick(self, now: float) -> None:
        self._listen()
        if self._sound is not None:
            self._sound.tick(now)
        if self._video is not None:
            self._video.tick(now)
        self.parts.tick(now)

    def finish(self) -> None:
        for track, sink in self._sinks:
            track.sinks.remove(sink)
        self._listen()
        if self._video is not None:
            self._video.drain(float("inf"))
        if self._sound is not None:
            self._sound.finish()
        if self._video is not None:
            self._video.finish()
