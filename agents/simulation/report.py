"""A simulated day as plain text. Pure. ``lang`` is "zh" or "en"."""

from collections.abc import Iterator, Sequence

from msgspec import Struct

from agents.simulation import pooled, tally, words
from agents.simulation.demand import HOURS
from agents.simulation.pooled import Pooled
from agents.simulation.roster import people
from agents.simulation.scenario import Scenario
from agents.simulation.table import bar, table, two_bars
from agents.simulation.tally import Day, Level, Waits, Work
from agents.simulation.words import said

HOUR_S = 3600.0
BAR = 10  # columns
PLOT = 60


class Summary(Struct, frozen=True):
    """Everything that is drawn and printed. ``hours`` are those in which anybody asked."""

    scenario: Scenario
    days: int
    level: Level
    hours: dict[int, Level]
    pool: tuple[Pooled, ...]  # by hour of the day
    groups: dict[str, Level]  # of the calls that each answered
    work: dict[str, Work]  # over all days


def summary(scenario: Scenario, days: Sequence[Day]) -> Summary:
    calls = tally.calls_of(days)
    hours = tally.by_hour(calls)
    answered = tally.grouped(calls, lambda call: call.group)
    return Summary(
        scenario,
        len(days),
        tally.level(calls, scenario.goal),
        {hour: tally.level(hours[hour], scenario.goal) for hour in range(HOURS) if hours[hour]},
        pooled.by_hour(scenario, people(scenario)),
        {group.id: tally.level(answered.get(group.id, []), scenario.goal) for group in scenario.groups},
        tally.work_of(days),
    )


def report(it: Summary, lang: str) -> str:
    lines = [*heading(it.scenario, it.days, lang), "", *_overall(it, lang)]
    if it.hours:
        lines += ["", said(words.BY_HOUR, lang), *_hours(it, lang), "", *_plot(it, lang)]
    return "\n".join([*lines, "", said(words.BY_GROUP, lang), *_groups(it, lang)])


def heading(scenario: Scenario, days: int, lang: str) -> list[str]:
    about = said(words.SUBTITLE, lang, day=scenario.day, days=days, seed=scenario.seed)
    return [said(scenario.name, lang), about]


def pct(share: float | None) -> str:
    return "–" if share is None else words.PCT.format(share * 100)


def seconds(value: float | None, lang: str) -> str:
    """Seconds, and minutes from ten of them on."""
    if value is None:
        return "–"
    if value >= 600:
        return said(words.MINUTES, lang).format(f"{value / 60:.0f}")
    return said(words.SECONDS, lang).format(f"{value:.1f}" if value < 10 else f"{value:.0f}")


def clock(hour: int) -> str:
    return words.CLOCK.format(hour=hour)


def _overall(it: Summary, lang: str) -> Iterator[str]:
    level, goal = it.level, it.scenario.goal
    if not level.asked:
        yield said(words.NOBODY, lang)
        return
    yield said(
        words.FATES,
        lang,
        asked=level.asked,
        answered=level.answered,
        pct=pct(level.answered / level.asked),
        abandoned=level.abandoned,
        turned_away=level.turned_away,
        unanswered=level.unanswered,
        waiting=level.waiting,
    )
    met = words.MET if tally.meets(level, goal) else words.NOT_MET
    yield said(met, lang, within=goal.within_s, goal=goal.pct, share=pct(level.share))
    mean, median, p95, longest = waits(level.waits, lang)
    yield said(words.WAITS, lang, mean=mean, median=median, p95=p95, longest=longest)


def waits(of: Waits, lang: str) -> tuple[str, str, str, str]:
    return (
        seconds(of.mean, lang),
        seconds(of.median, lang),
        seconds(of.p95, lang),
        seconds(of.longest, lang),
    )


def _hours(it: Summary, lang: str) -> list[str]:
    within = said(words.WITHIN, lang).format(it.scenario.goal.within_s)
    texts = (words.HOUR, words.CALLS, words.GONE, words.MEAN, words.MEDIAN, words.P95, words.LONGEST)
    pool = (words.ON_DUTY, words.LOAD, words.MEAN)
    header = [
        *(said(text, lang) for text in texts),
        within,
        " " * BAR,
        "│",
        *(said(text, lang) for text in pool),
        within,
        said(words.NEEDS, lang),
    ]
    return table(header, [_hour(it, hour, lang) for hour in it.hours])


def _hour(it: Summary, hour: int, lang: str) -> list[str]:
    level, pool = it.hours[hour], it.pool[hour]
    return [
        clock(hour),
        f"{level.asked / it.days:.0f}",
        pct(level.abandoned / level.asked),
        *waits(level.waits, lang),
        pct(level.share),
        bar(level.share or 0.0, 1.0, BAR),
        "│",
        f"{pool.agents:.1f}",
        f"{pool.load:.1f}",
        said(words.OVERLOADED, lang) if pool.wait_s is None else seconds(pool.wait_s, lang),
        pct(pool.within),
        "–" if pool.needed is None else str(pool.needed),
    ]


def _plot(it: Summary, lang: str) -> Iterator[str]:
    most = max((level.waits.p95 or 0.0 for level in it.hours.values()), default=0.0)
    yield said(words.PLOT, lang, most=seconds(most, lang))
    for hour, level in it.hours.items():
        mean, p95 = level.waits.mean or 0.0, level.waits.p95 or 0.0
        yield f"{clock(hour)}  {two_bars(min(mean, most), p95, most, PLOT)}".rstrip()


def _groups(it: Summary, lang: str) -> list[str]:
    texts = (words.GROUP, words.AGENTS, words.HOURS, words.OCCUPANCY)
    rest = (words.ANSWERED, words.MEAN, words.MEDIAN, words.P95, words.LONGEST)
    header = [
        *(said(text, lang) for text in texts),
        " " * BAR,
        *(said(text, lang) for text in rest),
        said(words.WITHIN, lang).format(it.scenario.goal.within_s),
        said(words.MISSED, lang),
    ]
    rows = []
    for group in it.scenario.groups:
        level, work = it.groups[group.id], it.work[group.id]
        share = tally.occupancy(work)
        rows.append(
            [
                said(group.name, lang),
                str(work.agents),
                f"{work.duty_s / HOUR_S / it.days:.0f}",
                pct(share),
                bar(share or 0.0, 1.0, BAR),
                f"{level.answered / it.days:.0f}",
                *waits(level.waits, lang),
                pct(level.share),
                f"{work.missed / it.days:.1f}",
            ]
        )
    return table(header, rows)
