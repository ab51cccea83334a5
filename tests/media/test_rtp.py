import contextlib
from collections.abc import Callable
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.rtp import (
    KeyFrameRequest,
    Malformed,
    Nack,
    Reception,
    ReportBlock,
    SenderReport,
    build_nack,
    build_pli,
    build_receiver_report,
    build_rtp,
    build_sender_report,
    extend,
    parse_rtcp,
    parse_rtp,
)


@given(
    st.integers(0, 127),
    st.booleans(),
    st.integers(0, 65535),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=50),
)
def test_rtp_is_read_as_written(
    kind: int, marker: bool, seq: int, ts: int, ssrc: int, payload: bytes
) -> None:
    packet = parse_rtp(build_rtp(kind, marker, seq, ts, ssrc, payload))
    assert packet == (kind, marker, seq, ts, ssrc, payload, None, None)


def test_the_mid_and_the_transport_sequence_are_found_among_other_extensions() -> None:
    extensions = b"\x51\x00\x00" + b"\x00" + b"\x12mic" + b"\x31\x12\x34" + b"\x00"
    data = pack("!BBHLL", 0x90, 111, 1, 2, 3) + pack("!HH", 0xBEDE, 3) + extensions + b"sound"
    packet = parse_rtp(data)
    assert (packet.mid, packet.transport_seq, packet.payload) == ("mic", 0x1234, b"sound")


def test_padding_and_contributing_sources_are_left_out() -> None:
    data = pack("!BBHLL", 0xA2, 96, 1, 2, 3) + bytes(8) + b"picture" + b"\x00\x00\x03"
    assert parse_rtp(data).payload == b"picture"


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_a_parser_answers_or_raises_malformed(data: bytes) -> None:
    parsers: tuple[Callable[[bytes], object], ...] = (parse_rtp, lambda d: list(parse_rtcp(d)))
    for parse in parsers:
        for bytes_ in (data, b"\x90\x6f" + data, b"\x81\xcd" + data):
            with contextlib.suppress(Malformed):
                parse(bytes_)


@given(st.integers(0, 2**40), st.integers(-30_000, 30_000))
def test_wrapping_is_undone(near: int, step: int) -> None:
    assert extend((near + step) % 65536, near) == near + step


@given(st.sets(st.integers(65_000, 66_500), min_size=1, max_size=60))
def test_a_nack_names_exactly_what_was_lost(lost: set[int]) -> None:
    (nack,) = parse_rtcp(build_nack(1, 2, sorted(lost)))
    assert isinstance(nack, Nack)
    assert nack.ssrc == 2
    assert set(nack.lost) == {seq % 65536 for seq in lost}


def test_a_compound_is_read_part_by_part() -> None:
    block = Reception(7, 0.5, 3, 70_000, 90, 0x12345678, 0.5)
    compound = build_sender_report(5, 3_900_000_000.25, 90_000, 10, 1000) + build_receiver_report(1, [block])
    fir = pack("!BBHLLLL", 0x84, 206, 4, 1, 0, 9, 1 << 24)
    seen = list(parse_rtcp(compound + build_pli(1, 8) + fir))
    assert seen == [
        SenderReport(5, 3_900_000_000.25, 90_000),
        ReportBlock(7, 0.5, 90),
        KeyFrameRequest(8),
        KeyFrameRequest(9),
    ]


@pytest.mark.parametrize("lost", [-5, 0, 1 << 30])
def test_a_receiver_report_holds_any_count(lost: int) -> None:
    assert list(parse_rtcp(build_receiver_report(1, [Reception(7, 1.0, lost, 1, 1, 0, 1e9)])))
