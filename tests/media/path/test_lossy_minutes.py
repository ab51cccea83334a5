"""A track through simulated minutes of a lossy network: what a viewer has after repair."""

import itertools

import pytest

from media.codecs import OPUS, RED
from media.protocol import Source
from tests.media.link import GilbertElliott, Link, Loss, Uniform
from tests.media.path.simulated import Call, Sender

SOUND, PICTURE = Source.MIC, Source.CAMERA


def lossy(seed: int, up: Loss | None, down: Loss | None, **more: float) -> list[Link]:
    """Feedback is lost as often as media."""
    return [Link(seed + n, loss=loss, delay=0.0125, **more) for n, loss in enumerate((up, up, down, down))]


def run(call: Call, seconds: float) -> None:
    """The last seconds are without loss, so that what was lost before can be repaired."""
    call.run(seconds)
    for link in (call.up, call.to_sender, call.down, call.from_viewer):
        link.loss = None
    call.run(2.0)


def steps(call: Call) -> set[tuple[int, int]]:
    """What sequence numbers and timestamps advance by, from packet to packet, after repair."""
    got = call.viewer.in_order()
    return {(b.seq - a.seq, (b.timestamp - a.timestamp) % 2**32) for a, b in itertools.pairwise(got)}


def names(call: Call) -> list[int]:
    return [int.from_bytes(got.payload[-4:], "big") for got in call.viewer.media()]


@pytest.mark.parametrize("share", [0.05, 0.1])
@pytest.mark.parametrize("source", [SOUND, PICTURE])
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_missing_after_repair(source: Source, share: float, seed: int) -> None:
    call = Call(
        Sender(source, seq=65_000, timestamp=2**32 - 100_000),
        source,
        lossy(seed * 10, Uniform(share), Uniform(share), jitter=0.004, reorder=0.01, duplicate=0.01),
    )
    run(call, 60.0)
    assert call.viewer.missing == []
    assert all(got.payload for got in call.viewer.in_order())
    assert names(call) == list(range(names(call)[0], call.sender.made))[: len(names(call))]
    assert call.upstream.unrepaired == 0
    assert 0.8 * share < call.upstream.lost / call.upstream.packets < 1.3 * share
    assert steps(call) == ({(1, 0), (1, 3000)} if source is PICTURE else {(1, 960)})


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_at_twenty_percent_in_bursts_a_viewer_misses_only_what_it_asked_for_ten_times(seed: int) -> None:
    call = Call(Sender(PICTURE), PICTURE, lossy(seed, GilbertElliott(0.2, 4), GilbertElliott(0.2, 4)))
    run(call, 60.0)
    assert set(call.viewer.missing) <= set(call.viewer.given_up)
    empty = [got for got in call.viewer.in_order() if not got.payload]
    assert len(call.viewer.missing) + len(empty) < call.sender.made / 1000


def test_an_outage_of_seconds_ends_with_a_key_frame_and_the_numbers_go_on() -> None:
    call = Call(Sender(PICTURE), PICTURE, lossy(6, None, None))
    call.run(2.0)
    call.up.loss = Uniform(1.0)
    call.run(3.0)
    keys = call.sender.key_frames
    lost = call.sender.made
    call.up.loss = None
    call.run(3.0)
    assert call.sender.key_frames > keys
    assert call.viewer.missing == []
    numbers = names(call)
    assert numbers[-1] > lost
    assert {b - a for a, b in itertools.pairwise(numbers)} == {1, 90 * 4 + 1}
    assert {seq for seq, _ in steps(call)} == {1}
    assert call.upstream.unrepaired == 90 * 4
    assert call.upstream.freezes == 1


def test_redundancy_repairs_sound_that_is_not_asked_for_in_vain() -> None:
    sender = Sender(SOUND, with_red=True)
    links = lossy(7, Uniform(0.1), None)
    links[1].loss = Uniform(1.0)  # no request reaches the sender
    call = Call(sender, SOUND, links)
    call.slot.accept({OPUS.payload_type})
    run(call, 60.0)
    played = names(call)
    alone = 0.1  # what is lost with the packet after it cannot be restored
    assert len(played) / sender.made > 1 - 0.1 * alone * 1.3
    assert call.viewer.missing == []
    assert {got.payload_type for got in call.viewer.in_order()} == {OPUS.payload_type}
    assert {p.payload_type for p in call.kept.packets} == {OPUS.payload_type}
    assert {p.payload for p in call.kept.packets} >= {got.payload for got in call.viewer.media()}


def test_a_viewer_who_takes_redundancy_gets_it_as_it_came() -> None:
    call = Call(Sender(SOUND, with_red=True), SOUND, lossy(8, Uniform(0.05), None))
    run(call, 20.0)
    kinds = [got.payload_type for got in call.viewer.in_order()]
    restored = kinds.count(OPUS.payload_type)
    assert kinds.count(RED.payload_type) == len(kinds) - restored
    assert 0 < restored < 0.1 * len(kinds)
    assert call.viewer.missing == []


def test_a_sender_that_begins_anew_is_no_jump_for_the_viewer() -> None:
    call = Call(Sender(PICTURE, seq=60_000, timestamp=5), PICTURE, lossy(9, Uniform(0.05), Uniform(0.05)))
    call.run(5.0)
    made = call.sender.made
    call.sender = Sender(PICTURE, seq=20_000, timestamp=2**31)
    call.sender.made = made
    run(call, 5.0)
    assert call.viewer.missing == []
    assert names(call)[-1] == call.sender.made - 1
    assert {seq for seq, _ in steps(call)} == {1}
    assert all(0 <= timestamp < 90_000 for _, timestamp in steps(call))


def test_a_viewer_sees_one_line_while_its_source_changes_every_few_seconds() -> None:
    calls = [
        Call(
            Sender(PICTURE, seq=65_000 + n, timestamp=n * 2**31),
            PICTURE,
            lossy(20 + n, Uniform(0.05), Uniform(0.05), jitter=0.005, reorder=0.02),
        )
        for n in range(2)
    ]
    first = calls[0]
    for turn in range(1, 13):
        for _ in range(500):
            for call in calls:
                call.run(0.005)
        first.slot.show(calls[turn % 2].upstream, first.now)
    run(first, 3.0)
    assert first.viewer.missing == []
    assert {seq for seq, _ in steps(first)} == {1}
    ticks = [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(first.viewer.media())]
    assert all(step <= 60_000 for step in ticks)
    passed = sum(ticks) / 90_000
    assert passed == pytest.approx(12 * 2.5 + 5, abs=0.3)
    assert first.slot.key_frames >= 12
