"""The recorder fed with made-up packets; what it kept is decoded by PyAV."""

import itertools
import time

import av
import pytest

from media.codecs import OPUS, VP8
from media.protocol import Source
from media.wire.opus import SILENCE
from records.model import Gap, MediaKind
from tests.media.encoded import opus_packets, vp8_frames, vp8_payloads
from tests.media.playback import loudness, play
from tests.media.recording.sender import Sender


def stamps_of(path: object, kind: str) -> list[int]:
    with av.open(str(path)) as container:
        found = container.demux(**{kind: 0})
        return [packet.pts or 0 for packet in found if packet.size]


async def test_sound_and_picture_begin_with_the_first_packets(sender: Sender) -> None:
    for number in range(100):
        sender.sound(number, 0.02 * number)
        if number * 0.02 * 30 % 1 < 0.6:
            sender.picture(int(number * 0.02 * 30), 0.02 * number)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    played = play(path)
    assert played.first_is_key
    assert played.pictures[0][0] == pytest.approx(0.0, abs=0.01)
    assert played.sound[0][0] == pytest.approx(0.0, abs=0.01)
    assert info.duration == pytest.approx(2.0, abs=0.05)
    assert info.gaps == ()
    assert [track.begun for track in sender.tracks.values()] == [1, 1, 1]


async def test_a_share_is_opened_by_its_first_key_frame(sender: Sender) -> None:
    for number in range(10, 60):
        sender.picture(number, number / 30, source=Source.SHARE)
    parts = await sender.seal()
    assert list(parts) == [MediaKind.SHARE]
    path, info = parts[MediaKind.SHARE]
    assert path.name == "p-g1-share.webm"
    assert info.duration == pytest.approx(1.0, abs=0.05)
    played = play(path)
    assert (played.first_is_key, len(played.pictures), played.sound) == (True, 30, [])
    (opened,) = sender.opened
    assert opened.part == "call-1.p-g1-share"
    assert opened.started_at == pytest.approx(time.time() - (time.monotonic() - sender.start) + 1.0, abs=0.05)


async def test_a_lost_picture_freezes_until_a_key_frame_and_is_listed(sender: Sender) -> None:
    for number in range(120):
        sender.picture(number, number / 30, lost=number == 10)
        sender.sound(number, number / 30, stamp=round(number * 5 / 3))
    path, info = (await sender.seal())[MediaKind.CAMERA]
    # Given up after two seconds of waiting; frames 10 to 29 are left out, 30 is a key frame.
    assert [gap for gap in info.gaps if gap.track == "video"] == [Gap(0.3, 1.0, "video", "lost")]
    assert len(play(path).pictures) == 100


async def test_what_is_given_up_is_answered_by_a_request_for_a_key_frame(sender: Sender) -> None:
    track = sender.tracks[Source.CAMERA]
    for number in range(29):
        sender.picture(number, number / 30, lost=number == 10)
    assert track.asked == []  # still waited for
    for number in range(29):
        sender.picture(number % 28 + 1, 2.4 + number / 30)
    assert track.asked
    assert track.asked[0] == pytest.approx(sender.start + 2.4, abs=0.2)
    await sender.seal()


async def test_what_is_repaired_within_two_seconds_is_kept(sender: Sender) -> None:
    pieces = {n: vp8_payloads(vp8_frames(60)[n]) for n in range(60)}
    late, seq = [], 0
    for number, frame in pieces.items():
        for index, piece in enumerate(frame):
            marker = index == len(frame) - 1
            at = number / 30 if number != 7 else number / 30 + 1.6
            stamp = sender.camera_base + number * 3000
            packet = sender.made(Source.CAMERA, seq, piece, stamp, marker, at, VP8)
            seq += 1
            (late if number == 7 else [packet]).append(packet)
            if number != 7:
                sender.give(Source.CAMERA, packet)
                sender.recorder.tick(packet.arrived)
        if number == 55:
            for packet in late:
                sender.give(Source.CAMERA, packet)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == ()
    assert [at for at, _ in play(path).pictures] == pytest.approx([n / 30 for n in range(60)], abs=0.002)


