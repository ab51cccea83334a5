"""What is said of a network, and the rows that are kept of it: pure, time is an argument."""

from typing import Any

import msgspec
import pytest

from media.protocol import Mid, NodeId
from records.model import CallId, ParticipantId, ParticipantRole
from signaling.quality import (
    SHOWN_S,
    Board,
    Direction,
    Judgement,
    Sample,
    Series,
    Sign,
    judged,
    role_of,
    sample_of,
)
from signaling.snapshot import RESIDENT
from tests.signaling.qualities import AGENT, Stream, leg, said, track
from tests.signaling.world import NODE_A, NODE_B, NOW

GOOD, WEAK, BAD = Judgement.GOOD, Judgement.WEAK, Judgement.BAD
CALL = CallId("c1")


def sample(**changes: Any) -> Sample:
    clean = Direction(packets=1000, bitrate=1_000_000)
    made = Sample(NODE_A, ParticipantRole.RESIDENT, NOW, 40.0, None, clean, clean)
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, GOOD),
        ({"rtt_ms": None}, GOOD),
        ({"rtt_ms": 300.0}, GOOD),
        ({"rtt_ms": 301.0}, WEAK),
        ({"rtt_ms": 601.0}, BAD),
        ({"up": Direction(packets=1000, lost=30)}, GOOD),
        ({"up": Direction(packets=1000, lost=31)}, WEAK),
        ({"down": Direction(packets=1000, lost=101)}, BAD),
        ({"up": Direction(packets=995, unrepaired=5)}, GOOD),
        ({"up": Direction(packets=994, unrepaired=6)}, WEAK),
        ({"down": Direction(packets=960, unrepaired=40)}, BAD),
        ({"limit": 500_000}, GOOD),
        ({"limit": 499_000}, WEAK),
        ({"limit": 199_000}, BAD),
        # Muted and without a camera: too few packets to speak of a share.
        ({"up": Direction(packets=5, lost=5), "down": Direction()}, GOOD),
    ],
)
def test_a_sample_is_judged_by_the_worst_of_it(changes: dict[str, Any], expected: Judgement) -> None:
    assert judged(sample(**changes), freezes=0) is expected


@pytest.mark.parametrize(("freezes", "expected"), [(0, GOOD), (1, WEAK), (2, WEAK), (3, BAD)])
def test_so_are_freezes(freezes: int, expected: Judgement) -> None:
    assert judged(sample(), freezes) is expected


def test_a_freeze_seen_on_a_clean_path_is_the_senders() -> None:
    assert sample(down=Direction(packets=300, freezes=2)).freezes == 0
    assert sample(down=Direction(packets=300, lost=1, freezes=2)).freezes == 2
    assert sample(up=Direction(packets=300, freezes=2)).freezes == 2


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ([WEAK, GOOD, WEAK, GOOD], [GOOD, GOOD, GOOD, GOOD]),
        ([WEAK, WEAK], [GOOD, WEAK]),
        ([BAD, BAD], [GOOD, BAD]),
        ([BAD, WEAK, BAD], [GOOD, WEAK, WEAK]),
        ([BAD, BAD, WEAK, GOOD, GOOD], [GOOD, BAD, BAD, BAD, WEAK]),
        ([WEAK, WEAK, GOOD, GOOD, WEAK, GOOD, GOOD, GOOD], [GOOD, WEAK, WEAK, WEAK, WEAK, WEAK, WEAK, GOOD]),
    ],
)
def test_the_sign_takes_two_samples_to_worsen_and_three_to_improve(
    found: list[Judgement], shown: list[Judgement]
) -> None:
    sign = Sign()
    assert [sign.show(one) for one in found] == shown


def test_one_freeze_is_remembered_for_ten_seconds() -> None:
    sign, frozen = Sign(), sample(up=Direction(packets=300, freezes=1))
    shown = [sign.take(one) for one in (frozen, *[sample()] * 8)]
    assert shown == [GOOD, WEAK, WEAK, WEAK, WEAK, WEAK, WEAK, GOOD, GOOD]


def test_a_sample_counts_what_happened_since_the_one_before() -> None:
    before = leg(up=[track(packets=100, lost=4, unrepaired=1)], down=[track(packets=50)])
    now = leg(up=[track(packets=300, lost=10, unrepaired=1)], down=[track(packets=90, lost=2)])
    found = sample_of(said(CALL, now), now, before)
    assert (found.up.packets, found.up.lost, found.up.unrepaired) == (200, 6, 0)
    assert (found.down.packets, found.down.lost) == (40, 2)
    assert found.loss == 2 / 40


