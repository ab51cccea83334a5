import contextlib

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.rtp import Malformed
from media.wire.vp9 import Depacketizer, Descriptor, parse_descriptor, picture_size
from tests.media.wire.pictures import SIZE, pictures

KEY = b"\x82\x49\x83\x42\x00"

DESCRIPTORS = {
    b"\x0c": Descriptor(1, False, True, True, 0),
    b"\x8c\x7f": Descriptor(2, False, True, True, 0),
    b"\x8c\xff\xff": Descriptor(3, False, True, True, 0),
    b"\xe8\x01\x04\x09": Descriptor(4, True, True, False, 2),  # layers, TL0PICIDX
    b"\xb4\x01\x02": Descriptor(3, False, False, True, 1),  # layers, flexible: no TL0PICIDX
    b"\xd0\x01\x02": Descriptor(3, True, False, False, 0),  # one reference
    b"\xd0\x01\x03\x05\x07": Descriptor(5, True, False, False, 0),  # three references at most
    b"\x0a\x00": Descriptor(2, False, True, False, 0),
    b"\x0a\x30\x00\x10\x00\x10\x00\x20\x00\x20": Descriptor(10, False, True, False, 0, (32, 32)),
    b"\x0a\x08\x02\x04\x01\x08\x01\x02": Descriptor(8, False, True, False, 0),
}


@pytest.mark.parametrize("descriptor", DESCRIPTORS)
def test_a_descriptor_is_read(descriptor: bytes) -> None:
    assert parse_descriptor(descriptor + b"picture") == DESCRIPTORS[descriptor]


@pytest.mark.parametrize("descriptor", DESCRIPTORS)
def test_a_descriptor_without_a_picture_is_malformed(descriptor: bytes) -> None:
    for cut in range(len(descriptor) + 1):
        with pytest.raises(Malformed):
            parse_descriptor(descriptor[:cut])


@given(st.binary(max_size=60))
def test_whatever_the_bytes_are_the_descriptor_lies_inside(payload: bytes) -> None:
    with contextlib.suppress(Malformed):
        assert 0 < parse_descriptor(payload).size < len(payload)


def test_a_key_frame_tells_its_size() -> None:
    assert picture_size(pictures("VP9")[0].data) == SIZE


def test_the_size_is_found_behind_the_colours_of_any_profile() -> None:
    sides = f"{639:016b}{479:016b}"
    colours = {0: "0010", 1: "0010" + "100", 2: "0" + "0010"}
    for profile, colour in colours.items():
        text = f"10{profile & 1}{profile >> 1}0010" + f"{0x498342:024b}" + colour + sides
        data = int(text.ljust(128, "0"), 2).to_bytes(16, "big")
        assert picture_size(data) == (640, 480)


@pytest.mark.parametrize("head", [KEY[:3], b"\x82\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", KEY])
def test_a_head_that_is_torn_or_none_is_malformed(head: bytes) -> None:
    with pytest.raises(Malformed):
        picture_size(head)


def test_a_picture_of_layers_is_as_large_as_the_highest() -> None:
    key, delta = (picture.data for picture in pictures("VP9")[:2])
    structure = b"\x30" + b"".join(side.to_bytes(2, "big") for side in (*SIZE, 1280, 968))
    depacketizer = Depacketizer()
    depacketizer.push(b"\xae\x01\x00\x00" + structure + key, 0, False)
    frame = depacketizer.push(b"\xac\x01\x02\x00" + delta, 0, True)
    assert frame is not None
    assert frame.size == (1280, 968)
    # The structure says more than comes.
    frame = depacketizer.push(b"\xae\x01\x00\x00" + structure + key, 1, True)
    assert frame is not None
    assert frame.size == SIZE


def test_layers_become_one_superframe_that_decodes() -> None:
    """Two pictures of a stream stand in for two layers: a decoder takes a superframe apart by its index."""
    key, delta = (picture.data for picture in pictures("VP9")[:2])
    depacketizer = Depacketizer()
    assert depacketizer.push(b"\xac\x01\x00\x00" + key, 0, False) is None
    frame = depacketizer.push(b"\xac\x01\x02\x00" + delta, 0, True)
    assert frame is not None
    assert (frame.key, frame.size) == (True, SIZE)
    assert frame.data.startswith(key + delta)
    decoder = av.CodecContext.create("libvpx-vp9", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    assert len(decoder.decode(av.Packet(frame.data))) == 1
    again = [frame for data in (key, delta) for frame in decoder.decode(av.Packet(data))]
    assert len(again) == 2


WRONG = {
    "begins twice": [b"\x08" + KEY, b"\x08" + KEY],
    "goes on after its end": [b"\x0c" + KEY, b"\x00" + KEY],
    "too many layers": [b"\x0c" + KEY] * 9,
}


@pytest.mark.parametrize("name", WRONG)
def test_layers_that_do_not_fit_together_are_malformed(name: str) -> None:
    depacketizer = Depacketizer()
    *first, last = WRONG[name]
    for payload in first:
        depacketizer.push(payload, 0, False)
    with pytest.raises(Malformed):
        depacketizer.push(last, 0, False)


def test_a_picture_that_ends_inside_a_layer_is_malformed() -> None:
    with pytest.raises(Malformed):
        Depacketizer().push(b"\x08" + KEY, 0, True)
