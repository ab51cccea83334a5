import itertools
from math import inf

import pytest

from media.path.nack import MAX_MISSING, OVERTAKEN_S, SOUND_S, TRIES, VIDEO_S, Nack


def ticked(nack: Nack, start: float, stop: float) -> tuple[list[tuple[float, list[int]]], list[int]]:
    """Every 5 ms: what was asked for when, and what was given up."""
    asked: list[tuple[float, list[int]]] = []
    over: list[int] = []
    for step in range(round((stop - start) / 0.005)):
        now = start + step * 0.005
        if now >= nack.due:
            ask, gone = nack.tick(now)
            over += gone
            asked += [(round(now, 3), ask)] if ask else []
    return asked, over


def test_what_was_only_overtaken_is_not_asked_for() -> None:
    nack = Nack(VIDEO_S)
    nack.add(5, 6, 1.0)
    assert nack.due == 1.0 + OVERTAKEN_S
    assert nack.tick(1.0 + OVERTAKEN_S / 2) == ([], [])
    assert nack.found(5, 1.008) == pytest.approx(0.008)
    assert (nack.due, nack.lost, len(nack)) == (inf, 0, 0)


def test_a_large_gap_is_asked_for_at_once() -> None:
    nack = Nack(VIDEO_S)
    nack.add(5, 25, 1.0)
    assert nack.tick(1.0) == (list(range(5, 25)), [])
    assert nack.lost == 20


def test_a_packet_is_asked_for_once_per_round_trip_ten_times_and_given_up() -> None:
    nack = Nack(VIDEO_S)
    nack.add(5, 6, 1.0)
    asked, over = ticked(nack, 1.0, 4.0)
    times = [at for at, _ in asked]
    assert len(times) == TRIES
    assert all(b - a == pytest.approx(nack.rtt, abs=0.011) for a, b in itertools.pairwise(times))
    assert (over, nack.given_up, nack.due) == ([5], 1, inf)


def test_a_long_way_ends_by_time_not_by_tries() -> None:
    nack = Nack(VIDEO_S)
    nack.rtt = 0.4
    nack.add(5, 6, 1.0)
    asked, over = ticked(nack, 1.0, 1.0 + VIDEO_S - 0.01)
    assert (len(asked), over) == (4, [])
    assert ticked(nack, 1.0 + VIDEO_S - 0.01, 1.0 + VIDEO_S + 0.02) == ([], [5])


def test_sound_is_not_waited_for_as_long_as_pictures() -> None:
    nack = Nack(SOUND_S)
    nack.rtt = 0.3
    nack.add(5, 6, 1.0)
    asked, over = ticked(nack, 1.0, 1.0 + SOUND_S + 0.02)
    assert (len(asked), over) == (4, [5])


def test_a_round_trip_that_is_known_bounds_what_is_learnt_from_answers() -> None:
    nack = Nack(VIDEO_S)
    nack.rtt, nack.round_trip = 0.3, 0.05
    nack.add(5, 6, 1.0)
    times = [at for at, _ in ticked(nack, 1.0, 1.4)[0]]
    assert [b - a for a, b in itertools.pairwise(times)] == [pytest.approx(0.07, abs=0.006)] * (
        len(times) - 1
    )
    nack.round_trip = 0.5  # longer than its own answers take: those are what counts
    nack.add(6, 7, 2.0)
    assert [at for at, ask in ticked(nack, 2.0, 2.5)[0] if 6 in ask] == [2.01, 2.31]


def answered(nack: Nack, way: float, count: int) -> list[int]:
    """``count`` packets are lost one after the other, each request is answered after ``way``: how
    many requests each took."""
    requests, now = [], 1.0
    for seq in range(0, 100 * count, 100):
        nack.add(seq, seq + 1, now)
        answer, step, made = inf, 0, 0
        while seq in nack:
            at = now + step * 0.005
            if at >= answer:
                nack.found(seq, at)
            elif at >= nack.due and nack.tick(at)[0]:
                made += 1
                answer = min(answer, at + way)
            step += 1
        requests.append(made)
        now += 2.0
    return requests


@pytest.mark.parametrize("way", [0.03, 0.08, 0.12])
def test_the_round_trip_is_learnt_from_answers(way: float) -> None:
    nack = Nack(VIDEO_S)
    answered(nack, way, 60)
    assert nack.rtt == pytest.approx(way, rel=0.1, abs=0.006)


def test_a_round_trip_longer_than_thought_does_not_mean_many_requests_for_ever() -> None:
    requests = answered(Nack(VIDEO_S), 0.4, 60)
    assert requests[0] > 3
    assert sum(requests[30:]) / 30 < 2.3


def test_where_much_is_lost_each_request_is_said_twice() -> None:
    nack = Nack(VIDEO_S)
    nack.round_trip = 0.05
    for seq in range(0, 400, 5):
        nack.add(seq, seq + 1, 1.0)
        nack.found(seq, 1.0)
    nack.add(400, 401, 2.0)
    times = [at for at, _ in ticked(nack, 2.0, 4.0)[0]]
    assert times[:4] == [2.01, 2.025, 2.08, 2.095]
    assert (len(times), nack.lost, nack.given_up) == (2 * TRIES, 1, 1)


def test_too_many_are_not_noted() -> None:
    nack = Nack(VIDEO_S)
    assert nack.add(0, 100, 1.0)
    assert not nack.add(200, 200 + MAX_MISSING - 99, 1.0)
    assert len(nack) == 100
    assert nack.clear(more=7) == list(range(100))
    assert (nack.lost, nack.given_up, nack.due) == (107, 107, inf)


def test_what_was_restored_was_lost_once() -> None:
    nack = Nack(SOUND_S)
    nack.add(5, 7, 1.0)
    nack.restored(5)
    assert nack.tick(1.02) == ([6], [])
    nack.restored(6)
    assert (nack.lost, nack.given_up, list(nack)) == (2, 0, [])
