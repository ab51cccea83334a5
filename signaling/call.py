"""THE call state machine. Pure: an event in, the next call and what is to be done out.

    QUEUED -> OFFERED -> CONNECTING -> ACTIVE -> ENDED      (OFFERED may go back to QUEUED, keeping its place)

An illegal event raises ``InvalidTransition`` and changes nothing. What comes late (an answer for an older
connection, anything for an ended call) is a straggler: ``transition`` returns the call as it was.
The diagram in docs/call-states.md is generated from this file by signaling/diagram.py.
"""

from msgspec.structs import replace

from agents.agent import Release, Reservation
from media.protocol import NodeId
from records.model import (
    CallId,
    EndReason,
    ItemId,
    JournalKind,
    ParticipantId,
    ParticipantRole,
    SiteId,
    SkillId,
    StationId,
)
from signaling import events as ev
from signaling.events import AnyCommand, AnyEvent
from signaling.snapshot import (
    RESIDENT,
    TALKING,
    WAITING,
    Call,
    Patience,
    Seat,
    State,
    is_queued,
    seat_of,
    seat_with,
    slots,
    waiting,
)

Result = tuple[Call, tuple[AnyCommand, ...]]

RESTART_AGAIN_S = 2.0  # a connection's ICE is not restarted more often than this


class InvalidTransition(Exception):
    """The event does not fit the call's state. The call is unchanged."""

    def __init__(self, call: Call, event: AnyEvent) -> None:
        super().__init__(f"{type(event).__name__} does not fit a call that is {call.state}")
        self.state = call.state
        self.event = event


# --- reading its rules ---


def due(call: Call) -> float | None:
    """The next moment at which ``DeadlinePassed`` has something to do, or None."""
    return min((at for at, _ in _deadlines(call)), default=None)


def is_still_meant(call: Call, command: AnyCommand) -> bool:
    """Whether a command of an earlier revision is still to be carried out, now that the call is as it is.

    Endings always are. What begins something is not, once the call is over or its seat was given up: carried
    out late, it would open a room or a connection that nobody closes.
    """
    match command:
        case ev.Enqueue():
            return is_queued(call)
        case ev.Withdraw():
            return not is_queued(call)
        case ev.OpenRoom() | ev.SetSlots() | ev.Record():
            return call.state is not State.ENDED
        case (
            ev.Join(participant=p, generation=g)
            | ev.PassAnswer(participant=p, generation=g)
            | ev.RestartIce(participant=p, generation=g)
        ):
            seat = seat_of(call, p)
            return call.state is not State.ENDED and seat is not None and seat.generation == g
        case _:
            return True


# --- the machine ---------------------------------------------------------------------------------


def start(
    *,
    id: CallId,
    hall: str,
    station: StationId,
    site: SiteId,
    item: ItemId,
    skill: SkillId,
    node: NodeId,
    now: float,
    patience: Patience | None = None,
) -> Result:
    """A resident asks for somebody: the call waits, and its own connection is made meanwhile."""
    seat = Seat(RESIDENT, ParticipantRole.RESIDENT, who=station)
    call = Call(id, hall, station, site, item, skill, now, node, (seat,), patience=patience or Patience())
    commands = (
        ev.OpenRoom(),
        _join(seat),
        ev.Enqueue(waiting(call)),
        ev.Journal(JournalKind.REQUESTED, {"station": station, "item": item}),
    )
    return call, _dated(commands, call.revision, now)


def transition(call: Call, event: AnyEvent, now: float) -> Result:
    """The next call and the commands that follow. Raises InvalidTransition."""
    after, commands = _step(call, event, now)
    if after == call:
        return call, _dated(commands, call.revision, now)
    after = replace(after, revision=call.revision + 1)
    return after, _dated(commands, after.revision, now)


