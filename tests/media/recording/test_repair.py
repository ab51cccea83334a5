import hashlib
import tempfile
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.recording.ebml import children
from media.recording.repair import NotOurs, seal_orphan
from media.recording.webm import CLUSTER_HEAD_BYTES
from tests.media.recording.test_webm import file_of, filled, last


def frames_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 60_000))
def test_a_file_cut_anywhere_is_sealed_with_all_its_whole_frames(cut: int) -> None:
    muxer, writes = filled()
    data = file_of(writes)[:cut]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.webm"
        path.write_bytes(data)
        assert muxer.index is not None
        first = next(children(file_of(writes), muxer.index.layout.end + CLUSTER_HEAD_BYTES, 60_000))
        if cut < first.end:
            with pytest.raises(NotOurs):
                seal_orphan(path)
            assert path.read_bytes() == data
            return
        info = seal_orphan(path)
        sealed = path.read_bytes()
        assert (info.size, info.sha256) == (len(sealed), hashlib.sha256(sealed).hexdigest())
        frames = frames_of(path)
        assert frames[:1] == [0.0][: len(frames)]
        assert info.duration == pytest.approx(frames[-1] if frames else 0.0, abs=0.07)
        assert [gap.reason for gap in info.gaps] == ["node_died"]
        with av.open(str(path)) as container:
            assert (container.duration or 0) == pytest.approx(info.duration * 1e6, abs=1000)
        assert seal_orphan(path).sha256 == info.sha256


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60_000), st.binary(min_size=1, max_size=200))
def test_bytes_gone_wrong_are_survived(at: int, rubbish: bytes) -> None:
    _, writes = filled()
    data = bytearray(file_of(writes))
    data[at : at + len(rubbish)] = rubbish
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.webm"
        path.write_bytes(data)
        try:
            info = seal_orphan(path)
        except NotOurs:
            assert path.read_bytes() == data
        else:
            assert seal_orphan(path).sha256 == info.sha256


@pytest.mark.parametrize(("audio", "video"), [(True, True), (True, False), (False, True)])
def test_a_part_cut_while_it_was_sealed_is_sealed_again(tmp_path: Path, audio: bool, video: bool) -> None:
    muxer, writes = filled(audio, video, seconds=12 if not video else 2)
    final = last(muxer)
    whole = file_of(writes + final)
    for done in range(len(final) + 1):
        path = tmp_path / f"{done}.webm"
        path.write_bytes(file_of(writes + final[:done]))
        assert seal_orphan(path).duration == pytest.approx(2.0 if video else 12.0, abs=0.04)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("data", [b"", b"\x1a\x45", b"not a part of ours at all" * 90])
def test_what_is_no_part_is_refused_and_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.webm"
    path.write_bytes(data)
    with pytest.raises(NotOurs):
        seal_orphan(path)
    assert path.read_bytes() == data
