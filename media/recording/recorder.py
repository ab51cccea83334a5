"""The recorder: a participant that only receives, and keeps the encoded frames as they came.

One part for microphone and camera, one for the share, each opened with its first usable packet. Sound
rules the part's time line, and the node's clock rules the sound.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from media.path.packet import Sink, Track
from media.protocol import Source
from media.recording.audio_line import AudioLine
from media.recording.disk import Disk
from media.recording.part import Sealed
from media.recording.series import Names, Opened, Series
from media.recording.video_line import VideoLine
from records.model import MediaKind

TICK_S = 0.1  # more often is of no use


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
        self._sinks: list[tuple[Track, Sink]] = []
        if mic is not None and self._sound is not None:
            self._sinks.append((mic, self._sound))
        if video is not None and self._video is not None:
            self._sinks.append((video, self._video))

    def begin(self, now: float) -> None:
        for track, sink in self._sinks:
            track.sinks.append(sink)
            track.begin(sink, now)

    def tick(self, now: float) -> None:
        if self._sound is not None:
            self._sound.tick(now)
        if self._video is not None:
            self._video.tick(now)
        self.parts.tick(now)

    def finish(self) -> None:
        for track, sink in self._sinks:
            track.sinks.remove(sink)
        if self._video is not None:
            self._video.drain(float("inf"))
        if self._sound is not None:
            self._sound.finish()
        if self._video is not None:
            self._video.finish()
