"""What a sender is told of its packets."""

from hypothesis import given
from hypothesis import strategies as st

from media.path.arrivals import Arrivals
from media.wire.twcc import TICK_MOD, TICKS_PER_S, parse


def told(bodies: list[bytes]) -> tuple[dict[int, int], set[int]]:
    """Arrived (sequence number to tick) and lost, as all these bodies say."""
    arrived: dict[int, int] = {}
    lost: set[int] = set()
    for body in bodies:
        assert len(body) <= 1100
        found = parse(memoryview(body))
        for offset, tick in zip(found.arrived, found.ticks, strict=True):
            seq = (found.first + offset) % 65536
            assert seq not in arrived
            arrived[seq] = tick
        lost |= {(found.first + o) % 65536 for o in set(range(found.span)) - set(found.arrived)}
    return arrived, lost


@given(
    st.integers(0, 65535),
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.3)), min_size=1, max_size=900),
    st.floats(0, 4e6),
    st.sampled_from([1, 7, 60, 1000]),
)
def test_every_packet_is_reported_once_as_it_came(
    first: int, packets: list[tuple[bool, float]], now: float, every: int
) -> None:
    arrivals, sent, bodies = Arrivals(), {}, []
    for number, (lost, wait) in enumerate(packets):
        now += wait
        seq = (first + number) % 65536
        if not lost:
            arrivals.add(seq, now)
            sent[seq] = now
        if number % every == 0:
            bodies += arrivals.drain(now)
    bodies += arrivals.drain(now + 1)
    arrived, missing = told(bodies)
    assert arrived == {seq: int(at * TICKS_PER_S) % TICK_MOD for seq, at in sent.items()}
    assert not missing & arrived.keys()
    assert arrivals.drain(now + 2) == []


@given(st.permutations(range(24)), st.integers(1, 24))
def test_reordered_packets_are_all_reported(order: list[int], every: int) -> None:
    arrivals, bodies = Arrivals(), []
    arrivals.add(65520 - 1, 9.9)
    for place, offset in enumerate(order):
        arrivals.add((65520 + offset) % 65536, 10 + place / 100)
        if place % every == 0:
            bodies += arrivals.drain(10 + place)
    arrived, _ = told([*bodies, *arrivals.drain(100.0)])
    assert arrived.keys() == {(65519 + n) % 65536 for n in range(25)}


def test_a_loss_between_two_reports_is_said_in_the_second() -> None:
    arrivals = Arrivals()
    arrivals.add(10, 1.0)
    arrivals.drain(1.0)
    arrivals.add(13, 1.1)
    (body,) = arrivals.drain(1.2)
    found = parse(memoryview(body))
    assert (found.first, found.span, found.arrived) == (11, 3, [2])


def test_what_was_reported_lost_and_comes_late_is_reported_again_without_calling_others_lost() -> None:
    arrivals = Arrivals()
    for seq in (65534, 1, 4):
        arrivals.add(seq, 1.0)
    assert told(arrivals.drain(1.0))[1] == {65535, 0, 2, 3}
    for seq in (0, 65535, 3, 1):  # the last is a duplicate
        arrivals.add(seq, 1.5)
    arrived, lost = told(arrivals.drain(1.6))
    assert arrived == dict.fromkeys((65535, 0, 3), 6000)
    assert not lost
    arrivals.add(0, 1.7)
    assert arrivals.drain(1.8) == []


def test_a_duplicate_keeps_its_first_time() -> None:
    arrivals = Arrivals()
    for at in (1.0, 1.01, 1.02):
        arrivals.add(5, at)
    assert told(arrivals.drain(1.1))[0] == {5: 4000}


def test_a_jump_leaves_the_middle_out() -> None:
    arrivals = Arrivals()
    arrivals.add(0, 1.0)
    arrivals.add(30_000, 1.1)
    (body,) = arrivals.drain(1.2)
    assert (parse(memoryview(body)).first, parse(memoryview(body)).span) == (30_000, 1)


def test_reports_are_due_every_50_ms_at_first_and_every_100_ms_then() -> None:
    arrivals = Arrivals()
    arrivals.add(0, 1.0)
    assert arrivals.drain(1.0)
    arrivals.add(1, 1.01)
    assert arrivals.drain(1.04) == []
    assert arrivals.drain(1.051)
    arrivals.add(2, 20.06)
    assert arrivals.drain(20.06)
    arrivals.add(3, 20.07)
    assert arrivals.drain(20.14) == []  # in step with the beat that it has kept since the first
    assert arrivals.drain(20.151)


def test_what_is_kept_is_bounded() -> None:
    arrivals = Arrivals()
    for seq in range(100_000):
        arrivals.add(seq % 65536, 1.0 + seq / 1e4)
    assert sum(len(body) for body in arrivals.drain(20.0)) < 20_000
    for number in range(300):  # a loss after each packet, for ever
        for seq in range(0, 100, 2):
            arrivals.add((number * 100 + seq) % 65536, 30.0 + number)
        arrivals.drain(30.5 + number)
    assert len(arrivals._missing) <= 512


def test_connections_that_were_stopped_together_do_not_report_together_afterwards() -> None:
    many = [Arrivals() for _ in range(5)]
    reports: dict[int, int] = {}
    for step in range(400):  # 10 ms each, but for a stop of 300 ms in the middle
        now = 1.0 + step / 100 + (0.3 if step >= 200 else 0.0)
        for n, arrivals in enumerate(many):
            if step >= n:  # they came one after the other
                for k in range(4):
                    arrivals.add((4 * step + k) % 65536, now)
                if arrivals.drain(now) and step > 200:
                    reports[step] = reports.get(step, 0) + 1
    assert max(reports.values()) <= 2
