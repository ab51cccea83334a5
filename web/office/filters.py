"""What the address bar says about a list: the filters, the page, and the address of the next page."""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from msgspec import Struct

from records.audit import AuditFilter
from records.calls import CallFilter
from records.model import AccountId, EndReason, ItemId, Outcome, StationId
from web.hall_time import HallTime

MAX_VALUE = 200  # characters of one filter
PAGE_SIZE = 25
LOW_STARS = "low"  # one or two

E = TypeVar("E", bound=StrEnum)


class Days(Struct, frozen=True):
    """Unix seconds of the days asked for, or None where the list is open."""

    since: float | None
    until: float | None


class Query:
    """The query of one request. Values that cannot be understood are left out and named in ``bad``."""

    def __init__(self, values: Mapping[str, str], names: tuple[str, ...]) -> None:
        self.values = {name: values.get(name, "").strip()[:MAX_VALUE] for name in names}
        self.page = _positive(values.get("page", "")) or 1
        self.before = _positive(values.get("before", ""))
        self.bad: list[str] = []

    @property
    def narrowed(self) -> bool:
        return any(self.values.values())

    def address(self, path: str, page: int = 1, before: int | None = None) -> str:
        """The list's address with these filters at another page, or with the entries before a number."""
        given: dict[str, Any] = {name: value for name, value in self.values.items() if value}
        if page > 1:
            given["page"] = page
        if before is not None:
            given["before"] = before
        return f"{path}?{urlencode(given)}" if given else path

    def text(self, name: str) -> str | None:
        return self.values[name] or None

    def choice(self, name: str, kind: type[E]) -> E | None:
        value = self.values[name]
        try:
            return kind(value) if value else None
        except ValueError:
            self._refuse(name)
            return None

    def day(self, name: str) -> date | None:
        value = self.values[name]
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            self._refuse(name)
            return None

    def days(self, hall: HallTime) -> Days:
        first, last = self.day("from"), self.day("to")
        try:
            since = None if first is None else hall.midnight(first)
            until = None if last is None else hall.day_span(last, last)[1]
        except (OverflowError, OSError, ValueError):
            # The calendar's ends, e.g. the day after 9999-12-31.
            self._refuse("from")
            self._refuse("to")
            return Days(None, None)
        return Days(since, until)

    def stars(self) -> tuple[int | None, int | None]:
        """The fewest and the most stars."""
        value = self.values["stars"]
        if value == LOW_STARS:
            return 1, 2
        if value in ("1", "2", "3", "4", "5"):
            return int(value), int(value)
        if value:
            self._refuse("stars")
        return None, None

    def _refuse(self, name: str) -> None:
        if self.values[name]:
            self.bad.append(name)
        self.values[name] = ""


CALL_FIELDS = ("from", "to", "station", "item", "agent", "outcome", "end_reason", "stars", "text")


def call_query(values: Mapping[str, str], hall: HallTime) -> tuple[Query, CallFilter]:
    query = Query(values, CALL_FIELDS)
    days = query.days(hall)
    fewest, most = query.stars()
    station, item, agent = query.text("station"), query.text("item"), query.text("agent")
    return query, CallFilter(
        since=days.since,
        until=days.until,
        station=None if station is None else StationId(station),
        item=None if item is None else ItemId(item),
        agent=None if agent is None else AccountId(agent),
        outcome=query.choice("outcome", Outcome),
        end_reason=query.choice("end_reason", EndReason),
        stars_min=fewest,
        stars_max=most,
        text=query.values["text"],
    )


AUDIT_FIELDS = ("from", "to", "actor", "action", "object")


def audit_query(values: Mapping[str, str], hall: HallTime) -> tuple[Query, AuditFilter]:
    query = Query(values, AUDIT_FIELDS)
    days = query.days(hall)
    actor = query.text("actor")
    return query, AuditFilter(
        actor=None if actor is None else AccountId(actor),
        action=query.text("action"),
        object=query.text("object"),
        since=days.since,
        until=days.until,
    )


def _positive(value: str) -> int | None:
    plain = value.isascii() and value.isdecimal() and len(value) < 10
    return int(value) if plain and int(value) > 0 else None
