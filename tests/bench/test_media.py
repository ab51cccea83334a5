"""The bench of the media node: its media, and one call through all of it."""

import asyncio
import os
from pathlib import Path

import av
import pytest

from bench.media.clip import DESCRIPTOR, SECONDS, sound_clip, video_clip
from bench.media.generator import Generator
from bench.media.ours import Ours
from bench.media.recordings import Checked, decode, read_mjr
from bench.media.report import calls_per_core, calls_per_core_at_best, level_table
from bench.media.run import Delays, Level, Plan, measure_level, percentiles


def test_the_media_of_a_call_is_what_the_issue_says() -> None:
    packets = [payload for frame in video_clip().frames for payload in frame]
    assert 120 <= len(packets) / SECONDS <= 140
    assert 1.0e6 <= 8 * sum(map(len, packets)) / SECONDS <= 1.2e6
    assert {len(payload) for (payload,) in sound_clip().frames} == {80}
    assert len(sound_clip().frames) / SECONDS == 50


def test_a_stream_that_starts_anew_at_any_frame_decodes() -> None:
    """The clip, part of it, and the clip again: as after a request for a key frame."""
    codec = av.CodecContext.create("vp8", "r")
    frames = video_clip().frames
    shown = 0
    for frame in (*frames, *frames[:17], *frames):
        data = b"".join(payload[DESCRIPTOR:] for payload in frame)
        decoded = codec.decode(av.Packet(data))
        assert not any(picture.is_corrupt for picture in decoded)
        shown += len(decoded)
    assert shown == 2 * len(frames) + 17
    opus = av.CodecContext.create("opus", "r")
    assert sum(len(opus.decode(av.Packet(payload))) for (payload,) in sound_clip().frames) >= 199


async def test_one_call_through_the_node_arrives_and_its_recordings_decode(tmp_path: Path) -> None:
    core = min(os.sched_getaffinity(0))
    plan = Plan((1,), 1.5, False, 0, True, 1000.0)
    generator = Generator()
    turning = asyncio.create_task(generator.run())
    folder = tmp_path / "s"
    try:
        level = await measure_level(lambda f: Ours(f, core, core), folder, generator, 1, plan, lambda _: None)
    finally:
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        generator.close()
    assert (level.trouble, level.foreign) == ("", 0)
    assert level.sent > 400
    assert level.lost <= level.sent // 10  # a node that is starved of CPU by other tests may leave video out
    assert level.cpu > 0
    assert level.checked.files == level.checked.checked == 2
    assert level.checked.faults == ()


def test_a_file_that_is_no_recording_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "x.webm"
    path.write_bytes(b"not a film")
    assert decode(path)[1]


def test_a_gap_in_a_file_of_janus_is_a_fault(tmp_path: Path) -> None:
    def packet(seq: int) -> bytes:
        rtp = b"\x80\x6f" + seq.to_bytes(2, "big") + bytes(8) + b"sound"
        return b"MEET" + bytes(4) + len(rtp).to_bytes(2, "big") + rtp

    head = b"MJR00002" + (2).to_bytes(2, "big") + b"{}"
    path = tmp_path / "x.mjr"
    path.write_bytes(head + b"".join(packet(seq & 0xFFFF) for seq in range(65_530, 65_550)))
    assert read_mjr(path) == (20, "")
    path.write_bytes(head + packet(5) + packet(8) + packet(6))
    assert read_mjr(path) == (3, "1 packets missing")
    path.write_bytes(b"MEET")
    assert read_mjr(path)[1]


def test_percentiles_are_milliseconds() -> None:
    assert percentiles([n / 1000 for n in range(101)]) == Delays(50, 99, pytest.approx(100))
    assert percentiles([]) == Delays(0, 0, 0)


def test_calls_per_core_are_counted_at_the_highest_level_that_ran_clean() -> None:
    def level(calls: int, cpu: float, p99: float, lost: int = 0) -> Level:
        checked = Checked(2, 2, 100, ())
        return Level(
            *("ours", calls, cpu), video=Delays(1, p99, 9), sent=9, lost=lost, checked=checked, bound_ms=20
        )

    levels = [level(1, 4.0, 1), level(20, 2.0, 3), level(40, 1.0, 3, lost=1), level(60, 1.0, 30)]
    assert calls_per_core(levels, "ours") == 40.0
    assert calls_per_core(levels, "janus") == 0.0
    assert calls_per_core_at_best(levels, "ours") == 80.0
    table = level_table([*levels, Level("janus", 60, trouble="no room")])
    assert "NOT RUN: no room" in table
    assert "p99 over 20 ms" in table