async def test_sound_that_is_repaired_now_and_then_does_not_move_the_line(sender: Sender) -> None:
    payloads, packets = opus_packets(100), []
    for number in range(500):
        at = 0.02 * number + (0.4 if number % 60 == 30 else 0.0)  # asked for more than once
        stamp = sender.mic_base + 960 * number
        packets.append(sender.made(Source.MIC, number, payloads[number % 100], stamp, True, at, OPUS))
    for packet in sorted(packets, key=lambda packet: packet.arrived):
        sender.give(Source.MIC, packet)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == ()
    stamps = stamps_of(path, "audio")
    assert (len(stamps), {b - a for a, b in itertools.pairwise(stamps)}) == (500, {20})
    with av.open(str(path)) as container:
        assert SILENCE not in [bytes(packet) for packet in container.demux(audio=0)]


async def test_lost_sound_becomes_silence_of_the_same_length(sender: Sender) -> None:
    for number in range(200):
        sender.sound(number, 0.02 * number, lost=30 <= number < 50)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == (Gap(0.6, 1.0, "audio", "lost"),)
    assert info.duration == pytest.approx(4.0, abs=0.02)
    stamps = stamps_of(path, "audio")
    assert len(stamps) == 200
    assert {b - a for a, b in itertools.pairwise(stamps)} == {20}
    quiet = [level for at, level in loudness(path) if 0.65 < at < 0.95]
    assert max(quiet) < 0.01


async def test_sound_that_is_not_sent_in_silence_is_no_gap(sender: Sender) -> None:
    """DTX: the sequence goes on, the timestamps jump by 400 ms."""
    for number in range(200):
        if number < 50 or number >= 150 or number % 20 == 0:
            sender.sound(number, 0.02 * number)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == ()
    assert stamps_of(path, "audio") == [20 * n - 7 for n in range(200)]


async def test_a_sender_that_pauses_its_clock_leaves_silence_and_no_drift(sender: Sender) -> None:
    """Sound stops for three seconds without its timestamps moving on; afterwards it is in step again."""
    for number in range(50):
        sender.sound(number, 0.02 * number)
    for number in range(50, 300):
        sender.sound(number, 3.0 + 0.02 * number)
    _, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.duration == pytest.approx(9.0, abs=0.1)
    assert [(gap.track, gap.reason) for gap in info.gaps][:1] == [("audio", "muted")]


async def test_a_jump_of_the_timestamps_is_taken_at_its_arrival(sender: Sender) -> None:
    for number in range(50):
        sender.sound(number, 0.02 * number)
        sender.picture(number, 0.033 * number)
    for number in range(50, 60):
        sender.sound(number, 0.02 * number, stamp=number + 1_000_000)
        sender.picture(number + 500_000 - 500_000 % 60, 0.033 * number)
    _, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.duration == pytest.approx(2.0, abs=0.1)


async def test_a_microphone_that_is_muted_leaves_silence_while_the_pictures_go_on(sender: Sender) -> None:
    for number in range(600):
        sender.picture(number, number / 30)
        if number < 30 or number >= 400:
            sender.sound(number, number / 30, stamp=round(number * 5 / 3))
        if number == 390:
            part = sender.recorder._takes[MediaKind.CAMERA].parts.writing
            assert part is not None
            assert part.muxer.end == pytest.approx(13_000, abs=50)
            sound = sender.recorder._takes[MediaKind.CAMERA]._sound
            assert sound is not None
            assert sound.end / 48_000 > 9  # written without waiting for the microphone
    path, info = (await sender.seal())[MediaKind.CAMERA]
    (gap,) = info.gaps
    assert (gap.track, gap.reason) == ("audio", "muted")
    assert (gap.start, gap.end) == pytest.approx((0.98, 13.34), abs=0.01)
    stamps = stamps_of(path, "audio")
    assert max(b - a for a, b in itertools.pairwise(stamps)) <= 34


async def test_pictures_alone_get_silence_from_the_beginning(sender: Sender) -> None:
    for number in range(300):
        sender.picture(number, number / 30)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    stamps = stamps_of(path, "audio")
    assert stamps[0] <= 0
    assert stamps[-1] > 9900
    (gap,) = info.gaps
    assert (gap.track, gap.reason) == ("audio", "muted")
    assert gap.start == pytest.approx(0.0, abs=0.01)
    assert gap.end == pytest.approx(10.0, abs=0.05)


