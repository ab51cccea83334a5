"""Scenarios are read strictly: whatever is wrong is named with its place in the file."""

from pathlib import Path

import pytest

from agents.simulation.demand import items_of, sites_of
from agents.simulation.scenario import ScenarioError, load, shipped
from records.model import Tier

GOOD = """
name = { zh = "小厅", en = "A little hall" }

[demand]
calls = 50
by_hour = { 9 = 1, 10 = 2 }

[[departments]]
id = "tax"
name = { zh = "税务局", en = "Tax" }
items = 3

[[queues]]
id = "hall"
name = { zh = "大厅", en = "Hall" }
pool = "general"

[[groups]]
id = "desk"
name = { zh = "帮办", en = "Agents" }
agents = 2
hours = ["09:00-12:00", "13:00-17:00"]
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_short_one_is_enough(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, GOOD))
    assert (scenario.goal.pct, scenario.goal.within_s) == (95.0, 15.0)
    assert scenario.groups[0].skills == {"*": 3}


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("calls = 50", "calls = 0", "demand.calls: expected 'float' > 0.0"),
        ("calls = 50", 'calls = "50"', "demand.calls: expected 'float', got 'str'"),
        ("calls = 50", "call = 50", "demand: object contains unknown field 'call'"),
        ("9 = 1", "25 = 1", "demand.by_hour"),
        ("9 = 1, 10 = 2", "9 = 0", "demand.by_hour: no hour has any weight"),
        ("9 = 1, 10 = 2", "9 = 1, 09 = 2", "demand.by_hour: an hour is there twice"),
        ('pool = "general"', 'policy = "loudest"', "queues[0].policy: invalid enum value 'loudest'"),
        ('pool = "general"', 'polcy = "loudest"', "queues[0]: object contains unknown field 'polcy'"),
        ('pool = "general"', "rings = []", "queues[0].rings: at least one"),
        ("agents = 2", "agents = -2", "groups[0].agents: expected 'int' >= 0"),
        ("agents = 2", "agents = 0", "groups: nobody works"),
        ("agents = 2", 'agents = 2\nat = "town"', "groups[0].at: there is no town in sites"),
        ("agents = 2", "agents = 2\nskills = { tex = 3 }", "groups[0].skills: 'tex' is neither a department"),
        ("agents = 2", 'agents = 2\ndepartment = "x"', "groups[0].department: no department 'x'"),
        ("13:00-17:00", "11:00-17:00", "groups[0].hours[1]: '11:00-17:00' ends before it begins"),
        ("13:00-17:00", "13:00-25:00", "groups[0].hours[1]"),
        ("items = 3", 'queue = "none"', "departments[0].queue: no queue 'none'"),
        ("items = 3", "empowers = { town = 9 }", "departments[0].empowers.town: more than its 1 items"),
        ('id = "tax"', 'id = "hall"', "departments[0].id: 'hall' means something else here"),
        (
            "items = 3",
            '[[departments]]\nid = "tax"\nname = { zh = "", en = "" }',
            "departments[1].id: 'tax' is",
        ),
        ("[demand]", 'timezone = "Mars/Base"\n[demand]', "timezone: no time zone 'Mars/Base'"),
        ("[demand]", "[rules]\nrign = 3\n[demand]", "rules: object contains unknown field 'rign'"),
        ("calls = 50", "calls = 50\nlanes = { elder = 0.6, returning = 0.6 }", "demand.lanes: the shares"),
        ("[demand]", "[demand", "mine.toml"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in GOOD
    with pytest.raises(ScenarioError) as refused:
        load(write(tmp_path, GOOD.replace(before, after, 1)))
    assert any("mine.toml" in problem and said in problem for problem in refused.value.problems)


def test_a_name_that_is_nowhere_says_what_there_is() -> None:
    with pytest.raises(ScenarioError, match="shipped: jiading-10, jiading-5, three-tier"):
        load("jiading-7")


@pytest.mark.parametrize(("name", "calls"), [("jiading-5", 200), ("jiading-10", 400)])
def test_jiading_is_a_share_of_its_visits(name: str, calls: float) -> None:
    scenario = load(name)
    assert scenario.demand.calls == calls
    assert len(scenario.departments) == 31
    assert sum(len(items_of(department)) for department in scenario.departments) == 600


def test_the_three_tiers_are_148_sites_and_the_hall() -> None:
    scenario = load("three-tier")
    assert [len(sites_of(scenario, tier)) for tier in (Tier.VILLAGE, Tier.TOWN, Tier.DISTRICT)] == [
        138,
        10,
        1,
    ]
    assert shipped() == ("jiading-10", "jiading-5", "three-tier")
