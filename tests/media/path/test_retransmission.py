from itertools import count as counted

from media.path.retransmission import FLOOR, SHARE, Retransmission

NUMBERS = counted(10_000)


def spend(again: Retransmission, now: float, size: int = 1000) -> int:
    """How many packets it allows at once."""
    count = 0
    while again.allows(next(NUMBERS), now):
        again.sent(next(NUMBERS), size, now)
        count += 1
    return count


def test_a_packet_is_sent_again_once_per_round_trip() -> None:
    again = Retransmission()
    again.rtt = 0.05
    assert again.allows(7, 1.0)
    again.sent(7, 100, 1.0)
    assert not again.allows(7, 1.04)
    assert again.allows(8, 1.04)
    assert again.allows(7, 1.05)


def test_not_more_than_a_share_of_what_is_sent_and_a_floor() -> None:
    again = Retransmission()
    again.fill(0, 10.0)
    spend(again, 10.0)
    sent = 0
    resent = 0
    for second in range(11, 21):
        sent += 100_000
        again.fill(sent, float(second))
        resent += spend(again, float(second)) * 1000
    assert 0.9 < resent / (SHARE * sent + FLOOR * 10) < 1.1


def test_what_was_saved_is_bounded() -> None:
    again = Retransmission()
    again.fill(10**9, 1000.0)
    assert spend(again, 1000.0) <= 65
