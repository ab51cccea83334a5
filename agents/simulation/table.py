"""Columns and bars for a terminal. Pure."""

from collections.abc import Sequence
from unicodedata import combining, east_asian_width

EIGHTHS = "▏▎▍▌▋▊▉█"


def width(text: str) -> int:
    """Columns of a terminal: Chinese characters take two."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> list[str]:
    """Aligned lines; the first ``left`` columns begin at the left, the others end at the right."""
    widths = [max(width(line[n]) for line in (header, *rows)) for n in range(len(header))]
    return [
        "  ".join(_padded(cell, widths[n], right=n >= left) for n, cell in enumerate(line)).rstrip()
        for line in (header, *rows)
    ]


def bar(value: float, most: float, columns: int) -> str:
    """So much of ``columns`` filled, to the eighth of a column, and padded to them."""
    eighths = round(min(1.0, max(0.0, value / most)) * columns * 8) if most > 0 else 0
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest - 1] if rest else "")).ljust(columns)


def two_bars(inner: float, outer: float, most: float, columns: int) -> str:
    """``inner`` dark, and light from there to ``outer``."""
    dark = bar(inner, most, columns).rstrip()
    light = round(min(1.0, outer / most) * columns) - len(dark) if most > 0 else 0
    return (dark + "░" * light).ljust(columns)


def _padded(text: str, columns: int, right: bool) -> str:
    space = " " * (columns - width(text))
    return space + text if right else text + space
