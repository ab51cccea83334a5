import itertools

import pytest

from tests.media.link import GilbertElliott, Link, Loss, Uniform


def through(link: Link, count: int, every: float = 0.001, size: int = 100) -> list[tuple[float, int]]:
    for number in range(count):
        link.send(number.to_bytes(4, "big") + bytes(size - 4), number * every)
    return [(at, int.from_bytes(data[:4], "big")) for at, data in link.arrived(1e9)]


def test_a_good_path_only_delays() -> None:
    assert through(Link(1, delay=0.5), 3) == [(0.5, 0), (0.501, 1), (0.502, 2)]


def test_nothing_arrives_before_its_time() -> None:
    link = Link(1, delay=0.5)
    link.send(b"a", 1.0)
    assert (link.arrived(1.49), link.next, link.arrived(1.5)) == ([], 1.5, [(1.5, b"a")])
    assert link.next is None


def test_the_same_seed_gives_the_same_fate() -> None:
    def one(seed: int) -> list[tuple[float, int]]:
        return through(Link(seed, loss=Uniform(0.1), jitter=0.01, reorder=0.1, duplicate=0.1), 500)

    assert one(7) == one(7) != one(8)


@pytest.mark.parametrize("loss", [Uniform(0.1), GilbertElliott(0.1, burst=5)])
def test_the_share_is_lost(loss: Loss) -> None:
    link = Link(3, loss=loss)
    through(link, 20_000)
    assert 0.085 < link.dropped / link.sent < 0.115


@pytest.mark.parametrize(
    ("loss", "least", "most"), [(Uniform(0.1), 1.0, 1.3), (GilbertElliott(0.1, 5), 4, 6)]
)
def test_bursts_are_as_long_as_said(loss: Loss, least: float, most: float) -> None:
    numbers = [number for _, number in through(Link(3, loss=loss), 20_000)]
    bursts = [after - before - 1 for before, after in itertools.pairwise(numbers) if after > before + 1]
    assert least <= sum(bursts) / len(bursts) <= most


def test_jitter_keeps_the_order_and_reordering_does_not() -> None:
    steady = [number for _, number in through(Link(1, jitter=0.05), 200)]
    assert steady == sorted(steady)
    mixed = [number for _, number in through(Link(1, reorder=0.2), 200)]
    assert mixed != sorted(mixed) == steady


def test_duplicates_arrive_twice() -> None:
    assert sorted(number for _, number in through(Link(1, duplicate=1.0), 3)) == [0, 0, 1, 1, 2, 2]


def test_a_rate_queues_and_then_drops_the_tail() -> None:
    link = Link(1, delay=0.0, rate=8_000, queue=300)
    assert through(link, 5, every=0.0) == [(pytest.approx(0.1 * n), n - 1) for n in (1, 2, 3)]
    assert link.dropped == 2


def test_a_policer_drops_what_is_too_much_and_delays_nothing() -> None:
    link = Link(1, delay=0.0, rate=8_000, queue=300, polices=True)
    found = through(link, 20, every=0.05)
    assert all(at == number * 0.05 for at, number in found)
    assert [number for _, number in found[:6]] == [0, 1, 2, 3, 4, 6]
    assert len(found) == pytest.approx(10 + 2, abs=1)


def test_what_becomes_of_a_packet_does_not_hang_on_those_before() -> None:
    def fates(link: Link) -> set[int]:
        return {number for _, number in through(link, 300)} & set(range(100, 300))

    calm, crowded = Link(7, loss=Uniform(0.3)), Link(7, loss=Uniform(0.3), duplicate=0.5, reorder=0.5)
    late = Link(7)
    for number in range(100):
        late.send(number.to_bytes(4, "big"), number * 0.001)
    late.loss = Uniform(0.3)
    for number in range(100, 300):
        late.send(number.to_bytes(4, "big"), number * 0.001)
    found = {int.from_bytes(data[:4], "big") for _, data in late.arrived(1e9)}
    assert fates(calm) == fates(crowded) == found & set(range(100, 300)) != set()
