"""Somebody else is asked to join a call that is answered. Pure.

The ask waits in the queue under its own demand; who is reserved for it gets a seat and a connection while it
rings, and is in the call with the accept. One ask at a time.
"""

from msgspec.structs import replace

from agents.agent import DemandId, Lane, Release, Reservation
from records.model import AccountId, JournalKind
from signaling import events as ev
from signaling.snapshot import (
    Ask,
    AskFailure,
    Call,
    FailedAsk,
    Joining,
    Target,
    demands,
    seat_of_account,
)
from signaling.steps import Result, join, joined, put, seated, unseated


def named(target: Target) -> str:
    """Whom or what was asked for, as the journal has it."""
    return target.queue or target.agent or target.department or target.skill or ""


def made(call: Call, event: ev.AskMade, now: float) -> Result:
    """The demand waits ahead of those whom nobody has answered yet."""
    number = call.asks + 1
    id_ = DemandId(f"{call.id}.{number}")
    demand = replace(event.demand, id=id_, call=call.id, lane=Lane.ESCALATED, enqueued_at=now)
    until = now + call.patience.asked
    ask = Ask(number, event.kind, event.agent, event.target, demand, made_at=now, until=until)
    data: ev.Facts = {
        "agent": event.agent,
        "kind": event.kind,
        "role": demand.party.role,
        "to": named(event.target),
    }
    after = replace(call, asks=number, ask=ask, failed_ask=None)
    return after, (ev.Journal(JournalKind.ASKED, data), *(ev.Enqueue(d) for d in demands(after)))


def rings(call: Call, ask: Ask, reservation: Reservation) -> Result:
    """A connection is made while it rings; the new one sees and hears nothing yet."""
    role = ask.demand.party.role
    ringing, seat = seated(call, role, reservation.agent, ringing=True, joining=ask.kind)
    ringing = replace(ringing, ask=replace(ask, reservation=reservation))
    return ringing, (ev.Journal(JournalKind.RING, {"agent": reservation.agent}), join(seat))


def rung_off(call: Call, ask: Ask, held: Reservation, why: Release, by: AccountId | None) -> Result:
    """Nobody is rung for it any more; what the demand does then is in ``why``."""
    after = replace(call, ask=replace(ask, reservation=None))
    back = ev.GiveBack(held, why, by)
    seat = seat_of_account(call, held.agent)
    if seat is None:
        return after, (back,)
    after, gone = unseated(after, seat)
    return after, (back, *gone)


def declined(call: Call, ask: Ask, held: Reservation, by: AccountId) -> Result:
    """The next one is rung, unless it was for this one alone."""
    after, commands = rung_off(call, ask, held, Release.DECLINED, by)
    if ask.demand.wanted != by or ask.demand.wanted_until is not None:
        return after, commands
    after, failed_ = failed(after, AskFailure.DECLINED)
    return after, (*commands, *failed_)


def came(call: Call, ask: Ask, held: Reservation) -> Result:
    """The one who was asked said yes. Who is consulted is so without the resident."""
    seat = seat_of_account(call, held.agent)
    if seat is None:
        return call, ()
    here = replace(seat, ringing=False)
    after = replace(put(call, here), ask=None, fence=max(call.fence, held.fence))
    on_hold: tuple[ev.AnyCommand, ...] = ()
    if ask.kind is Joining.CONSULT:
        after, on_hold = held_or_resumed(after, on=True)
    return after, (*on_hold, joined(here))


def failed(call: Call, why: AskFailure) -> Result:
    """Nobody is asked any more. Who let go knows it; who waited for it is told."""
    ask = call.ask
    if ask is None:
        return call, ()
    data: ev.Facts = {"kind": ask.kind, "to": named(ask.target), "reason": why}
    after: Call = call
    commands: tuple[ev.AnyCommand, ...] = (ev.Withdraw(ask.demand.id),)
    if ask.reservation is not None:
        after, commands = rung_off(call, ask, ask.reservation, Release.WITHDRAWN, None)
    told = None if why is AskFailure.DROPPED else FailedAsk(ask.number, ask.kind, ask.target, why)
    return replace(after, ask=None, failed_ask=told), (ev.Journal(JournalKind.ASK_FAILED, data), *commands)


def held_or_resumed(call: Call, on: bool) -> Result:
    """The resident on hold, or back; nothing when it is so already."""
    if call.on_hold is on:
        return call, ()
    kind = JournalKind.HELD if on else JournalKind.RESUMED
    return replace(call, on_hold=on), (ev.Journal(kind, {"agent": call.agent}),)
