import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import AV1, H264, RED, VIDEO, VP8, VP9, Codec
from media.path.packet import Packet
from media.recording.frames import Picture, Pictures
from tests.media.recording.film import pictures
from tests.media.wire.pictures import CODECS, KEY_EVERY


def packets(name: str, count: int = 2 * KEY_EVERY) -> list[Packet]:
    """Of so many pictures, each 1/30 s after the one before."""
    payload_type = CODECS[name].offered.payload_type
    made: list[Packet] = []
    for number, payloads in enumerate(pictures(name, 60)[:count]):
        for index, payload in enumerate(payloads):
            marker, seq = index == len(payloads) - 1, len(made)
            made.append(Packet(seq, number * 3000, marker, payload_type, payload, number / 30, False))
    return made


def pushed(line: Pictures, some: list[Packet]) -> list[Picture]:
    return [found for packet in some if (found := line.push(packet)) is not None]


@pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.name)
def test_pictures_come_out_whole_with_the_time_of_their_first_packet(codec: Codec) -> None:
    name = codec.name
    found = pushed(Pictures(), packets(name))
    assert [picture.timestamp for picture in found] == [3000 * n for n in range(2 * KEY_EVERY)]
    assert [n for n, picture in enumerate(found) if picture.frame.key] == [0, KEY_EVERY]
    assert [picture.arrived for picture in found] == [n / 30 for n in range(2 * KEY_EVERY)]
    assert {picture.codec.name for picture in found} == {name}
    assert found[0].frame.size == (320, 240)
    assert bool(found[0].frame.private) == (codec in (H264, AV1))


@pytest.mark.parametrize("codec", VIDEO, ids=lambda codec: codec.name)
def test_after_a_loss_nothing_until_a_key_frame(codec: Codec) -> None:
    line, some = Pictures(), packets(codec.name)
    before = [p for p in some if p.timestamp < 9000]
    assert len(pushed(line, before)) == 3
    assert not line.broken
    line.lost()
    assert line.broken
    assert line.needs_key_frame
    found = pushed(line, [p for p in some if p.timestamp > 9000])
    assert found[0].timestamp == KEY_EVERY * 3000
    assert not line.broken


def test_padding_and_what_is_no_video_changes_nothing() -> None:
    line, some = Pictures(), packets("VP8")
    pushed(line, some[:-1])
    line.push(Packet(1, some[-1].timestamp, False, VP9.payload_type, b"", 0.0, False))
    assert not line.broken
    assert line.push(some[-1]) is not None
    line.push(Packet(2, 0, False, RED.payload_type, b"sound", 0.0, False))
    assert line.codec is None
    assert line.needs_key_frame


def test_while_a_key_frame_comes_in_none_is_needed() -> None:
    line = Pictures()
    assert line.needs_key_frame
    line.push(Packet(0, 0, False, VP8.payload_type, b"\x10\x10\x02\x00\x9d\x01\x2a", 0.0, False))
    assert (line.broken, line.needs_key_frame) == (True, False)


@given(st.sampled_from(VIDEO), st.lists(st.tuples(st.binary(max_size=30), st.booleans())))
def test_any_payload_is_survived(codec: Codec, payloads: list[tuple[bytes, bool]]) -> None:
    line = Pictures()
    payload_type = codec.payload_type
    for number, (payload, marker) in enumerate(payloads):
        line.push(Packet(number, 0, marker, payload_type, payload, 0.0, False))
