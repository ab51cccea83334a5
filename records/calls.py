"""What a manager asks of the calls that were: the list, one call, figures, and how long people waited."""

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from records.database import Database
from records.model import (
    AccountId,
    CallId,
    CallSummary,
    EndReason,
    ItemId,
    JournalEntry,
    JournalKind,
    Outcome,
    Part,
    RatingReason,
    SiteId,
    StationId,
)
from records.tables import calls, journal, parts, ratings, read_as, storable

MAX_PAGE = 200


class CallFilter(Struct, frozen=True):
    """All that is given must hold. ``since`` <= requested_at < ``until``, Unix seconds: the caller knows the
    hall's days. ``text`` is looked for in the call's id, the outcome's note and the agents' notes."""

    since: float | None = None
    until: float | None = None
    station: StationId | None = None
    sites: tuple[SiteId, ...] = ()  # any of these; the caller knows the tree
    item: ItemId | None = None
    agent: AccountId | None = None
    outcome: Outcome | None = None
    end_reason: EndReason | None = None
    stars_min: int | None = None
    stars_max: int | None = None
    text: str = ""


class CallPage(Struct, frozen=True):
    """``page`` counts from 1; ``pages`` is at least 1; ``total`` counts all calls that fit the filter."""

    calls: tuple[CallSummary, ...]
    page: int
    pages: int
    total: int


class Rating(Struct, frozen=True):
    stars: int
    reasons: tuple[RatingReason, ...]
    at: float


class CallDetail(Struct, frozen=True):
    """One call whole. ``journal`` is in order of time, ``parts`` in order of their start."""

    summary: CallSummary
    journal: tuple[JournalEntry, ...]
    parts: tuple[Part, ...]
    rating: Rating | None


class Figures(Struct, frozen=True):
    """Of the calls requested in a span of time. ``abandoned`` ended before anybody answered; ``in_goal`` were
    answered within ``goal_s``. Means are seconds (stars: 1 to 5), None when there is nothing to divide by."""

    calls: int
    answered: int
    abandoned: int
    in_goal: int
    goal_s: int
    mean_wait_s: float | None
    mean_talk_s: float | None
    mean_stars: float | None


class Duration(Struct, frozen=True):
    """Of one answered and ended call, in seconds: how long it waited, how long it talked, and how long after
    its end the agent still had to write down what came of it."""

    wait: float
    talk: float
    wrap_up: float = 0.0


