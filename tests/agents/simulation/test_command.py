"""``bangban simulate`` as it is typed."""

from pathlib import Path
from time import process_time

import pytest
from click.testing import CliRunner, Result

from agents.simulation.scenario import shipped
from web.cli import main

DAY_S = 10.0  # a shipped day takes no longer; processor time, since others may be using the machine


def simulate(*words: str, lang: str = "en") -> Result:
    return CliRunner().invoke(main, ("--lang", lang, "simulate", *words))


@pytest.mark.parametrize("name", shipped())
def test_a_day_of_each_shipped_scenario_is_quick(name: str) -> None:
    began = process_time()
    result = simulate(name)
    assert result.exit_code == 0
    assert "within 15 s; the goal is 95 %" in result.output
    assert process_time() - began < DAY_S


def test_it_speaks_chinese() -> None:
    assert "各时段等候" in simulate("jiading-5", lang="zh").output


def test_the_same_command_prints_the_same() -> None:
    assert simulate("jiading-5").output == simulate("jiading-5").output
    assert simulate("jiading-5").output != simulate("jiading-5", "--seed", "7").output


def test_it_writes_the_picture(tmp_path: Path) -> None:
    file = tmp_path / "day.svg"
    assert simulate("jiading-5", "--svg", str(file)).exit_code == 0
    assert file.read_text(encoding="utf-8").startswith("<svg")


def test_another_goal_needs_other_numbers() -> None:
    result = simulate("jiading-5", "--needed", "--goal", "80/30", "--days", "2")
    assert result.exit_code == 0
    assert "How many agents for 80 % in 30 s?" in result.output


def test_a_bad_scenario_is_named_and_nothing_else_is_said(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = { zh = "a", en = "b" }\n[demand]\ncalls = -3\nby_hour = { 9 = 1 }\n')
    result = simulate(str(file))
    assert result.exit_code == 2
    assert result.output == "mine.toml: demand.calls: expected 'float' > 0.0\n"


@pytest.mark.parametrize("goal", ["95", "100/15", "-1/15", "a/b", "95/-2"])
def test_a_goal_is_per_cent_and_seconds(goal: str) -> None:
    result = simulate("jiading-5", "--goal", goal)
    assert result.exit_code == 2
    assert "is not like 95/15" in result.output


def test_an_unknown_group_is_refused_with_the_known_ones() -> None:
    result = simulate("jiading-5", "--needed", "--group", "nobody")
    assert result.exit_code == 2
    assert "general, insurance-window" in result.output
