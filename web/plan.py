"""How a hall routes, read from its content folder: queues.toml, sites and items, as agents.plan wants it.

    [[queues]]
    id = "general"                      # a skill's id, or one that an item names as its queue
    policy = "last_agent_first"
    rings = [{ scope = "own_town" }, { scope = "district", after_s = 10 }]

Without queues.toml every queue goes by the defaults. docs/routing.md says what each line means.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from agents.agent import Lane
from agents.plan import HEAD_START_S, ItemRule, Plan, Policy, Queue, Ring, Scope, SiteRule
from records.content import known_skills
from records.content_check import (
    ContentError,
    Table,
    check_keys,
    id_problems,
    read_table,
    read_toml,
    shape_problems,
    unresolved,
)
from records.hours import parse_hours
from records.model import Content, Item, ItemId, QueueId, Site, SiteId, SkillId, Text, Tier

QUEUES = "queues.toml"
CLOSED = "closed"  # dates on which no queue is open
EVERYTHING = "*"


class _Ring(Struct, frozen=True):
    scope: Scope
    after_s: float = 0.0


class _Queue(Struct, frozen=True):
    """As it is written; what is left out is as agents.plan.Queue says."""

    id: QueueId
    name: Text | None = None
    policy: Policy = Policy.LONGEST_IDLE
    rings: tuple[_Ring, ...] = ()
    pool: SkillId | None = None
    hours: tuple[str, ...] = ()
    longest: int = 50
    wait_at_most_s: float = 1800.0
    last_agent_s: float = 20.0
    head_start_s: dict[Lane, float] = {}
    goal_s: float | None = None
    goal_pct: float = 95.0


def load_plan(folder: Path, content: Content, timezone: str, goal_s: float) -> Plan:
    """``goal_s``: of queues that name none. Raises ContentError with everything that is wrong."""
    problems: list[str] = []
    raw = read_toml(folder, QUEUES, problems) if (folder / QUEUES).is_file() else {}
    problems.extend(check_keys(raw or {}, ("queues", CLOSED), f"{QUEUES}: "))
    drafts = read_table(QUEUES, {"queues": [], **(raw or {})}, "queues", _Queue, problems)
    closed, faults = _closed((raw or {}).get(CLOSED, []))
    problems.extend(faults)
    problems.extend(id_problems([drafts]))
    problems.extend(_problems(drafts, content))
    if problems:
        raise ContentError(tuple(problems))
    written = {draft.id: draft for _, draft in drafts.rows}
    names = {str(queue): name for queue, name in _names(content).items()}
    wanted = dict.fromkeys([*map(queue_of, content.items), *written])
    return Plan(
        timezone=timezone,
        queues={id: _queue(written.get(id) or _Queue(id), names, closed, goal_s) for id in wanted},
        items={item.id: _item_rule(item, content.sites) for item in content.items},
        sites=dict(_site_rules(content.sites)),
    )


def queue_of(item: Item) -> QueueId:
    return item.queue or QueueId(item.skill)


def items_of(content: Content) -> dict[QueueId, list[ItemId]]:
    found: dict[QueueId, list[ItemId]] = {}
    for item in content.items:
        found.setdefault(queue_of(item), []).append(item.id)
    return found


# --- what is wrong -------------------------------------------------------------------------------


def _problems(drafts: Table[_Queue], content: Content) -> Iterator[str]:
    used = Table[Any](ids=tuple(("", str(queue)) for queue in items_of(content)), known=True)
    skills = Table[Any](ids=tuple(("", skill) for skill in known_skills(content)), known=True)
    for where, draft in drafts.rows:
        yield from unresolved(f"{where}.id", "queue of any item", draft.id, used)
        if draft.pool is not None:
            yield from unresolved(f"{where}.pool", "skill", draft.pool, skills)
        yield from _ring_problems(where, draft)
        try:
            parse_hours(draft.hours)
        except ValueError as why:
            yield f"{where}.hours: {why}"
        if draft.longest < 1:
            yield f"{where}.longest: at least one call must be allowed to wait"
        if min(draft.wait_at_most_s, draft.goal_s or 1.0) <= 0 or draft.last_agent_s < 0:
            yield f"{where}: durations are more than nothing"
        if not 0 < draft.goal_pct <= 100:
            yield f"{where}.goal_pct: must be between 0 and 100"


def _closed(written: object) -> tuple[tuple[str, ...], list[str]]:
    """The dates, and what is wrong with them."""
    where = f"{QUEUES}: {CLOSED}"
    faults = list(shape_problems(written, tuple[str, ...], where))
    if faults or not isinstance(written, list):
        return (), faults or [f'{where}: must be a list of dates such as ["2026-10-01"]']
    for index, day in enumerate(written):
        try:
            date.fromisoformat(day)
        except ValueError:
            faults.append(f"{where}[{index}]: '{day}' is not a date such as \"2026-10-01\"")
    return tuple(written), faults


def _ring_problems(where: str, draft: _Queue) -> Iterator[str]:
    delays = [ring.after_s for ring in draft.rings]
    if delays != sorted(delays) or any(delay < 0 for delay in delays):
        yield f"{where}.rings: each ring opens after the one before it; after_s must grow"
    if draft.pool is None and any(ring.scope is Scope.POOL for ring in draft.rings):
        yield f"{where}.rings: a ring of the pool needs 'pool', the skill that its agents have"


# --- what is meant -------------------------------------------------------------------------------


def _queue(draft: _Queue, names: dict[str, Text], closed: tuple[str, ...], goal_s: float) -> Queue:
    return Queue(
        id=draft.id,
        name=draft.name or names.get(draft.id, Text(draft.id, draft.id)),
        policy=draft.policy,
        rings=tuple(msgspec.convert(msgspec.to_builtins(ring), Ring) for ring in draft.rings)
        or (Ring(Scope.ALL),),
        pool=draft.pool,
        hours=parse_hours(draft.hours, closed),
        longest=draft.longest,
        wait_at_most_s=draft.wait_at_most_s,
        last_agent_s=draft.last_agent_s,
        head_start_s=HEAD_START_S | draft.head_start_s,
        goal_s=goal_s if draft.goal_s is None else draft.goal_s,
        goal_pct=draft.goal_pct,
    )


def _names(content: Content) -> dict[str, Text]:
    return {str(z.id): z.name for z in content.zones} | {str(s.id): s.name for s in content.skills}


def _item_rule(item: Item, sites: tuple[Site, ...]) -> ItemRule:
    return ItemRule(
        queue=queue_of(item),
        needs={**item.also, item.skill: max(item.level, item.also.get(item.skill, 0))},
        department=item.department,
        sites=frozenset(site.id for site in sites if _may_serve(site, item)),
    )


def _may_serve(site: Site, item: Item) -> bool:
    """The empowerment matrix: the item names the tiers, the site what it is empowered for (赋权)."""
    empowered = EVERYTHING in site.empowers or item.zone in site.empowers or item.id in site.empowers
    return empowered and site.tier in item.served_by


def _site_rules(sites: tuple[Site, ...]) -> Iterator[tuple[SiteId, SiteRule]]:
    by_id = {site.id: site for site in sites}
    district = next(site.id for site in sites if site.tier is Tier.DISTRICT)
    for site in sites:
        town = site.id if site.tier is Tier.TOWN else site.parent if site.tier is Tier.VILLAGE else None
        yield site.id, SiteRule(town if town in by_id else None, district)
