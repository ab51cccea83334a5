"""What all video codecs have in common, on pictures that real encoders made."""

import contextlib

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.wire.depacketizers import depacketizer
from media.wire.frame import MAX_FRAME_BYTES, Depacketizer, Frame
from media.wire.keyframes import starts_key_frame
from media.wire.rtp import Malformed
from tests.media.wire.pictures import CODECS, COUNT, KEY_EVERY, SIZE, obus, pictures

codecs = pytest.mark.parametrize("name", CODECS)


def made(name: str) -> Depacketizer:
    found = depacketizer(CODECS[name].offered.payload_type)
    assert found is not None
    return found


def stored(name: str, data: bytes) -> bytes:
    """What a file keeps of a picture that an encoder gave."""
    if name == "H264":
        units = [unit.removesuffix(b"\0") for unit in data.split(b"\0\0\1")[1:]]
        return b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
    if name == "AV1":
        return b"".join(obu for obu in obus(data) if obu[0] >> 3 & 15 != 2)
    return data


def packets(name: str) -> list[tuple[bytes, int, bool]]:
    """All of them, in order: payload, timestamp, marker."""
    return [
        (payload, picture.timestamp, at == len(picture.payloads))
        for picture in pictures(name)
        for at, payload in enumerate(picture.payloads, 1)
    ]


@codecs
def test_every_picture_comes_out_as_it_was_encoded(name: str) -> None:
    depacketizer = made(name)
    frames = [depacketizer.push(*packet) for packet in packets(name)]
    whole = [frame for frame in frames if frame is not None]
    assert [frame.data for frame in whole] == [stored(name, picture.data) for picture in pictures(name)]
    assert [frame.key for frame in whole] == [number % KEY_EVERY == 0 for number in range(COUNT)]
    assert {frame.size for frame in whole if frame.key} == {SIZE}


@codecs
def test_a_picture_that_a_key_frame_cuts_short_costs_no_more_than_itself(name: str) -> None:
    """As libwebrtc sends it: what waits in its queue when a key frame comes is thrown away."""
    depacketizer = made(name)
    all_packets = packets(name)
    keys = [p for p in pictures(name) if p.key]
    cut = next(at for at, (_, timestamp, _) in enumerate(all_packets) if timestamp == keys[1].timestamp)
    frames = [depacketizer.push(*packet) for packet in all_packets[: cut - 1] + all_packets[cut:]]
    assert len([frame for frame in frames if frame is not None]) == COUNT - 1


@codecs
def test_only_the_first_packet_of_a_key_frame_starts_one(name: str) -> None:
    payload_type = CODECS[name].offered.payload_type
    for picture in pictures(name):
        starts = [starts_key_frame(payload_type, payload) for payload in picture.payloads]
        assert starts == [picture.key] + [False] * (len(starts) - 1)
        assert len(starts) > 1


DECODERS = {"VP8": "libvpx", "H264": "h264", "VP9": "vp9", "AV1": "libdav1d"}


@codecs
def test_what_comes_out_decodes_without_a_fault(name: str) -> None:
    """With nothing but the frames and what a file's head holds."""
    depacketizer = made(name)
    frames = [frame for packet in packets(name) if (frame := depacketizer.push(*packet))]
    decoder = av.CodecContext.create(
        {"VP8": "libvpx", "VP9": "vp9", "AV1": "libdav1d"}.get(name, "h264"), "r"
    )
    assert isinstance(decoder, av.VideoCodecContext)
    if frames[0].private:
        decoder.extradata = frames[0].private
    decoded = [picture for frame in frames for picture in decoder.decode(av.Packet(frame.data))]
    decoded += decoder.decode(None)
    assert len(decoded) == COUNT
    assert {(picture.width, picture.height) for picture in decoded} == {SIZE}


@codecs
def test_nothing_comes_before_a_key_frame(name: str) -> None:
    depacketizer = made(name)
    later = [packet for packet in packets(name) if packet[1] > 0]
    frames = [frame for packet in later if (frame := depacketizer.push(*packet))]
    assert len(frames) == COUNT - KEY_EVERY
    assert frames[0].key


