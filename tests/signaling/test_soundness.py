"""Whatever happens to a call, in whatever order, it stays sound; and so does what others are told of it."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.agent import DemandId, Release, ReservationId
from media.protocol import Mid, NodeId, TrackRef
from records.model import AccountId, Outcome, ParticipantId, ParticipantRole
from signaling import events as ev
from signaling.call import InvalidTransition, due, transition
from signaling.ringing import reservation as rings
from signaling.snapshot import (
    MOST,
    RESIDENT,
    SILENT,
    TALKING,
    Call,
    Joining,
    Seat,
    State,
    Supervision,
    decoder,
    demands,
    encode,
    owner_seat,
    recorded,
    seat_of,
    shows,
    slots,
)
from tests.signaling.playbook import (
    AGENT,
    BOSS,
    CALL,
    EXPERT,
    INTERPRETER,
    NODE,
    NOW,
    OTHER,
    PARTY,
    THIRD,
    Playbook,
    asks_for,
    reservation,
)

# --- what can happen ---------------------------------------------------------------------------------

seats = st.sampled_from(
    [RESIDENT]
    + [ParticipantId(f"{role}-{n}") for n in (1, 2, 3) for role in ("agent", "expert", "interpreter")]
    + [ParticipantId("supervisor-2"), ParticipantId("supervisor-3"), ParticipantId("stranger")]
)
agents = st.sampled_from([AGENT, OTHER, THIRD])
accounts = st.sampled_from([AGENT, OTHER, THIRD, BOSS])
generations = st.integers(1, 3)
demand_ids = st.sampled_from([CALL, f"{CALL}.1", f"{CALL}.2", f"{CALL}.3"])
pairs = st.one_of(agents, st.sampled_from([(AGENT, OTHER), (THIRD, AGENT)]))
reservations = st.builds(reservation, pairs, st.integers(1, 5), demand=demand_ids)
ids = st.sampled_from([ReservationId(f"r{n}") for n in range(1, 6)])
nodes = st.sampled_from([NODE, NodeId("b")])
parties = st.sampled_from([PARTY, EXPERT, INTERPRETER])

events: st.SearchStrategy[ev.AnyEvent] = st.one_of(
    st.builds(ev.Reserved, reservations),
    st.builds(ev.Accepted, agents, ids),
    st.builds(ev.Declined, agents, ids),
    st.builds(ev.RingLost, agents, ids),
    st.builds(ev.RingExpired, ids),
    st.builds(asks_for, st.sampled_from(Joining), parties, st.none() | agents, accounts),
    st.builds(ev.AskDropped, accounts),
    st.builds(ev.HoldSet, accounts, st.booleans()),
    st.builds(ev.HandedOver, accounts, seats),
    st.builds(ev.SentAway, accounts, seats),
    st.builds(ev.Supervised, st.sampled_from([BOSS, THIRD]), st.sampled_from(Supervision)),
    st.builds(ev.SupervisionEnded, accounts),
    st.builds(ev.TakenOver, st.just(BOSS)),
    st.builds(ev.HungUpByAgent, accounts),
    st.just(ev.LeftByResident()),
    st.builds(ev.Offered, seats, generations, st.just("offer")),
    st.builds(ev.Answered, seats, generations, st.just("answer")),
    st.builds(ev.AnswerRefused, seats, generations, st.just("why")),
    st.builds(ev.LegUp, seats, generations),
    st.builds(ev.LegDown, seats, generations, st.just("silent")),
    st.builds(ev.RejoinAsked, seats, generations),
    st.builds(ev.RestartAsked, seats, generations),
    st.builds(ev.WentAway, seats),
    st.builds(ev.CameBack, seats),
    st.builds(ev.ShareSet, seats, st.booleans()),
    st.builds(ev.DevicesSet, seats, st.booleans(), st.booleans()),
    st.builds(ev.NoteAdded, accounts, st.just("n"), st.just("k")),
    st.builds(ev.OutcomeSet, accounts, st.sampled_from(Outcome), st.just("")),
    st.builds(ev.Rated, st.integers(1, 5), st.just(())),
    st.builds(ev.NodeGone, nodes, st.none() | nodes),
    st.just(ev.DeadlinePassed()),
)
steps = st.lists(st.tuples(events, st.floats(0, 25)), max_size=30)


def _joint() -> Playbook:
    return Playbook.begin(second=INTERPRETER) >> ev.Reserved(reservation((AGENT, OTHER)))


# From the middle of a story as well: chance alone seldom gets there.
BEGINNINGS = (
    Playbook.begin,
    lambda: Playbook.begin().connected_resident().ringing().connected_agent(),
    lambda: Playbook.begin().talking(),
    lambda: Playbook.begin().talking().asked().rung_for_ask(),
    lambda: Playbook.begin().talking().asked(Joining.CONSULT, EXPERT, OTHER),
    lambda: Playbook.begin().talking().joined(Joining.CONSULT),
    lambda: Playbook.begin().talking().joined().asked(party=INTERPRETER).rung_for_ask(THIRD, 3),
    lambda: Playbook.begin().talking().asked(Joining.TRANSFER, person=OTHER),
    lambda: Playbook.begin().talking() >> ev.Supervised(BOSS, Supervision.WHISPER),
    lambda: Playbook.begin().talking().joined() >> ev.Supervised(BOSS, Supervision.BARGE),
    lambda: Playbook.begin().talking().joined().joined(party=EXPERT, agent=THIRD, number=3),
    _joint,
    lambda: _joint() >> ev.Accepted(OTHER, ReservationId("r1")),
)


# --- what others make of it ----------------------------------------------------------------------------


@dataclass
class Others:
    """The queue, the agents' store and the media node, as they stand once every command is carried out."""

    queue: set[DemandId]
    busy: Counter[str]
    slots: dict[ParticipantId, dict[Mid, TrackRef]]
    recorded: tuple[ParticipantId, ...]
    revision: int = 0
    closed: int = 0
    joined: set[ParticipantId] = field(default_factory=set)

    @classmethod
    def of(cls, call: Call) -> "Others":
        waiting = {d.id for d in demands(call)}
        joined = {s.participant for s in call.seats}
        return cls(waiting, Counter(_in_it(call)), slots(call), recorded(call), call.revision, joined=joined)

    def see(self, before: Call, event: ev.AnyEvent, after: Call, commands: tuple[ev.AnyCommand, ...]) -> None:
        if isinstance(event, ev.Reserved):
            self.queue.discard(event.reservation.demand)
        self.busy.update(set(_in_it(after)) - set(_in_it(before)))
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: ev.AnyCommand) -> None:
        match command:
            case ev.Enqueue(waiting):
                self.queue.add(waiting.id)
            case ev.Withdraw(demand):
                self.queue.discard(demand)
            case ev.GiveBack(held, why) if why is not Release.WITHDRAWN:
                self.queue.add(held.demand)
            case ev.FreeAgent(agent):
                self.busy[agent] -= 1
            case ev.SetSlots(revision, mapping):
                assert revision > self.revision
                self.revision, self.slots = revision, mapping
            case ev.Record(participants):
                self.recorded = participants
            case ev.Join(participant):
                self.joined.add(participant)
            case ev.Leave(participant):
                self.joined.remove(participant)
            case ev.CloseRoom():
                self.closed += 1

    def agree_with(self, call: Call) -> None:
        assert self.queue == {d.id for d in demands(call)}, "what waits, waits; and nothing else"
        assert +self.busy == Counter(_in_it(call)), "each agent is freed once, when it leaves"
        assert min(self.busy.values(), default=0) >= 0, "and not twice"
        assert self.closed == (call.state is State.ENDED), "a room is closed once, when the call ends"
        if call.state is State.ENDED:
            return
        assert self.slots == slots(call)
        assert self.recorded == recorded(call)
        assert self.joined == {s.participant for s in call.seats}


