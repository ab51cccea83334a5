"""Rows of quality as the call's page draws them."""

from typing import Any

import pytest

from signaling.quality import Judgement
from tests.web.sample_call import AGENT, RESIDENT, START, quality
from web.office.quality_view import BINS, HEIGHT, bins_of, kbits, milliseconds, percent, quality_lanes


def words(key: str, **values: str) -> str:
    return f"{key} {values}" if values else key


def test_the_resident_comes_first() -> None:
    rows = [quality(0.0, AGENT), quality(0.0, RESIDENT)]
    assert [lane.participant for lane in quality_lanes(rows, START, 10.0, words)] == [RESIDENT, AGENT]


def test_a_row_is_as_wide_as_it_is_long() -> None:
    (lane,) = quality_lanes([quality(-5.0), quality(5.0), quality(15.0)], START, 20.0, words)
    assert [(bar.x, bar.width) for bar in lane.bars] == [(0, 250), (250, 500), (750, 250)]


def test_what_lies_outside_the_recording_is_not_drawn() -> None:
    assert quality_lanes([quality(-10.0), quality(20.0)], START, 20.0, words) == ()


@pytest.mark.parametrize(
    ("changes", "height", "judgement"),
    [
        ({"up_lost": 0}, 0, "good"),
        ({"up_lost": 150}, HEIGHT / 2, "weak"),
        ({"down_lost": 280}, HEIGHT, "bad"),
        ({"up_lost": 1500}, HEIGHT, "bad"),
        ({"freezes": 1, "up_lost": 0}, 0, "weak"),
        ({"bitrate_limit": 100_000, "up_lost": 0}, 0, "bad"),
        ({"up_packets": 0, "up_lost": 0, "down_packets": 0}, 0, "good"),
    ],
)
def test_loss_is_the_bars_height_and_the_judgement_its_colour(
    changes: dict[str, Any], height: float, judgement: str
) -> None:
    (lane,) = quality_lanes([quality(0.0, **changes)], START, 10.0, words)
    assert (lane.bars[0].height, lane.bars[0].judgement) == (height, judgement)


def test_the_line_of_the_round_trip_breaks_where_nothing_is_known() -> None:
    trips = [(0.0, 500.0), (10.0, 250.0), (20.0, None), (30.0, 5000.0), (60.0, 0.0)]
    rows = [quality(at, rtt_ms=rtt) for at, rtt in trips]
    (lane,) = quality_lanes(rows, START, 100.0, words)
    assert lane.lines == (
        "0.0,20.0 100.0,20.0 100.0,30.0 200.0,30.0",
        "300.0,0.0 400.0,0.0",
        "600.0,40.0 700.0,40.0",
    )


def test_a_whole_day_is_drawn_as_a_few_hundred_bars_and_loses_none_of_the_bad() -> None:
    rows = [quality(10.0 * n, freezes=int(n == 4000)) for n in range(8640)]
    bins = bins_of(rows, START, 86_400.0)
    assert len(bins) == BINS
    assert sum(one.freezes for one in bins) == 1
    assert [one.judgement for one in bins].count(Judgement.WEAK) == 1
    assert (bins[0].start, bins[-1].end) == (0.0, 86_400.0)


def test_figures_in_words() -> None:
    assert [percent(share) for share in (0.0, 0.0004, 0.002, 0.123)] == ["0.0 %", "0.04 %", "0.2 %", "12.3 %"]
    assert [milliseconds(None), milliseconds(41.6), kbits(1_234_567)] == ["—", "42 ms", "1235 kbit/s"]
