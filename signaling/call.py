"""THE call state machine. Pure: an event in, the next call and what is to be done out.

    QUEUED -> OFFERED -> CONNECTING -> ACTIVE -> ENDED

OFFERED may go back to QUEUED, keeping its place; so may a call that was answered, when its owner hands it on
or is lost (``moved``). Within ACTIVE people come, go and are put on hold.

An illegal event raises ``InvalidTransition`` and changes nothing. What comes late (an answer for an older
connection, anything for an ended call) is a straggler: ``transition`` returns the call as it was.
The diagram in docs/call-states.md is generated from this file by signaling/diagram.py. The rules are in
ringing, asking, parties, supervision, connections, deadlines and endings; which event is whose is said here.
"""

from msgspec.structs import replace

from agents.agent import Waiting
from media.protocol import NodeId
from records.model import JournalKind, ParticipantRole
from signaling import connections, deadlines, endings, parties, ringing, supervision
from signaling import events as ev
from signaling.deadlines import due
from signaling.events import AnyCommand, AnyEvent
from signaling.snapshot import (
    RESIDENT,
    Call,
    Patience,
    Seat,
    State,
    demands,
    recorded,
    seat_of,
    seat_of_account,
)
from signaling.steps import InvalidTransition, Result, dated, join, settled

__all__ = ["InvalidTransition", "due", "is_still_meant", "start", "transition"]


def start(
    *, demand: Waiting, hall: str, node: NodeId, now: float, patience: Patience | None = None
) -> Result:
    """A resident asks for somebody: the call waits, and its own connection is made meanwhile."""
    seat = Seat(RESIDENT, ParticipantRole.RESIDENT, who=demand.station)
    call = Call(
        id=demand.call,
        hall=hall,
        station=demand.station,
        site=demand.site,
        item=demand.item,
        demand=demand,
        requested_at=now,
        node=node,
        seats=(seat,),
        waiting_since=now,
        patience=patience or Patience(),
    )
    commands = (
        ev.OpenRoom(),
        join(seat),
        ev.Enqueue(demand),
        ev.Journal(JournalKind.REQUESTED, {"station": call.station, "item": call.item}),
    )
    return call, dated(commands, call.revision, now)


def transition(call: Call, event: AnyEvent, now: float) -> Result:
    """The next call and the commands that follow. Raises InvalidTransition."""
    after, commands = _step(call, event, now)
    after, more = settled(call, after, now)
    commands = (*commands, *more)
    if after == call:
        return call, dated(commands, call.revision, now)
    after = replace(after, revision=call.revision + 1)
    return after, dated(commands, after.revision, now)


def _step(call: Call, event: AnyEvent, now: float) -> Result:
    match event:
        case ev.DeadlinePassed():
            return deadlines.passed(call, now)
        case ev.OutcomeSet() | ev.Rated():
            return endings.afterwards(call, event, now)
        case ev.NoteAdded():
            return endings.noted(call, event)
    if call.state is State.ENDED:
        return endings.straggler(call, event)
    match event:
        case ev.Reserved() | ev.Accepted() | ev.Declined() | ev.RingExpired() | ev.RingLost():
            return ringing.step(call, event, now)
        case ev.LeftByResident():
            return endings.left_by_resident(call, now)
        case (
            ev.HungUpByAgent()
            | ev.AskMade()
            | ev.AskDropped()
            | ev.HoldSet()
            | ev.HandedOver()
            | ev.SentAway()
        ):
            return parties.step(call, event, now)
        case ev.Supervised() | ev.SupervisionEnded() | ev.TakenOver():
            return supervision.step(call, event)
        case ev.ShareSet():
            return connections.share(call, event)
        case ev.DevicesSet():
            return connections.devices(call, event)
        case ev.NodeGone(node, replacement):
            return connections.node_gone(call, node, replacement, now)
        case ev.WentAway() | ev.CameBack():
            return connections.socket(call, event, now)
        case _:
            return connections.leg(call, event, now)


def is_still_meant(call: Call, command: AnyCommand) -> bool:
    """Whether a command of an earlier revision is still to be carried out, now that the call is as it is.

    Endings always are. What begins something is not, once the call is over or its seat was given up: carried
    out late, it would open a room or a connection that nobody closes.
    """
    match command:
        case ev.Enqueue(waiting):
            return any(d.id == waiting.id for d in demands(call))
        case ev.Withdraw(id_):
            return all(d.id != id_ for d in demands(call))
        case ev.Record(participants):
            return participants == recorded(call)
        case ev.OpenRoom() | ev.SetSlots():
            return call.state is not State.ENDED
        case ev.FreeAgent(agent):  # not who came back meanwhile
            seat = seat_of_account(call, agent)
            return call.state is State.ENDED or seat is None or seat.ringing
        case (
            ev.Join(participant=p, generation=g)
            | ev.PassAnswer(participant=p, generation=g)
            | ev.RestartIce(participant=p, generation=g)
        ):
            seat = seat_of(call, p)
            return call.state is not State.ENDED and seat is not None and seat.generation == g
        case _:
            return True
