"""Whom an agent may ask for, and the demand that is made of it. Pure."""

from functools import reduce

from msgspec.structs import replace

from agents.agent import Agent, DemandId, Party, Waiting
from agents.picture import Picture
from agents.plan import Plan
from agents.takers import is_on_duty, may_take
from records.model import AccountId, ParticipantRole, QueueId, SkillId
from signaling import messages as m
from signaling.snapshot import Call, Joining, Target

LEADS = (ParticipantRole.AGENT, ParticipantRole.EXPERT)  # who may own a call


def target_of(asked: m.AskFor) -> Target | None:
    """None unless exactly one is named; an interpreter is not handed a call."""
    target = Target(asked.queue, asked.agent, asked.department, asked.skill)
    named = [one for one in (target.queue, target.agent, target.department, target.skill) if one is not None]
    if len(named) != 1 or (asked.kind is Joining.TRANSFER and target.skill is not None):
        return None
    return target


def demand_for(
    call: Call, target: Target, by: AccountId, picture: Picture, plan: Plan, now: float
) -> Waiting | None:
    """Complete but for id, lane and enqueued_at, which the machine gives; None when there is no such target
    or nobody of it is on duty."""
    demand = _demand(call, target, picture, plan)
    if demand is None:
        return None
    there = {seat.who for seat in call.seats if not seat.ringing} | {by}
    someone = any(
        _could_come(agent, demand, plan, now) for agent in picture.agents.values() if agent.id not in there
    )
    return demand if someone else None


def _could_come(agent: Agent, demand: Waiting, plan: Plan, now: float) -> bool:
    return is_on_duty(agent, plan, now) and may_take(agent, demand, demand.party, plan, now)


def _demand(call: Call, target: Target, picture: Picture, plan: Plan) -> Waiting | None:
    plain = replace(call.demand, id=DemandId(""), second=None, wanted=None, wanted_until=None, passed_over={})
    match target:
        case Target(queue=str(queue)) if queue in plan.queues:
            return replace(plain, queue=queue, party=Party(needs=needs_of(QueueId(queue), call, plan)))
        case Target(agent=str(account)):
            asked = picture.agents.get(AccountId(account))
            if asked is None or asked.profile.role not in LEADS:
                return None
            return replace(plain, party=Party(asked.profile.role), wanted=asked.id)
        case Target(department=str(department)):
            return replace(plain, party=Party(ParticipantRole.EXPERT, department=department))
        case Target(skill=str(skill)):
            return replace(plain, party=Party(ParticipantRole.INTERPRETER, {SkillId(skill): 1}))
    return None


def needs_of(queue: QueueId, call: Call, plan: Plan) -> dict[SkillId, int]:
    """The item's own needs in its own queue; in another one what all of that queue's items need, at the least
    level: somebody who serves the queue, whatever the item is."""
    own = plan.items.get(call.item)
    if own is not None and own.queue == queue:
        return own.needs
    needs = [rule.needs for rule in plan.items.values() if rule.queue == queue]
    shared = reduce(set.intersection, (set(one) for one in needs)) if needs else {SkillId(queue)}
    return dict.fromkeys(sorted(shared), 1)
