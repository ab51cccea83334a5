"""An agent is rung, for a call or to join one, and says yes or does not. Pure.

A demand for two rings at both: each answers for itself, and the call goes on when both have said yes.
"""

from msgspec.structs import replace

from agents.agent import Release, Reservation, ReservationId
from records.model import AccountId, JournalKind
from signaling import asking
from signaling import events as ev
from signaling.snapshot import Call, State, demands, is_queued, seat_of_account
from signaling.steps import InvalidTransition, Result, join, joined, seated, unseated

Ringing = ev.Reserved | ev.Accepted | ev.Declined | ev.RingExpired | ev.RingLost


def step(call: Call, event: Ringing, now: float) -> Result:
    match event:
        case ev.Reserved(won):
            return _reserved(call, won)
        case ev.Accepted(agent, id_) if held := _held(call, id_, agent):
            return _accepted(call, held, agent, now)
        case ev.Accepted(agent) if (seat := seat_of_account(call, agent)) and not seat.ringing:
            return call, ()  # told twice
        case ev.Declined(agent, id_) if held := _held(call, id_, agent):
            return over(call, held, Release.DECLINED, agent)
        case ev.RingLost(agent, id_) if held := _held(call, id_, agent):
            return over(call, held, Release.LOST, agent)
        case ev.RingExpired(id_) if held := _held(call, id_):
            return over(call, held, Release.NO_ANSWER, None)
        case ev.RingExpired() | ev.RingLost():
            return call, ()
    raise InvalidTransition(call, event)


def reservation(call: Call) -> Reservation | None:
    """What rings now: a call that is asked for has no ask of its own yet."""
    if call.reservation is not None or call.ask is None:
        return call.reservation
    return call.ask.reservation


def _held(call: Call, id_: ReservationId, agent: AccountId | None = None) -> Reservation | None:
    """The reservation of that name, if it rings now and at this agent."""
    held = reservation(call)
    if held is None or held.id != id_ or (agent is not None and agent not in held.agents):
        return None
    return held


# --- it rings --------------------------------------------------------------------------------------


def _reserved(call: Call, won: Reservation) -> Result:
    if _held(call, won.id):
        return call, ()  # told twice
    wanted = next((d for d in demands(call) if d.id == won.demand), None)
    if wanted is None or won.fence <= call.fence:
        return _refused(call, won)
    if len(won.agents) != (1 if wanted.second is None else 2):
        return _refused(call, won)  # of a demand that was another one then
    if any(seat_of_account(call, agent) for agent in won.agents):
        return _refused(call, won)  # a store that fell back took somebody in this very call for free
    if is_queued(call):
        return _rings(call, won)
    return asking.rings(call, call.ask, won) if call.ask else _refused(call, won)


def _refused(call: Call, won: Reservation) -> Result:
    """Somebody answered meanwhile, there is no media node to carry it, or it comes late. What still waits
    goes on waiting."""
    again = (ev.Enqueue(d) for d in demands(call) if d.id == won.demand)
    return call, (ev.GiveBack(won, Release.WITHDRAWN), *again)


def _rings(call: Call, won: Reservation) -> Result:
    """The agents' connections are made while it rings; nobody sees anything yet."""
    parties = [p for p in (call.demand.party, call.demand.second) if p is not None]
    ringing = replace(call, state=State.OFFERED, reservation=won)
    commands: list[ev.AnyCommand] = []
    for agent, party in zip(won.agents, parties, strict=True):
        ringing, seat = seated(ringing, party.role, agent, ringing=True)
        commands += (ev.Journal(JournalKind.RING, {"agent": agent}), join(seat))
    return ringing, tuple(commands)


# --- they say yes ----------------------------------------------------------------------------------


def _accepted(call: Call, held: Reservation, agent: AccountId, now: float) -> Result:
    if held != call.reservation:
        return asking.came(call, call.ask, held) if call.ask else (call, ())
    if agent not in held.accepted:
        held = replace(held, accepted=(*held.accepted, agent))
    if set(held.accepted) != set(held.agents):
        return replace(call, reservation=held), ()
    return _answered(call, held, now)


def _answered(call: Call, held: Reservation, now: float) -> Result:
    """From here on they see each other, and everything is recorded. The first of them owns the call."""
    after = replace(
        call,
        state=State.CONNECTING,
        reservation=None,
        agent=held.agent,
        fence=max(call.fence, held.fence),
        demand=call.fallback or call.demand,
        fallback=None,
        fallback_at=None,
        moved=None,
        answered_at=now if call.answered_at is None else call.answered_at,
        accepted_at=now,
        seats=tuple(replace(seat, ringing=False) for seat in call.seats),
    )
    others = (seat_of_account(after, agent) for agent in held.agents[1:])
    return after, (
        ev.Journal(JournalKind.ANSWERED, {"agent": held.agent}),
        *(joined(seat) for seat in others if seat is not None),
    )


# --- or they do not --------------------------------------------------------------------------------


def over(call: Call, held: Reservation, why: Release, by: AccountId | None) -> Result:
    """``by``: whose doing it was; None: of all who have not said yes."""
    kind = JournalKind.DECLINED if why is Release.DECLINED else JournalKind.NO_ANSWER
    culprits = held.agents if by is None else (by,)
    said = tuple(ev.Journal(kind, {"agent": a}) for a in culprits if a == by or a not in held.accepted)
    after, commands = _over(call, held, why, by)
    return after, (*said, *commands)


def _over(call: Call, held: Reservation, why: Release, by: AccountId | None) -> Result:
    if held == call.reservation:
        after, commands = rung_off(call, held, why, by)
        if call.demand.wanted not in held.agents or why is Release.LOST:
            return after, commands
        after, elsewhere = falls_back(after)
        return after, (*commands, *elsewhere)
    if call.ask is None:
        return call, ()
    if why is Release.DECLINED and by is not None:
        return asking.declined(call, call.ask, held, by)
    return asking.rung_off(call, call.ask, held, why, by)


def rung_off(call: Call, held: Reservation, why: Release, by: AccountId | None = None) -> Result:
    """Back to its place; everybody who was rung is gone from it."""
    after = replace(call, state=State.QUEUED, reservation=None)
    commands: list[ev.AnyCommand] = [ev.GiveBack(held, why, by)]
    for seat in call.seats:
        if seat.ringing:
            after, gone = unseated(after, seat)
            commands += gone
    return after, tuple(commands)


def falls_back(call: Call) -> Result:
    """The one person it was handed to did not come: it waits where it waited before."""
    if call.fallback is None:
        return call, ()
    after = replace(call, demand=call.fallback, fallback=None, fallback_at=None)
    return after, tuple(ev.Enqueue(d) for d in demands(after))