def _in_it(call: Call) -> list[AccountId]:
    """Agents, experts and interpreters who are in the call."""
    if call.state is State.ENDED:
        return []
    nobodys = (ParticipantRole.RESIDENT, ParticipantRole.SUPERVISOR)
    return [AccountId(s.who) for s in call.seats if not s.ringing and s.role not in nobodys]


# --- what never changes ----------------------------------------------------------------------------------

LEGAL = {
    State.QUEUED: {State.QUEUED, State.OFFERED, State.ENDED},
    State.OFFERED: set(State),
    State.CONNECTING: {State.CONNECTING, State.ACTIVE, State.QUEUED, State.ENDED},
    State.ACTIVE: {State.ACTIVE, State.QUEUED, State.ENDED},
    State.ENDED: {State.ENDED},
}


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(BEGINNINGS), steps)
def test_whatever_happens_a_call_stays_sound(begin, story) -> None:  # type: ignore[no-untyped-def]
    call, now = begin().call, NOW
    others = Others.of(call)
    for event, pause in story:
        now += pause
        before = encode(call)
        try:
            after, commands = transition(call, event, now)
        except InvalidTransition:
            assert encode(call) == before, "an illegal event changed something"
            continue
        assert after.state in LEGAL[call.state]
        assert after.revision == call.revision + (after != call)
        assert decoder.decode(encode(after)) == after
        _kept_or_let_go(call, after, commands)
        others.see(call, event, after, commands)
        others.agree_with(after)
        _sound(after)
        call = after


