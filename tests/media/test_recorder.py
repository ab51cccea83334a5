"""The recorder fed with made-up packets; what it kept is decoded by PyAV."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from media.disk import Disk
from media.protocol import Source
from media.recorder import OpenPart, Recorder, SealedInfo
from media.rtp import SenderReport
from media.upstream import Upstream
from records.model import Gap, MediaKind
from tests.media.encoded import opus_packets, vp8_frames, vp8_payloads
from tests.media.playback import loudness, play
from tests.media.streams import Asked

NTP = 3_900_000_000.0


@dataclass
class Call:
    """One participant who sends; ``at`` are seconds from the start of the call."""

    folder: Path
    disk: Disk
    start: float = field(default_factory=time.monotonic)
    opened: list[OpenPart] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.asked = {source: Asked() for source in Source}
        self.tracks = {source: Upstream(source, self.asked[source]) for source in Source}
        for number, track in enumerate(self.tracks.values()):
            track.ssrc = number + 1
        self.recorder = Recorder(
            self.tracks, self.folder, "call-1.p-g1", "p-g1", self.disk, self.opened.append
        )
        self._seq = dict.fromkeys(Source, 65_000)

    def sound(self, number: int, at: float, lost: bool = False, stamp: int | None = None) -> None:
        """Packet ``number`` of 20 ms, arriving ``at``."""
        stamp = 4_294_900_000 + 960 * (number if stamp is None else stamp)
        self._packet(Source.MIC, opus_packets(100)[number % 100], stamp, True, at, lost)

    def picture(self, number: int, at: float, lost: bool = False, source: Source = Source.CAMERA) -> None:
        """Frame ``number`` of 1/30 s, one lost packet or none."""
        pieces = vp8_payloads(vp8_frames(60)[number % 60])
        for index, piece in enumerate(pieces):
            gone = lost and index == 0
            self._packet(source, piece, 4_294_000_000 + 3000 * number, index == len(pieces) - 1, at, gone)

    def _packet(
        self, source: Source, payload: bytes, stamp: int, marker: bool, at: float, lost: bool
    ) -> None:
        seq = self._seq[source]
        self._seq[source] = seq + 1
        if not lost:
            self.tracks[source].receive(seq % 65536, stamp % 2**32, marker, payload, self.start + at)
        self.recorder.tick(self.start + at)

    async def seal(self) -> dict[MediaKind, tuple[Path, SealedInfo]]:
        return {opened.kind: (opened.path, info) for opened, info in await self.recorder.seal()}


@pytest.fixture
async def call(tmp_path: Path) -> AsyncIterator[Call]:
    disk = Disk()
    yield Call(tmp_path, disk)
    await asyncio.to_thread(disk.close)


async def test_sound_and_picture_begin_with_the_first_packets(call: Call) -> None:
    for number in range(100):
        call.sound(number, 0.02 * number)
        if number * 0.02 * 30 % 1 < 0.6:
            call.picture(int(number * 0.02 * 30), 0.02 * number)
    path, info = (await call.seal())[MediaKind.CAMERA]
    played = play(path)
    assert played.first_is_key
    assert played.pictures[0][0] == pytest.approx(0.0, abs=0.01)
    assert played.sound[0][0] == pytest.approx(0.0, abs=0.01)
    assert info.duration == pytest.approx(2.0, abs=0.05)
    assert info.gaps == ()
    assert call.asked[Source.CAMERA].plis == 1  # the moment recording starts


async def test_a_share_is_opened_by_its_first_key_frame(call: Call) -> None:
    for number in range(10, 60):
        call.picture(number, number / 30, source=Source.SHARE)
    parts = await call.seal()
    assert list(parts) == [MediaKind.SHARE]
    path, info = parts[MediaKind.SHARE]
    assert path.name == "p-g1-share.webm"
    assert info.duration == pytest.approx(1.0, abs=0.05)
    played = play(path)
    assert (played.first_is_key, len(played.pictures), played.sound) == (True, 30, [])
    (opened,) = call.opened
    assert opened.started_at == pytest.approx(time.time() - (time.monotonic() - call.start) + 1.0, abs=0.05)


async def test_a_lost_picture_freezes_until_a_key_frame_and_is_listed(call: Call) -> None:
    for number in range(60):
        call.picture(number, number / 30, lost=number == 10)
        call.sound(number, number / 30, stamp=round(number * 5 / 3))
    path, info = (await call.seal())[MediaKind.CAMERA]
    # Given up after half a second of waiting; frames 10 to 29 are left out, 30 is a key frame.
    assert [gap for gap in info.gaps if gap.track == "video"] == [Gap(0.3, 1.0, "video", "lost")]
    assert len(play(path).pictures) == 40
    assert call.asked[Source.CAMERA].plis > 1


async def test_lost_sound_becomes_silence_of_the_same_length(call: Call) -> None:
    for number in range(100):
        call.sound(number, 0.02 * number, lost=30 <= number < 50)
    path, info = (await call.seal())[MediaKind.CAMERA]
    assert info.gaps == (Gap(0.6, 1.0, "audio", "lost"),)
    assert info.duration == pytest.approx(2.0, abs=0.02)
    with av.open(str(path)) as container:
        stamps = [packet.pts or 0 for packet in container.demux(audio=0) if packet.size]
    assert len(stamps) == 100
    assert {b - a for a, b in itertools.pairwise(stamps)} == {20}
    quiet = [level for at, level in loudness(path) if 0.65 < at < 0.95]
    assert max(quiet) < 0.01


async def test_a_sender_that_pauses_its_clock_leaves_silence_and_no_drift(call: Call) -> None:
    """Sound stops for three seconds without its timestamps moving on; afterwards it is in step again."""
    for number in range(50):
        call.sound(number, 0.02 * number)
    for number in range(50, 200):
        call.sound(number, 3.0 + 0.02 * number)
    _, info = (await call.seal())[MediaKind.CAMERA]
    assert info.duration == pytest.approx(7.0, abs=0.1)
    assert [(gap.track, gap.reason) for gap in info.gaps][:1] == [("audio", "muted")]


async def test_a_jump_of_the_timestamps_is_taken_at_its_arrival(call: Call) -> None:
    for number in range(50):
        call.sound(number, 0.02 * number)
        call.picture(number, 0.033 * number)
    for number in range(50, 60):
        call.sound(number, 0.02 * number, stamp=number + 1_000_000)
        call.picture(number + 500_000 - 500_000 % 60, 0.033 * number)
    _, info = (await call.seal())[MediaKind.CAMERA]
    assert info.duration == pytest.approx(2.0, abs=0.1)


async def test_sender_reports_put_the_picture_where_it_belongs(call: Call) -> None:
    """The picture comes 200 ms late and says so: in the file it is where it was taken."""
    for number in range(60):
        call.sound(number, 0.02 * number)
        call.picture(number, 0.02 * number + 0.2)  # 20 ms apart in time, 33 ms on its own clock
        if number == 10:
            call.tracks[Source.MIC].sender_report(_report(4_294_900_000), 0.0, call.start)
            call.tracks[Source.CAMERA].sender_report(_report(4_294_000_000), 0.0, call.start)
    path, _ = (await call.seal())[MediaKind.CAMERA]
    shown = [at for at, _ in play(path).pictures]
    assert shown[30] == pytest.approx(1.0, abs=0.02)
    assert shown[59] == pytest.approx(59 / 30, abs=0.02)


def _report(timestamp: int) -> SenderReport:
    return SenderReport(1, NTP, timestamp)


async def test_key_frames_are_asked_for_now_and_then(call: Call) -> None:
    for number in range(1, 25 * 30):
        # Only the first is a key frame; the rest are other frames again and again.
        call.picture(0 if number == 1 else number % 29 + 1, number / 30)
    assert call.asked[Source.CAMERA].plis >= 3
    await call.seal()


async def test_while_a_key_frame_comes_in_no_other_is_asked_for(call: Call) -> None:
    track, asked = call.tracks[Source.CAMERA], call.asked[Source.CAMERA]
    assert asked.plis == 1  # the moment recording starts
    pieces = vp8_payloads(vp8_frames(60)[0], 60)
    assert len(pieces) > 2
    for index, piece in enumerate(pieces):
        track.receive(index, 0, index == len(pieces) - 1, piece, call.start + 0.001 * index)
    track.tick(call.start + 5.0)
    assert asked.plis == 1
    await call.seal()


async def test_nothing_received_leaves_no_file(call: Call) -> None:
    assert await call.seal() == {}
    assert list(call.folder.iterdir()) == []


async def test_a_file_that_is_there_is_never_overwritten(call: Call) -> None:
    there = call.folder / "p-g1-camera.webm"
    there.write_bytes(b"somebody's")
    for number in range(10):
        call.sound(number, 0.02 * number)
    assert await call.seal() == {}
    assert there.read_bytes() == b"somebody's"


async def test_a_full_disk_leaves_what_was_written(call: Call) -> None:
    call.sound(0, 0.0)
    call.sound(1, 0.3)
    file = call.recorder._parts[MediaKind.CAMERA]._file
    assert file is not None
    await call.disk.run(lambda: file._fail(OSError(28, "No space left on device")))
    for number in range(2, 50):
        call.sound(number, 0.3 + 0.02 * number)
    assert await call.seal() == {}
    (path,) = call.folder.iterdir()
    assert path.stat().st_size > 0
