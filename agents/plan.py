"""How a hall routes: its queues with policies, rings and hours, and who may serve which item. Pure data.

web/plan.py reads it from the hall's content (queues.toml, sites, items) and refuses what does not fit.
"""

from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct, field

from agents.agent import Lane
from records.model import ALWAYS, DepartmentId, Hours, ItemId, QueueId, SiteId, SkillId, Text


class Policy(StrEnum):
    """Who of those that can take a call is rung; ties are decided by the agent's id. agents/policies.py."""

    LONGEST_IDLE = "longest_idle"
    LEAST_OCCUPIED = "least_occupied"  # the smallest share of its shift spent in calls and wrap-up
    HIGHEST_LEVEL = "highest_level"  # the best in the skills that are needed, then the longest idle
    ROUND_ROBIN = "round_robin"  # whoever was rung longest ago
    LAST_AGENT_FIRST = "last_agent_first"  # who served this resident before, for a while; then longest idle


class Scope(StrEnum):
    """Who belongs to a ring of a queue, seen from the call's own site and item."""

    OWN_SITE = "own_site"
    OWN_TOWN = "own_town"  # the town that the site belongs to, and the villages of that town
    DISTRICT = "district"  # the district hall itself
    DEPARTMENT = "department"  # agents of the item's department
    POOL = "pool"  # those who have the queue's pool skill, whatever the item needs
    ALL = "all"  # everybody with the skills who may serve the item


class Ring(Struct, frozen=True, forbid_unknown_fields=True):
    """``after_s``: seconds of waiting after which it opens; at once when nobody in the rings before it is on
    duty."""

    scope: Scope
    after_s: float = 0.0


# Seconds by which a call of the lane counts as older than it is. An ordinary call that has waited longer than
# that is served first, so nothing starves. J. R. Jackson, "Some problems in queueing with dynamic
# priorities", Naval Research Logistics Quarterly 7 (1960): dynamic priority by due date.
HEAD_START_S: dict[Lane, float] = {
    Lane.ESCALATED: 3600.0,
    Lane.RETURNING: 1800.0,
    Lane.APPOINTMENT: 900.0,
    Lane.ELDER: 180.0,
    Lane.NORMAL: 0.0,
}


class Queue(Struct, frozen=True):
    """``longest``: with so many waiting the next resident is offered a call-back instead. ``wait_at_most_s``:
    a call that nobody could answer for so long ends, with the same offer."""

    id: QueueId
    name: Text
    policy: Policy = Policy.LONGEST_IDLE
    rings: tuple[Ring, ...] = (Ring(Scope.ALL),)
    pool: SkillId | None = None
    hours: Hours = ALWAYS
    longest: int = 50
    wait_at_most_s: float = 1800.0
    last_agent_s: float = 20.0  # how long LAST_AGENT_FIRST asks that one alone
    head_start_s: dict[Lane, float] = field(default_factory=HEAD_START_S.copy)
    goal_s: float = 15.0  # the service level: so many per cent answered in so many seconds
    goal_pct: float = 95.0


class ItemRule(Struct, frozen=True):
    """What routing knows of an item. ``sites`` are the only ones whose agents are ever offered it (赋权)."""

    queue: QueueId
    needs: dict[SkillId, int]
    department: DepartmentId
    sites: frozenset[SiteId]


class SiteRule(Struct, frozen=True):
    """A site's place in the tree: its town and its district, itself among them when it is one."""

    town: SiteId | None
    district: SiteId


class Plan(Struct, frozen=True):
    timezone: str
    queues: dict[QueueId, Queue]
    items: dict[ItemId, ItemRule]
    sites: dict[SiteId, SiteRule]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)  # cached by zoneinfo itself

    def queue(self, queue: QueueId) -> Queue:
        """The queue of that name; one with the defaults when the plan does not know it."""
        return self.queues.get(queue) or Queue(queue, Text(queue, queue))

    def town(self, site: SiteId) -> SiteId | None:
        """The town that the site belongs to; None for a district's own and for one that nobody knows."""
        rule = self.sites.get(site)
        return None if rule is None else rule.town
