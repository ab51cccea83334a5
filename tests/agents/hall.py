"""A little hall to test with: short ways to say who works there and who waits."""

from agents.agent import Agent, Presence, Reservation, ReservationId, Waiting
from agents.availability import Availability, Rules
from records.model import AccountId, CallId, HallId, ItemId, SiteId, SkillId, StationId

HALL = HallId("pinggu")
CENTRE = SiteId("centre")
TAX, LAND = SkillId("tax"), SkillId("land")
LIN, WANG, ZHAO = AccountId("lin"), AccountId("wang"), AccountId("zhao")
FIRST, SECOND, THIRD = CallId("call-1"), CallId("call-2"), CallId("call-3")
RULES = Rules(ring=20, decline_backoff=30, no_answer_backoff=20, misses_before_pause=2, wrap_up=120)


def waits(call: CallId, since: float = 0.0, skill: SkillId = TAX) -> Waiting:
    return Waiting(call, ItemId("item"), skill, StationId("station-1"), CENTRE, since)


async def comes_to_work(
    availability: Availability, agent: AccountId, now: float = 0.0, skills: tuple[SkillId, ...] = (TAX,)
) -> Agent:
    await availability.sign_in(agent, dict.fromkeys(skills, 3), CENTRE, now)
    return await availability.declare(agent, Presence.AVAILABLE, None, now)


async def rings(
    availability: Availability, agent: AccountId, call: CallId, now: float, ring: float = RULES.ring
) -> Reservation:
    """Reserve, and be sure of it. The reservation's id is made of who, what and when."""
    id_ = ReservationId(f"{agent}/{call}/{now}")
    reservation = await availability.reserve(agent, call, id_, now + ring, now)
    assert reservation is not None
    return reservation


async def known(availability: Availability, agent: AccountId) -> Agent:
    found = await availability.agent(agent)
    assert found is not None
    return found


async def queue(availability: Availability) -> tuple[CallId, ...]:
    return tuple(waiting.call for waiting in (await availability.snapshot()).waiting)
