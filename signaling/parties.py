"""Who is in an answered call besides the resident: transfer, consult, join, hold, hand-over, loss. Pure.

The owner is always exactly one. Everything here but hanging up is the owner's to do.
"""

from msgspec.structs import replace

from agents.agent import Lane, Waiting
from records.model import AccountId, EndReason, JournalKind, ParticipantId, ParticipantRole
from signaling import asking
from signaling import events as ev
from signaling.endings import end
from signaling.snapshot import (
    RESIDENT,
    TALKING,
    AskFailure,
    Call,
    Joining,
    Moved,
    Seat,
    State,
    demands,
    is_full,
    owner_seat,
    seat_of,
    seat_of_account,
)
from signaling.steps import InvalidTransition, Result, leaves

OWNERS = (ParticipantRole.AGENT, ParticipantRole.EXPERT)  # who may be given a call
Together = (
    ev.HungUpByAgent | ev.AskMade | ev.AskDropped | ev.HoldSet | ev.HandedOver | ev.SentAway
)  # what agents do in a call


def step(call: Call, event: Together, now: float) -> Result:
    if isinstance(event, ev.HungUpByAgent):
        return _hung_up(call, event, now)
    if call.state is not State.ACTIVE or event.agent != call.agent:
        raise InvalidTransition(call, event)
    match event:
        case ev.AskMade(kind=Joining.TRANSFER) if call.ask is None:
            return _transferred(call, event, now)
        case ev.AskMade() if event.kind is not Joining.TRANSFER and call.ask is None and not is_full(call):
            return asking.made(call, event, now)
        case ev.AskDropped() if call.ask is not None:
            return asking.failed(call, AskFailure.DROPPED)
        case ev.HoldSet(on=on):
            return asking.held_or_resumed(call, on)
        case ev.HandedOver(to=to) if (heir := _other(call, to)) and heir.role in OWNERS:
            return owned_by(call, heir)
        case ev.SentAway(participant=p) if (seat := _other(call, p)) and seat.supervision is None:
            return leaves(call, seat)
    raise InvalidTransition(call, event)


def _other(call: Call, participant: ParticipantId) -> Seat | None:
    """Somebody beside the owner and the resident who is in the call."""
    seat = seat_of(call, participant)
    if seat is None or seat.ringing or seat.who == call.agent or seat.participant == RESIDENT:
        return None
    return seat


def _hung_up(call: Call, event: ev.HungUpByAgent, now: float) -> Result:
    seat = seat_of_account(call, event.agent)
    if call.state not in TALKING or seat is None or seat.ringing:
        raise InvalidTransition(call, event)
    if event.agent == call.agent:
        return end(call, EndReason.COMPLETED_BY_AGENT, now)
    return leaves(call, seat)


# --- the owner changes -----------------------------------------------------------------------------


def owned_by(call: Call, heir: Seat) -> Result:
    """The former owner leaves; nobody is asked for or on hold on the former one's behalf."""
    former = owner_seat(call)
    after, dropped = asking.failed(call, AskFailure.DROPPED)
    after, resumed = asking.held_or_resumed(after, on=False)
    after, gone = (after, ()) if former is None else leaves(after, former)
    data: ev.Facts = {"agent": call.agent, "to": heir.who}
    over = ev.Journal(JournalKind.HANDED_OVER, data)
    return replace(after, agent=AccountId(heir.who)), (over, *dropped, *resumed, *gone)


def lost(call: Call, seat: Seat, now: float) -> Result:
    """Somebody's connection did not come back. Without the owner another agent goes on, or the call waits."""
    if seat.who != call.agent:
        return leaves(call, seat)
    heir = next((s for s in call.seats if s.role in OWNERS and _can_go_on(call, s)), None)
    if heir is not None:
        return owned_by(call, heir)
    demand = replace(call.demand, lane=Lane.RETURNING, wanted=None, wanted_until=None)
    return _waits_again(call, Moved.AGENT_LOST, demand, "", now)


def _can_go_on(call: Call, seat: Seat) -> bool:
    there = seat.away_until is None and seat.down_until is None
    return there and not seat.ringing and seat.who != call.agent


# --- the call waits once more ----------------------------------------------------------------------


def _transferred(call: Call, event: ev.AskMade, now: float) -> Result:
    """To the front of a queue, or to one person; who does not come in time leaves it to the queue it came
    from."""
    first = call.demand
    demand = replace(
        event.demand, id=first.id, call=call.id, lane=Lane.ESCALATED, enqueued_at=first.enqueued_at
    )
    waits, commands = _waits_again(call, Moved.TRANSFER, demand, asking.named(event.target), now)
    if event.target.agent is not None:
        back = replace(first, lane=Lane.ESCALATED, wanted=None, wanted_until=None)
        waits = replace(waits, fallback=back, fallback_at=now + call.patience.person)
    return waits, commands


def _waits_again(call: Call, why: Moved, demand: Waiting, to: str, now: float) -> Result:
    """The resident alone stays, connected and recorded; everybody else is let go first."""
    after, commands = asking.failed(call, AskFailure.DROPPED)
    for seat in after.seats:
        if seat.participant != RESIDENT:
            after, gone = leaves(after, seat)
            commands = (*commands, *gone)
    after = replace(
        after,
        state=State.QUEUED,
        demand=demand,
        moved=why,
        waiting_since=now,
        on_hold=False,
        failed_ask=None,
    )
    data: ev.Facts = {"reason": why, "agent": call.agent, "to": to}
    again = tuple(ev.Enqueue(d) for d in demands(after))
    return after, (ev.Journal(JournalKind.QUEUED_AGAIN, data), *commands, *again)
