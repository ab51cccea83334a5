"""A call's media connections, sockets, share and media node: made, lost, made again. Pure."""

from msgspec.structs import replace

from agents.agent import Release
from media.protocol import NodeId
from records.model import JournalKind
from signaling import asking
from signaling import events as ev
from signaling.events import AnyCommand
from signaling.ringing import rung_off
from signaling.snapshot import (
    SILENT,
    TALKING,
    WAITING,
    Call,
    Seat,
    demands,
    recorded,
    seat_of,
)
from signaling.steps import InvalidTransition, Result, arranged, join, put, share_stopped

RESTART_AGAIN_S = 2.0  # a connection's ICE is not restarted more often than this

Leg = ev.Offered | ev.Answered | ev.AnswerRefused | ev.LegUp | ev.LegDown | ev.RejoinAsked | ev.RestartAsked


# --- one connection --------------------------------------------------------------------------------


def leg(call: Call, event: Leg, now: float) -> Result:
    seat = seat_of(call, event.participant)
    if seat is None:
        return _no_seat(call, event)
    current = event.generation == seat.generation
    match event:
        case ev.Answered() | ev.RejoinAsked() | ev.RestartAsked() if event.generation > seat.generation:
            raise InvalidTransition(call, event)
        case ev.RejoinAsked() if current:
            return _made_again(call, seat)
        case ev.RestartAsked() if current:
            return _restart(call, seat, event, now)
        case ev.Offered(sdp=sdp, restart=n) if current and _is_newest_offer(seat, n):
            return put(call, replace(seat, offer=sdp, offered_restart=n)), ()
        case ev.Answered(sdp=sdp, restart=n) if current and _is_offered(seat, n):
            answer = ev.PassAnswer(seat.participant, seat.generation, sdp, n)
            return put(call, replace(seat, answered=True, refused=None)), (answer,)
        case ev.Answered(restart=n) if current and n < seat.offered_restart:
            return call, ()  # of an older restart
        case ev.AnswerRefused(detail=detail) if current:
            return put(call, replace(seat, answered=False, refused=detail)), ()
        case ev.Answered() if current:
            raise InvalidTransition(call, event)
        case ev.LegUp() if current and not seat.gone:
            return _leg_up(call, replace(seat, takes=event.takes))
        case ev.LegDown() if current and not seat.connected:
            # With several processes reading the node's events this may overtake its LegUp.
            return put(call, replace(seat, gone=True)), ()
        case ev.LegDown() if current:
            down = replace(seat, gone=True, connected=False, down_until=now + call.patience.away_talking)
            return put(call, down), _noticed(call, seat, JournalKind.AWAY, seat.away_until is None)
    return call, ()  # of an older connection, or told twice


def _no_seat(call: Call, event: Leg) -> Result:
    """The node may speak of somebody who left; a browser may not."""
    if isinstance(event, ev.Answered | ev.RejoinAsked | ev.RestartAsked):
        raise InvalidTransition(call, event)
    return call, ()


def _made_again(call: Call, seat: Seat) -> Result:
    again = _renewed(seat)
    return put(call, again), (join(again),)


def _restart(call: Call, seat: Seat, event: ev.RestartAsked, now: float) -> Result:
    """New ICE credentials for the connection that is there; a connection that is over is made again."""
    if seat.gone:
        return _made_again(call, seat)
    if not seat.answered:
        raise InvalidTransition(call, event)
    if seat.restarted_at is not None and now - seat.restarted_at < RESTART_AGAIN_S:
        return call, ()
    asked = replace(seat, restart=seat.restart + 1, restarted_at=now)
    return put(call, asked), (ev.RestartIce(seat.participant, seat.generation, asked.restart),)


def _is_newest_offer(seat: Seat, restart: int) -> bool:
    return restart == seat.restart and (seat.offer is None or restart > seat.offered_restart)


def _is_offered(seat: Seat, restart: int) -> bool:
    return seat.offer is not None and restart == seat.offered_restart


