"""When a hall, a queue or a person is at work: a week of spans in the hall's time zone. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from records.model import ALWAYS, DAY_MIN, Hours, Span

AHEAD_DAYS = 60  # how far the next opening is looked for


def is_open(hours: Hours, at: float, zone: ZoneInfo) -> bool:
    """Whether ``at`` (Unix seconds) is inside one of the spans."""
    if hours is ALWAYS or hours == ALWAYS:  # asked for every agent in every round, and nearly always so
        return True
    local = datetime.fromtimestamp(at, zone)
    minute = local.hour * 60 + local.minute
    return any(span.start <= minute < span.end for span in _spans_of(hours, local))


def opens_at(hours: Hours, at: float, zone: ZoneInfo) -> float | None:
    """When it is open next, ``at`` itself when it is now; None when not within AHEAD_DAYS."""
    if is_open(hours, at, zone):
        return at
    local = datetime.fromtimestamp(at, zone)
    for ahead in range(AHEAD_DAYS):
        midnight = (local + timedelta(days=ahead)).replace(hour=0, minute=0, second=0, microsecond=0)
        starts = sorted(
            (midnight + timedelta(minutes=span.start)).timestamp() for span in _spans_of(hours, midnight)
        )
        later = next((start for start in starts if start > at), None)
        if later is not None:
            return later
    return None


def closes_at(hours: Hours, at: float, zone: ZoneInfo) -> float | None:
    """The end of the span that ``at`` is in; None when it is closed or never closes before midnight."""
    local = datetime.fromtimestamp(at, zone)
    minute = local.hour * 60 + local.minute
    ends = [s.end for s in _spans_of(hours, local) if s.start <= minute < s.end and s.end < DAY_MIN]
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight + timedelta(minutes=max(ends))).timestamp() if ends else None


def _spans_of(hours: Hours, local: datetime) -> tuple[Span, ...]:
    if local.date().isoformat() in hours.closed:
        return ()
    return tuple(span for span in hours.spans if local.isoweekday() in span.days)