def _step(call: Call, event: AnyEvent, now: float) -> Result:
    match event:
        case ev.DeadlinePassed():
            return _deadline_passed(call, now)
        case ev.OutcomeSet() | ev.Rated():
            return _afterwards(call, event, now)
        case ev.NoteAdded(agent, text, key) if call.agent == agent:
            return call, (ev.Journal(JournalKind.NOTE, {"agent": agent, "text": text}, key=f"note-{key}"),)
        case ev.NoteAdded():
            raise InvalidTransition(call, event)
    if call.state is State.ENDED:
        return _straggler(call, event)
    match event:
        case ev.Reserved() | ev.Accepted() | ev.Declined() | ev.RingExpired():
            return _ringing(call, event, now)
        case ev.LeftByResident() if call.state in WAITING:
            return _end(call, EndReason.CANCELLED, now)
        case ev.LeftByResident():
            return _end(call, EndReason.COMPLETED_BY_RESIDENT, now)
        case ev.HungUpByAgent(agent) if call.state in TALKING and agent == call.agent:
            return _end(call, EndReason.COMPLETED_BY_AGENT, now)
        case ev.ShareSet(participant, on) if call.state in TALKING and seat_of(call, participant):
            return _share(call, participant, on)
        case ev.DevicesSet(participant, mic, camera) if seat := seat_of(call, participant):
            return _put(call, replace(seat, mic=mic, camera=camera)), ()
        case ev.NodeGone(node, replacement):
            return _node_gone(call, node, replacement, now)
        case ev.WentAway(role) | ev.CameBack(role) if seat := seat_with(call, role):
            return _socket(call, seat, event, now)
        case ev.WentAway() | ev.CameBack():
            return call, ()  # its seat was taken away before the socket was
        case (
            ev.Offered(participant=p) | ev.Answered(participant=p) | ev.AnswerRefused(participant=p)
            | ev.LegUp(participant=p) | ev.LegDown(participant=p) | ev.RejoinAsked(participant=p)
            | ev.RestartAsked(participant=p)
        ):  # fmt: skip
            seat = seat_of(call, p)
            return _leg(call, seat, event, now) if seat else _no_seat(call, event)
    raise InvalidTransition(call, event)


def _straggler(call: Call, event: AnyEvent) -> Result:
    """Nothing wakes an ended call. A reservation won for it goes back; the rest is swallowed."""
    match event:
        case ev.Reserved(reservation):
            return call, (ev.GiveBack(reservation, Release.WITHDRAWN),)
        case ev.Accepted():
            raise InvalidTransition(call, event)
        case _:
            return call, ()


def _no_seat(call: Call, event: AnyEvent) -> Result:
    """The node may speak of somebody who left; a browser may not."""
    if isinstance(event, ev.Answered | ev.RejoinAsked | ev.RestartAsked):
        raise InvalidTransition(call, event)
    return call, ()


# --- ringing ---------------------------------------------------------------------------------------


def _ringing(
    call: Call, event: ev.Reserved | ev.Accepted | ev.Declined | ev.RingExpired, now: float
) -> Result:
    held = call.reservation
    match event:
        case ev.Reserved(reservation) if is_queued(call):
            return _ring(call, reservation)
        case ev.Reserved(reservation) if held is not None and reservation.id == held.id:
            return call, ()  # told twice
        case ev.Reserved(reservation):
            # Somebody answered meanwhile, or there is no media node to carry it.
            return call, (ev.GiveBack(reservation, Release.WITHDRAWN),)
        case ev.Accepted(agent, rid) if held is not None and (held.agent, held.id) == (agent, rid):
            return _accept(call, held, now)
        case ev.Declined(agent, rid) if held is not None and (held.agent, held.id) == (agent, rid):
            return _back_to_queue(call, held, Release.DECLINED, JournalKind.DECLINED)
        case ev.RingExpired(rid) if held is not None and held.id == rid:
            return _back_to_queue(call, held, Release.NO_ANSWER, JournalKind.NO_ANSWER)
        case ev.RingExpired():
            return call, ()
    raise InvalidTransition(call, event)


