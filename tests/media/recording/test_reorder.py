from hypothesis import given
from hypothesis import strategies as st

from media.path.packet import Packet
from media.recording.reorder import MAX_WAITING, PATIENCE_S, Lost, Reorder


def packet(seq: int, arrived: float = 0.0) -> Packet:
    return Packet(seq, 0, False, 96, b"", arrived, False)


@given(st.permutations(range(1, 20)), st.sets(st.integers(1, 18)))
def test_order_is_restored_and_what_never_comes_is_said(order: list[int], lost: set[int]) -> None:
    reorder = Reorder()
    reorder.push(packet(0))
    for seq in order:
        if seq not in lost:
            reorder.push(packet(seq))
    out = [*reorder.pop(0.0), *reorder.pop(PATIENCE_S)]
    came = sorted(set(range(20)) - lost)
    assert [p.seq for p in out if isinstance(p, Packet)] == came
    assert sum(gap.count for gap in out if isinstance(gap, Lost)) == came[-1] + 1 - len(came)


def test_a_missing_packet_is_waited_for_and_then_given_up() -> None:
    reorder = Reorder()
    reorder.push(packet(1))
    reorder.push(packet(3, arrived=1.0))
    assert [p.seq for p in reorder.pop(2.9) if isinstance(p, Packet)] == [1]
    reorder.push(packet(2, arrived=2.95))
    assert [p.seq for p in reorder.pop(2.95) if isinstance(p, Packet)] == [2, 3]
    reorder.push(packet(6, arrived=4.0))
    assert list(reorder.pop(5.9)) == []
    assert list(reorder.pop(6.0)) == [Lost(2), packet(6, arrived=4.0)]


def test_each_hole_has_its_own_patience() -> None:
    reorder = Reorder()
    reorder.push(packet(0))
    assert len(list(reorder.pop(0.0))) == 1
    reorder.push(packet(2, arrived=1.0))
    reorder.push(packet(4, arrived=2.5))
    assert list(reorder.pop(3.0)) == [Lost(1), packet(2, arrived=1.0)]
    assert list(reorder.pop(4.4)) == []
    assert list(reorder.pop(4.5)) == [Lost(1), packet(4, arrived=2.5)]


def test_what_waits_is_bounded() -> None:
    reorder = Reorder()
    reorder.push(packet(0))
    list(reorder.pop(0.0))
    given_up = []
    for seq in range(2, 5 * MAX_WAITING, 2):
        reorder.push(packet(seq))
        given_up += list(reorder.pop(0.0))
        assert len(reorder.waiting) <= MAX_WAITING
    assert Lost(1) in given_up


def test_a_sender_that_counts_anew_is_followed() -> None:
    reorder = Reorder()
    reorder.push(packet(100_000))
    assert list(reorder.pop(0.0)) == [packet(100_000)]
    reorder.push(packet(99_999))  # late, or twice
    assert list(reorder.pop(0.0)) == []
    reorder.push(packet(40_000))
    assert list(reorder.pop(0.0)) == [Lost(0), packet(40_000)]
    reorder.push(packet(40_001))
    assert list(reorder.pop(0.0)) == [packet(40_001)]
