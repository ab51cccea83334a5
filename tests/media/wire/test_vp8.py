import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.rtp import Malformed
from media.wire.vp8 import Depacketizer, descriptor_size, is_key_frame, picture_size, starts_key_frame
from tests.media.wire.pictures import SIZE, pictures

DESCRIPTORS = [
    (1, b"\x10"),
    (2, b"\x90\x00"),
    (3, b"\x90\x80\x7f"),
    (4, b"\x90\x80\xff\xff"),
    (5, b"\x90\xe0\x01\x02\x20"),
    (6, b"\x90\xf0\x81\x01\x02\x20"),
    (3, b"\x90\x10\x20"),
    (3, b"\x90\x20\x20"),
    (3, b"\x90\x40\x20"),
]


@pytest.mark.parametrize(("size", "descriptor"), DESCRIPTORS)
def test_a_descriptor_is_as_long_as_its_flags_say(size: int, descriptor: bytes) -> None:
    assert descriptor_size(descriptor + b"\x50") == size
    assert starts_key_frame(descriptor + b"\x50")
    assert not starts_key_frame(descriptor + b"\x51")


@pytest.mark.parametrize(("size", "descriptor"), DESCRIPTORS)
def test_a_descriptor_without_a_picture_is_malformed(size: int, descriptor: bytes) -> None:
    for cut in range(size + 1):
        with pytest.raises(Malformed):
            descriptor_size(descriptor[:cut])
        assert not starts_key_frame(descriptor[:cut])


@given(st.binary(max_size=10))
def test_both_ways_of_reading_a_descriptor_agree(payload: bytes) -> None:
    expected = False
    with contextlib.suppress(Malformed):
        expected = not payload[descriptor_size(payload)] & 1 and payload[0] & 0x17 == 0x10
    assert starts_key_frame(payload) == expected


def test_a_key_frame_tells_its_size() -> None:
    key, delta = pictures("VP8")[0].data, pictures("VP8")[1].data
    assert (is_key_frame(key), is_key_frame(delta), is_key_frame(key[:9])) == (True, False, False)
    assert picture_size(key) == SIZE


def test_scaling_is_no_part_of_the_size() -> None:
    head = b"\x10\x00\x00\x9d\x01\x2a" + (0x4000 | 640).to_bytes(2, "little") + (480).to_bytes(2, "little")
    assert picture_size(head) == (640, 480)


def test_a_picture_without_a_start_code_is_no_key_frame() -> None:
    with pytest.raises(Malformed, match="none"):
        Depacketizer().push(b"\x10\x00" + bytes(20), 0, True)
