import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.red import MAX_BLOCKS, Red, Redundant, build, parse
from media.wire.rtp import Malformed

redundant = st.builds(
    Redundant, st.integers(0, 127), st.integers(0, 2**14 - 1), st.binary(min_size=1, max_size=1023)
)


@given(
    st.builds(Red, st.integers(0, 127), st.binary(max_size=300), st.lists(redundant, max_size=4).map(tuple))
)
def test_a_packet_is_read_as_written(red: Red) -> None:
    assert parse(build(red)) == red


def test_a_packet_as_the_specification_draws_it() -> None:
    payload = bytes.fromhex("ef 0f 00 05 6f") + b"first" + b"second"
    assert parse(payload) == Red(111, b"second", (Redundant(111, 960, b"first"),))


def test_a_packet_without_redundancy_has_one_byte_more() -> None:
    assert parse(b"\x6fsound") == Red(111, b"sound", ())


def test_empty_blocks_are_left_out() -> None:
    assert parse(bytes.fromhex("ef 0f 00 00 6f") + b"sound") == Red(111, b"sound", ())


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xef", b"\xef\x0f\x00\x05", b"\xef\x0f\x00\x05\x6fwave", b"\xef\x0f\x00\x01" * 400 + b"\x6f"],
)
def test_what_is_none_is_malformed(payload: bytes) -> None:
    with pytest.raises(Malformed):
        parse(payload)


@given(st.binary(max_size=100))
def test_whatever_the_bytes_are_the_blocks_lie_inside_or_it_is_malformed(payload: bytes) -> None:
    with contextlib.suppress(Malformed):
        found = parse(payload)
        assert len(found.redundant) <= MAX_BLOCKS
        assert sum(len(r.payload) for r in found.redundant) + len(found.payload) < len(payload)
