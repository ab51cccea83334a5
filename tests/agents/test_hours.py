"""When a hall, a queue or a person is at work."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from agents.hours import closes_at, is_open, opens_at
from records.model import ALWAYS, Hours, Span

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = (1, 2, 3, 4, 5)
OFFICE = Hours(
    (Span(WEEKDAYS, 9 * 60, 11 * 60 + 30), Span(WEEKDAYS, 13 * 60, 17 * 60)),
    closed=("2026-10-01", "2026-10-02"),
)


def at(text: str, zone: ZoneInfo = SHANGHAI) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-09-28T08:59:59", False),
        ("2026-09-28T09:00", True),
        ("2026-09-28T11:29:59", True),
        ("2026-09-28T11:30", False),
        ("2026-09-28T13:00", True),
        ("2026-09-28T17:00", False),
        ("2026-09-27T10:00", False),  # a Sunday
        ("2026-10-01T10:00", False),  # a holiday
    ],
)
def test_open_is_from_the_start_until_just_before_the_end(moment: str, expected: bool) -> None:
    assert is_open(OFFICE, at(moment), SHANGHAI) is expected


def test_the_hall_s_own_zone_counts() -> None:
    assert is_open(OFFICE, at("2026-09-28T10:00", BERLIN), BERLIN)
    assert not is_open(OFFICE, at("2026-09-28T10:00", BERLIN), ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-09-28T10:00", "2026-09-28T10:00"),
        ("2026-09-28T12:00", "2026-09-28T13:00"),
        ("2026-09-28T17:00", "2026-09-29T09:00"),
        ("2026-09-25T18:00", "2026-09-28T09:00"),  # over the weekend
        ("2026-09-30T18:00", "2026-10-05T09:00"),  # over the holiday and the weekend
    ],
)
def test_the_next_opening(moment: str, expected: str) -> None:
    assert opens_at(OFFICE, at(moment), SHANGHAI) == at(expected)


def test_what_never_opens_has_no_next_opening() -> None:
    assert opens_at(Hours(()), at("2026-09-28T10:00"), SHANGHAI) is None


def test_the_opening_on_the_day_the_clocks_change_is_by_the_clock_on_the_wall() -> None:
    sundays = Hours((Span((7,), 9 * 60, 12 * 60),))
    before, opening = at("2026-10-24T22:00", BERLIN), at("2026-10-25T09:00", BERLIN)
    assert opens_at(sundays, before, BERLIN) == opening
    assert opening - before == 12 * 3600  # an hour twice
    assert is_open(sundays, opening, BERLIN)


def test_closing_is_the_end_of_the_span_that_one_is_in() -> None:
    assert closes_at(OFFICE, at("2026-09-28T10:00"), SHANGHAI) == at("2026-09-28T11:30")
    assert closes_at(OFFICE, at("2026-09-28T12:00"), SHANGHAI) is None
    assert closes_at(ALWAYS, at("2026-09-28T12:00"), SHANGHAI) is None


def test_always_is_always() -> None:
    equal = Hours(ALWAYS.spans)
    assert is_open(equal, 0.0, SHANGHAI)
    assert is_open(equal, at("2026-10-01T03:00"), SHANGHAI)
