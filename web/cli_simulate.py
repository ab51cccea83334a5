"""``bangban simulate``: what a day would be like with this demand, this plan and these people."""

import asyncio
import sys
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from records.model import Text
from web.invocation import EXIT_SETTINGS, Invocation

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

    from agents.simulation.days import Progress
    from agents.simulation.scenario import Goal, Scenario

T = TypeVar("T")

STEPS = 1000  # of a progress bar


class GoalType(click.ParamType["Goal"]):
    """95/15: so many per cent within so many seconds."""

    name = "goal"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> "Goal":
        import msgspec

        from agents.simulation.scenario import Goal

        pct, _, within = str(value).partition("/")
        try:
            return msgspec.convert({"pct": pct, "within_s": within}, Goal, strict=False)
        except msgspec.ValidationError:
            self.fail(f"{value!r} is not like 95/15: per cent below 100, and seconds", param, context)


@click.command()
@click.argument("scenario", metavar="SCENARIO")
@click.option("--days", type=click.IntRange(1, 1000), help="Simulate so many days, each with other callers.")
@click.option("--seed", type=int, help="Other callers and other habits than the scenario's seed gives.")
@click.option("--goal", type=GoalType(), metavar="PCT/SECONDS", help="Service level to reach, such as 95/15.")
@click.option("--needed", is_flag=True, help="Search for the fewest agents that reach the goal.")
@click.option("--group", metavar="ID", help="With --needed: change the size of this group alone.")
@click.option("--dedicated", is_flag=True, help="Compare with a window of its own for every department.")
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Also write the day as a picture.",
)
@click.pass_obj
def simulate(
    invocation: Invocation,
    scenario: str,
    days: int | None,
    seed: int | None,
    goal: "Goal | None",
    needed: bool,
    group: str | None,
    dedicated: bool,
    svg: Path | None,
) -> None:
    """Simulate a day: the real policies and dispatcher on a virtual clock.

    SCENARIO is a TOML file, or the name of one that is shipped: jiading-5, jiading-10, three-tier. Prints
    waits, service level, abandonment and occupancy by hour and by group, next to Erlang-C for one pool.
    How to write a scenario: docs/simulate.md. Exit code 2 when it cannot be used.
    """
    from web.doctor.examine import language

    chosen = _scenario(scenario, seed, goal)
    if group is not None and (not needed or group not in {one.id for one in chosen.groups}):
        known = ", ".join(one.id for one in chosen.groups)
        raise click.UsageError(f"--group goes with --needed, and is one of: {known}")
    lang = language(invocation.lang)
    if needed or dedicated:
        _answer(chosen, days, needed, group, dedicated, lang)
        if svg is None:
            return
    _show(chosen, days or 1, svg, lang)


def _scenario(name: str, seed: int | None, goal: "Goal | None") -> "Scenario":
    from msgspec.structs import replace

    from agents.simulation.scenario import ScenarioError, load

    try:
        found = load(name)
    except ScenarioError as refused:
        for problem in refused.problems:
            click.echo(problem, err=True)
        sys.exit(EXIT_SETTINGS)
    found = found if seed is None else replace(found, seed=seed)
    return found if goal is None else replace(found, goal=goal)


def _show(scenario: "Scenario", days: int, file: Path | None, lang: str) -> None:
    from agents.simulation.days import simulate as run
    from agents.simulation.report import report, summary
    from agents.simulation.svg import svg
    from agents.simulation.words import ONE_DAY

    with _progress(lang) as progress:
        found = summary(scenario, _finish(run(scenario, days, ONE_DAY, progress)))
    click.echo(report(found, lang))
    if file is not None:
        file.write_text(svg(found, lang), encoding="utf-8")


def _answer(
    scenario: "Scenario", days: int | None, needed: bool, group: str | None, dedicated: bool, lang: str
) -> None:
    from agents.simulation import days as running
    from agents.simulation.needed import needed as search
    from agents.simulation.needed import now
    from agents.simulation.replies import needed_text, windows_text
    from agents.simulation.report import heading
    from agents.simulation.windows import windows

    count = days or running.enough(scenario)
    with _progress(lang) as progress:
        found = _finish(search(scenario, count, progress, group))
        if dedicated:
            today = _finish(now(scenario, count, progress))
            alone = _finish(windows(scenario, count, today.agents, progress))
    parts = ["\n".join(heading(scenario, count, lang))]
    if needed:
        parts.append(needed_text(scenario, found, count, lang))
    if dedicated:
        parts.append(windows_text(scenario, today, found.enough, alone, lang))
    click.echo("\n\n".join(parts))


def _finish(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


@contextmanager
def _progress(lang: str) -> Iterator["Progress"]:
    """A bar for each thing that is done, on the terminal's error output; none where nobody looks."""
    from agents.simulation.words import said

    bars: dict[Text, ProgressBar[int]] = {}
    hidden = not sys.stderr.isatty()

    def show(label: Text, share: float) -> None:
        if label not in bars:
            close()
            bars[label] = click.progressbar(
                length=STEPS, label=said(label, lang), file=sys.stderr, hidden=hidden, show_eta=False
            )
            bars[label].__enter__()
        bars[label].update(round(share * STEPS) - bars[label].pos)

    def close() -> None:
        for bar in bars.values():
            bar.__exit__(None, None, None)
        bars.clear()

    try:
        yield show
    finally:
        close()
