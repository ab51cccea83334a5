import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import AV1, H264, OPUS, RED, VP8, VP9
from media.wire.keyframes import starts_key_frame

SPS, PPS, IDR, SLICE, AUD = b"\x67\x42\xe0\x1f", b"\x68\xce", b"\x65\x88", b"\x61\x9a", b"\x09\xf0"


def stap_a(*units: bytes) -> bytes:
    return b"\x78" + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


VP9_KEY, VP9_DELTA = b"\x82\x49\x83\x42\x00", b"\x86\x00\x40\x92"

STARTS = {
    "VP8, shortest descriptor": (VP8, b"\x10\x50"),
    "VP8, 15 bits of picture id": (VP8, b"\x90\x80\x80\x01\x50"),
    "VP8, 7 bits of picture id": (VP8, b"\x90\x80\x01\x50"),
    "VP8, all that a descriptor can have": (VP8, b"\x90\xf0\x80\x01\x07\x20\x50"),
    "H264, parameter set alone": (H264, SPS),
    "H264, parameter sets together": (H264, stap_a(SPS, PPS)),
    "H264, all in one packet": (H264, stap_a(AUD, SPS, PPS, IDR)),
    "VP9, nothing but a picture id": (VP9, b"\x88\x01" + VP9_KEY),
    "VP9, flexible mode with structure": (
        VP9,
        b"\x9a\x80\x01" + b"\x18\x01\x40\x00\xf0\x01\x14\x01" + VP9_KEY,
    ),
    "VP9, lowest of two layers": (VP9, b"\xa8\x80\x01\x00\x05" + VP9_KEY),
    "AV1": (AV1, b"\x18\x0a\x0b"),
    "AV1, to be continued": (AV1, b"\x48\x0a\x0b"),
}
OTHERS = {
    "VP8, delta": (VP8, b"\x10\x51"),
    "VP8, delta with a picture id": (VP8, b"\x90\x80\x80\x01\x51"),
    "VP8, middle of a key frame": (VP8, b"\x00\x50"),
    "VP8, another partition": (VP8, b"\x11\x50"),
    "VP8, descriptor only": (VP8, b"\x90\x80\x80\x01"),
    "VP8, torn descriptor": (VP8, b"\x90"),
    "H264, picture of a key frame": (H264, IDR),
    "H264, beginning of a key frame's picture": (H264, b"\x7c\x85\x88"),
    "H264, delta": (H264, SLICE),
    "H264, deltas together": (H264, stap_a(AUD, SLICE, SLICE)),
    "H264, torn aggregate": (H264, b"\x78\x00\x09\x67"[:3]),
    "VP9, delta": (VP9, b"\xc8\x01" + VP9_DELTA),
    "VP9, middle of a key frame": (VP9, b"\x80\x01" + VP9_KEY),
    "VP9, upper of two layers": (VP9, b"\xa8\x80\x01\x03\x05" + VP9_KEY),
    "VP9, intra picture that is no key frame": (VP9, b"\x88\x01" + VP9_DELTA),
    "VP9, torn structure": (VP9, b"\x9a\x80\x01\x18\x01"),
    "AV1, delta": (AV1, b"\x10\x32\x0b"),
    "AV1, rest of a key frame": (AV1, b"\x80\x32\x0b"),
    "AV1, contradiction": (AV1, b"\x98\x0a\x0b"),
    "sound": (OPUS, b"\x10\x50\x00\x00"),
    "redundant sound": (RED, b"\x10\x50\x00\x00"),
}


@pytest.mark.parametrize("name", STARTS)
def test_the_first_packet_of_a_key_frame_is_known(name: str) -> None:
    codec, payload = STARTS[name]
    assert starts_key_frame(codec.payload_type, payload)


@pytest.mark.parametrize("name", OTHERS)
def test_no_other_packet_is_taken_for_one(name: str) -> None:
    codec, payload = OTHERS[name]
    assert not starts_key_frame(codec.payload_type, payload)


def test_padding_starts_nothing() -> None:
    assert not any(starts_key_frame(payload_type, b"") for payload_type in range(128))


@given(st.sampled_from([VP8, H264, VP9, AV1]).map(lambda c: c.payload_type), st.binary(max_size=60))
def test_whatever_the_bytes_are_there_is_an_answer(payload_type: int, payload: bytes) -> None:
    assert starts_key_frame(payload_type, payload) in (True, False)