def _ring(call: Call, reservation: Reservation) -> Result:
    """The agent's connection is made while it rings; nobody sees anything yet."""
    tried = call.agents_tried + 1
    seat = Seat(ParticipantId(f"agent-{tried}"), ParticipantRole.AGENT, who=reservation.agent)
    ringing = replace(
        call,
        state=State.OFFERED,
        reservation=reservation,
        agents_tried=tried,
        seats=(*call.seats, seat),
    )
    return ringing, (ev.Journal(JournalKind.RING, {"agent": reservation.agent}), _join(seat))


def _back_to_queue(call: Call, held: Reservation, why: Release, kind: JournalKind) -> Result:
    waiting, commands = _rung_off(call, held, why)
    return waiting, (ev.Journal(kind, {"agent": held.agent}), *commands)


def _rung_off(call: Call, held: Reservation, why: Release) -> Result:
    seat = seat_with(call, ParticipantRole.AGENT)
    waiting = replace(
        call,
        state=State.QUEUED,
        reservation=None,
        seats=tuple(s for s in call.seats if s.role is not ParticipantRole.AGENT),
    )
    leave = (ev.Leave(seat.participant),) if seat else ()
    return waiting, (ev.GiveBack(held, why), *leave)


def _accept(call: Call, held: Reservation, now: float) -> Result:
    """From here on the two see each other, and everything is recorded."""
    accepted = replace(call, state=State.CONNECTING, reservation=None, agent=held.agent, answered_at=now)
    active, connected = _connected(accepted, now)
    return active, (
        _slots_command(active),
        ev.Record(tuple(s.participant for s in active.seats)),
        ev.Journal(JournalKind.ANSWERED, {"agent": held.agent}),
        *connected,
    )


# --- media connections -------------------------------------------------------------------------------


def _leg(
    call: Call,
    seat: Seat,
    event: ev.Offered
    | ev.Answered
    | ev.AnswerRefused
    | ev.LegUp
    | ev.LegDown
    | ev.RejoinAsked
    | ev.RestartAsked,
    now: float,
) -> Result:
    current = event.generation == seat.generation
    match event:
        case ev.Answered() | ev.RejoinAsked() | ev.RestartAsked() if event.generation > seat.generation:
            raise InvalidTransition(call, event)
        case ev.RejoinAsked() if current:
            return _made_again(call, seat)
        case ev.RestartAsked() if current:
            return _restart(call, seat, event, now)
        case ev.Offered(sdp=sdp, restart=n) if current and _is_newest_offer(seat, n):
            return _put(call, replace(seat, offer=sdp, offered_restart=n)), ()
        case ev.Answered(sdp=sdp, restart=n) if current and _is_offered(seat, n):
            answer = ev.PassAnswer(seat.participant, seat.generation, sdp, n)
            return _put(call, replace(seat, answered=True, refused=None)), (answer,)
        case ev.Answered(restart=n) if current and n < seat.offered_restart:
            return call, ()  # of an older restart
        case ev.AnswerRefused(detail=detail) if current:
            return _put(call, replace(seat, answered=False, refused=detail)), ()
        case ev.Answered() if current:
            raise InvalidTransition(call, event)
        case ev.LegUp() if current and not seat.gone:
            return _leg_up(call, replace(seat, takes=event.takes), now)
        case ev.LegDown() if current and not seat.connected:
            # With several processes reading the node's events this may overtake its LegUp.
            return _put(call, replace(seat, gone=True)), ()
        case ev.LegDown() if current:
            down = replace(seat, gone=True, connected=False, down_until=now + call.patience.away_talking)
            return _put(call, down), _noticed(call, seat, JournalKind.AWAY, seat.away_until is None)
    return call, ()  # of an older connection, or told twice


def _made_again(call: Call, seat: Seat) -> Result:
    again = _renewed(seat)
    return _put(call, again), (_join(again),)


def _restart(call: Call, seat: Seat, event: ev.RestartAsked, now: float) -> Result:
    """New ICE credentials for the connection that is there; a connection that is over is made again."""
    if seat.gone:
        return _made_again(call, seat)
    if not seat.answered:
        raise InvalidTransition(call, event)
    if seat.restarted_at is not None and now - seat.restarted_at < RESTART_AGAIN_S:
        return call, ()
    asked = replace(seat, restart=seat.restart + 1, restarted_at=now)
    return _put(call, asked), (ev.RestartIce(seat.participant, seat.generation, asked.restart),)


