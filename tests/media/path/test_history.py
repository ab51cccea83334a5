from hypothesis import given
from hypothesis import strategies as st

from media.path.history import History
from media.path.packet import Packet


def packet(seq: int, size: int = 10) -> Packet:
    return Packet(seq, 0, False, 96, bytes(size), 0.0, False)


def test_the_newest_are_kept() -> None:
    history = History(8, 10_000)
    for seq in range(100, 120):
        history.put(packet(seq))
    assert [seq for seq in range(90, 130) if history.fetch(seq) is not None] == list(range(112, 120))
    assert history.bytes == 80


def test_the_oldest_make_way_for_bytes() -> None:
    history = History(8, 100)
    for seq in range(5):
        history.put(packet(seq, 30))
    assert [seq for seq in range(9) if history.fetch(seq) is not None] == [2, 3, 4]
    assert history.bytes == 90


def test_what_comes_late_does_not_push_out_what_is_newer() -> None:
    history = History(8, 10_000)
    history.put(packet(109))
    history.put(packet(101))
    assert (history.fetch(109), history.fetch(101)) == (packet(109), None)


def test_a_jump_leaves_nothing_for_ever() -> None:
    history = History(8, 100)
    for seq in (1, 2, 3, 1_000_004, 1_000_005):
        history.put(packet(seq, 40))
    assert history.fetch(1_000_005) is not None
    assert history.bytes <= 100


@given(
    st.lists(st.tuples(st.integers(-20, 60), st.integers(1, 50)), max_size=80),
    st.integers(50, 300),
)
def test_bytes_are_counted_and_bounded_whatever_comes(steps: list[tuple[int, int]], limit: int) -> None:
    history, newest, seen = History(16, limit), 1000, set()
    for step, size in steps:
        seq = newest + step
        newest = max(newest, seq)
        if seq in seen:
            continue
        seen.add(seq)
        history.put(packet(seq, size))
        kept = [p for n in range(900, newest + 1) if (p := history.fetch(n)) is not None]
        assert history.bytes == sum(len(p.payload) for p in kept) <= limit
        assert all(newest - 16 < p.seq for p in kept if p.seq + 16 > newest)