def test_of_the_first_message_nothing_is_counted() -> None:
    """Whoever begins to listen in the middle of a call does not take an hour's losses for those of now."""
    now = leg(up=[track(packets=100_000, lost=90_000)])
    found = sample_of(said(CALL, now), now, None)
    assert (found.up.packets, found.up.lost, found.up.bitrate) == (0, 0, 1_100_000)


def test_a_connection_made_anew_counts_from_its_beginning() -> None:
    before = leg(up=[track(packets=100_000, lost=900)])
    now = leg(up=[track(packets=60, lost=3)], generation=2)
    assert sample_of(said(CALL, now), now, before).up.lost == 3


def test_a_track_that_ended_takes_its_sums_with_it() -> None:
    before = leg(up=[track(packets=100), track(Mid.SHARE, packets=5000, lost=70)])
    now = leg(up=[track(packets=150, lost=2)])
    assert sample_of(said(CALL, now), now, before).up == Direction(50, 2, 0, 1_100_000, 4.0)


def test_participants_are_known_by_their_name() -> None:
    assert role_of(RESIDENT) is ParticipantRole.RESIDENT
    assert role_of(ParticipantId("agent-12")) is ParticipantRole.AGENT
    board = Board()
    board.hear(said(CALL, leg(ParticipantId("stranger"))), NOW)
    assert board.of(CALL, NOW) == {}


def test_each_side_is_judged_by_its_own_path() -> None:
    board, weak, fine = Board(), Stream(RESIDENT), Stream(AGENT)
    for step in range(4):
        legs = weak.next(lost=20), fine.next()
        board.hear(said(CALL, *legs, at=NOW + 2 * step), NOW + 2 * step)
    found = board.of(CALL, NOW + 6)
    assert {who: standing.judgement for who, standing in found.items()} == {RESIDENT: WEAK, AGENT: GOOD}
    assert found[RESIDENT].sample.loss == pytest.approx(20 / 300)


def test_a_call_not_heard_of_for_ten_seconds_shows_nothing() -> None:
    board = Board()
    board.hear(said(CALL, leg()), NOW)
    assert board.of(CALL, NOW + SHOWN_S)
    assert not board.of(CALL, NOW + SHOWN_S + 0.1)
    board.hear(said("c2", leg()), NOW + 60)
    assert not board.of(CALL, NOW)  # forgotten, not only hidden


def test_a_message_overtaken_by_a_later_one_says_nothing() -> None:
    board, seen = Board(), list[float]()
    board.listen(lambda _call, _who, heard: seen.append(heard.at))
    for at, node in ((NOW, NODE_A), (NOW + 2, NODE_A), (NOW, NODE_A), (NOW + 2, NODE_A), (NOW - 1, NODE_B)):
        board.hear(said(CALL, leg(), at=at, node=NodeId(node)), NOW)
    assert seen == [NOW, NOW + 2, NOW - 1]  # another node has another clock


def test_ten_seconds_make_one_row() -> None:
    series, row = Series(), None
    for step in range(6):
        row = series.add(
            CALL,
            RESIDENT,
            sample(
                at=NOW + 2 * step,
                rtt_ms=None if step == 0 else 10.0 * step,
                limit=900_000 - step if step in (2, 3) else None,
                up=Direction(300, 6, 1, 1_000_000 + step, jitter_ms=step, freezes=step % 2, key_frames=1),
                down=Direction(200, 2, 0, 500_000),
                recorder_lag_ms=float(step),
            ),
            NOW,
        )
        assert (row is None) == (step < 5)
    assert row is not None
    assert (row.call, row.participant, row.at, row.role) == (CALL, RESIDENT, NOW, ParticipantRole.RESIDENT)
    assert (row.rtt_ms, row.bitrate_limit, row.up_bitrate, row.down_bitrate) == (
        25,
        899_997,
        1_000_002,
        500_000,
    )
    assert (row.up_packets, row.up_lost, row.up_unrepaired) == (1500, 30, 5)
    assert (row.down_packets, row.down_lost, row.down_unrepaired) == (1000, 10, 0)
    assert (row.jitter_ms, row.freezes, row.key_frames, row.recorder_lag_ms) == (4, 2, 5, 4)


def test_the_last_row_of_a_call_is_closed_when_nothing_more_comes() -> None:
    series = Series()
    series.add(CALL, RESIDENT, sample(at=5.0), NOW)  # the node's clock is nobody else's
    series.add(CALL, AGENT, sample(at=6.0), NOW)
    series.add(CALL, AGENT, sample(at=8.0), NOW + 8)
    assert series.over(NOW + SHOWN_S) == []
    assert [row.participant for row in series.over(NOW + SHOWN_S + 1)] == [RESIDENT]
    assert [row.participant for row in series.over(NOW + 60)] == [AGENT]
    assert series.over(NOW + 90) == []
