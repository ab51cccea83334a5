"""Whether a station's call is let into the queue, or the resident is told at once why not."""

from agents.admission import Admission, admit
from agents.agent import Admitting, Party
from records.model import Item, ParticipantRole
from signaling.errors import Refusal
from signaling.hall import Hall
from signaling.messages import ErrorCode
from signaling.ports import StationCard
from signaling.switchboard import SIGN_LANGUAGE, Wish

REFUSALS = {
    Admitting.CLOSED: ErrorCode.CLOSED,
    Admitting.NOBODY: ErrorCode.NOBODY,
    Admitting.FULL: ErrorCode.QUEUE_FULL,
}
INTERPRETER = Party(ParticipantRole.INTERPRETER, {SIGN_LANGUAGE: 1})


async def stands(hall: Hall, station: StationCard, item: Item, wish: Wish) -> Admission:
    """How the item's queue stands for this station now."""
    picture, plan, now = await hall.picture(), hall.plan(), hall.clock()
    found = admit(picture, plan, item.id, station.site, now)
    if found.kind is Admitting.OPEN and wish.sign_language:
        found = admit(picture, plan, item.id, station.site, now, INTERPRETER)
    return found


async def check_admission(hall: Hall, station: StationCard, item: Item, wish: Wish) -> None:
    """Raises Refusal. An appointment, and whoever was cut off a moment ago, are let in though it is full."""
    found = await stands(hall, station, item, wish)
    if found.kind is Admitting.OPEN:
        return
    if found.kind is Admitting.FULL and (
        wish.appointment is not None or await hall.switchboard.sequel_of(station, item) is not None
    ):
        return
    raise Refusal(REFUSALS[found.kind])