async def test_sender_reports_put_the_picture_where_it_belongs(sender: Sender) -> None:
    """The picture comes 200 ms late and says so: in the file it moves to where it was taken, unseen."""
    for number in range(90):
        sender.sound(number, number / 30, stamp=round(number * 5 / 3))
        sender.picture(number, number / 30 + 0.2)
        if number == 10:
            sender.report(Source.MIC, 0.0, sender.mic_base)
            sender.report(Source.CAMERA, 0.0, sender.camera_base)
    path, _ = (await sender.seal())[MediaKind.CAMERA]
    shown = [at for at, _ in play(path).pictures]
    assert shown[9] == pytest.approx(0.5, abs=0.01)
    assert shown[60:] == pytest.approx([n / 30 for n in range(60, 90)], abs=0.02)
    apart = [b - a for a, b in itertools.pairwise(shown)]
    assert min(apart) > 1 / 30 - 0.012
    assert max(apart) < 1 / 30 + 0.012


async def test_key_frames_are_asked_for_now_and_then(sender: Sender) -> None:
    for number in range(1, 25 * 30):
        # Only the first is a key frame; the rest are other frames again and again.
        sender.picture(0 if number == 1 else number % 29 + 1, number / 30)
    asked = sender.tracks[Source.CAMERA].asked
    assert asked[0] - sender.start == pytest.approx(10, abs=0.2)
    await sender.seal()


async def test_where_packets_are_missing_key_frames_are_asked_for_seldom(sender: Sender) -> None:
    for number in range(1, 75 * 30):
        packet = sender.made(
            Source.CAMERA,
            number,
            vp8_payloads(vp8_frames(60)[0 if number == 1 else number % 29 + 1])[0],
            sender.camera_base + 3000 * number,
            True,
            number / 30,
            VP8,
        )
        if number % 60 == 0:  # overtaken by the next one
            late = packet
        else:
            sender.give(Source.CAMERA, packet)
        if number % 60 == 1 and number > 60:
            sender.give(Source.CAMERA, late)
        sender.recorder.tick(sender.start + number / 30)
    asked = sender.tracks[Source.CAMERA].asked
    assert asked[0] - sender.start == pytest.approx(60, abs=0.2)
    await sender.seal()


async def test_while_a_key_frame_comes_in_no_other_is_asked_for(sender: Sender) -> None:
    pieces = vp8_payloads(vp8_frames(60)[0], 60)
    assert len(pieces) > 2
    sender.frame(pieces, sender.camera_base, 0.0)
    assert sender.tracks[Source.CAMERA].asked == []
    await sender.seal()


async def test_nothing_received_leaves_no_file(sender: Sender) -> None:
    assert await sender.seal() == {}
    assert list(sender.folder.iterdir()) == []
    assert sender.opened == []


async def test_sound_alone_is_a_file_of_sound(sender: Sender) -> None:
    for number in range(100):
        sender.sound(number, 0.02 * number)
    path, info = (await sender.seal())[MediaKind.CAMERA]
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
    assert info.gaps == ()


async def test_a_part_is_told_of_when_it_is_on_the_disk(sender: Sender) -> None:
    for number in range(100):
        sender.sound(number, 0.02 * number)
        await sender.disk.drained()
        if sender.opened:
            assert sender.opened[0].path.stat().st_size > 0
    assert len(sender.opened) == 1
    assert sender.opened[0].path.stat().st_mode & 0o777 == 0o600
    await sender.seal()


async def test_a_file_that_is_there_is_never_overwritten(sender: Sender) -> None:
    there = sender.folder / "p-g1-camera.webm"
    there.write_bytes(b"somebody's")
    for number in range(100):
        sender.sound(number, 0.02 * number)
        await sender.disk.drained()
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert path.name == "p-g1-camera-r2.webm"
    assert [opened.part for opened in sender.opened] == ["call-1.p-g1-camera-r2"]
    assert info.duration > 1.0
    assert there.read_bytes() == b"somebody's"
