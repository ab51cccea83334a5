"""What a viewer's path carries: packet by packet, and in simulated calls behind a bottleneck."""

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.path.downlink import Downlink
from media.wire.rtp import Malformed
from media.wire.twcc import build
from tests.media.path.bottleneck import BEST, START, Call, Path, Second


def between(start: float, stop: float, rate: float) -> Callable[[float], float]:
    return lambda t: rate if start <= t < stop else 20_000_000


def always(rate: float) -> Callable[[float], float]:
    return lambda t: rate


def mean(seconds: list[Second], what: str) -> float:
    return float(sum(getattr(second, what) for second in seconds)) / len(seconds)


# --- packet by packet ---


def send(downlink: Downlink, sizes: list[int], now: float, apart: float = 0.0) -> int:
    """The number of the first."""
    numbers = [downlink.sent(size, now + place * apart) for place, size in enumerate(sizes)]
    return numbers[0]


def feed(downlink: Downlink, first: int, ticks: list[int | None], now: float) -> None:
    downlink.feedback(memoryview(build(first, ticks, 0)[0]), now)


def test_numbers_go_up_by_one_and_wrap() -> None:
    downlink = Downlink()
    numbers = [downlink.sent(100, START) for _ in range(70_000)]
    assert numbers == [n % 65536 for n in range(70_000)]


def test_a_steady_path_has_no_limit_across_the_wrap_of_numbers() -> None:
    downlink = Downlink()
    for _ in range(65_500):
        downlink.sent(100, START)
    for step in range(20):
        now = START + 1 + step / 10
        first = send(downlink, [1000] * 10, now)
        feed(downlink, first, [4000 + 400 * step + 2 * n for n in range(10)], now + 0.05)
    flow = downlink.window.flow(1.0)
    assert downlink.limit is None
    assert flow.loss == 0
    assert flow.delivered == pytest.approx(8 * 10_000 / 0.1, rel=0.05)
    assert downlink.video_allowed(START + 3)


def test_feedback_that_comes_twice_or_too_late_counts_once() -> None:
    downlink = Downlink()
    numbers = [downlink.sent(1000, START + n / 100) for n in range(40)]
    bodies = [build(numbers[at], [4000 + 40 * (at + n) for n in range(10)], 0)[0] for at in range(0, 40, 10)]
    for place in (0, 0, 2, 1, 2, 3, 0):
        downlink.feedback(memoryview(bodies[place]), START + 1 + place / 10)
    assert downlink.window.flow(2.0).loss == 0
    assert len(downlink.window.samples) == 3


def test_lost_feedback_is_no_lost_packet() -> None:
    downlink = Downlink()
    for step in range(30):
        now = START + step / 10
        first = send(downlink, [1000] * 10, now)
        if step % 3:
            feed(downlink, first, [4000 + 400 * step] * 10, now + 0.05)
    assert downlink.window.flow(2.0).loss == 0


def test_lost_packets_are_counted_by_their_bytes() -> None:
    downlink = Downlink()
    for step in range(20):
        now = START + step / 10
        first = send(downlink, [1000, 500, 500], now)
        feed(downlink, first, [4000 + 400 * step, None, 4000 + 400 * step + 8], now + 0.05)
    assert downlink.window.flow(1.0).loss == pytest.approx(0.25)


def test_feedback_about_what_was_never_sent_says_nothing() -> None:
    downlink = Downlink()
    feed(downlink, 7, [4000, 4001], START)
    downlink.sent(1000, START)
    feed(downlink, 60_000, [4000] * 300, START)
    feed(downlink, 1, [4000] * 300, START)
    assert not downlink.window.samples
    for n in range(10_000):
        downlink.sent(1000, START + n / 1000)
    feed(downlink, 10, [4000] * 300, START + 10)  # older than what is kept
    assert not downlink.window.samples


@given(st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=60), st.integers(0, 400)), max_size=20))
def test_no_feedback_breaks_it(messages: list[tuple[int, bytes, int]]) -> None:
    downlink, now = Downlink(), START
    for packets, tail, span in messages:
        for _ in range(packets):
            first = downlink.sent(1200, now)
            now += 0.005
        body = (first if packets else 0).to_bytes(2, "big") + span.to_bytes(2, "big") + tail
        with suppress(Malformed):
            downlink.feedback(memoryview(body), now)
        assert downlink.limit is None or downlink.limit >= 100_000
        assert 0 <= downlink.probe(now) <= 12_000


def test_a_clock_that_is_set_is_no_queue() -> None:
    downlink = Downlink()
    for step in range(60):
        now = START + step / 10
        first = send(downlink, [1000] * 10, now)
        jump = 12_000 if step >= 30 else 0  # three seconds
        feed(downlink, first, [4000 + 400 * step + jump] * 10, now + 0.05)
        assert downlink.video_allowed(now)
    assert downlink.limit is None


def test_a_longer_way_is_no_queue_after_a_while() -> None:
    downlink = Downlink()
    for step in range(200):
        now = START + step / 10
        first = send(downlink, [1000] * 10, now, 0.01)
        longer = 800 if step >= 50 else 0  # 0.2 s
        feed(
            downlink,
            first,
            [4000 + 400 * step + 40 * n + longer for n in range(10)],
            now + 0.15 + longer / 4000,
        )
        padding = downlink.probe(now + 0.3)
        assert padding <= 12_000
    assert downlink.window.standing < 0.02
    assert downlink.limit is not None  # found anew by probes, which nobody sends here


