"""A session's seat in the call: offers and refusals, each sent once, and word that somebody sits there."""

from contextlib import suppress

from records.model import CallId, ParticipantId
from signaling import events as ev
from signaling import messages as m
from signaling.call import InvalidTransition
from signaling.errors import error
from signaling.hall import Hall
from signaling.ice import ice_servers
from signaling.messages import ErrorCode
from signaling.session import Outgoing
from signaling.snapshot import Call, Seat, State, seat_of
from signaling.switchboard import UnknownCall


class OfferedLeg:
    """Which offer and which refusal a session has been sent, so that each is sent once.

    A page that starts in the middle of a call has no use for an offer made to the page before it: it asks for
    a new one (``rejoin``). So a new session is sent only offers of connections younger than itself.

    An agent who is rung for the same call once more has another seat in it, and its generations begin anew.
    """

    def __init__(self) -> None:
        self._offered: tuple[CallId, ParticipantId, int, int] | None = None
        self._refused: tuple[CallId, ParticipantId, int, str] | None = None

    def skip(self, call: CallId, seat: Seat) -> None:
        self._offered = (call, seat.participant, seat.generation, seat.offered_restart)

    def is_new(self, call: CallId, seat: Seat) -> bool:
        """Generations count, and within one its restarts."""
        before, now = self._offered, (call, seat.participant, seat.generation, seat.offered_restart)
        if before is not None and before[:2] == now[:2] and before[2:] >= now[2:]:
            return False
        self._offered = now
        return True

    def is_newly_refused(
        self, call: CallId, participant: ParticipantId, generation: int, detail: str
    ) -> bool:
        refused = (call, participant, generation, detail)
        if self._refused == refused:
            return False
        self._refused = refused
        return True


async def is_back(hall: Hall, call: Call, participant: ParticipantId) -> None:
    """A seat that counts as away although its socket is open here: it came back, or never went.

    Said by every look until it is true, so that nobody loses a call because one word was lost.
    """
    seat = seat_of(call, participant)
    if call.state is State.ENDED or seat is None or seat.away_until is None:
        return
    with suppress(UnknownCall, InvalidTransition):
        await hall.switchboard.tell(call.id, ev.CameBack(participant))


def send_leg(hall: Hall, session: Outgoing, leg: OfferedLeg, call: Call, participant: ParticipantId) -> None:
    """Send a seat's offer, or word that its answer was refused, if that is news."""
    seat = seat_of(call, participant)
    if seat is None or call.state is State.ENDED:
        return
    if seat.offer is not None and leg.is_new(call.id, seat):
        servers = ice_servers(hall.turn, call.id, hall.clock())
        session.send(m.Offer(call.id, seat.generation, seat.offered_restart, seat.offer, servers))
    if seat.refused is not None and leg.is_newly_refused(call.id, participant, seat.generation, seat.refused):
        session.send(error(ErrorCode.BAD_ANSWER))
