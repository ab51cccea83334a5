"""Times as people in the hall read them: the hall's zone, its days, lengths and sizes in words."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class HallTime:
    """Unix seconds in, the hall's wall clock out."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def moment(self, at: float | None) -> str:
        """``2026-11-23 09:05:07``, or a dash."""
        return "—" if at is None else self._local(at).strftime("%Y-%m-%d %H:%M:%S")

    def minute(self, at: float | None) -> str:
        """``2026-11-23 09:05``, or a dash."""
        return "—" if at is None else self._local(at).strftime("%Y-%m-%d %H:%M")

    def clock(self, at: float | None) -> str:
        """``09:05:07``, or a dash."""
        return "—" if at is None else self._local(at).strftime("%H:%M:%S")

    def iso(self, at: float) -> str:
        """For the ``datetime`` attribute of ``<time>``."""
        return self._local(at).isoformat(timespec="seconds")

    def midnight(self, day: date) -> float:
        """When this day begins. A day is 23 to 25 hours long where clocks are put forward and back."""
        return datetime.combine(day, time(), self.zone).timestamp()

    def day_span(self, first: date, last: date) -> tuple[float, float]:
        """From the first day's midnight to the midnight after the last, not included."""
        return self.midnight(first), self.midnight(last + timedelta(days=1))

    def today(self, now: float) -> date:
        return self._local(now).date()

    def _local(self, at: float) -> datetime:
        return datetime.fromtimestamp(at, self.zone)


def length(seconds: float | None) -> str:
    """``0:07``, ``12:34``, ``1:02:03``; before the beginning ``-0:12``; a dash for None."""
    if seconds is None:
        return "—"
    whole = int(abs(seconds))
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    text = f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
    return f"-{text}" if seconds <= -1 else text


def tenths(seconds: float) -> str:
    """``0:07.3``: as ``length``, where seconds are too coarse."""
    whole = round(abs(seconds) * 10)
    return f"{'-' if seconds < 0 and whole else ''}{length(whole // 10)}.{whole % 10}"


def size(count: int | None) -> str:
    """``912 B``, ``38.4 KB``, ``12.0 MB`` (powers of 1024); a dash for None."""
    if count is None:
        return "—"
    amount, unit = float(count), "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
