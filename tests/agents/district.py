"""A small district for pure tests: a hall, two towns with villages, two departments, and short ways to say
who is free there and who waits."""

from collections.abc import Iterable

from msgspec.structs import replace

from agents.agent import Activity, Agent, DemandId, Lane, Party, Presence, Profile, Waiting
from agents.availability import Snapshot
from agents.picture import Picture
from agents.plan import ItemRule, Plan, Policy, Queue, Ring, Scope, SiteRule
from records.model import (
    ALWAYS,
    AccountId,
    CallId,
    DepartmentId,
    Hours,
    ItemId,
    ParticipantRole,
    QueueId,
    SiteId,
    SkillId,
    StationId,
    Text,
)

HALL, NORTH, SOUTH = SiteId("hall"), SiteId("north"), SiteId("south")
MILL, WELL, FORD = (
    SiteId("mill"),
    SiteId("well"),
    SiteId("ford"),
)  # two villages of the north, one of the south
EVERYWHERE = frozenset({HALL, NORTH, SOUTH, MILL, WELL, FORD})
REVENUE, HOUSING = DepartmentId("revenue"), DepartmentId("housing")
TAX, LAND, SIGN, HELPER = SkillId("tax"), SkillId("land"), SkillId("sign-language"), SkillId("general")
MONEY = QueueId("money")
REFUND = ItemId("refund")
SIGNER = Party(role=ParticipantRole.INTERPRETER, needs={SIGN: 1})
ZONE = "Asia/Shanghai"


def queue(
    *rings: Ring,
    name: QueueId = MONEY,
    policy: Policy = Policy.LONGEST_IDLE,
    pool: SkillId | None = None,
    hours: Hours = ALWAYS,
    longest: int = 50,
) -> Queue:
    rings = rings or (Ring(Scope.ALL),)
    return Queue(name, Text(name, name), rings=rings, policy=policy, pool=pool, hours=hours, longest=longest)


def plan(
    *queues: Queue, sites: Iterable[SiteId] = EVERYWHERE, needs: dict[SkillId, int] | None = None
) -> Plan:
    """Tax refunds in the queue MONEY, land registers in one of their own."""
    land = QueueId(LAND)
    return Plan(
        timezone=ZONE,
        queues={land: queue(name=land)} | {q.id: q for q in queues or (queue(),)},
        items={
            REFUND: ItemRule(MONEY, needs or {TAX: 1}, REVENUE, frozenset(sites)),
            ItemId(LAND): ItemRule(land, {LAND: 1}, HOUSING, EVERYWHERE),
        },
        sites={
            HALL: SiteRule(None, HALL),
            NORTH: SiteRule(NORTH, HALL),
            MILL: SiteRule(NORTH, HALL),
            WELL: SiteRule(NORTH, HALL),
            SOUTH: SiteRule(SOUTH, HALL),
            FORD: SiteRule(SOUTH, HALL),
        },
    )


PLAN = plan()


def free(
    name: str,
    skills: dict[SkillId, int] | None = None,
    site: SiteId = HALL,
    since: float = 0.0,
    role: ParticipantRole = ParticipantRole.AGENT,
    department: DepartmentId = REVENUE,
    hours: Hours = ALWAYS,
) -> Agent:
    knows = {TAX: 3} if skills is None else skills
    profile = Profile(knows, site, department, role, hours)
    return Agent(AccountId(name), profile, Presence.AVAILABLE, Activity.IDLE, since, since)


def busy(agent: Agent) -> Agent:
    return replace(agent, activity=Activity.IN_CALL)


def away(agent: Agent) -> Agent:
    return replace(agent, presence=Presence.PAUSED)


def waits(
    name: str,
    since: float = 0.0,
    site: SiteId = MILL,
    lane: Lane = Lane.NORMAL,
    second: Party | None = None,
    needs: dict[SkillId, int] | None = None,
    wanted: str | None = None,
    wanted_until: float | None = None,
) -> Waiting:
    """For a tax refund."""
    return Waiting(
        id=DemandId(name),
        call=CallId(name),
        queue=MONEY,
        item=REFUND,
        station=StationId("station"),
        site=site,
        enqueued_at=since,
        party=Party(needs={TAX: 1} if needs is None else needs),
        second=second,
        lane=lane,
        wanted=None if wanted is None else AccountId(wanted),
        wanted_until=wanted_until,
    )


def for_land(waiting: Waiting) -> Waiting:
    return replace(waiting, queue=QueueId(LAND), item=ItemId(LAND), party=Party(needs={LAND: 1}))


def picture(agents: Iterable[Agent], waiting: Iterable[Waiting] = (), of: Plan = PLAN) -> Picture:
    return Picture.of(Snapshot(tuple(agents), tuple(waiting), ()), of)
