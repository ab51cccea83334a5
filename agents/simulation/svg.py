"""A simulated day as one picture: waits and service level by hour, occupancy by group. Pure.

The file needs nothing besides itself. No meaning is carried by colour alone: series differ in shape too.
"""

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from msgspec import Struct

from agents.simulation import tally, words
from agents.simulation.report import Summary, clock, heading, pct, seconds
from agents.simulation.table import width
from agents.simulation.words import said

WIDTH, MARGIN, LEFT, RIGHT, TOP = 960, 40, 110, 40, 92
PANEL, GAP, ROW = 200, 92, 34  # heights
INK, QUIET, GRID = "#1B2A33", "#5B6870", "#E1E5E8"
TEAL, PALE, AMBER, RED = "#0B6E6E", "#A5D1CC", "#A84F00", "#8C2F39"
FONT = "'PingFang SC','Noto Sans CJK SC','Microsoft YaHei',system-ui,sans-serif"


class Axis(Struct, frozen=True):
    """A panel's upright axis: 0 at ``bottom``, ``most`` at the top of the panel."""

    bottom: float
    most: float
    ticks: tuple[tuple[float, str], ...]

    def y(self, value: float) -> float:
        return self.bottom - min(value, self.most) / self.most * PANEL


def svg(it: Summary, lang: str) -> str:
    height = TOP + 46 + 2 * (PANEL + GAP) + 20 + ROW * len(it.scenario.groups)
    body = [*_title(it, lang), *_waits(it, lang), *_levels(it, lang), *_occupancy(it, lang)]
    name = escape(said(it.scenario.name, lang))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" lang="{lang}" font-family="{FONT}" font-size="14" fill="{INK}">',
            f"<title>{name}</title>",
            f'<rect width="{WIDTH}" height="{height}" fill="#FFFFFF"/>',
            *body,
            "</svg>\n",
        ]
    )


