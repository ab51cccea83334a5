"""Hours as people write them in a content folder and on the administrator's page: "mon-fri 09:00-17:30"."""

import re

from records.model import ALWAYS, DAY_MIN, WEEK, Hours, Span

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE = '"mon-fri 09:00-17:30" or "sat,sun 09:00-12:00 13:00-16:00"'
_LINE = re.compile(r"(?P<days>[a-z]{3}(?:[-,][a-z]{3})*)(?P<times>(?:\s+\d{1,2}:\d\d-\d{1,2}:\d\d)+)")
_TIME = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)")


def parse_hours(lines: tuple[str, ...] | list[str], closed: tuple[str, ...] = ()) -> Hours:
    """Each line names days and one or more spans of time; no lines at all: always. ``closed``: YYYY-MM-DD.
    Raises ValueError with a sentence about the first line that cannot be read."""
    if not lines:
        return Hours(ALWAYS.spans, tuple(closed))
    return Hours(tuple(span for line in lines for span in _spans(line)), tuple(closed))


def hours_text(hours: Hours) -> tuple[str, ...]:
    """The lines that ``parse_hours`` reads as these hours; none when it is always open."""
    if hours.spans == ALWAYS.spans:
        return ()
    return tuple(f"{_days_text(s.days)} {_clock(s.start)}-{_clock(s.end)}" for s in hours.spans)


def _spans(line: str) -> tuple[Span, ...]:
    match = _LINE.fullmatch(line.strip().lower())
    if match is None:
        raise ValueError(f"'{line}' is not like {EXAMPLE}")
    days = _days(match["days"], line)
    return tuple(_span(days, [int(n) for n in found], line) for found in _TIME.findall(match["times"]))


def _span(days: tuple[int, ...], numbers: list[int], line: str) -> Span:
    start, end = numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]
    if numbers[1] > 59 or numbers[3] > 59 or not 0 <= start < end <= DAY_MIN:
        raise ValueError(f"'{line}': a span begins before it ends, within one day")
    return Span(days, start, end)


def _days(text: str, line: str) -> tuple[int, ...]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        for word in (first, last or first):
            if word not in DAYS:
                raise ValueError(f"'{line}': '{word}' is not one of {', '.join(DAYS)}")
        begin, end = DAYS.index(first), DAYS.index(last or first)
        # "sat-mon" goes round the end of the week.
        found |= {(begin + n) % WEEK + 1 for n in range((end - begin) % WEEK + 1)}
    return tuple(sorted(found))


def _days_text(days: tuple[int, ...]) -> str:
    if len(days) > 2 and days == tuple(range(days[0], days[-1] + 1)):
        return f"{DAYS[days[0] - 1]}-{DAYS[days[-1] - 1]}"
    return ",".join(DAYS[day - 1] for day in days)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