def _leg_up(call: Call, seat: Seat) -> Result:
    was_down = seat.down_until is not None
    up = put(call, replace(seat, connected=True, down_until=None))
    return up, _noticed(call, seat, JournalKind.BACK, was_down and seat.away_until is None)


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


# --- sockets, devices, share -----------------------------------------------------------------------


def socket(call: Call, event: ev.WentAway | ev.CameBack, now: float) -> Result:
    seat = seat_of(call, event.participant)
    if seat is None:
        return call, ()  # its seat was taken away before the socket was
    if isinstance(event, ev.CameBack):
        if seat.away_until is None:
            return call, ()
        back = _noticed(call, seat, JournalKind.BACK, seat.down_until is None)
        return put(call, replace(seat, away_until=None)), back
    if seat.away_until is not None:
        return call, ()
    away = replace(seat, away_until=now + _patience_for(call, seat))
    return put(call, away), _noticed(call, seat, JournalKind.AWAY, seat.down_until is None)


def _patience_for(call: Call, seat: Seat) -> float:
    if seat.ringing:
        return call.patience.away_ringing
    return call.patience.away_talking if call.state in TALKING else call.patience.away_waiting


def _noticed(call: Call, seat: Seat, kind: JournalKind, when: bool) -> tuple[AnyCommand, ...]:
    """Losing and regaining somebody is part of the story only once people talk."""
    if not when or call.answered_at is None or seat.ringing:
        return ()
    return (ev.Journal(kind, {"participant": seat.participant, "role": seat.role}),)


def devices(call: Call, event: ev.DevicesSet) -> Result:
    seat = seat_of(call, event.participant)
    if seat is None:
        raise InvalidTransition(call, event)
    return put(call, replace(seat, mic=event.mic, camera=event.camera)), ()


def share(call: Call, event: ev.ShareSet) -> Result:
    """By whoever is seen in the call. The last who began is shown."""
    seat = seat_of(call, event.participant)
    if call.state not in TALKING or seat is None or seat.ringing or seat.supervision in SILENT:
        raise InvalidTransition(call, event)
    if (call.sharing == seat.participant) is event.on:
        return call, ()
    if not event.on:
        return replace(call, sharing=None), (share_stopped(seat),)
    started = ev.Journal(JournalKind.SHARE_STARTED, {"participant": seat.participant})
    return replace(call, sharing=seat.participant), (started,)


# --- the media node --------------------------------------------------------------------------------


def node_gone(call: Call, node: NodeId, replacement: NodeId | None, now: float) -> Result:
    """The room is made again elsewhere; every browser gets a new offer."""
    if node != call.node:
        return call, ()
    if replacement is None:
        return _without_node(call, now)
    moved = replace(call, node=replacement, node_until=None, seats=tuple(map(_renewed, call.seats)))
    rest: list[AnyCommand] = []
    if call.state in TALKING:
        rest.append(arranged(moved))
    if recorded(moved):
        rest.append(ev.Record(recorded(moved)))
    if call.node_until is not None:
        rest += (ev.Enqueue(d) for d in demands(moved))
    return moved, (
        ev.Journal(JournalKind.MEDIA_MOVED, {"node": replacement}),
        ev.OpenRoom(),
        *(join(s) for s in moved.seats),
        *rest,
    )


def _without_node(call: Call, now: float) -> Result:
    """Who talks waits a little; who waits keeps the place, but nobody is rung for what cannot be carried."""
    if call.node_until is not None:
        return call, ()
    patience = call.patience.node_waiting if call.state in WAITING else call.patience.node
    held_up = replace(call, node_until=now + patience)
    if call.reservation is not None:
        return rung_off(held_up, call.reservation, Release.WITHDRAWN)
    if call.ask is not None and call.ask.reservation is not None:
        return asking.rung_off(held_up, call.ask, call.ask.reservation, Release.WITHDRAWN, None)
    return held_up, tuple(ev.Withdraw(d.id) for d in demands(call))
