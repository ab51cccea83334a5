"""A supervisor listens, whispers, joins in or takes over. Pure. One at a time; who sees and hears whom is
signaling/snapshot.py's ``shows``."""

from msgspec.structs import replace

from records.model import AccountId, JournalKind, ParticipantRole
from signaling import events as ev
from signaling.parties import owned_by
from signaling.snapshot import SILENT, Call, Seat, State, Supervision, is_full
from signaling.steps import InvalidTransition, Result, join, leaves, put, seated, share_stopped

Supervising = ev.Supervised | ev.SupervisionEnded | ev.TakenOver


def step(call: Call, event: Supervising) -> Result:
    if call.state is not State.ACTIVE:
        raise InvalidTransition(call, event)
    seat = next((s for s in call.seats if s.supervision is not None), None)
    if seat is None:
        if isinstance(event, ev.Supervised) and not is_full(call) and not _is_in(call, event.supervisor):
            return _comes(call, event)
    elif seat.who == event.supervisor:
        match event:
            case ev.Supervised(mode=mode):
                return _does(call, seat, mode)
            case ev.SupervisionEnded():
                return leaves(call, seat)
            case ev.TakenOver():
                return owned_by(put(call, replace(seat, supervision=None)), seat)
    raise InvalidTransition(call, event)


def _is_in(call: Call, account: AccountId) -> bool:
    return any(s.who == account for s in call.seats)


def _comes(call: Call, event: ev.Supervised) -> Result:
    who, mode = event.supervisor, event.mode
    after, seat = seated(call, ParticipantRole.SUPERVISOR, who, supervision=mode)
    return after, (_said(seat, mode), join(seat))


def _does(call: Call, seat: Seat, mode: Supervision) -> Result:
    """Another of the three. What nobody is to see is not shared either."""
    if seat.supervision is mode:
        return call, ()
    after = put(call, replace(seat, supervision=mode))
    if mode not in SILENT or call.sharing != seat.participant:
        return after, (_said(seat, mode),)
    return replace(after, sharing=None), (_said(seat, mode), share_stopped(seat))


def _said(seat: Seat, mode: Supervision) -> ev.Journal:
    return ev.Journal(JournalKind.SUPERVISED, {"supervisor": seat.who, "mode": mode})
