"""The feedback is read back by a decoder written from the draft, not from the encoder."""

from struct import unpack_from

from hypothesis import given
from hypothesis import strategies as st

from media.twcc import ArrivalLog


def decode(body: bytes) -> dict[int, float]:
    """Sequence number -> arrival in seconds (modulo the reference time's range)."""
    base, count = unpack_from("!HH", body)
    time = int.from_bytes(body[4:7], "big") * 0.064
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
            time += body[at] * 0.00025
            at += 1
        elif symbol == 2:
            time += unpack_from("!h", body, at)[0] * 0.00025
            at += 2
        if symbol:
            arrivals[(base + number) % 65536] = time
    assert len(body) - at < 4
    assert len(body) % 4 == 0
    return arrivals


@given(
    st.integers(0, 65535),
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.3)), min_size=1, max_size=900),
    st.floats(0, 1e6),
)
def test_every_arrival_is_reported_once_at_its_time(
    first: int, packets: list[tuple[bool, float]], now: float
) -> None:
    log, sent = ArrivalLog(), {}
    for number, (lost, wait) in enumerate(packets):
        now += wait
        if not lost:
            log.add((first + number) % 65536, now)
            sent[(first + number) % 65536] = now
    seen: dict[int, float] = {}
    for body in log.drain():
        part = decode(body)
        assert not part.keys() & seen.keys()
        seen |= part
    assert seen.keys() == sent.keys()
    span = 0.064 * (1 << 24)
    assert all(abs((seen[s] - sent[s] + span / 2) % span - span / 2) < 0.0006 for s in sent)
    assert log.drain() == []


def test_a_loss_between_two_messages_is_said_in_the_second() -> None:
    log = ArrivalLog()
    log.add(10, 1.0)
    log.drain()
    log.add(13, 1.1)
    (body,) = log.drain()
    assert unpack_from("!HH", body) == (11, 3)
    assert list(decode(body)) == [13]


def test_what_was_reported_lost_and_comes_late_is_left_out() -> None:
    log = ArrivalLog()
    for seq in (65535, 1):
        log.add(seq, 1.0)
    log.drain()
    log.add(0, 1.1)
    assert log.drain() == []


def test_a_jump_leaves_the_middle_out() -> None:
    log = ArrivalLog()
    log.add(0, 1.0)
    log.add(30_000, 1.1)
    (body,) = log.drain()
    assert list(decode(body)) == [30_000]
