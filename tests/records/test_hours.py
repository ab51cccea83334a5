"""Hours as people write them."""

import pytest

from records.hours import hours_text, parse_hours
from records.model import ALWAYS, Hours, Span


def test_no_line_is_always() -> None:
    assert parse_hours(()) == ALWAYS
    assert hours_text(ALWAYS) == ()


@pytest.mark.parametrize(
    ("line", "spans"),
    [
        ("mon-fri 09:00-17:30", (Span((1, 2, 3, 4, 5), 540, 1050),)),
        ("sat,sun 9:00-12:00 13:00-16:00", (Span((6, 7), 540, 720), Span((6, 7), 780, 960))),
        ("sat-mon 00:00-24:00", (Span((1, 6, 7), 0, 1440),)),
        ("  WED 08:00-09:00 ", (Span((3,), 480, 540),)),
    ],
)
def test_a_line_says_days_and_times(line: str, spans: tuple[Span, ...]) -> None:
    assert parse_hours((line,)) == Hours(spans)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("daily 9-17", "is not like"),
        ("mon-fri", "is not like"),
        ("mon-fry 09:00-10:00", "'fry' is not one of"),
        ("mon 17:00-09:00", "begins before it ends"),
        ("mon 09:00-24:01", "begins before it ends"),
        ("mon 09:75-10:00", "begins before it ends"),
        ("", "is not like"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_hours((line,))


@pytest.mark.parametrize("lines", [("mon-fri 09:00-17:30", "sat 09:00-12:00"), ("mon,wed 08:00-09:00",)])
def test_written_down_again_they_are_the_same(lines: tuple[str, ...]) -> None:
    hours = parse_hours(lines)
    assert hours_text(hours) == lines
    assert parse_hours(hours_text(hours)) == hours


def test_days_that_are_closed_stay_with_them() -> None:
    assert parse_hours((), ("2026-10-01",)).closed == ("2026-10-01",)
