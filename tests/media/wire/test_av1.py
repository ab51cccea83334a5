import contextlib
import os
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire import av1_sequence
from media.wire.av1 import Depacketizer, leb128, with_size
from media.wire.rtp import Malformed
from tests.media.wire import pictures
from tests.media.wire.pictures import SIZE, obus, unhurried

FIRST = pictures.pictures("AV1")[0].data
SEQUENCE = next(obu for obu in obus(FIRST) if obu[0] >> 3 & 15 == 1)
BODY = SEQUENCE[2:]
BARE = b"\x08" + BODY  # the same without a size
FRAME, TILES = b"\x30frame", b"\x20tiles"


def sized(obu: bytes) -> bytes:
    return bytes([obu[0] | 2, len(obu) - 1]) + obu[1:]


def element(obu: bytes) -> bytes:
    return pictures.leb128(len(obu)) + obu


@pytest.mark.parametrize(
    "payload",
    [
        b"\x08" + element(BARE) + element(FRAME) + element(TILES),
        b"\x38" + element(BARE) + element(FRAME) + TILES,
        b"\x38" + element(SEQUENCE) + element(sized(FRAME)) + TILES,
        b"\x08" + element(b"\x10") + element(BARE) + element(FRAME) + element(TILES) + element(b"\x78pad"),
    ],
    ids=["sizes", "count", "sizes inside", "delimiter and padding"],
)
def test_a_temporal_unit_has_every_unit_with_its_size(payload: bytes) -> None:
    frame = Depacketizer().push(payload, 0, True)
    assert frame is not None
    assert frame.data == SEQUENCE + sized(FRAME) + sized(TILES)
    assert (frame.key, frame.size) == (True, SIZE)
    assert frame.private[4:] == SEQUENCE


def test_a_unit_goes_on_over_packets() -> None:
    depacketizer = Depacketizer()
    assert depacketizer.push(b"\x68" + element(BARE) + b"\x30one", 0, False) is None
    assert depacketizer.push(b"\xd0two", 0, False) is None
    frame = depacketizer.push(b"\xa0" + element(b"three") + TILES, 0, True)
    assert frame is not None
    assert frame.data == SEQUENCE + sized(b"\x30onetwothree") + sized(TILES)


def test_an_extension_stays_with_its_unit() -> None:
    assert with_size(b"\x34\x48frame") == b"\x36\x48\x05frame"


def test_the_head_of_a_file_says_what_the_encoder_says() -> None:
    encoder = av.CodecContext.create("libsvtav1", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = 640, 360, "yuv420p10le"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30, 1)
    encoder.options = {"preset": "13", "svtav1-params": "lp=1"}
    encoder.flags |= av.codec.context.Flags.global_header
    with unhurried():
        encoder.open()
    assert encoder.extradata is not None
    (header,) = [obu for obu in obus(encoder.extradata) if obu[0] >> 3 & 15 == 1]
    found = av1_sequence.parse(header[2:])
    assert (found.width, found.height) == (640, 360)
    assert found.av1c[0] == 0x81
    assert found.av1c[1] >> 5 == 0  # profile
    assert found.av1c[2] & 0b0111_1100 == 0b0100_1100  # ten bits, 4:2:0


def sequence(*fields: tuple[int, int]) -> bytes:
    """A header of (value, bits)."""
    text = "".join(f"{value:0{bits}b}" for value, bits in fields)
    return int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")


def test_all_that_a_sequence_header_can_have_is_passed_over() -> None:
    head = [(0, 3), (0, 1), (0, 1)]
    timing = [(1, 1), (1, 32), (30, 32), (1, 1), (0b00101, 5)]
    model = [(1, 1), (9, 5), (1, 32), (4, 5), (4, 5)]
    points = [(1, 1), (1, 5), (0x101, 12), (9, 5), (1, 1), (1, 1), (0, 21), (1, 1), (3, 4)]
    points += [(0x100, 12), (4, 5), (0, 1), (0, 1)]
    size = [(9, 4), (8, 4), (799, 10), (449, 9)]
    tools = [(1, 1), (0, 7), (0, 3), (0, 4), (1, 1), (3, 2), (0, 1), (1, 1), (0, 1), (1, 1), (6, 3)]
    rest = [(7, 3), (0, 1), (0, 1), (1, 1), (1, 8), (1, 8), (1, 8), (0, 1), (2, 2)]
    found = av1_sequence.parse(sequence(*head, *timing, *model, *points, *size, *tools, *rest))
    assert found == (800, 450, bytes([0x81, 9, 0b1000_1110, 0]))


def test_a_reduced_header_is_read() -> None:
    fields = [
        (1, 3),
        (1, 1),
        (1, 1),
        (5, 5),
        (5, 4),
        (5, 4),
        (63, 6),
        (47, 6),
        (0, 3),
        (0, 3),
        (0, 1),
        (0, 1),
    ]
    assert av1_sequence.parse(sequence(*fields, (0, 1))) == (64, 48, bytes([0x81, 1 << 5 | 5, 0, 0]))


WRONG = {
    "continues what did not begin": b"\x80" + element(FRAME),
    "nothing in it": b"\x08",
    "fewer than it says": b"\x38" + element(BARE) + FRAME[:1],
    "longer than the packet": b"\x08\x40" + FRAME,
    "empty element": b"\x08\x00",
    "forbidden bit": b"\x18\xb0frame",
    "extension of no bytes": b"\x18\x34",
    "size beyond its end": b"\x18\x32\x20frame",
    "size without end": b"\x08" + b"\xff" * 9,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_packet_is_malformed(name: str) -> None:
    depacketizer = Depacketizer()
    depacketizer.push(b"\x18" + BARE, 0, False)
    with pytest.raises(Malformed):
        depacketizer.push(WRONG[name], 0, False)
    assert depacketizer.needs_key_frame


def test_a_picture_that_ends_inside_a_unit_is_malformed() -> None:
    with pytest.raises(Malformed):
        Depacketizer().push(b"\x58" + BARE, 0, True)


def test_a_beginning_without_a_sequence_header_is_malformed() -> None:
    with pytest.raises(Malformed):
        Depacketizer().push(b"\x18" + FRAME, 0, True)


@given(st.integers(0, 2**14 - 1))
def test_a_number_is_read_as_written(value: int) -> None:
    data = b"\xff" + pictures.leb128(value)
    assert leb128(data, 1) == (value, len(data))


@given(st.binary(max_size=80), st.integers(0, 20))
def test_whatever_the_bytes_are_a_sequence_or_malformed_comes_of_it(noise: bytes, at: int) -> None:
    for body in (noise, BODY[:at] + noise):
        with contextlib.suppress(Malformed):
            assert len(av1_sequence.parse(body).av1c) == 4


def test_making_pictures_leaves_the_thread_as_it_was() -> None:
    before = os.sched_getscheduler(0)
    pictures.pictures.__wrapped__("AV1")
    assert os.sched_getscheduler(0) == before