def _is_newest_offer(seat: Seat, restart: int) -> bool:
    return restart == seat.restart and (seat.offer is None or restart > seat.offered_restart)


def _is_offered(seat: Seat, restart: int) -> bool:
    return seat.offer is not None and restart == seat.offered_restart


def _leg_up(call: Call, seat: Seat, now: float) -> Result:
    was_down = seat.down_until is not None
    up = _put(call, replace(seat, connected=True, down_until=None))
    after, commands = _connected(up, now)
    back = _noticed(call, seat, JournalKind.BACK, was_down and seat.away_until is None)
    return after, (*back, *commands)


def _connected(call: Call, now: float) -> Result:
    """CONNECTING becomes ACTIVE when every seat has media."""
    if call.state is State.CONNECTING and all(s.connected for s in call.seats):
        return replace(call, state=State.ACTIVE, connected_at=now), (ev.Journal(JournalKind.CONNECTED),)
    return call, ()


def _socket(call: Call, seat: Seat, event: ev.WentAway | ev.CameBack, now: float) -> Result:
    if isinstance(event, ev.CameBack):
        if seat.away_until is None:
            return call, ()
        back = _noticed(call, seat, JournalKind.BACK, seat.down_until is None)
        return _put(call, replace(seat, away_until=None)), back
    if seat.away_until is not None:
        return call, ()
    away = replace(seat, away_until=now + _patience_for(call, seat))
    return _put(call, away), _noticed(call, seat, JournalKind.AWAY, seat.down_until is None)


def _patience_for(call: Call, seat: Seat) -> float:
    if call.state in TALKING:
        return call.patience.away_talking
    return call.patience.away_waiting if seat.role is ParticipantRole.RESIDENT else call.patience.away_ringing


def _noticed(call: Call, seat: Seat, kind: JournalKind, when: bool) -> tuple[AnyCommand, ...]:
    """Losing and regaining somebody is part of the story only once people talk."""
    if not when or call.state not in TALKING:
        return ()
    return (ev.Journal(kind, {"participant": seat.participant, "role": seat.role}),)


def _share(call: Call, participant: ParticipantId, on: bool) -> Result:
    if on and call.sharing == participant:
        return call, ()
    if not on and call.sharing != participant:
        return call, ()
    after = replace(call, sharing=participant if on else None)
    kind = JournalKind.SHARE_STARTED if on else JournalKind.SHARE_STOPPED
    return after, (_slots_command(after), ev.Journal(kind, {"participant": participant}))


def _node_gone(call: Call, node: NodeId, replacement: NodeId | None, now: float) -> Result:
    """The room is made again elsewhere; every browser gets a new offer."""
    if node != call.node:
        return call, ()
    if replacement is None:
        return _without_node(call, now)
    seats = tuple(map(_renewed, call.seats))
    moved = replace(call, node=replacement, node_until=None, seats=seats)
    rest: tuple[AnyCommand, ...] = ()
    if call.state in TALKING:
        rest = (_slots_command(moved), ev.Record(tuple(s.participant for s in seats)))
    elif call.node_until is not None and is_queued(moved):
        rest = (ev.Enqueue(waiting(moved)),)
    return moved, (
        ev.Journal(JournalKind.MEDIA_MOVED, {"node": replacement}),
        ev.OpenRoom(),
        *(_join(s) for s in seats),
        *rest,
    )


def _without_node(call: Call, now: float) -> Result:
    """Who talks waits a little; who waits keeps the place, but nobody is rung for what cannot be carried."""
    if call.node_until is not None:
        return call, ()
    patience = call.patience.node_waiting if call.state in WAITING else call.patience.node
    held_up = replace(call, node_until=now + patience)
    if call.state is State.QUEUED:
        return held_up, (ev.Withdraw(),)
    if call.reservation is not None:
        return _rung_off(held_up, call.reservation, Release.WITHDRAWN)
    return held_up, ()


