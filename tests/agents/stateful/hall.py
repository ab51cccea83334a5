"""A small district with all that makes routing hard: levels, a village that may not, hours, experts."""

from agents.agent import Lane, Party, Profile, Waiting
from agents.availability import Rules
from agents.plan import ItemRule, Plan, Policy, Queue, Ring, Scope, SiteRule
from records.model import (
    ALWAYS,
    AccountId,
    DepartmentId,
    Hours,
    ItemId,
    ParticipantRole,
    QueueId,
    SiteId,
    SkillId,
    Span,
    Text,
)

RULES = Rules(
    ring=20, decline_backoff=30, no_answer_backoff=20, wrap_up=60, wrap_up_extension=30, wrap_up_extensions=1
)

DISTRICT, TOWN, VILLAGE = SiteId("district"), SiteId("town"), SiteId("village")
SITES = (DISTRICT, TOWN, VILLAGE)
TAX, LAND, SIGN = SkillId("tax"), SkillId("land"), SkillId("sign")
TAXES, LANDS = DepartmentId("taxes"), DepartmentId("lands")

# Friday 15 January 2027, 16:58 in Shanghai: the shift below ends two minutes later, and not much is left of
# the day. Unix seconds.
START = 1_800_003_480.0
SHIFT = Hours((Span((1, 2, 3, 4, 5, 6, 7), 9 * 60, 17 * 60),))


def _queue(name: str, policy: Policy, *rings: Ring) -> Queue:
    return Queue(QueueId(name), Text(name, name), policy, rings)


PLAN = Plan(
    timezone="Asia/Shanghai",
    queues={
        queue.id: queue
        for queue in (
            _queue("taxes", Policy.LONGEST_IDLE, Ring(Scope.ALL)),
            _queue("lands", Policy.LEAST_OCCUPIED, Ring(Scope.OWN_TOWN), Ring(Scope.ALL, 10.0)),
            _queue("front", Policy.ROUND_ROBIN, Ring(Scope.ALL)),
        )
    },
    items={
        ItemId("pay"): ItemRule(QueueId("taxes"), {TAX: 1}, TAXES, frozenset(SITES)),
        ItemId("appeal"): ItemRule(QueueId("taxes"), {TAX: 3}, TAXES, frozenset((DISTRICT, TOWN))),
        ItemId("deed"): ItemRule(QueueId("lands"), {LAND: 1}, LANDS, frozenset((DISTRICT, TOWN))),
    },
    sites={
        DISTRICT: SiteRule(None, DISTRICT),
        TOWN: SiteRule(TOWN, DISTRICT),
        VILLAGE: SiteRule(TOWN, DISTRICT),
    },
)
ITEMS = tuple(PLAN.items)
QUEUES = tuple(PLAN.queues)
LANES = (Lane.NORMAL, Lane.NORMAL, Lane.ELDER)

EXPERT = ParticipantRole.EXPERT
PROFILES = {
    AccountId("ann"): Profile({TAX: 3, LAND: 3}, DISTRICT, TAXES),
    AccountId("bo"): Profile({TAX: 1, LAND: 2}, TOWN, LANDS),
    AccountId("chen"): Profile({TAX: 3, LAND: 3}, VILLAGE, LANDS),  # whose site may not handle every item
    AccountId("dai"): Profile({TAX: 2, SIGN: 1}, DISTRICT, TAXES, hours=SHIFT),
    AccountId("eve"): Profile({TAX: 5}, DISTRICT, TAXES, role=EXPERT),
    AccountId("fang"): Profile({SIGN: 2}, TOWN, TAXES),
}
AGENTS = tuple(PROFILES)
SIGNER = Party(ParticipantRole.INTERPRETER, {SIGN: 1})
TAX_EXPERT = Party(EXPERT, department=TAXES)


def is_empowered(profile: Profile, waiting: Waiting) -> bool:
    return profile.site in PLAN.items[waiting.item].sites


def has_skills(profile: Profile, party: Party) -> bool:
    return all(profile.skills.get(skill, 0) >= level for skill, level in party.needs.items())


def is_at_work(profile: Profile, now: float) -> bool:
    """By the clock of Shanghai (UTC+8, no summer time), counted here without agents.hours."""
    minute = (now + 8 * 3600) % 86400 / 60
    return profile.hours is ALWAYS or profile.hours == ALWAYS or 9 * 60 <= minute < 17 * 60
