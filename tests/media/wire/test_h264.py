import contextlib
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.h264 import Depacketizer, picture_size
from media.wire.rtp import Malformed
from tests.media.wire.pictures import SIZE, pictures

SPS, PPS = (unit.removesuffix(b"\0") for unit in pictures("H264")[0].data.split(b"\0\0\1")[1:3])
IDR, SLICE, AUD = b"\x65\x88\x80", b"\x61\x9a\x80", b"\x09\xf0"


def stap_a(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


def long(unit: bytes) -> bytes:
    return len(unit).to_bytes(4, "big") + unit


def test_a_key_frame_names_its_parameter_sets_as_a_file_wants_them() -> None:
    frame = Depacketizer().push(stap_a(AUD, SPS, PPS, IDR), 0, True)
    assert frame is not None
    assert frame.data == long(SPS) + long(PPS) + long(IDR)
    head = b"\x01" + SPS[1:4] + b"\xff\xe1"
    assert frame.private == head + long(SPS)[2:] + b"\x01" + long(PPS)[2:]
    assert frame.size == SIZE


def test_a_unit_is_put_together_of_its_fragments() -> None:
    depacketizer = Depacketizer()
    assert depacketizer.push(stap_a(SPS, PPS), 0, False) is None
    assert depacketizer.push(b"\x7c\x85one", 0, False) is None
    assert depacketizer.push(b"\x7c\x05two", 0, False) is None
    frame = depacketizer.push(b"\x7c\x45three", 0, True)
    assert frame is not None
    assert frame.data == long(SPS) + long(PPS) + long(b"\x65onetwothree")


def test_a_picture_may_begin_with_a_fragment() -> None:
    depacketizer = Depacketizer()
    depacketizer.push(stap_a(SPS, PPS, IDR), 0, True)
    assert depacketizer.push(b"\x7c\x81one", 1, False) is None
    frame = depacketizer.push(b"\x7c\x41two", 1, True)
    assert frame is not None
    assert frame.data == long(b"\x61onetwo")


WRONG = {
    "torn aggregate": b"\x78\x00\x09\x67",
    "unit of no bytes": b"\x78\x00\x00",
    "half a size": stap_a(SLICE) + b"\x00",
    "fragment that did not begin": b"\x7c\x05two",
    "empty fragment": b"\x7c\x85",
    "type that this mode has not": b"\x79\x00\x00\x00\x02\x61\x00",
    "type 0": b"\x00\x00",
    "unit inside another": SLICE,
    "ends inside a unit": b"\x7c\x05two",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_packet_is_malformed(name: str) -> None:
    depacketizer = Depacketizer()
    depacketizer.push(stap_a(SPS, PPS), 0, False)
    if "inside" in name:
        depacketizer.push(b"\x7c\x85one", 0, False)
    with pytest.raises(Malformed):
        depacketizer.push(WRONG[name], 0, "ends" in name)
    assert depacketizer.needs_key_frame


def test_parameter_sets_without_a_key_picture_are_no_key_frame() -> None:
    with pytest.raises(Malformed):
        Depacketizer().push(stap_a(SPS, PPS, SLICE), 0, True)


@pytest.mark.parametrize("size", [(320, 240), (322, 244), (1280, 720), (1920, 1080)])
@pytest.mark.parametrize(
    ("profile", "pixels", "more"),
    [
        ("baseline", "yuv420p", ""),
        ("main", "yuv420p", "interlaced=1"),
        ("high", "yuv420p", "cqm=jvt"),
        ("high", "yuv420p", "interlaced=1"),
        ("high422", "yuv422p", ""),
        ("high444", "yuv444p", "cqm=jvt"),
    ],
)
def test_a_parameter_set_tells_the_cropped_size(
    profile: str, pixels: str, more: str, size: tuple[int, int]
) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    (encoder.width, encoder.height), encoder.pix_fmt = size, pixels
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30, 1)
    encoder.options = {"profile": profile, "x264-params": more}
    encoder.flags |= av.codec.context.Flags.global_header
    encoder.open()
    assert encoder.extradata is not None
    sps = next(unit for unit in encoder.extradata.split(b"\0\0\1")[1:] if unit[0] & 31 == 7)
    assert picture_size(sps) == size


@given(st.binary(max_size=60), st.integers(0, 40))
def test_whatever_the_bytes_are_a_size_or_malformed_comes_of_it(noise: bytes, at: int) -> None:
    for sps in (noise, SPS[:at] + noise, b"\x67\x64\x00\x1f" + noise):
        with contextlib.suppress(Malformed):
            assert min(picture_size(sps)) > 0
