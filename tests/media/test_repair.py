import hashlib
import tempfile
from pathlib import Path

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.repair import NotOurs, seal_orphan
from tests.media.test_webm import file_of, written


def frames_of(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [float(frame.time) for frame in container.decode(video=0)]


@settings(max_examples=40, deadline=None)
@given(st.integers(500, 60_000))
def test_a_file_cut_anywhere_is_sealed_with_all_its_whole_frames(cut: int) -> None:
    _, writes = written()
    data = file_of(writes)[:cut]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part.webm"
        path.write_bytes(data)
        info = seal_orphan(path)
        sealed = path.read_bytes()
        assert (info.size, info.sha256) == (len(sealed), hashlib.sha256(sealed).hexdigest())
        frames = frames_of(path)
        assert frames[:1] == [0.0][: len(frames)]
        assert info.duration == pytest.approx(frames[-1] if frames else 0.0, abs=0.07)
        with av.open(str(path)) as container:
            assert (container.duration or 0) == pytest.approx(info.duration * 1e6, abs=1000)
        assert seal_orphan(path).sha256 == info.sha256


def test_a_part_cut_while_it_was_sealed_is_sealed_again(tmp_path: Path) -> None:
    muxer, writes = written()
    last = muxer.finish()
    whole = file_of(writes + last)
    for done in range(len(last)):
        path = tmp_path / f"{done}.webm"
        path.write_bytes(file_of(writes + last[:done]))
        assert seal_orphan(path).duration == pytest.approx(2.0, abs=0.04)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("data", [b"", b"\x1a\x45", b"not a part of ours at all" * 9])
def test_what_is_no_part_is_refused_and_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.webm"
    path.write_bytes(data)
    with pytest.raises(NotOurs):
        seal_orphan(path)
    assert path.read_bytes() == data
