"""Every deadline of a call, and what happens when it has passed. Pure."""

from collections.abc import Callable, Iterator
from functools import partial

from agents.agent import Release
from records.model import AccountId, EndReason, ParticipantRole
from signaling import asking, ringing
from signaling import events as ev
from signaling.endings import end
from signaling.parties import lost
from signaling.snapshot import TALKING, Ask, AskFailure, Call, Seat, State
from signaling.steps import Result

Passing = Callable[[Call, float], Result]


def due(call: Call) -> float | None:
    """The next moment at which ``DeadlinePassed`` has something to do, or None."""
    return min((at for at, _ in _running(call)), default=None)


def passed(call: Call, now: float) -> Result:
    """The earliest that has passed; the others are due still."""
    over = sorted((d for d in _running(call) if d[0] <= now), key=lambda d: d[0])
    return over[0][1](call, now) if over else (call, ())


def _running(call: Call) -> Iterator[tuple[float, Passing]]:
    patience = call.patience
    if call.state is State.ENDED:
        yield (call.ended_at or 0.0) + patience.keep_ended, lambda call, now: (call, (ev.Forget(),))
        return
    if call.node_until is not None:
        yield call.node_until, partial(_ends, EndReason.MEDIA_LOST)
    if call.reservation is not None:  # whoever should have said that the ring is over may be gone
        yield call.reservation.until + patience.ring_over, _nobody_answered
    if call.state is State.QUEUED:
        yield call.waiting_since + patience.queue, partial(_ends, EndReason.UNANSWERED)
        if call.fallback_at is not None:
            yield call.fallback_at, lambda call, now: ringing.falls_back(call)
    if call.state is State.CONNECTING and call.accepted_at is not None:
        yield call.accepted_at + patience.connect, partial(_ends, EndReason.CONNECT_FAILED)
    if call.ask is not None:
        yield from _of_ask(call, call.ask)
    for seat in call.seats:
        yield from _of_seat(call, seat)


def _of_ask(call: Call, ask: Ask) -> Iterator[tuple[float, Passing]]:
    yield ask.until, lambda call, now: asking.failed(call, AskFailure.NOBODY_CAME)
    if ask.reservation is not None:
        yield ask.reservation.until + call.patience.ring_over, _nobody_answered


def _of_seat(call: Call, seat: Seat) -> Iterator[tuple[float, Passing]]:
    if seat.ringing:
        happens = partial(_silent, AccountId(seat.who))
    elif seat.role is ParticipantRole.RESIDENT:
        happens = partial(_ends, EndReason.RESIDENT_LOST)
    else:
        happens = partial(_lost, seat)
    if seat.away_until is not None:
        yield seat.away_until, happens
    if seat.down_until is not None and call.state in TALKING and not seat.ringing:
        yield seat.down_until, happens


# --- what happens ----------------------------------------------------------------------------------


def _ends(reason: EndReason, call: Call, now: float) -> Result:
    return end(call, reason, now)


def _lost(seat: Seat, call: Call, now: float) -> Result:
    return lost(call, seat, now)


def _nobody_answered(call: Call, now: float) -> Result:
    held = ringing.reservation(call)
    return (call, ()) if held is None else ringing.over(call, held, Release.NO_ANSWER, None)


def _silent(agent: AccountId, call: Call, now: float) -> Result:
    """The socket of somebody who is rung is gone."""
    held = ringing.reservation(call)
    return (call, ()) if held is None else ringing.over(call, held, Release.LOST, agent)