@codecs
def test_a_key_frame_is_needed_until_one_is_on_its_way(name: str) -> None:
    depacketizer = made(name)
    assert depacketizer.needs_key_frame
    for packet in packets(name)[:5]:
        depacketizer.push(*packet)
        assert not depacketizer.needs_key_frame
    depacketizer.reset()
    assert depacketizer.needs_key_frame


@codecs
def test_padding_is_passed_over(name: str) -> None:
    depacketizer = made(name)
    frames = []
    for packet in packets(name):
        assert depacketizer.push(b"", packet[1], packet[2]) is None
        frames.append(depacketizer.push(*packet))
    assert len([frame for frame in frames if frame]) == COUNT


@codecs
@settings(max_examples=40)
@given(data=st.data())
def test_whatever_is_lost_what_comes_out_is_whole_and_can_be_decoded(name: str, data: st.DataObject) -> None:
    every = packets(name)
    lost = data.draw(st.sets(st.integers(0, len(every) - 1), max_size=6))
    frames = run(made(name), [None if at in lost else packet for at, packet in enumerate(every)])
    decodable = True
    expected = []
    for picture in pictures(name):
        at = every.index((picture.payloads[0], picture.timestamp, len(picture.payloads) == 1))
        whole = not lost & set(range(at, at + len(picture.payloads)))
        decodable = whole and (decodable or picture.key)
        expected += [stored(name, picture.data)] * decodable
    assert [frame.data for frame in frames] == expected


def run(depacketizer: Depacketizer, pushed: list[tuple[bytes, int, bool] | None]) -> list[Frame]:
    """None: a packet is missing for good."""
    frames = []
    for packet in pushed:
        if packet is None:
            depacketizer.reset()
            continue
        with contextlib.suppress(Malformed):
            frame = depacketizer.push(*packet)
            if frame is not None:
                frames.append(frame)
    return frames


@codecs
@given(data=st.data())
def test_what_is_lost_and_not_told_of_does_no_harm(name: str, data: st.DataObject) -> None:
    every = packets(name)
    kept = [packet for packet in every if data.draw(st.integers(0, 9)) > 0]
    for frame in run(made(name), list(kept)):
        assert frame.data


@codecs
@given(st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 2), st.booleans()), max_size=12), st.data())
def test_whatever_the_bytes_are_frames_or_malformed_come_of_it(
    name: str, noise: list[tuple[bytes, int, bool]], data: st.DataObject
) -> None:
    every = packets(name)
    at = data.draw(st.integers(0, 6))
    cut = data.draw(st.integers(0, 30))
    torn = [(packet[0][:cut] + packet[0][cut + 1 :], packet[1], packet[2]) for packet in every[:4]]
    for pushed in ([*noise], [*every[:at], *noise, *every[at:12]], [*torn, *noise]):
        run(made(name), list(pushed))


ENDLESS = {
    "VP8": (b"\x10\x00" + bytes(1000), b"\x00" + bytes(10_000)),
    "H264": (b"\x67\x42", b"\x61" + bytes(10_000)),
    "VP9": (b"\x08\x82" + bytes(1000), b"\x00" + bytes(10_000)),
    "AV1": (b"\x58\x0a" + bytes(1000), b"\xd0" + bytes(10_000)),
}


@codecs
def test_a_picture_without_end_is_given_up(name: str) -> None:
    first, rest = ENDLESS[name]
    depacketizer = made(name)
    depacketizer.push(first, 0, False)
    for _ in range(MAX_FRAME_BYTES // 10_000 - 1):
        depacketizer.push(rest, 0, False)
    with pytest.raises(Malformed, match="without end"):
        depacketizer.push(b"".join([rest[:1], bytes(20_000)]), 0, False)
    assert depacketizer.needs_key_frame


@codecs
def test_a_picture_that_did_not_end_is_malformed(name: str) -> None:
    every = packets(name)
    depacketizer = made(name)
    depacketizer.push(*every[0])
    with pytest.raises(Malformed):
        depacketizer.push(every[1][0], every[1][1] + 1, False)


def test_there_is_none_for_sound_and_for_what_was_not_offered() -> None:
    assert [depacketizer(payload_type) for payload_type in (0, 63, 97, 111)] == [None] * 4
