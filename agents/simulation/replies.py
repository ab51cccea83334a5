"""The answers to --needed and --dedicated as plain text. Pure. ``lang`` is "zh" or "en"."""

from collections.abc import Iterator, Mapping

from agents.simulation import pooled, words
from agents.simulation.needed import Needed, Tried
from agents.simulation.report import clock, pct, waits
from agents.simulation.roster import people
from agents.simulation.scenario import Scenario
from agents.simulation.table import bar, table
from agents.simulation.windows import Split, Windows
from agents.simulation.words import said

BAR = 20  # columns
NAMED = 5  # departments


def needed_text(scenario: Scenario, found: Needed, days: int, lang: str) -> str:
    goal = scenario.goal
    lines = [said(words.NEEDED, lang, goal=goal.pct, within=goal.within_s)]
    if found.enough is None:
        most = found.tried[-1]
        lines.append(said(words.NEEDED_NONE, lang, agents=most.agents, share=pct(most.level.share)))
    else:
        split = _sizes(scenario, found.enough.sizes, lang)
        lines.append(said(words.NEEDED_ANSWER, lang, agents=found.enough.agents, split=split))
    lines += [*_erlang(scenario, lang), "", said(words.TRIED, lang, days=days)]
    return "\n".join([*lines, *_tried(scenario, found, lang)])


def windows_text(scenario: Scenario, now: Tried, enough: Tried | None, found: Windows, lang: str) -> str:
    header = [
        said(words.WINDOWS_HEAD, lang),
        said(words.AGENTS, lang),
        said(words.WITHIN, lang).format(scenario.goal.within_s),
        " " * BAR,
    ]
    rows = [
        _row(said(words.POOL_NOW, lang), now.agents, now.level.share, lang),
        _row(said(words.SAME, lang), found.same.total, found.same.share, lang),
        _row(said(words.POOL_NEEDED, lang), *_reached(enough), lang),
        _row(said(words.OVERALL, lang), *_together(found.overall), lang),
        _row(said(words.EACH, lang), found.each.total, found.each.share, lang),
    ]
    lines = [said(words.WINDOWS, lang), *table(header, rows), ""]
    return "\n".join([*lines, *_remarks(scenario, enough, found, lang)])


def _remarks(scenario: Scenario, enough: Tried | None, found: Windows, lang: str) -> Iterator[str]:
    if enough is not None and found.overall is not None:
        more, times = found.overall.total - enough.agents, found.overall.total / enough.agents
        if more < 0:
            yield said(words.COST_LESS, lang, less=-more)
        else:
            yield said(words.COST, lang, more=more, times=times)
    if found.missing:
        yield said(words.MISSING, lang, count=found.missing)
    without = [d.name for d in scenario.departments if not found.same.agents[d.id] and d.weight]
    if without:
        comma = "、" if lang == "zh" else ", "
        names = comma.join(said(name, lang) for name in without[:NAMED])
        if len(without) > NAMED:
            names += ("" if lang == "zh" else " ") + said(words.AND_MORE, lang)
        yield said(words.UNSERVED, lang, agents=found.same.total, count=len(without), names=names)


def _tried(scenario: Scenario, found: Needed, lang: str) -> list[str]:
    texts = (words.AGENTS, words.MEAN, words.MEDIAN, words.P95, words.LONGEST, words.GONE)
    header = [
        *(said(text, lang) for text in texts),
        said(words.WITHIN, lang).format(scenario.goal.within_s),
        " " * BAR,
    ]
    return table(header, [_one(tried, lang) for tried in found.tried], left=0)


def _one(tried: Tried, lang: str) -> list[str]:
    level = tried.level
    gone = pct(level.abandoned / level.asked) if level.asked else "–"
    return [
        str(tried.agents),
        *waits(level.waits, lang),
        gone,
        pct(level.share),
        bar(level.share or 0.0, 1.0, BAR),
    ]


def _erlang(scenario: Scenario, lang: str) -> Iterator[str]:
    hours = pooled.by_hour(scenario, people(scenario))
    busiest = max(range(len(hours)), key=lambda hour: hours[hour].load)
    agents = hours[busiest].needed
    if agents is not None:
        yield said(words.ERLANG_NEEDS, lang, hour=clock(busiest), agents=agents)


def _sizes(scenario: Scenario, sizes: Mapping[str, int], lang: str) -> str:
    comma = "、" if lang == "zh" else ", "
    return comma.join(f"{said(group.name, lang)} {sizes[group.id]}" for group in scenario.groups)


def _reached(tried: Tried | None) -> tuple[int | None, float | None]:
    return (None, None) if tried is None else (tried.agents, tried.level.share)


def _together(split: Split | None) -> tuple[int | None, float | None]:
    return (None, None) if split is None else (split.total, split.share)


def _row(name: str, agents: int | None, share: float | None, lang: str) -> list[str]:
    if agents is None:
        return [name, said(words.UNREACHED, lang), "", ""]
    return [name, str(agents), pct(share), bar(share or 0.0, 1.0, BAR)]
