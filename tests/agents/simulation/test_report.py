"""What is printed and drawn."""

import asyncio
import re
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace

from agents.simulation import words
from agents.simulation.days import simulate
from agents.simulation.demand import callers
from agents.simulation.pooled import by_hour
from agents.simulation.report import Summary, report, summary
from agents.simulation.roster import people
from agents.simulation.scenario import Demand, Goal, load
from agents.simulation.svg import nice, svg
from agents.simulation.table import bar, table, two_bars, width
from agents.simulation.tally import Call, Day, Fate, Work, level, percentile
from records.model import Text
from tests.agents.simulation.halls import AT_ONCE, hall, simulated


def of_a_day(name: str) -> Summary:
    scenario = load(name)
    return summary(scenario, asyncio.run(simulate(scenario, 1, words.ONE_DAY, lambda label, share: None)))


@pytest.fixture(scope="module")
def day() -> Summary:
    return of_a_day("jiading-5")


# --- counting ----------------------------------------------------------------------------------


def test_the_service_level_counts_whom_it_failed() -> None:
    caller = callers(hall())[0]
    calls = [
        Call(caller, Fate.ANSWERED, 15.0),
        Call(caller, Fate.ANSWERED, 15.1),
        Call(caller, Fate.ABANDONED, 2.0),  # not failed
        Call(caller, Fate.ABANDONED, 120.0),
        Call(caller, Fate.TURNED_AWAY, 0.0),
    ]
    assert level(calls, Goal()).share == 1 / 4
    assert level(calls[2:3], Goal()).share is None


def test_percentiles_are_waits_that_somebody_had() -> None:
    assert [percentile([1.0, 2.0, 3.0, 4.0], share) for share in (0.25, 0.5, 0.95)] == [1.0, 2.0, 4.0]


def test_the_pool_waits_for_ever_when_it_is_overloaded() -> None:
    scenario = hall(86400 / 60 * 3.0)
    hour = by_hour(scenario, people(scenario))[12]
    assert (round(hour.load, 6), hour.agents, hour.wait_s, hour.within) == (3.0, 1.0, None, 0.0)
    assert hour.needed == 6


def test_a_goal_that_is_shorter_than_the_answer_is_out_of_reach() -> None:
    scenario = replace(hall(100.0, replace(AT_ONCE, answer_s=20.0)), goal=Goal(95.0, 15.0))
    assert by_hour(scenario, people(scenario))[12].needed is None


# --- in the terminal ---------------------------------------------------------------------------


def test_columns_are_aligned_whatever_the_script() -> None:
    lines = table(["组", "Agents"], [["综合帮办", "8"], ["tax", "12"]])
    assert {width(line) for line in lines} == {width("综合帮办  Agents")}


def test_bars_fill_their_columns_to_the_eighth() -> None:
    assert bar(0.5, 1.0, 4) == "██  "
    assert bar(0.53125, 1.0, 4) == "██▏ "
    assert bar(9.0, 1.0, 4) == "████"
    assert two_bars(1.0, 3.0, 4.0, 4) == "█░░ "


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_report_has_every_hour_and_every_group(day: Summary, lang: str) -> None:
    text = report(day, lang)
    for hour in range(9, 17):
        assert f"{hour:02d}:00" in text
    for group in day.scenario.groups:
        assert words.said(group.name, lang) in text
    assert max(map(width, text.splitlines())) <= 130
    if lang == "en":
        assert not re.search(r"[\u4e00-\u9fff]", text)


def test_a_day_without_calls_says_so() -> None:
    scenario = hall()
    empty = Day((), {"desk": Work(1, 86400.0)})
    assert "Nobody called." in report(summary(scenario, [empty]), "en")
    assert "没有人来电" in report(summary(scenario, [empty]), "zh")
    ElementTree.fromstring(svg(summary(scenario, [empty]), "en"))


# --- the picture -------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_picture_is_one_sound_file_that_needs_no_other(day: Summary, lang: str) -> None:
    text = svg(day, lang)
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert text.count("http") == 1
    assert not re.search(r"href|url\(|<script|@import", text)


def test_nothing_is_drawn_outside_the_picture(day: Summary) -> None:
    root = ElementTree.fromstring(svg(day, "en"))
    wide, high = float(root.attrib["width"]), float(root.attrib["height"])
    for shape in root.iter("{http://www.w3.org/2000/svg}rect"):
        at = {name: float(shape.attrib.get(name, 0)) for name in ("x", "y", "width", "height")}
        assert 0 <= at["x"] <= at["x"] + at["width"] <= wide + 0.1
        assert 0 <= at["y"] <= at["y"] + at["height"] <= high + 0.1


def test_names_are_not_markup() -> None:
    scenario = replace(hall(), name=Text("<甲>&乙", "<a> & b"))
    ElementTree.fromstring(svg(summary(scenario, [simulated(scenario)]), "en"))


@pytest.mark.parametrize("most", [0.3, 4.0, 15.0, 57.0, 68.0, 350.0, 9999.0])
def test_axes_have_round_steps(most: float) -> None:
    top, step = nice(most)
    assert most <= top < most + step
    assert 3 <= round(top / step) <= 6


def test_an_hour_without_calls_is_left_out() -> None:
    scenario = replace(hall(), demand=Demand(calls=100.0, by_hour={"9": 1.0, "11": 1.0}))
    assert list(summary(scenario, [simulated(scenario)]).hours) == [9, 11]
