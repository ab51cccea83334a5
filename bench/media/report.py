"""The tables, and the last line, which is for machines."""

from collections.abc import Sequence

from bench.media.run import BEHIND_MS, Delays, Joins, Level

SHARE = 80.0  # % of a core that calls may take

_HEAD = (
    "server",
    "calls",
    "CPU %/call",
    "at 80 %",
    "video ms",
    "sound ms",
    "lost",
    "again",
    "MB/call",
    "files",
    "",
)


def calls_per_core(levels: Sequence[Level], server: str) -> float:
    """From a call's CPU at the highest level that ran clean, in the mean of its rounds; 0 when none did."""
    return _of_the_highest([level for level in levels if level.server == server and level.clean])


def calls_per_core_at_best(levels: Sequence[Level], server: str) -> float:
    """The same of any level that ran, clean or not: to be told apart, and not to be trusted."""
    return _of_the_highest([level for level in levels if level.server == server])


def _of_the_highest(levels: Sequence[Level]) -> float:
    ran = [level for level in levels if level.cpu > 0]
    if not ran:
        return 0.0
    top = max(level.calls for level in ran)
    costs = [level.cpu for level in ran if level.calls == top]
    return SHARE / (sum(costs) / len(costs))


def level_table(levels: Sequence[Level]) -> str:
    return _table([_HEAD, *(_row(level) for level in levels)])


def _row(level: Level) -> tuple[str, ...]:
    if not level.sent:
        return (level.server, str(level.calls), *["-"] * 8, f"NOT RUN: {level.trouble}")
    checked = level.checked
    good = checked.checked - len(checked.faults)
    return (
        level.server,
        str(level.calls),
        f"{level.cpu:.2f}",
        f"{SHARE / level.cpu:.0f}" if level.cpu else "-",
        _delays(level.video),
        _delays(level.sound),
        f"{level.lost}/{level.sent}",
        str(level.repaired),
        f"{level.rss / 1e6:.2f}",
        f"{good}/{checked.checked} of {checked.files}",
        _remark(level),
    )


def _remark(level: Level) -> str:
    remarks = [level.trouble] if level.trouble else []
    if level.foreign:
        remarks.append(f"{level.foreign} packets that nobody sent")
    if level.checked.faults:
        remarks.append(level.checked.faults[0])
    if level.generator > 85 or level.behind_ms > BEHIND_MS:
        remarks.append(f"generator {level.generator:.0f} %, {level.behind_ms:.0f} ms behind")
    return "; ".join(remarks) or ("gapless" if level.clean else f"p99 over {level.bound_ms:.0f} ms")


def _delays(delays: Delays) -> str:
    return f"{delays.p50:.2f} / {delays.p99:.2f}"


def join_table(joins: Sequence[Joins]) -> str:
    head = ("server", "joins", "failed", "CPU ms/join", "video ms", "worst", "sound ms", "worst", "lost", "")
    return _table([head, *(_join_row(one) for one in joins)])


def _join_row(one: Joins) -> tuple[str, ...]:
    return (
        one.server,
        str(one.joined),
        str(one.failed),
        f"{one.cpu_ms:.1f}",
        _delays(one.video),
        f"{one.video.worst:.1f}",
        _delays(one.sound),
        f"{one.sound.worst:.1f}",
        f"{one.lost}/{one.sent}",
        one.trouble,
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if n in (0, len(row) - 1) else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
