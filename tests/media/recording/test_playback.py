"""What is kept, in the players that people have: Chromium, and libavformat frame by frame."""

import asyncio
import hashlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.codecs import VIDEO
from media.protocol import Source
from media.recording.repair import seal_orphan
from records.model import MediaKind
from tests.eventually import eventually
from tests.media.playback import av_offsets, play
from tests.media.recording.chromium import player
from tests.media.recording.film import show, sound
from tests.media.recording.sender import Sender

CODECS = [codec.name for codec in VIDEO]


@pytest.mark.e2e
@pytest.mark.parametrize("name", CODECS)
async def test_every_codec_plays_in_step_through_silence_and_a_change_of_size(
    sender: Sender, name: str
) -> None:
    """Most of the silence is not sent (DTX): a player that counts samples would be seconds off."""
    show(sender, name, 6, dtx=True, sizes=((320, 240), (640, 480)))
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == ()
    assert path.suffix == (".mkv" if name == "H264" else ".webm")
    data = path.read_bytes()
    assert (info.size, info.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    decoded = play(path)
    assert len(decoded.pictures) == 180
    assert decoded.sizes == [(320, 240)] * 90 + [(640, 480)] * 90
    assert all(abs(offset) < 0.02 for offset in av_offsets(decoded))
    async with player(sender.folder) as browser:
        seen = await browser.play(path.name)
        assert (seen.duration, seen.end) == pytest.approx((info.duration, info.duration), abs=0.1)
        assert (seen.frames, seen.sizes) == (180, ["320x240", "640x480"])
        assert len(seen.apart) >= 5
        assert sorted(map(abs, seen.apart))[-2] < 0.08  # one may be the browser's own hiccup
        sought = await browser.play(path.name, start=4.5)
        assert sought.seeked == pytest.approx(4.5, abs=0.05)
        assert sought.frames < 60
        assert sought.flashes == pytest.approx([5.0], abs=0.05)


@pytest.mark.e2e
async def test_a_microphone_that_is_opened_late_costs_no_picture(sender: Sender) -> None:
    """Chromium begins to read where a file's first sound is."""
    show(sender, "VP8", 7, muted=4.3)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert [(round(gap.end, 1), gap.track, gap.reason) for gap in info.gaps] == [(4.3, "audio", "muted")]
    async with player(sender.folder) as browser:
        seen = await browser.play(path.name)
        assert seen.frames == 210
        assert seen.flashes == pytest.approx(range(7), abs=0.07)
        assert sorted(map(abs, seen.apart))[:2] == pytest.approx([0.0, 0.0], abs=0.08)
        sought = await browser.play(path.name, start=1.5)
        assert sought.flashes == pytest.approx(range(2, 7), abs=0.07)
        assert sorted(map(abs, sought.apart))[:2] == pytest.approx([0.0, 0.0], abs=0.08)


@pytest.mark.e2e
async def test_a_camera_that_is_off_for_a_while_leaves_the_sound_in_step(sender: Sender) -> None:
    show(sender, "VP8", 3)
    for number in range(150, 400):
        sender.sound(number, number / 50, payload=sound(400)[number])
    show(sender, "VP8", 3, began=8)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == ()
    async with player(sender.folder) as browser:
        seen = await browser.play(path.name)
        assert seen.frames == 180
        assert seen.flashes == pytest.approx([0, 1, 2, 8, 9, 10], abs=0.07)
        assert sorted(map(abs, seen.apart))[-2] < 0.08


async def test_another_codec_goes_on_in_another_file(sender: Sender) -> None:
    show(sender, "VP8", 2)
    show(sender, "H264", 2, began=2)
    sealed = await sender.recorder.seal()
    assert [opened.path.name for opened, _ in sealed] == ["p-g1-camera.webm", "p-g1-camera-r2.mkv"]
    assert [opened.part for opened in sender.opened] == ["call-1.p-g1-camera", "call-1.p-g1-camera-r2"]
    first, second = (opened.started_at for opened, _ in sealed)
    assert second - first == pytest.approx(2.0, abs=0.05)
    for opened, info in sealed:
        decoded = play(opened.path)
        assert len(decoded.pictures) == 60
        assert info.duration == pytest.approx(2.0, abs=0.05)
        assert all(abs(offset) < 0.05 for offset in av_offsets(decoded))


async def test_a_share_may_have_another_codec_than_the_camera(sender: Sender) -> None:
    show(sender, "VP8", 2)
    show(sender, "AV1", 2, source=Source.SHARE)
    parts = await sender.seal()
    assert {path.name for path, _ in parts.values()} == {"p-g1-camera.webm", "p-g1-share.webm"}
    assert len(play(parts[MediaKind.SHARE][0]).pictures) == 60


_RECORDS = """
import asyncio, sys, time
from pathlib import Path
from media.recording.disk import Disk
from tests.media.recording.film import pictures, sound
from tests.media.recording.sender import Sender

async def main(folder):
    frames, beeps = pictures("VP8", 300), sound(500)  # before the clock runs
    sender, heard = Sender(Path(folder), Disk()), 0
    for number in range(300):
        await asyncio.sleep(max(0.0, sender.start + number / 30 - time.monotonic()))
        sender.frame(list(frames[number]), sender.camera_base + 3000 * number, number / 30)
        while heard / 50 <= number / 30:
            sender.sound(heard, heard / 50, payload=beeps[heard])
            heard += 1
        print(number, flush=True)

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def recording(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that records in real time; its lines are the numbers of the pictures it has had."""
    process = subprocess.Popen(
        [sys.executable, "-c", _RECORDS, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _lines(process: "subprocess.Popen[str]", until: int) -> int:
    """Read on to that picture; the number of the last one."""
    assert process.stdout is not None
    number = -1
    while number < until:
        number = int(process.stdout.readline())
    return number


@pytest.mark.e2e
async def test_a_file_plays_while_it_is_written_and_after_its_writer_was_killed(
    recording: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    path = tmp_path / "p-g1-camera.webm"
    async with player(tmp_path) as browser:
        await asyncio.to_thread(_lines, recording, 75)
        await eventually(path.exists)
        live = await browser.play(path.name)
        assert live.frames > 30
        assert live.flashes[:2] == pytest.approx([0.0, 1.0], abs=0.05)
        recording.send_signal(signal.SIGKILL)
        rest, _ = await asyncio.to_thread(recording.communicate)
        had = int(rest.splitlines()[-1])

        torn = play(path)
        assert torn.first_is_key
        assert had / 30 - torn.pictures[-1][0] <= 1.0
        killed = await browser.play(f"{path.name}?killed")
        assert killed.frames == len(torn.pictures)
        assert sorted(map(abs, killed.apart))[-2] < 0.08

        info = await asyncio.to_thread(seal_orphan, path)
        assert [gap.reason for gap in info.gaps] == ["node_died"]
        sealed = await browser.play(f"{path.name}?sealed", start=info.duration - 1.5)
        assert sealed.duration == pytest.approx(info.duration, abs=0.05)
        assert sealed.seeked == pytest.approx(info.duration - 1.5, abs=0.05)
        assert 0 < sealed.frames < 60
