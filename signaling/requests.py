"""What a resident's request asks of routing: the demand that waits. Pure."""

from msgspec import Struct
from msgspec.structs import replace

from agents.agent import DemandId, Lane, Party, Waiting
from agents.plan import ItemRule, Plan
from records.model import (
    Appointment,
    CallId,
    EndReason,
    Item,
    ParticipantRole,
    QueueId,
    SkillId,
)
from signaling.ports import StationCard
from signaling.snapshot import Call

SIGN_LANGUAGE = SkillId("sign-language")
BROKE_OFF = (EndReason.RESIDENT_LOST, EndReason.MEDIA_LOST, EndReason.CONNECT_FAILED)


class Wish(Struct, frozen=True):
    """What the resident said besides the item. ``appointment``: the call-back slot that is now."""

    elder: bool = False
    sign_language: bool = False
    appointment: Appointment | None = None


NOTHING_SPECIAL = Wish()


def demand_for(
    call: CallId,
    station: StationCard,
    item: Item,
    wish: Wish,
    before: Call | None,
    plan: Plan,
    now: float,
) -> Waiting:
    """``before``: the call that this one goes on with. It takes its place in the line, and whoever served it
    is asked first for a while."""
    rule = plan.items.get(item.id)
    queue = _queue(item, rule)
    demand = Waiting(
        id=DemandId(call),
        call=call,
        queue=queue,
        item=item.id,
        station=station.id,
        site=station.site,
        enqueued_at=now,
        party=Party(needs=_needs(item, rule)),
        second=_interpreter() if wish.sign_language else None,
        lane=_lane(wish),
    )
    if before is None:
        return demand
    return _sequel(demand, before, now + plan.queue(queue).last_agent_s)


def is_sequel(before: Call, item: Item, now: float) -> bool:
    """Whether a call about the item now goes on with one that broke off a moment ago."""
    recent = before.ended_at is not None and now - before.ended_at <= before.patience.returning
    return recent and before.item == item.id and before.end_reason in BROKE_OFF


def _sequel(demand: Waiting, before: Call, wanted_until: float) -> Waiting:
    return replace(
        demand,
        enqueued_at=before.demand.enqueued_at,
        second=demand.second or before.demand.second,
        lane=Lane.RETURNING,
        wanted=before.agent,
        wanted_until=None if before.agent is None else wanted_until,
    )


def _queue(item: Item, rule: ItemRule | None) -> QueueId:
    return rule.queue if rule is not None else item.queue or QueueId(item.skill)


def _needs(item: Item, rule: ItemRule | None) -> dict[SkillId, int]:
    return {item.skill: item.level, **item.also} if rule is None else rule.needs


def _interpreter() -> Party:
    return Party(role=ParticipantRole.INTERPRETER, needs={SIGN_LANGUAGE: 1})


def _lane(wish: Wish) -> Lane:
    if wish.appointment is not None:
        return Lane.APPOINTMENT
    return Lane.ELDER if wish.elder else Lane.NORMAL