def test_what_is_kept_is_bounded() -> None:
    downlink = Downlink()
    for step in range(3000):
        now = START + step / 100
        feed(downlink, downlink.sent(1000, now), [4000 + 40 * step], now)
    assert len(downlink.window.samples) <= 230


# --- calls ---


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    "path",
    [
        lambda seed: Path(between(10, 30, 300_000), queue=0.5, seed=seed),
        lambda seed: Path(between(10, 30, 300_000), queue=0.05, seed=seed),
        lambda seed: Path(between(10, 30, 300_000), queue=2.0, seed=seed),
        lambda seed: Path(between(10, 30, 300_000), queue=0.3, jitter=0.02, loss=0.03, seed=seed),
        lambda seed: Path(between(10, 30, 300_000), bucket=10_000, seed=seed),
        lambda seed: Path(between(10, 30, 1_000_000), queue=0.3, seed=seed),
    ],
    ids=["queue", "short queue", "long queue", "lossy", "policer", "1 Mbit/s"],
)
def test_the_sender_follows_a_cap_within_5_s_and_back(path: Callable[[int], Path], seed: int) -> None:
    seconds = Call(path(seed)).run(40)
    cap = path(seed).rate(20)
    assert mean(seconds[5:10], "video") > 0.85 * BEST
    assert all(second.limits[-1] is None for second in seconds[5:10])
    assert mean(seconds[14:30], "sent") < 1.05 * cap
    assert mean(seconds[15:30], "video") > 0.5 * cap
    assert mean(seconds[15:30], "sound") > 44
    assert mean(seconds[35:40], "sent") > 0.9 * BEST
    assert seconds[35].limits[0] is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_steady_narrow_path_is_used_and_left_in_peace(seed: int) -> None:
    seconds = Call(Path(always(500_000), queue=0.5, seed=seed)).run(60)[10:]
    limits = [limit for second in seconds for limit in second.limits if limit is not None]
    assert len(limits) == sum(len(second.limits) for second in seconds)
    assert max(limits) < 1.3 * min(limits)
    assert min(limits) > 350_000
    assert mean(seconds, "padding") < 50_000
    assert mean(seconds, "video") > 0.7 * 500_000
    # Sound waits for a cluster of padding or a large picture at most.
    assert sum(second.latest < 0.25 for second in seconds) >= 0.95 * len(seconds)
    assert mean(seconds, "sound") > 49.5


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("loss", [0.05, 0.1, 0.2])
@pytest.mark.parametrize("jitter", [0.0, 0.03])
def test_random_loss_costs_no_rate(loss: float, jitter: float, seed: int) -> None:
    seconds = Call(Path(loss=loss, jitter=jitter, seed=seed), feedback_loss=loss).run(40)
    assert mean(seconds[3:], "sent") > 0.85 * BEST
    assert mean(seconds[10:], "sent") > 0.9 * BEST


def limits(rate: int, loss: float, seed: int) -> set[int | None]:
    """Those of twenty seconds in which so many bit/s are sent, whatever the limit."""
    downlink, chance, found = Downlink(), random.Random(seed), set[int | None]()
    for step in range(200):
        now = START + step / 10
        first = send(downlink, [rate // 800] * 10, now, 0.01)
        ticks = [None if chance.random() < loss else 4000 + 400 * step + 40 * n for n in range(9)]
        feed(downlink, first, [*ticks, 4000 + 400 * step + 360], now + 0.15)
        found.add(downlink.limit)
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_who_sends_little_is_not_slowed_down_to_learn_why_packets_are_lost(seed: int) -> None:
    assert limits(250_000, 0.2, seed) == {None}
    assert limits(250_000, 0.6, seed) != {None}
    assert limits(1_000_000, 0.2, seed) != {None}


def test_a_policer_is_told_from_random_loss() -> None:
    seconds = Call(Path(always(500_000), bucket=8000)).run(60)
    assert mean(seconds[10:], "sent") < 550_000
    assert mean(seconds[10:], "video") > 350_000
    assert mean(seconds[10:], "sound") > 48


def test_a_drifting_clock_is_no_queue() -> None:
    for drift in (-2e-4, 2e-4):
        seconds = Call(Path(jitter=0.01), drift=drift).run(60)
        assert all(limit is None for second in seconds for limit in second.limits)


def test_pictures_make_way_for_sound_when_a_queue_builds_up() -> None:
    seconds = Call(Path(between(5, 60, 200_000), queue=1.0)).run(14)
    pictures = [second.video for second in seconds]
    assert pictures[4] > 2_000_000
    # The queue that was there when it was seen is 1 s long; it is gone, and sound on time, in 3 s.
    assert max(second.latest for second in seconds[8:]) < 0.4
    assert mean(seconds[8:], "sound") > 48


def test_an_open_path_is_not_probed() -> None:
    seconds = Call(Path()).run(10)
    assert sum(second.padding for second in seconds) == 0


def test_video_is_not_held_back_for_ever_when_feedback_ends() -> None:
    downlink = Downlink()
    for step in range(20):
        now = START + step / 10
        first = send(downlink, [1000] * 10, now)
        feed(downlink, first, [4000 + 400 * step + 300 * step] * 10, now + 0.05 + 0.075 * step)
    assert not downlink.video_allowed(START + 4)
    assert downlink.video_allowed(START + 10)
