"""How a call ends, and what is said of it once it is over. Pure."""

from msgspec.structs import replace

from agents.agent import Release
from records.model import AccountId, EndReason, JournalKind, ParticipantRole
from signaling import events as ev
from signaling.snapshot import Call, State, seat_of_account
from signaling.steps import InvalidTransition, Result


def end(call: Call, reason: EndReason, now: float) -> Result:
    """Everybody is let go, once. The seats stay, for who looks back during wrap-up."""
    ended = replace(
        call,
        state=State.ENDED,
        reservation=None,
        fallback=None,
        fallback_at=None,
        ask=None,
        on_hold=False,
        sharing=None,
        node_until=None,
        seats=tuple(s for s in call.seats if not s.ringing),
        ended_at=now,
        end_reason=reason,
    )
    return ended, (
        ev.Journal(JournalKind.ENDED, {"reason": reason}),
        *_given_back(call),
        *_freed(call),
        ev.CloseRoom(),
    )


def _given_back(call: Call) -> tuple[ev.AnyCommand, ...]:
    """What waits or rings for the call does so no more."""
    commands: list[ev.AnyCommand] = []
    for held in (call.reservation, call.ask.reservation if call.ask else None):
        if held is not None:
            commands.append(ev.GiveBack(held, Release.WITHDRAWN))
    if call.state is State.QUEUED:
        commands.append(ev.Withdraw(call.demand.id))
    if call.ask is not None and call.ask.reservation is None:
        commands.append(ev.Withdraw(call.ask.demand.id))
    return tuple(commands)


def _freed(call: Call) -> tuple[ev.AnyCommand, ...]:
    nobodys = (ParticipantRole.RESIDENT, ParticipantRole.SUPERVISOR)
    return tuple(
        ev.FreeAgent(AccountId(s.who)) for s in call.seats if s.role not in nobodys and not s.ringing
    )


def left_by_resident(call: Call, now: float) -> Result:
    if call.state not in (State.QUEUED, State.OFFERED):
        return end(call, EndReason.COMPLETED_BY_RESIDENT, now)
    abandoned = call.answered_at is not None
    return end(call, EndReason.TRANSFER_ABANDONED if abandoned else EndReason.CANCELLED, now)


def straggler(call: Call, event: ev.AnyEvent) -> Result:
    """Nothing wakes an ended call. A reservation won for it goes back; the rest is swallowed."""
    match event:
        case ev.Reserved(reservation):
            return call, (ev.GiveBack(reservation, Release.WITHDRAWN),)
        case ev.Accepted():
            raise InvalidTransition(call, event)
        case _:
            return call, ()


def noted(call: Call, event: ev.NoteAdded) -> Result:
    """By whoever is or was in the call, also when it is over."""
    seat = seat_of_account(call, event.agent)
    is_in = seat is not None and not seat.ringing and seat.supervision is None
    if not is_in and event.agent not in (call.agent, *call.former):
        raise InvalidTransition(call, event)
    data: ev.Facts = {"agent": event.agent, "text": event.text}
    return call, (ev.Journal(JournalKind.NOTE, data, key=f"note-{event.key}"),)


def afterwards(call: Call, event: ev.OutcomeSet | ev.Rated, now: float) -> Result:
    """What is said of a call once it is over: by its last owner, and by the resident."""
    data: ev.Facts
    match event:
        case ev.OutcomeSet(agent, outcome, note) if call.state is State.ENDED and agent == call.agent:
            after = replace(call, outcome=outcome, outcome_note=note)
            data = {"agent": agent, "outcome": outcome, "note": note}
            return after, (ev.Journal(JournalKind.WRAPPED_UP, data),) if after != call else ()
        case ev.Rated(stars, reasons) if call.state is State.ENDED and call.agent and call.stars is None:
            data = {"stars": stars, "reasons": ",".join(reasons)}
            rated = ev.Journal(JournalKind.RATED, data, key="rated")
            return replace(call, stars=stars), (rated, ev.KeepRating(stars, reasons, now))
    raise InvalidTransition(call, event)
