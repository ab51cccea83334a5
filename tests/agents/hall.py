"""A little hall to test with: short ways to say who works there and who waits."""

from agents.agent import (
    Acceptance,
    Agent,
    DemandId,
    Party,
    Presence,
    Profile,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.availability import Ask, Availability, Rules
from agents.plan import ItemRule, Plan, Queue, SiteRule
from records.model import (
    AccountId,
    CallId,
    DepartmentId,
    HallId,
    ItemId,
    ParticipantRole,
    QueueId,
    SiteId,
    SkillId,
    StationId,
    Text,
)

HALL = HallId("pinggu")
CENTRE = SiteId("centre")
SERVICE = DepartmentId("service")
TAX, LAND = SkillId("tax"), SkillId("land")
LIN, WANG, ZHAO = AccountId("lin"), AccountId("wang"), AccountId("zhao")
FIRST, SECOND, THIRD = DemandId("call-1"), DemandId("call-2"), DemandId("call-3")
CALL_1, CALL_2 = CallId(FIRST), CallId(SECOND)
RULES = Rules(
    ring=20,
    decline_backoff=30,
    no_answer_backoff=20,
    misses_before_pause=2,
    wrap_up=120,
    wrap_up_extension=60,
    wrap_up_extensions=2,
)
PLAN = Plan(
    timezone="Asia/Shanghai",
    queues={QueueId(skill): Queue(QueueId(skill), Text(skill, skill)) for skill in (TAX, LAND)},
    items={
        ItemId(skill): ItemRule(QueueId(skill), {skill: 1}, SERVICE, frozenset({CENTRE}))
        for skill in (TAX, LAND)
    },
    sites={CENTRE: SiteRule(town=None, district=CENTRE)},
)


def profile(*skills: SkillId) -> Profile:
    return Profile(dict.fromkeys(skills or (TAX,), 3), CENTRE, SERVICE)


def waits(demand: DemandId, since: float = 0.0, skill: SkillId = TAX, second: Party | None = None) -> Waiting:
    return Waiting(
        id=demand,
        call=CallId(demand.partition(".")[0]),
        queue=QueueId(skill),
        item=ItemId(skill),
        station=StationId("station-1"),
        site=CENTRE,
        enqueued_at=since,
        party=Party(needs={skill: 1}),
        second=second,
    )


INTERPRETER = Party(role=ParticipantRole.INTERPRETER, needs={LAND: 1})


async def comes_to_work(
    availability: Availability, agent: AccountId, now: float = 0.0, skills: tuple[SkillId, ...] = (TAX,)
) -> Agent:
    await availability.sign_in(agent, profile(*skills), now)
    return await availability.declare(agent, Presence.AVAILABLE, None, now)


async def reserves(availability: Availability, ask: Ask, now: float) -> Reservation | None:
    """One ask by itself."""
    (made,) = await availability.reserve((ask,), now)
    return made


async def rings(
    availability: Availability,
    agent: AccountId | tuple[AccountId, ...],
    demand: DemandId,
    now: float,
    ring: float = RULES.ring,
) -> Reservation:
    """Reserve, and be sure of it. The reservation's id is made of who, what and when."""
    agents = agent if isinstance(agent, tuple) else (agent,)
    id_ = ReservationId(f"{'+'.join(agents)}/{demand}/{now}")
    reservation = await reserves(availability, Ask(demand, agents, id_, now + ring), now)
    assert reservation is not None
    return reservation


async def accepts(availability: Availability, reservation: Reservation, now: float) -> None:
    """Everybody who is reserved says yes, and that is the call's beginning."""
    for agent in reservation.agents:
        answer = await availability.accept(reservation.id, agent, now)
    assert answer is Acceptance.COMPLETE


async def known(availability: Availability, agent: AccountId) -> Agent:
    found = await availability.agent(agent)
    assert found is not None
    return found


async def queue(availability: Availability) -> tuple[DemandId, ...]:
    return tuple(waiting.id for waiting in (await availability.snapshot()).waiting)