def _kept_or_let_go(before: Call, after: Call, commands: tuple[ev.AnyCommand, ...]) -> None:
    """Every reservation is kept, taken up by all who were reserved, or given back; once."""
    held, now = rings(before), rings(after)
    if held is None:
        return
    given_back = sum(isinstance(c, ev.GiveBack) and c.reservation.id == held.id for c in commands)
    kept = now is not None and now.id == held.id
    taken = not kept and set(held.agents) <= set(_in_it(after))
    assert given_back + kept + taken == 1


def _sound(call: Call) -> None:
    assert (call.state is State.OFFERED) == (call.reservation is not None)
    assert (call.end_reason is not None) == (call.ended_at is not None) == (call.state is State.ENDED)
    assert call.ask is None or call.state is State.ACTIVE
    assert len({s.participant for s in call.seats}) == len({s.place for s in call.seats}) == len(call.seats)
    assert len(call.seats) + (call.ask is not None and call.ask.reservation is None) <= MOST
    held = rings(call)
    assert {s.who for s in call.seats if s.ringing} == set(held.agents if held is not None else ())
    assert seat_of(call, RESIDENT) is not None
    assert call.sharing is None or call.sharing in {s.participant for s in call.seats}
    if call.state in TALKING:
        owner = owner_seat(call)
        assert owner is not None
        assert not owner.ringing
        assert owner.supervision is None
        assert [s.who for s in call.seats].count(owner.who) == 1
    if call.state is not State.ENDED and any(s.away_until is not None for s in call.seats):
        assert due(call) is not None
    for viewer in call.seats:
        _sees_what_it_may(call, viewer)


def _sees_what_it_may(call: Call, viewer: Seat) -> None:
    seen = slots(call).get(viewer.participant, {})
    shown = {s.participant: s for s in call.seats if s.participant in {t.participant for t in seen.values()}}
    assert viewer.participant not in shown, "nobody is shown to themselves"
    assert len(set(seen.values())) == len(seen)
    if shown:
        assert call.state in TALKING
        assert not viewer.ringing
    assert not any(other.ringing for other in shown.values())
    for other in call.seats:
        if other.supervision is viewer.supervision is None:
            assert shows(call, viewer, other) == shows(call, other, viewer), "a hold keeps both sides apart"
    if viewer.participant != RESIDENT:
        return
    assert not any(other.supervision in SILENT for other in shown.values())
    assert not (call.on_hold and shown)
