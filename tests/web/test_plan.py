"""The plan of a hall's routing, read from its content folder."""

import shutil
from pathlib import Path

import pytest

from agents.agent import Lane
from agents.plan import HEAD_START_S, Plan, Policy, Ring, Scope
from records.content import ContentError, load_content
from records.model import ItemId, QueueId, SiteId, SkillId, Span
from web.plan import QUEUES, load_plan
from web.seed import DEMO

TAX = QueueId("tax")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "hall", ignore=shutil.ignore_patterns("media")))


def plan_of(folder: Path, queues: str | None = None) -> Plan:
    if queues is not None:
        (folder / QUEUES).write_text(queues, encoding="utf-8")
    return load_plan(folder, load_content(folder), "Asia/Shanghai", goal_s=15)


def problems(folder: Path, queues: str) -> tuple[str, ...]:
    with pytest.raises(ContentError) as refused:
        plan_of(folder, queues)
    return refused.value.problems


def test_without_a_file_every_skill_has_a_queue_with_the_defaults(folder: Path) -> None:
    (folder / QUEUES).unlink()
    plan = plan_of(folder)
    assert set(plan.queues) == {plan.items[item].queue for item in plan.items}
    assert {queue.policy for queue in plan.queues.values()} == {Policy.LONGEST_IDLE}
    assert plan.queues[TAX].rings == (Ring(Scope.ALL),)
    assert plan.queues[TAX].name.zh == "办税服务"
    assert plan.queues[TAX].goal_s == 15


def test_the_demonstration_hall_shows_what_there_is(folder: Path) -> None:
    plan = plan_of(folder)
    assert {queue.policy for queue in plan.queues.values()} == set(Policy)
    general = plan.queues[QueueId("general")]
    assert general.rings == (Ring(Scope.OWN_TOWN), Ring(Scope.ALL, 10.0))
    assert plan.queues[QueueId("construction")].goal_s == 30


def test_a_queue_says_what_it_likes(folder: Path) -> None:
    queue = plan_of(
        folder,
        """
closed = ["2026-10-01"]
[[queues]]
id = "tax"
hours = ["mon-fri 09:00-17:30"]
longest = 5
head_start_s = { elder = 240 }
""",
    ).queues[TAX]
    assert queue.hours.spans == (Span((1, 2, 3, 4, 5), 540, 1050),)
    assert queue.hours.closed == ("2026-10-01",)
    assert queue.longest == 5
    assert queue.head_start_s == HEAD_START_S | {Lane.ELDER: 240.0}


def test_items_are_served_by_the_sites_that_both_allow(folder: Path) -> None:
    plan = plan_of(folder)
    construction = next(rule for id, rule in plan.items.items() if rule.queue == "construction")
    assert construction.sites == {SiteId("district")}
    vehicles = plan.items[ItemId("road-freight-vehicle-review")]
    assert SiteId("wanghu") in vehicles.sites
    assert vehicles.needs == {SkillId("general"): 1}
    assert vehicles.department == "transport"


def test_sites_know_their_town_and_district(folder: Path) -> None:
    sites = plan_of(folder).sites
    assert sites[SiteId("wanghu-linhu")].town == "wanghu"
    assert sites[SiteId("wanghu")].town == "wanghu"
    assert sites[SiteId("district")].town is None
    assert {rule.district for rule in sites.values()} == {"district"}


@pytest.mark.parametrize(
    ("queues", "problem"),
    [
        ('[[queues]]\nid = "tex"', "queues[0].id: there is no queue of any item 'tex'; did you mean 'tax'?"),
        ('[[queues]]\nid = "tax"\npolicy = "longest-idle"', "queues[0].policy: must be one of longest_idle,"),
        ('[[queues]]\nid = "tax"\npool = "genral"', "queues[0].pool: there is no skill 'genral'"),
        ('[[queues]]\nid = "tax"\nrings = [{ scope = "pool" }]', "queues[0].rings: a ring of the pool needs"),
        (
            '[[queues]]\nid = "tax"\nrings = [{ scope = "all", after_s = 9 }, { scope = "district" }]',
            "queues[0].rings: each ring opens after the one before it",
        ),
        (
            '[[queues]]\nid = "tax"\nrings = [{ scope = "vilage" }]',
            "queues[0].rings[0].scope: must be one of",
        ),
        ('[[queues]]\nid = "tax"\nhours = ["9-17"]', "queues[0].hours: '9-17' is not like"),
        ('[[queues]]\nid = "tax"\nlongest = 0', "queues[0].longest: at least one call"),
        ('[[queues]]\nid = "tax"\nlongets = 3', "queues[0].longets: there is no such key"),
        ('[[queue]]\nid = "tax"', "queue: there is no such key; did you mean 'queues'?"),
        ('[[queues]]\nid = "tax"\n[[queues]]\nid = "tax"', "queues[1].id: 'tax' is already used by"),
        ('closed = "tomorrow"', "closed: must be"),
        ('closed = ["tomorrow"]', "closed[0]: 'tomorrow' is not a date"),
        ("closed = [2026-10-01]", "closed[0]: must be text in quotes"),
        ("[[queues", "this is not TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_place(folder: Path, queues: str, problem: str) -> None:
    assert any(problem in found and found.startswith(QUEUES) for found in problems(folder, queues))
