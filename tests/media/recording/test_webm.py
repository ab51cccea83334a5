"""The writer's files are read back by PyAV (libavformat)."""

import io

import av
import pytest

from media.recording.webm import AUDIO, VIDEO, Muxer, VideoFormat, Write, finish
from media.wire.vp8 import is_key_frame
from tests.media.encoded import opus_packets, vp8_frames

SMALL = VideoFormat("V_VP8", 320, 240)


def filled(audio: bool = True, video: bool = True, seconds: int = 2) -> tuple[Muxer, list[Write]]:
    """A muxer with so many seconds in it, flushed every 0.8 s, and what it wrote up to now."""
    muxer, writes, flushed = Muxer(audio, 1_795_400_000.5), list[Write](), 0
    frames = [(n * 20, AUDIO, p) for n, p in enumerate(opus_packets(50 * seconds))] if audio else []
    if video:
        frames += [(round(n * 1000 / 30), VIDEO, f) for n, f in enumerate(vp8_frames(30 * seconds))]
        muxer.picture_format(SMALL)
    for time, track, data in sorted(frames):
        if track == AUDIO:
            muxer.sound(time, data, 20)
        else:
            muxer.picture(time, data, is_key_frame(data))
        if time - flushed >= 800:
            flushed = time
            writes += muxer.take()
    return muxer, writes + muxer.take()


def last(muxer: Muxer) -> list[Write]:
    assert muxer.index is not None
    return finish(muxer.index)


def file_of(writes: list[Write]) -> bytes:
    data = bytearray()
    for offset, piece in writes:
        assert offset <= len(data)  # appended, or patched where something is
        data[offset : offset + len(piece)] = piece
    return bytes(data)


def opened(writes: list[Write]) -> av.container.InputContainer:
    return av.open(io.BytesIO(file_of(writes)), "r")


def test_a_finished_file_has_every_frame_a_duration_and_an_index() -> None:
    muxer, writes = filled()
    with opened(writes + last(muxer)) as container:
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
    _, writes = filled()
    with opened(writes) as container:
        assert len(list(container.decode(video=0))) == 60


@pytest.mark.parametrize(("audio", "video"), [(True, False), (False, True)])
def test_one_track_alone(audio: bool, video: bool) -> None:
    muxer, writes = filled(audio, video, seconds=12 if audio else 2)
    with opened(writes + last(muxer)) as container:
        assert [s.type for s in container.streams] == (["audio"] if audio else ["video"])
        assert len(list(container.decode())) in ((600,) if audio else (60,))


def test_while_it_is_written_nothing_but_the_tracks_is_touched_again() -> None:
    muxer, writes = Muxer(True, 0.0), list[Write]()
    for number, packet in enumerate(opus_packets(100)):
        muxer.sound(20 * number, packet, 20)
        if number == 60:
            writes += muxer.take()
            muxer.picture_format(SMALL)
            muxer.picture(20 * number, vp8_frames(60)[0], True)
    writes += muxer.take()
    assert muxer.index is not None
    assert [w.offset for w in writes][:2] == [0, muxer.index.layout.tracks]
    size = len(writes[0].data)
    assert [w.offset for w in writes[2:]] == [size]
    with opened(writes) as container:
        assert [stream.type for stream in container.streams] == ["audio", "video"]
        assert len(list(container.decode(video=0))) == 1


def test_pictures_whose_codec_webm_does_not_know_make_it_matroska() -> None:
    muxer = Muxer(True, 0.0)
    muxer.picture_format(VideoFormat("V_MPEG4/ISO/AVC", 320, 240, b"\x01" * 40))
    muxer.picture(0, b"picture", True)
    data = file_of(muxer.take())
    assert b"matroska" in data[:64]
    assert b"\x01" * 40 in data


def test_a_pause_longer_than_a_block_can_say_starts_a_cluster() -> None:
    muxer = Muxer(True, 0.0)
    sound = opus_packets(100)
    muxer.picture_format(SMALL)
    muxer.sound(0, sound[0], 20)
    muxer.sound(100_000, sound[1], 20)
    muxer.picture(60_000, vp8_frames(60)[0], True)
    writes = muxer.take()
    with opened(writes + last(muxer)) as container:
        assert sorted(p.pts or 0 for p in container.demux() if p.size) == [-7, 60_000, 99_993]  # codec delay