# --- the end -------------------------------------------------------------------------------------------


def _deadlines(call: Call) -> list[tuple[float, EndReason | None]]:
    """Every deadline that runs, with the ending it brings (None: not an ending)."""
    if call.state is State.ENDED:
        return [((call.ended_at or 0.0) + call.patience.keep_ended, None)]
    running: list[tuple[float, EndReason | None]] = []
    if call.node_until is not None:
        running.append((call.node_until, EndReason.MEDIA_LOST))
    if call.reservation is not None:  # whoever should have said that the ring is over may be gone
        running.append((call.reservation.until + call.patience.ring_over, None))
    if call.state is State.CONNECTING and call.answered_at is not None:
        running.append((call.answered_at + call.patience.connect, EndReason.CONNECT_FAILED))
    for seat in call.seats:
        running += _seat_deadlines(call, seat)
    return running


def _seat_deadlines(call: Call, seat: Seat) -> list[tuple[float, EndReason | None]]:
    if seat.role is ParticipantRole.RESIDENT:
        lost: EndReason | None = EndReason.RESIDENT_LOST
    else:
        lost = EndReason.AGENT_LOST if call.state in TALKING else None  # while ringing: back to the queue
    ends = [seat.away_until, seat.down_until if call.state in TALKING else None]
    return [(at, lost) for at in ends if at is not None]


def _deadline_passed(call: Call, now: float) -> Result:
    passed = sorted((d for d in _deadlines(call) if d[0] <= now), key=lambda d: d[0])
    if not passed:
        return call, ()
    if call.state is State.ENDED:
        return call, (ev.Forget(),)
    reason = passed[0][1]
    if reason is not None:
        return _end(call, reason, now)
    if call.reservation is None:
        return call, ()
    return _back_to_queue(call, call.reservation, Release.NO_ANSWER, JournalKind.NO_ANSWER)


def _end(call: Call, reason: EndReason, now: float) -> Result:
    ended = replace(
        call,
        state=State.ENDED,
        reservation=None,
        sharing=None,
        node_until=None,
        ended_at=now,
        end_reason=reason,
    )
    let_go: tuple[AnyCommand, ...]
    if call.reservation is not None:
        let_go = (ev.GiveBack(call.reservation, Release.WITHDRAWN),)
    elif call.agent is not None:
        let_go = (ev.FreeAgent(call.agent),)
    else:
        let_go = (ev.Withdraw(),)
    return ended, (ev.Journal(JournalKind.ENDED, {"reason": reason}), *let_go, ev.CloseRoom())


def _afterwards(call: Call, event: ev.OutcomeSet | ev.Rated, now: float) -> Result:
    """What is said of a call once it is over."""
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


# --- small parts ---------------------------------------------------------------------------------------


def _dated(commands: tuple[AnyCommand, ...], revision: int, now: float) -> tuple[AnyCommand, ...]:
    """Journal entries get their time, and a key that is the same whenever they are carried out again."""
    return tuple(
        replace(c, at=now, key=c.key or f"{revision}-{i}-{c.kind}") if isinstance(c, ev.Journal) else c
        for i, c in enumerate(commands)
    )


def _slots_command(call: Call) -> ev.SetSlots:
    """``revision`` is that of the call after this transition, so it grows with every mapping."""
    return ev.SetSlots(call.revision + 1, slots(call))


def _join(seat: Seat) -> ev.Join:
    return ev.Join(seat.participant, seat.role, seat.generation)


def _renewed(seat: Seat) -> Seat:
    """The seat with a new media connection still to be made."""
    return replace(
        seat,
        generation=seat.generation + 1,
        offer=None,
        restart=0,
        offered_restart=0,
        restarted_at=None,
        answered=False,
        refused=None,
        connected=False,
        gone=False,
    )


def _put(call: Call, seat: Seat) -> Call:
    return replace(call, seats=tuple(seat if s.participant == seat.participant else s for s in call.seats))
