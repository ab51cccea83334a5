import contextlib
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire import rtcp
from media.wire.rtcp import (
    Bye,
    KeyFrameRequest,
    Nack,
    Reception,
    Remb,
    Rtcp,
    SenderReport,
    TransportFeedback,
    build_nack,
    build_pli,
    build_receiver_report,
    build_remb,
    build_sender_report,
    build_transport_feedback,
)
from media.wire.rtp import Malformed

LONG = st.integers(0, 2**32 - 1)
BLOCK = Reception(7, 0.5, -3, 70_000, 90, 0x12345678, 0.5)


def read(data: bytes) -> list[Rtcp]:
    """As the node reads: in memory that is longer than the packet."""
    return rtcp.parse(memoryview(data + b"\x77" * 40), len(data))


receptions = st.builds(
    Reception,
    LONG,
    st.integers(0, 255).map(lambda n: n / 256),
    st.integers(-(2**23), 2**23 - 1),
    LONG,
    LONG,
    LONG,
    LONG.map(lambda n: n / 65536),
)


@given(LONG, st.lists(receptions, max_size=31))
def test_a_receiver_report_is_read_as_written(ssrc: int, blocks: list[Reception]) -> None:
    assert read(build_receiver_report(ssrc, blocks)) == blocks


def test_a_compound_is_read_part_by_part() -> None:
    compound = build_sender_report(5, 3_900_000_000.25, 90_000, 10, 1000, [BLOCK])
    sdes = pack("!BBHLBB2s", 0x81, 202, 2, 5, 1, 2, b"me")
    compound += sdes + build_receiver_report(1, [BLOCK])
    fir = pack("!BBHLLLLLL", 0x84, 206, 6, 1, 0, 9, 1 << 24, 10, 1 << 24)
    bye = pack("!BBHLL", 0x82, 203, 2, 5, 6)
    report = SenderReport(5, 3_900_000_000.25, 90_000, 10, 1000, 3_900_000_000 % 65536 << 16 | 0x4000)
    expected = [report, BLOCK, BLOCK, KeyFrameRequest(8), KeyFrameRequest(9), KeyFrameRequest(10)]
    assert read(compound + build_pli(1, 8) + fir + bye) == [*expected, Bye((5, 6))]


def test_a_sender_report_survives_numbers_that_wrapped() -> None:
    (found,) = read(build_sender_report(5, 2**32 + 1.5, 2**32 + 2, 2**32 + 3, 2**32 + 4))
    assert found == SenderReport(5, 1.5, 2, 3, 4, 0x18000)


def test_extended_reports_and_foreign_feedback_are_passed_over() -> None:
    extended = pack("!BBHLLLL", 0x80, 207, 4, 1, 4 << 24 | 2, 2, 3)
    foreign = pack("!BBHLL4s", 0x8F, 206, 3, 1, 0, b"ABCD")
    assert read(extended + foreign + build_pli(1, 8)) == [KeyFrameRequest(8)]


@given(st.sets(st.integers(65_000, 66_500), min_size=1, max_size=200))
def test_a_nack_names_exactly_what_was_lost(lost: set[int]) -> None:
    (nack,) = read(build_nack(1, 2, sorted(lost)))
    assert nack == Nack(2, tuple(seq % 65536 for seq in sorted(lost)))


def test_a_nack_stays_within_a_datagram() -> None:
    packet = build_nack(1, 2, range(0, 60_000, 17))
    (nack,) = read(packet)
    assert isinstance(nack, Nack)
    assert nack.lost == tuple(range(0, 256 * 17, 17))
    assert len(packet) < 1200


@given(st.integers(0, 2**60), st.lists(LONG, max_size=10))
def test_a_rate_limit_is_read_as_written_but_for_rounding(bitrate: int, ssrcs: list[int]) -> None:
    (found,) = read(build_remb(1, bitrate, ssrcs))
    assert isinstance(found, Remb)
    assert found.ssrcs == tuple(ssrcs)
    assert bitrate * (1 - 2**-17) <= found.bitrate <= bitrate


def test_a_rate_limit_as_the_draft_draws_it() -> None:
    packet = build_remb(1, 1_000_000, [0xDEADBEEF])
    assert packet.hex(" ", 4) == "8fce0005 00000001 00000000 52454d42 010bd090 deadbeef"


def test_transport_feedback_is_handed_on_without_its_padding() -> None:
    body = bytes(range(12))
    (plain,) = read(build_transport_feedback(1, 2, body))
    padded = pack("!BBHLL", 0xAF, 205, 5, 1, 2) + body[:9] + b"\x00\x00\x03"
    (unpadded,) = read(padded)
    assert isinstance(plain, TransportFeedback)
    assert isinstance(unpadded, TransportFeedback)
    assert (bytes(plain.body), bytes(unpadded.body)) == (body, body[:9])


@pytest.mark.parametrize("lost", [-5, 0, 1 << 30, -(1 << 30)])
def test_a_receiver_report_holds_any_count(lost: int) -> None:
    (found,) = read(build_receiver_report(1, [Reception(7, 1.0, lost, 2**40, 1, 0, 1e9)]))
    assert isinstance(found, Reception)
    assert found.lost == max(-(1 << 23), min(lost, (1 << 23) - 1))


MALFORMED = {
    "half a header": b"\x80\xc9\x00",
    "other version": b"\x40" + build_pli(1, 2)[1:],
    "longer than the packet": build_pli(1, 2)[:-4],
    "fewer blocks than said": b"\x82" + build_receiver_report(1, [BLOCK])[1:],
    "half a sender report": pack("!BBHLL", 0x80, 200, 2, 1, 2),
    "feedback about nothing": pack("!BBHL", 0x81, 206, 1, 1),
    "transport feedback about nothing": pack("!BBHL", 0x8F, 205, 1, 1),
    "padding without end": pack("!BBHLL", 0xA1, 206, 2, 1, 200),
    "padding of nothing": pack("!BBHLL", 0xA1, 206, 2, 1, 0),
    "padding where nothing is": pack("!BBH", 0xA1, 206, 0),
    "fewer SSRCs than said": pack("!BBHLL4sL", 0x8F, 206, 4, 1, 0, b"REMB", 2 << 24),
    "a right one and then a torn one": build_pli(1, 2) + b"\x80",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_rtcp_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        read(MALFORMED[name])


@given(
    st.lists(
        st.tuples(
            st.integers(0, 63), st.sampled_from([200, 201, 202, 203, 205, 206, 207]), st.binary(max_size=80)
        ),
        max_size=5,
    ),
    st.binary(max_size=8),
)
def test_whatever_the_bytes_are_they_are_understood_or_malformed(
    parts: list[tuple[int, int, bytes]], rest: bytes
) -> None:
    compound = b"".join(
        pack("!BBH", 0x80 | flags, kind, len(body) // 4) + body[: len(body) // 4 * 4]
        for flags, kind, body in parts
    )
    for data in (compound, compound + rest, rest):
        with contextlib.suppress(Malformed):
            read(data)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_what_a_datagram_asks_for_is_bounded_by_its_size(count: int) -> None:
    """The worst one: every bit of a NACK set."""
    words = (1500 // count - 12) // 4
    nack = pack("!BBHLL", 0x81, 205, 2 + words, 1, 2) + b"\x00\x00\xff\xff" * words
    found = read(nack * count)
    assert sum(len(n.lost) for n in found if isinstance(n, Nack)) <= 17 * 1500 // 4
