"""What a station is shown: its own call and nothing else. Pure."""

from msgspec import Struct

from agents.agent import WaitReason
from records.model import ParticipantRole
from signaling import messages as m
from signaling.ports import Directory, StationCard
from signaling.snapshot import SILENT, WAITING, Call, Seat, State, owner_seat, seat_with
from signaling.views.common import (
    is_away,
    ms,
    ms_or_none,
    people,
    slot_views,
)


class Wait(Struct, frozen=True):
    """What somebody who waits is told. ``widened``: rings beyond the first that are open."""

    ahead: int = 0
    estimate_s: tuple[int, int] | None = None
    reason: WaitReason | None = None
    widened: int = 0
    on_duty: int = 0


def station_state(card: StationCard, call: Call | None, wait: Wait, directory: Directory) -> m.StationState:
    shown = None if call is None else _station_call(call, wait, directory)
    return m.StationState(station=card.id, name=card.name, call=shown)


def _station_call(call: Call, wait: Wait, directory: Directory) -> m.StationCall:
    seat = seat_with(call, ParticipantRole.RESIDENT)
    # While the call waits once more, who answered it before is not there any more.
    owner = None if call.state in WAITING else owner_seat(call)
    return m.StationCall(
        id=call.id,
        item=call.item,
        phase=call.state,
        ahead=wait.ahead,
        estimate_s=wait.estimate_s,
        wait_reason=wait.reason,
        lane=call.demand.lane,
        widened=wait.widened,
        on_duty=wait.on_duty,
        ringing=call.state is State.OFFERED,
        held_up=call.node_until is not None,
        generation=seat.generation if seat else 0,
        connected=seat.connected if seat else False,
        agent=_agent(call, directory),
        people=people(call, _known(call), directory),
        on_hold=call.on_hold,
        moved=call.moved if call.state in WAITING else None,
        agent_away=owner is not None and is_away(owner),
        agent_mic=owner is None or owner.mic,
        agent_camera=owner is None or owner.camera,
        slots=slot_views(call, seat),
        sharing=call.sharing is not None,
        requested_at=ms(call.requested_at),
        answered_at=ms_or_none(call.answered_at),
        ended_at=ms_or_none(call.ended_at),
        end_reason=call.end_reason,
        rated=call.stars is not None,
    )


def _agent(call: Call, directory: Directory) -> m.AgentCard | None:
    return None if call.agent is None or call.state in WAITING else directory.agent(call.agent)


def _known(call: Call) -> tuple[Seat, ...]:
    """Everybody who has said yes and whom the resident can see or hear."""
    if call.state in WAITING:
        return ()
    return tuple(
        seat
        for seat in call.seats
        if seat.role is not ParticipantRole.RESIDENT and not seat.ringing and seat.supervision not in SILENT
    )