def nice(most: float) -> tuple[float, float]:
    """The top of an axis that shows ``most``, and its step: 1, 2 or 5 times a power of ten, 6 at most."""
    if most <= 0:
        return 1.0, 0.5
    power = 10 ** floor(log10(most / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if ceil(most / (power * factor)) <= 6)
    return step * ceil(most / step), step


# --- panels ------------------------------------------------------------------------------------


def _title(it: Summary, lang: str) -> Iterator[str]:
    name, about = heading(it.scenario, it.days, lang)
    yield _text(MARGIN, 40, name, size=22, weight=600)
    goal = it.scenario.goal
    met = words.MET if tally.meets(it.level, goal) else words.NOT_MET
    reached = said(met, lang, within=goal.within_s, goal=goal.pct, share=pct(it.level.share))
    yield _text(MARGIN, 64, f"{about} · {reached}", fill=QUIET)


def _waits(it: Summary, lang: str) -> Iterator[str]:
    most, step = nice(max((level.waits.p95 or 0.0 for level in it.hours.values()), default=0.0))
    ticks = tuple(
        (step * n, said(words.SECONDS, lang).format(f"{step * n:g}")) for n in range(round(most / step) + 1)
    )
    axis = Axis(TOP + 46 + PANEL, most, ticks)
    yield from _frame(it, axis, said(words.TITLE_WAITS, lang))
    series = ((words.SERIES_MEAN, TEAL), (words.SERIES_P95, PALE))
    yield from _legend(axis, [(said(text, lang), colour) for text, colour in series], lang, goal=False)
    for x, slot, hour in _slots(it):
        waits, bar = it.hours[hour].waits, slot * 0.3
        mean, p95 = seconds(waits.mean, lang), seconds(waits.p95, lang)
        yield _bar(x - bar, axis, waits.mean or 0.0, bar, TEAL, f"{clock(hour)} {mean}")
        yield _bar(x, axis, waits.p95 or 0.0, bar, PALE, f"{clock(hour)} {p95}")
    pool = [(x, it.pool[hour].wait_s) for x, _, hour in _slots(it)]
    yield from (_diamond(x, axis, value) for x, value in pool)


def _levels(it: Summary, lang: str) -> Iterator[str]:
    ticks = tuple((n / 4, f"{n * 25} %") for n in range(5))
    axis = Axis(TOP + 46 + PANEL + GAP + PANEL, 1.0, ticks)
    goal = it.scenario.goal
    yield from _frame(it, axis, said(words.TITLE_LEVEL, lang, within=goal.within_s))
    yield from _legend(axis, [], lang, goal=True)
    for x, slot, hour in _slots(it):
        share = it.hours[hour].share
        yield _bar(x - slot * 0.3, axis, share or 0.0, slot * 0.6, TEAL, f"{clock(hour)} {pct(share)}")
    y = axis.y(goal.pct / 100)
    line = f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke-width='
    yield f'{line}"4" stroke="#FFFFFF"/>{line}"2" stroke="{RED}" stroke-dasharray="7 5"/>'
    yield from (_diamond(x, axis, it.pool[hour].within) for x, _, hour in _slots(it))


def _occupancy(it: Summary, lang: str) -> Iterator[str]:
    top = TOP + 46 + 2 * (PANEL + GAP) - 20
    yield _text(MARGIN, top, said(words.TITLE_OCCUPANCY, lang), size=16, weight=600)
    names = {group.id: said(group.name, lang) for group in it.scenario.groups}
    left = MARGIN + 16 + 8 * max(map(width, names.values()))
    room = WIDTH - RIGHT - 60 - left
    for n, (group, name) in enumerate(names.items()):
        share, y = tally.occupancy(it.work[group]), top + 18 + n * ROW
        yield _text(MARGIN, y + 15, name)
        for wide, fill in ((room, GRID), (room * (share or 0.0), TEAL)):
            yield f'<rect x="{left}" y="{y}" width="{wide:.1f}" height="20" rx="2" fill="{fill}"/>'
        yield _text(left + room + 10, y + 15, pct(share))


# --- parts of a panel --------------------------------------------------------------------------


def _frame(it: Summary, axis: Axis, title: str) -> Iterator[str]:
    yield _text(MARGIN, axis.bottom - PANEL - 26, title, size=16, weight=600)
    for value, label in axis.ticks:
        y = axis.y(value)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>'
        yield _text(LEFT - 10, y + 5, label, anchor="end", fill=QUIET)
    for x, _, hour in _slots(it):
        yield _text(x, axis.bottom + 22, clock(hour), anchor="middle", fill=QUIET)


def _legend(axis: Axis, series: Sequence[tuple[str, str]], lang: str, goal: bool) -> Iterator[str]:
    """From the right, above the panel."""
    x, y = WIDTH - RIGHT, axis.bottom - PANEL - 26
    marks = [
        (text, f'<rect x="{{x}}" y="{y - 12:.0f}" width="14" height="14" fill="{colour}"/>')
        for text, colour in series
    ]
    if goal:
        line = f'<path d="M{{x}} {y - 5:.0f}h16" stroke="{RED}" stroke-width="2" stroke-dasharray="7 5"/>'
        marks.append((said(words.SERIES_GOAL, lang), line))
    marks.append((said(words.SERIES_POOL, lang), _rhombus("{x7}", f"{y - 5:.0f}")))
    for text, mark in reversed(marks):
        x -= round(7.2 * width(text))
        yield _text(x, y, text, fill=QUIET)
        yield mark.replace("{x7}", str(x - 15)).replace("{x}", str(x - 22))
        x -= 40


def _slots(it: Summary) -> Iterator[tuple[float, float, int]]:
    """Middle, width and hour of each hour's place."""
    slot = (WIDTH - LEFT - RIGHT) / max(1, len(it.hours))
    for n, hour in enumerate(it.hours):
        yield LEFT + slot * (n + 0.5), slot, hour


def _bar(x: float, axis: Axis, value: float, wide: float, fill: str, about: str) -> str:
    y = axis.y(value)
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{axis.bottom - y:.1f}" fill="{fill}">'
        f"<title>{escape(about)}</title></rect>"
    )


def _diamond(x: float, axis: Axis, value: float | None) -> str:
    """Where the pool is; an arrow upwards when that is above the panel, or without end."""
    if value is None or value > axis.most:
        top = axis.bottom - PANEL
        return f'<path d="M{x - 7:.1f} {top + 2:.1f}l7 -11 7 11z" fill="{AMBER}" stroke="#FFFFFF"/>'
    return _rhombus(f"{x:.1f}", f"{axis.y(value):.1f}")


def _rhombus(x: str, y: str) -> str:
    return (
        f'<g transform="translate({x} {y})"><path d="M0 -7L7 0L0 7L-7 0Z" fill="{AMBER}" stroke="#FFFFFF" '
        f'stroke-width="1.5"/></g>'
    )


def _text(
    x: float, y: float, text: str, size: int = 14, weight: int = 400, fill: str = INK, anchor: str = "start"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )
