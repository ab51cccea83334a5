import contextlib

from hypothesis import given
from hypothesis import strategies as st

from media.depacketizer import PATIENCE_S, Lost, Reorder, Vp8Frames, opus_samples
from media.upstream import Packet
from media.vp8 import MalformedVp8, parse_descriptor, picture_size, starts_key_frame
from tests.media.encoded import opus_packets, vp8_frames, vp8_payloads
from tests.media.streams import DELTA, KEY, REST


def packet(
    seq: int, payload: bytes = b"", marker: bool = False, timestamp: int = 0, arrived: float = 0.0
) -> Packet:
    return Packet(seq, timestamp, marker, payload, arrived)


@given(st.permutations(range(1, 20)), st.sets(st.integers(1, 18)))
def test_order_is_restored_and_what_never_comes_is_said(order: list[int], lost: set[int]) -> None:
    reorder = Reorder()
    reorder.push(packet(0))
    for seq in order:
        if seq not in lost:
            reorder.push(packet(seq))
    out = [*reorder.pop(0.0), *reorder.pop(PATIENCE_S)]
    assert [p.seq for p in out if isinstance(p, Packet)] == sorted(set(range(20)) - lost)
    assert sum(gap.count for gap in out if isinstance(gap, Lost)) == len(
        lost - {n for n in lost if n > max(set(range(20)) - lost)}
    )


def test_a_missing_packet_is_waited_for_and_then_given_up() -> None:
    reorder = Reorder()
    reorder.push(packet(1))
    reorder.push(packet(3, arrived=1.0))
    assert [p.seq for p in reorder.pop(1.2) if isinstance(p, Packet)] == [1]
    reorder.push(packet(2, arrived=1.3))
    assert [p.seq for p in reorder.pop(1.3) if isinstance(p, Packet)] == [2, 3]
    reorder.push(packet(6, arrived=2.0))
    assert list(reorder.pop(2.4)) == []
    assert list(reorder.pop(2.5)) == [Lost(2), packet(6, arrived=2.0)]


def test_real_frames_come_out_as_they_went_in() -> None:
    frames, seq, out = Vp8Frames(), 0, []
    for number, data in enumerate(vp8_frames(60)):
        pieces = vp8_payloads(data, 100)
        for at, piece in enumerate(pieces):
            frame = frames.push(packet(seq, piece, at == len(pieces) - 1, number * 3000))
            seq += 1
            if frame is not None:
                out.append(frame)
    assert [f.data for f in out] == list(vp8_frames(60))
    assert [n for n, f in enumerate(out) if f.key] == [0, 30]
    assert picture_size(out[0].data) == (320, 240)


def test_after_a_loss_nothing_until_a_key_frame() -> None:
    frames = Vp8Frames()
    assert frames.push(packet(1, DELTA, True)) is None
    assert frames.push(packet(2, KEY, True)) is not None
    assert frames.push(packet(3, DELTA, True)) is not None
    frames.lost()
    assert frames.broken
    assert frames.push(packet(5, DELTA, True)) is None
    assert frames.push(packet(6, KEY, True)) is not None


def test_a_frame_cut_short_is_dropped() -> None:
    frames = Vp8Frames()
    frames.push(packet(1, KEY, True))
    frames.push(packet(2, DELTA, False, 3000))
    assert frames.push(packet(3, DELTA, True, 6000)) is None
    assert frames.broken
    frames.push(packet(4, KEY, True))
    assert frames.push(packet(5, REST, True, 9000)) is None
    assert frames.broken


@given(st.binary(max_size=20))
def test_any_payload_is_survived(payload: bytes) -> None:
    starts_key_frame(payload)
    Vp8Frames().push(packet(1, payload, True))
    assert 0 <= opus_samples(payload) <= 5760
    with contextlib.suppress(MalformedVp8):
        assert 1 <= parse_descriptor(payload).size < len(payload)


def test_descriptors_of_every_size() -> None:
    picture = b"\x00rest"
    for head, size in (
        (b"\x10", 1),
        (b"\x90\x80\x05", 3),
        (b"\x90\x80\x85\x01", 4),
        (b"\x90\xe0\x85\x01\x07\x40", 6),
        (b"\x90\x30\x42", 3),
    ):
        assert parse_descriptor(head + picture) == (size, True)
        assert starts_key_frame(head + picture)
    assert not starts_key_frame(b"\x11" + picture)  # a later partition


def test_the_length_of_sound() -> None:
    assert {opus_samples(p) for p in opus_packets(100)} == {960}
    assert [opus_samples(p) for p in (b"", b"\xf8", b"\xfb\x03", b"\xfb", b"\x18", b"\xe1")] == [
        0,
        960,
        2880,
        0,
        2880,
        240,
    ]
