"""What the rules of a call are made of: small steps that several of them take. Pure."""

from msgspec.structs import replace

from records.model import AccountId, JournalKind, ParticipantId, ParticipantRole
from signaling import events as ev
from signaling.events import AnyCommand, AnyEvent
from signaling.snapshot import (
    MOST,
    Call,
    Joining,
    Seat,
    State,
    Supervision,
    recorded,
    slots,
)

Result = tuple[Call, tuple[AnyCommand, ...]]


class InvalidTransition(Exception):
    """The event does not fit the call's state. The call is unchanged."""

    def __init__(self, call: Call, event: AnyEvent) -> None:
        super().__init__(f"{type(event).__name__} does not fit a call that is {call.state}")
        self.state = call.state
        self.event = event


# --- seats -----------------------------------------------------------------------------------------


def put(call: Call, seat: Seat) -> Call:
    return replace(call, seats=tuple(seat if s.participant == seat.participant else s for s in call.seats))


def join(seat: Seat) -> ev.Join:
    return ev.Join(seat.participant, seat.role, seat.generation)


def seated(
    call: Call,
    role: ParticipantRole,
    who: AccountId,
    *,
    ringing: bool = False,
    joining: Joining | None = None,
    supervision: Supervision | None = None,
) -> tuple[Call, Seat]:
    """Somebody gets a seat with a name of its own, on the first free place."""
    tried = call.agents_tried + 1
    taken = {s.place for s in call.seats}
    seat = Seat(
        ParticipantId(f"{role}-{tried}"),
        role,
        who=who,
        place=next(place for place in range(MOST) if place not in taken),
        ringing=ringing,
        joining=joining,
        supervision=supervision,
    )
    return replace(call, agents_tried=tried, seats=(*call.seats, seat)), seat


def unseated(call: Call, seat: Seat) -> Result:
    """Its connection is closed; what it shared is over."""
    rest = replace(call, seats=tuple(s for s in call.seats if s.participant != seat.participant))
    leave = ev.Leave(seat.participant)
    if call.sharing != seat.participant:
        return rest, (leave,)
    return replace(rest, sharing=None), (leave, share_stopped(seat))


def share_stopped(seat: Seat) -> ev.Journal:
    return ev.Journal(JournalKind.SHARE_STOPPED, {"participant": seat.participant})


def leaves(call: Call, seat: Seat) -> Result:
    """Somebody who was in the call goes: to wrap-up, but a supervisor, whom nobody reserved."""
    after, gone = unseated(call, seat)
    if seat.supervision is not None:
        return after, (ev.Journal(JournalKind.UNSUPERVISED, {"supervisor": seat.who}), *gone)
    who = AccountId(seat.who)
    left: ev.Facts = {"participant": seat.participant, "role": seat.role, "agent": who}
    freed = () if seat.role is ParticipantRole.SUPERVISOR else (ev.FreeAgent(who),)
    after = replace(after, former=(*(a for a in call.former if a != who), who))
    return after, (ev.Journal(JournalKind.LEFT, left), *gone, *freed)


def joined(seat: Seat) -> ev.Journal:
    return ev.Journal(
        JournalKind.JOINED,
        {"participant": seat.participant, "role": seat.role, "agent": seat.who, "kind": seat.joining},
    )


# --- what follows from any change ------------------------------------------------------------------


def arranged(call: Call) -> ev.SetSlots:
    """``revision`` is that of the call after this transition, so it grows with every mapping."""
    return ev.SetSlots(call.revision + 1, slots(call))


def settled(before: Call, after: Call, now: float) -> Result:
    """Whatever happened: people are shown and recorded as the call is now, and CONNECTING is ACTIVE once
    everybody has media."""
    if after.state is State.ENDED:
        return after, ()
    commands: list[AnyCommand] = []
    if slots(after) != slots(before):
        commands.append(arranged(after))
    if recorded(after) != recorded(before):
        commands.append(ev.Record(recorded(after)))
    if after.state is State.CONNECTING and all(s.connected for s in after.seats):
        first = now if after.connected_at is None else after.connected_at
        after = replace(after, state=State.ACTIVE, connected_at=first)
        commands.append(ev.Journal(JournalKind.CONNECTED))
    return after, tuple(commands)


def dated(commands: tuple[AnyCommand, ...], revision: int, now: float) -> tuple[AnyCommand, ...]:
    """Journal entries get their time, and a key that is the same whenever they are carried out again."""
    return tuple(
        replace(c, at=now, key=c.key or f"{revision}-{i}-{c.kind}") if isinstance(c, ev.Journal) else c
        for i, c in enumerate(commands)
    )
