import contextlib
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.rtp import (
    ELEMENT,
    HEADER_BYTES,
    ONE_WORD,
    PLAIN,
    Header,
    Malformed,
    extend,
    mid,
    parse,
    write,
)

BYTE, SHORT, LONG = st.integers(0, 127), st.integers(0, 65535), st.integers(0, 2**32 - 1)


def read(data: bytes) -> Header:
    """As the node reads: in memory that is longer than the packet."""
    return parse(memoryview(data + b"\x77" * 40), len(data))


def fixed(flags: int, kind: int = 96, seq: int = 1, timestamp: int = 2, ssrc: int = 3) -> bytes:
    return pack("!BBHLL", 0x80 | flags, kind, seq, timestamp, ssrc)


def extensions(elements: bytes, profile: int = 0xBEDE) -> bytes:
    padded = elements + bytes(-len(elements) % 4)
    return pack("!HH", profile, len(padded) // 4) + padded


@given(BYTE, st.integers(0, 1), SHORT, LONG, LONG, SHORT, st.binary(max_size=50))
def test_a_header_is_read_as_written(
    kind: int, marker: int, seq: int, timestamp: int, ssrc: int, transport_seq: int, payload: bytes
) -> None:
    memory = bytearray(100)
    element = ELEMENT | transport_seq << 8
    write(memoryview(memory), 0, PLAIN | marker << 7 | kind, seq, timestamp, ssrc, ONE_WORD, element)
    memory[HEADER_BYTES : HEADER_BYTES + len(payload)] = payload
    size = HEADER_BYTES + len(payload)
    found = parse(memoryview(memory), size)
    assert found == (kind, marker, seq, timestamp, ssrc, HEADER_BYTES, size, transport_seq, 0)


def test_a_header_is_written_as_the_specification_draws_it() -> None:
    memory = bytearray(b"\xff" * 24)
    element = ELEMENT | 0xABCD << 8
    write(memoryview(memory), 0, PLAIN | 1 << 7 | 96, 0x1234, 0x01020304, 0xDEADBEEF, ONE_WORD, element)
    assert memory.hex(" ", 4) == "90e01234 01020304 deadbeef bede0001 31abcd00 ffffffff"


@given(BYTE, st.integers(0, 1), SHORT, LONG, LONG, st.binary(max_size=50))
def test_without_extensions_all_after_the_header_is_payload(
    kind: int, marker: int, seq: int, timestamp: int, ssrc: int, payload: bytes
) -> None:
    data = fixed(0, kind | marker << 7, seq, timestamp, ssrc) + payload
    assert read(data) == (kind, marker, seq, timestamp, ssrc, 12, len(data), -1, 0)


@pytest.mark.parametrize(
    "elements",
    [
        b"\x12mic\x31\x12\x34",
        b"\x31\x12\x34\x12mic",
        b"\x51\x00\x00\x00\x12mic\x31\x12\x34\x00",
        b"\x31\x12\x34\x00\x12mic\x77" + bytes(8),
    ],
)
def test_the_mid_and_the_transport_sequence_are_found_among_other_extensions(elements: bytes) -> None:
    data = fixed(0x10, 111) + extensions(elements) + b"sound"
    *_, start, stop, transport_seq, mid_at = read(data)
    assert (data[start:stop], transport_seq) == (b"sound", 0x1234)
    assert mid(memoryview(data), mid_at) == "mic"


def test_elements_after_the_id_15_and_blocks_of_other_profiles_are_not_read() -> None:
    stopped = fixed(0x10) + extensions(b"\xf0\x00\x31\x12\x34") + b"rest"
    foreign = fixed(0x10) + extensions(b"\x31\x12\x34", profile=0x1000) + b"rest"
    for data in (stopped, foreign):
        *_, start, stop, transport_seq, mid_at = read(data)
        assert (data[start:stop], transport_seq, mid_at) == (b"rest", -1, 0)


def test_an_element_that_overruns_its_block_is_not_read() -> None:
    data = fixed(0x10) + extensions(b"\x00\x00\x00\x12") + b"mic"
    assert read(data)[7:] == (-1, 0)


def test_padding_and_contributing_sources_are_left_out() -> None:
    data = fixed(0x22) + bytes(8) + b"picture" + b"\x00\x00\x03"
    *_, start, stop, _, _ = read(data)
    assert data[start:stop] == b"picture"


def test_a_packet_of_padding_alone_has_an_empty_payload() -> None:
    data = fixed(0x30) + extensions(b"\x31\x12\x34") + bytes(254) + b"\xff"
    *_, start, stop, transport_seq, _ = read(data)
    assert (start, stop, transport_seq) == (20, 20, 0x1234)


def test_a_mid_of_foreign_bytes_is_still_text() -> None:
    assert mid(memoryview(b"\x11\xff\x61"), 0) == "\ufffda"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        fixed(0)[:11],
        b"\x40" + fixed(0)[1:],
        fixed(0x0F) + bytes(56),  # fewer contributing sources than it says
        fixed(0x10) + b"\xbe\xde\x00",
        fixed(0x10) + b"\xbe\xde\x00\x02" + bytes(7),
        fixed(0x20) + b"ab\x04",  # more padding than packet
    ],
)
def test_what_is_no_rtp_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x90\x6f", fixed(0x10), fixed(0x30) + b"\xbe\xde"]))
def test_whatever_the_bytes_are_the_payload_lies_inside_or_it_is_malformed(data: bytes, head: bytes) -> None:
    data = head + data
    with contextlib.suppress(Malformed):
        *_, start, stop, transport_seq, mid_at = read(data)
        assert 12 <= start <= stop <= len(data)
        assert -1 <= transport_seq < 65536
        assert mid_at < start
        if mid_at:
            assert 1 <= len(mid(memoryview(data), mid_at)) <= 16


@given(st.integers(0, 2**40), st.integers(-32_768, 32_767))
def test_a_sequence_number_that_wrapped_is_undone(near: int, step: int) -> None:
    assert extend((near + step) % 65536, near) == near + step


@given(st.integers(0, 2**50), st.integers(-(2**31), 2**31 - 1))
def test_a_timestamp_that_wrapped_is_undone(near: int, step: int) -> None:
    assert extend((near + step) % 2**32, near, 2**32) == near + step
