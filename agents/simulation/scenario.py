"""What a scenario says: who asks, who works there, and how the hall routes. Reads TOML; docs/simulate.md.

Times of day are "HH:MM" in the hall's time zone, durations are seconds unless the name says otherwise.
"""

import tomllib
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from agents.agent import Lane
from agents.availability import Rules
from agents.plan import Queue
from records.model import DepartmentId, QueueId, SiteId, SkillId, Text, Tier

SHIPPED = Path(__file__).parent / "scenarios"
ANYTHING = SkillId("*")  # in a group's skills: the skill of every department
HALL = DepartmentId("hall")  # of those who belong to no department

Share = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Stretch = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$")]


class ScenarioError(Exception):
    """The scenario cannot be used. ``problems`` has one sentence each, beginning with file and path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Strict(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the file, in which a misspelt key is refused."""


class Shape(StrEnum):
    """How the length of talks and wrap-ups is distributed."""

    LOGNORMAL = "lognormal"
    EXPONENTIAL = "exponential"


class Goal(Strict, frozen=True):
    """So many per cent answered within so many seconds."""

    pct: Annotated[float, Meta(gt=0, lt=100)] = 95.0
    within_s: Seconds = 15.0


class Patience(Strict, frozen=True):
    """How long a resident waits before going away: Weibull; shape 1 is exponential."""

    mean_s: Positive
    shape: Positive = 1.0


class Demand(Strict, frozen=True):
    """``by_hour``: weight of each hour of the day (0..23). ``zipf``: a department's k-th item is asked
    for in proportion to k to the power of minus that."""

    calls: Positive  # a day, on average
    by_hour: dict[Annotated[str, Meta(pattern=r"^([01]?\d|2[0-3])$")], Weight]
    zipf: Weight = 1.0
    lanes: dict[Lane, Share] = {}  # the share of calls in each; the rest is normal
    patience: Patience | None = None  # nobody goes away


class Service(Strict, frozen=True):
    """How long a call keeps its agent: log-normal with mean and coefficient of variation, or exponential."""

    talk_s: Positive = 420.0
    talk_cv: Weight = 0.8
    wrap_up_s: Seconds = 60.0
    wrap_up_cv: Weight = 0.5
    shape: Shape = Shape.LOGNORMAL


class Town(Strict, frozen=True):
    """A town and its villages, whose ids are "<town>-1" and so on. ``weight``: of the town's own stations."""

    id: SiteId
    villages: Annotated[int, Meta(ge=0)] = 0
    weight: Weight = 1.0
    village_weight: Weight = 1.0  # of each village


class Sites(Strict, frozen=True):
    district: SiteId = SiteId("district")
    weight: Weight = 1.0  # of the hall's own stations
    towns: tuple[Town, ...] = ()


class Department(Strict, frozen=True):
    """``items``: how many it has, with the ids "<department>-1" and so on, the most asked for first.
    ``empowers``: how many of them, counted from the first, a tier's agents may serve; all where not said."""

    id: DepartmentId
    name: Text
    weight: Weight = 1.0
    items: Annotated[int, Meta(ge=1)] = 1
    level: Annotated[int, Meta(ge=1, le=5)] = 1
    queue: QueueId | None = None  # the first one
    talk_s: Positive | None = None  # as the scenario's service
    talk_cv: Weight | None = None
    empowers: dict[Tier, Annotated[int, Meta(ge=0)]] = {}


class QueueTable(Queue, frozen=True, forbid_unknown_fields=True):
    """agents.plan.Queue, in which a misspelt key is refused."""


class RulesTable(Rules, frozen=True, forbid_unknown_fields=True):
    """agents.availability.Rules, likewise."""


class Break(Strict, frozen=True):
    """``relays``: the group goes in so many parts, one after the other."""

    at: Clock
    minutes: Positive
    relays: Annotated[int, Meta(ge=1)] = 1


class Group(Strict, frozen=True):
    """Agents of one kind. ``at``: where they sit; of "town" and "village" that many agents at *each*.

    ``miss``: the chance that one lets a ring go unanswered. ``back_after_s``: how long after being paused for
    missed calls one comes back. ``counter``: the share of duty spent with people at the counter, paused.
    """

    id: str
    name: Text
    agents: Annotated[int, Meta(ge=0)]
    hours: tuple[Stretch, ...]
    at: Tier = Tier.DISTRICT
    department: DepartmentId = HALL
    skills: dict[SkillId, Annotated[int, Meta(ge=1, le=5)]] = field(default_factory=lambda: {ANYTHING: 3})
    breaks: tuple[Break, ...] = ()
    answer_s: Seconds = 4.0  # how long it rings before it is answered
    answer_cv: Weight = 0.5
    miss: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    back_after_s: Positive = 60.0
    counter: Annotated[float, Meta(ge=0, lt=1)] = 0.0
    counter_s: Positive = 600.0  # how long one such visit takes, on average


class Scenario(Strict, frozen=True):
    name: Text
    demand: Demand
    departments: Annotated[tuple[Department, ...], Meta(min_length=1)]
    queues: Annotated[tuple[QueueTable, ...], Meta(min_length=1)]
    groups: Annotated[tuple[Group, ...], Meta(min_length=1)]
    day: date = date(2026, 3, 2)  # a Monday
    timezone: str = "Asia/Shanghai"
    seed: int = 1
    goal: Goal = Goal()
    service: Service = Service()
    sites: Sites = Sites()
    rules: RulesTable = RulesTable()


def shipped() -> tuple[str, ...]:
    """The names of the scenarios that come with the program."""
    return tuple(sorted(path.stem for path in SHIPPED.glob("*.toml")))


def load(name: str) -> Scenario:
    """A shipped scenario by its name, or any other by its path; raises ScenarioError."""
    from agents.simulation.check import inconsistent  # it reads these tables

    path = SHIPPED / f"{name}.toml" if name in shipped() else Path(name)
    scenario = _decode(path)
    problems = [f"{path.name}: {sentence}" for sentence in inconsistent(scenario)]
    if problems:
        raise ScenarioError(problems)
    return scenario


def _decode(path: Path) -> Scenario:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ScenarioError(
            [f"{path}: no such file; scenarios that are shipped: {', '.join(shipped())}"]
        ) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as why:
        raise ScenarioError([f"{path}: {why}"]) from None
    try:
        return msgspec.convert(table, Scenario)
    except msgspec.ValidationError as why:
        raise ScenarioError([f"{path.name}: {_plain(str(why))}"]) from None


def _plain(said: str) -> str:
    """msgspec's sentence, its path first and without back-ticks."""
    sentence, _, path = said.replace("`", "'").rpartition(" - at ")
    if not sentence:
        return said.replace("`", "'")
    where = path.strip("'").removeprefix("$").removeprefix(".")
    return f"{where or 'the file'}: {sentence[0].lower()}{sentence[1:]}"
