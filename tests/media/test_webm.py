"""The writer's files are read back by PyAV (libavformat)."""

import io
from pathlib import Path

import av
import pytest

from media.vp8 import is_key_frame
from media.webm import AUDIO, VIDEO, Muxer, Write, apply
from tests.media.encoded import opus_packets, vp8_frames


def written(audio: bool = True, video: bool = True, seconds: int = 2) -> tuple[Muxer, list[Write]]:
    """A muxer with so many seconds in it, and what it wrote up to now."""
    muxer = Muxer(audio, video, 1_795_400_000.5)
    frames = [(n * 20, AUDIO, p) for n, p in enumerate(opus_packets(50 * seconds))] if audio else []
    if video:
        frames += [(round(n * 1000 / 30), VIDEO, f) for n, f in enumerate(vp8_frames(30 * seconds))]
        muxer.picture_size(320, 240)
    for time, track, data in sorted(frames):
        key = track == AUDIO or is_key_frame(data)
        muxer.frame(track, time, data, key, 20 if track == AUDIO else 33)
    return muxer, muxer.take()


def file_of(writes: list[Write]) -> bytes:
    data = bytearray()
    apply(data, writes)
    return bytes(data)


def opened(writes: list[Write]) -> av.container.InputContainer:
    return av.open(io.BytesIO(file_of(writes)), "r")


def test_a_finished_file_has_every_frame_a_duration_and_an_index() -> None:
    muxer, writes = written()
    with opened(writes + muxer.finish()) as container:
        assert container.duration == pytest.approx(2_000_000, abs=40_000)
        sound, picture = container.streams.audio[0], container.streams.video[0]
        assert (picture.codec_context.name, picture.width, picture.height) == ("vp8", 320, 240)
        assert (sound.sample_rate, (sound.codec_context.extradata or b"")[:8]) == (48_000, b"OpusHead")
        assert container.metadata["creation_time"].startswith("2026-11-23T")
        packets = [(p.stream.type, p.pts, bytes(p)) for p in container.demux() if p.size]
        assert [data for kind, _, data in packets if kind == "video"] == list(vp8_frames(60))
        assert [data for kind, _, data in packets if kind == "audio"] == list(opus_packets(100))
        assert [pts for kind, pts, _ in packets if kind == "video"] == [
            round(n * 1000 / 30) for n in range(60)
        ]
        container.seek(1_500_000, stream=None)
        frame = next(container.decode(video=0))
        assert frame.key_frame
        assert frame.time == 1.0


def test_a_file_that_is_still_written_decodes_to_its_last_frame() -> None:
    _, writes = written()
    with opened(writes) as container:
        assert len(list(container.decode(video=0))) == 60


@pytest.mark.parametrize(("audio", "video"), [(True, False), (False, True)])
def test_one_track_alone(audio: bool, video: bool) -> None:
    muxer, writes = written(audio, video, seconds=12 if audio else 2)
    with opened(writes + muxer.finish()) as container:
        assert [s.type for s in container.streams] == (["audio"] if audio else ["video"])
        assert len(list(container.decode())) in ((600,) if audio else (60,))


def test_writes_only_append_or_patch_what_is_there(tmp_path: Path) -> None:
    muxer, writes = written()
    size = 0
    for offset, data in [*writes, *muxer.finish()]:
        assert offset <= size
        size = max(size, offset + len(data))


def test_a_pause_longer_than_a_block_can_say_starts_a_cluster() -> None:
    muxer = Muxer(True, True, 0.0)
    sound = opus_packets(100)
    muxer.frame(AUDIO, 0, sound[0], True, 20)
    muxer.frame(AUDIO, 100_000, sound[1], True, 20)
    muxer.frame(VIDEO, 60_000, vp8_frames(60)[0], True, 33)
    with opened(muxer.finish()) as container:
        assert sorted(p.pts or 0 for p in container.demux() if p.size) == [-7, 60_000, 99_993]  # codec delay
