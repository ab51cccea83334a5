"""Feedback is read back by the parser and, independently, by a decoder that follows the draft bit by bit."""

from contextlib import suppress
from struct import pack, unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.rtp import Malformed
from media.wire.twcc import MAX_SPAN, TICK_MOD, build, parse


def decode(body: bytes) -> dict[int, int]:
    """Sequence number -> tick, written from the draft; for bodies that hold what they say."""
    first, count = unpack_from("!HH", body)
    tick = int.from_bytes(body[4:7], "big") * 256
    at = 8
    symbols: list[int] = []
    while len(symbols) < count:
        (chunk,) = unpack_from("!H", body, at)
        at += 2
        if not chunk >> 15:
            symbols += [chunk >> 13 & 3] * (chunk & 0x1FFF)
        elif chunk >> 14 & 1:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    arrivals = {}
    for number, symbol in enumerate(symbols[:count]):
        if symbol == 1:
            tick += body[at]
            at += 1
        elif symbol == 2:
            tick += unpack_from("!h", body, at)[0]
            at += 2
        if symbol:
            arrivals[(first + number) % 65536] = tick % TICK_MOD
    assert len(body) - at < 4
    assert len(body) % 4 == 0
    return arrivals


def read(body: bytes) -> dict[int, int]:
    found = parse(memoryview(body))
    return {(found.first + o) % 65536: tick for o, tick in zip(found.arrived, found.ticks, strict=True)}


waits = st.one_of(st.none(), st.integers(-40, 300), st.integers(-32768, 32767))


@given(
    st.integers(0, 1 << 20),
    st.integers(1 << 20, 1 << 40),
    st.lists(waits, min_size=1, max_size=MAX_SPAN),
    st.integers(0, 600),
)
def test_what_is_built_is_read_back(first: int, start: int, steps: list[int | None], number: int) -> None:
    ticks: list[int | None] = [start]
    tick = start
    for step in steps:
        if step is not None:
            tick += step
        ticks.append(None if step is None else tick)
    body, used = build(first, ticks, number)
    expected = {
        (first + place) % 65536: tick % TICK_MOD for place, tick in enumerate(ticks) if tick is not None
    }
    assert used == len(ticks)
    assert read(body) == decode(body) == expected
    said = parse(memoryview(body))
    assert (said.first, said.span, said.number) == (first % 65536, len(ticks), number % 256)
    assert len(body) <= 8 + 2 * len(ticks) + 2 * (len(ticks) // 7 + 1) + 3


def test_a_body_ends_before_a_wait_that_no_delta_can_hold() -> None:
    body, used = build(7, [1000, None, 1000 + 40_000, 41_001], 0)
    assert used == 2
    assert read(body) == {7: 1000}


@pytest.mark.parametrize(
    ("ticks", "size"),
    [
        ([4000 + n for n in range(300)], 8 + 2 + 300),  # one run
        ([4000, *[None] * 250, 4001], 8 + 2 + 2 + 2 + 2),  # a vector, a run of lost ones, a vector
        ([4000 + n if n % 2 else None for n in range(28)], 8 + 4 + 14),  # two vectors of one bit
        ([4000 + 300 * n for n in range(7)], 8 + 2 + 14),  # large deltas; the first may be small
    ],
)
def test_the_shortest_chunk_is_taken(ticks: list[int | None], size: int) -> None:
    body, _ = build(0, ticks, 0)
    assert len(body) <= size + 3


def test_what_chromium_sends() -> None:
    # Seen on the wire: 7 packets, small deltas; 10 packets, two-bit vectors and a negative delta of its own.
    body = bytes.fromhex("0565000702e047642007460d0104003e53")
    found = parse(memoryview(body))
    assert (found.first, found.span, found.number, found.arrived) == (0x0565, 7, 0x64, list(range(7)))
    start = 0x02E047 * 256
    assert found.ticks == [start + n for n in (0x46, 0x53, 0x54, 0x58, 0x58, 0x96, 0xE9)]
    body = bytes.fromhex("057a000a02e04967e555200301000002135e3d0000030501")
    with pytest.raises(Malformed):
        parse(memoryview(body[:-6]))


def test_the_reference_time_wraps() -> None:
    body, _ = build(0, [TICK_MOD - 10, TICK_MOD + 200], 0)
    assert read(body) == {0: TICK_MOD - 10, 1: 200}


def head(count: int) -> bytes:
    return pack("!HHL", 5, count, 1 << 8)


def test_a_long_run_of_lost_packets_is_summed() -> None:
    body = head(65535) + pack("!H", 0x1FFF) * 8 + pack("!H", 7)
    found = parse(memoryview(body))
    assert (found.span, found.arrived) == (65535, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        head(1),
        head(1)[:7],
        head(5) + b"\x20",
        head(8191) + pack("!H", 0x3FFF) + bytes(100),  # 8,191 arrived, in 100 bytes
        head(8191) + pack("!H", 0x7FFF) + bytes(100),  # a run of the reserved status
        head(7) + pack("!H", 0xFFFF) + bytes(20),  # a vector of it
        head(3) + pack("!H", 0x4003) + bytes(5),  # half a delta is missing
        head(65535) + pack("!H", 0) * 700,  # runs of nothing
    ],
)
def test_what_cannot_be_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse(memoryview(body))


@given(st.one_of(st.binary(max_size=1200), st.binary(max_size=300).map(lambda tail: head(400) + tail)))
def test_no_bytes_bring_anything_but_malformed(body: bytes) -> None:
    try:
        found = parse(memoryview(body))
    except Malformed:
        return
    assert len(found.arrived) == len(found.ticks) <= min(found.span, len(body))
    assert found.arrived == sorted(set(found.arrived))
    assert all(0 <= offset < found.span for offset in found.arrived)
    assert all(0 <= tick < TICK_MOD for tick in found.ticks)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 59), st.integers(0, 255))
def test_a_changed_byte_is_survived(times: bytes, place: int, value: int) -> None:
    body = bytearray(build(9, [5000 + 7 * t for t in times], 1)[0])
    body[place % len(body)] = value
    with suppress(Malformed):
        parse(memoryview(body))