class Calls:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find_calls(self, wanted: CallFilter, page: int = 1, page_size: int = 50) -> CallPage:
        """Newest first. A page beyond the last gives the last; sizes are kept within 1..MAX_PAGE."""
        size = max(1, min(page_size, MAX_PAGE))
        conditions = _conditions(wanted)
        async with self._database.read() as connection:
            total = (
                await connection.scalar(sa.select(sa.func.count()).select_from(calls).where(*conditions)) or 0
            )
            pages = max(1, -(-total // size))
            page = max(1, min(page, pages))
            rows = await connection.execute(
                sa.select(calls)
                .where(*conditions)
                .order_by(calls.c.requested_at.desc(), calls.c.id.desc())
                .limit(size)
                .offset((page - 1) * size)
            )
            return CallPage(tuple(map(_summary, rows.mappings())), page, pages, total)

    async def call(self, call: CallId) -> CallDetail | None:
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(calls).where(calls.c.id == call))).mappings().first()
            if row is None:
                return None
            entries = await connection.execute(
                sa.select(journal).where(journal.c.call == call).order_by(journal.c.at, journal.c.seq)
            )
            files = await connection.execute(_parts_of(call))
            rating = await connection.execute(sa.select(ratings).where(ratings.c.call == call))
            return CallDetail(
                _summary(row),
                tuple(map(_entry, entries.mappings())),
                tuple(map(part_of, files.mappings())),
                next(map(_rating, rating.mappings()), None),
            )

    async def parts(self, call: CallId) -> tuple[Part, ...]:
        async with self._database.read() as connection:
            return tuple(map(part_of, (await connection.execute(_parts_of(call))).mappings()))

    async def part(self, part: str) -> Part | None:
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(parts).where(parts.c.id == part))
            return next(map(part_of, rows.mappings()), None)

    async def day_figures(
        self, since: float, until: float, goal_s: int, items: Collection[ItemId] | None = None
    ) -> Figures:
        """Of the calls with since <= requested_at < until about these items (None: all)."""
        c = calls.c
        about = [] if items is None else [c.item.in_(list(items))]
        wait, talk = c.answered_at - c.requested_at, c.ended_at - c.answered_at
        query = sa.select(
            sa.func.count(),
            sa.func.count(c.answered_at),
            sa.func.count(sa.case((c.answered_at.is_(None), c.ended_at))),
            sa.func.count(sa.case((wait <= goal_s, 1))),
            sa.func.avg(wait),
            sa.func.avg(talk),
            sa.func.avg(c.stars),
        ).where(c.requested_at >= since, c.requested_at < until, *about)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one()
        total, answered, abandoned, in_goal = (int(number) for number in row[:4])
        means = (None if mean is None else float(mean) for mean in row[4:])
        return Figures(total, answered, abandoned, in_goal, goal_s, *means)

    async def wait_history(
        self, since: float, items: Collection[ItemId] | None = None, limit: int = 500
    ) -> Sequence[Duration]:
        """Of the newest answered and ended calls about these items (None: all), newest first."""
        c = calls.c
        conditions = [c.requested_at >= since, c.answered_at.is_not(None), c.ended_at.is_not(None)]
        if items is not None:
            conditions.append(c.item.in_(list(items)))
        written_at = (
            sa.select(sa.func.max(journal.c.at))
            .where(journal.c.call == c.id, journal.c.kind == JournalKind.WRAPPED_UP)
            .scalar_subquery()
        )
        query = sa.select(
            c.answered_at - c.requested_at, c.ended_at - c.answered_at, written_at - c.ended_at
        ).where(*conditions)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(c.requested_at.desc()).limit(limit))
            return tuple(
                Duration(max(0.0, wait), max(0.0, talk), max(0.0, wrap_up or 0.0))
                for wait, talk, wrap_up in rows
            )


def _conditions(wanted: CallFilter) -> list[sa.ColumnElement[bool]]:
    c = calls.c
    found: list[sa.ColumnElement[bool]] = []
    if wanted.since is not None:
        found.append(c.requested_at >= wanted.since)
    if wanted.until is not None:
        found.append(c.requested_at < wanted.until)
    for name in ("station", "item", "agent", "outcome", "end_reason"):
        value = getattr(wanted, name)
        if value is not None:
            found.append(c[name] == value)
    if wanted.sites:
        found.append(c.site.in_(wanted.sites))
    if wanted.stars_min is not None:
        found.append(c.stars >= wanted.stars_min)
    if wanted.stars_max is not None:
        found.append(c.stars <= wanted.stars_max)
    if text := storable(wanted.text).strip():
        found.append(_mentions(text))
    return found


def _mentions(text: str) -> sa.ColumnElement[bool]:
    noted = (
        sa.select(journal.c.seq)
        .where(journal.c.call == calls.c.id, journal.c.kind == JournalKind.NOTE)
        .where(journal.c.data["text"].as_string().icontains(text, autoescape=True))
        .exists()
    )
    note = calls.c.outcome_note.icontains(text, autoescape=True)
    return sa.or_(calls.c.id == text, note, noted)


def _parts_of(call: CallId) -> sa.Select[Any]:
    return sa.select(parts).where(parts.c.call == call).order_by(parts.c.started_at, parts.c.id)


def _summary(row: sa.RowMapping) -> CallSummary:
    return read_as(row, CallSummary)


def _entry(row: sa.RowMapping) -> JournalEntry:
    return read_as(row, JournalEntry)


def part_of(row: sa.RowMapping) -> Part:
    return read_as(row, Part)


def _rating(row: sa.RowMapping) -> Rating:
    return read_as(row, Rating)
