"""docs/call-states.md, made by asking the machine: every event in every state, and what comes of it.

python -m signaling.diagram            writes the file
python -m signaling.diagram --check    fails when it is out of date
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, get_args

from msgspec.structs import replace

from agents.agent import DemandId, Party, Reservation, ReservationId, Waiting
from media.protocol import NodeId
from records.model import (
    AccountId,
    CallId,
    EndReason,
    ItemId,
    Outcome,
    ParticipantId,
    QueueId,
    RatingReason,
    SiteId,
    StationId,
)
from signaling import events as ev
from signaling.call import InvalidTransition, due, start, transition
from signaling.events import AnyCommand, AnyEvent
from signaling.snapshot import RESIDENT, Call, Joining, State, Supervision, Target, seat_of_account

OUT = Path(__file__).resolve().parent.parent / "docs" / "call-states.md"

NOW = 1000.0
AGENT, STRANGER, GUEST, BOSS = map(AccountId, ("agent", "stranger", "guest", "boss"))
NODE, SPARE = NodeId("node"), NodeId("spare")
SEAT = ParticipantId("agent-1")
CALL = CallId("call")
DEMAND = Waiting(
    id=DemandId(CALL),
    call=CALL,
    queue=QueueId("queue"),
    item=ItemId("item"),
    station=StationId("station"),
    site=SiteId("site"),
    enqueued_at=NOW,
    party=Party(),
)
HELD = Reservation(ReservationId("held"), DEMAND.id, CALL, (AGENT,), NOW + 20, 1)
OTHER = Reservation(ReservationId("other"), DEMAND.id, CALL, (STRANGER,), NOW + 20, 2)
JOINING = Reservation(ReservationId("joining"), DemandId(f"{CALL}.1"), CALL, (GUEST,), NOW + 20, 3)
SOMEBODY = Target(queue=DEMAND.queue)

Outcomes = dict[tuple[State, str], set[str]]


class Probe(NamedTuple):
    """One way in which an event can come, as the table says it."""

    label: str
    event: AnyEvent


class Arrow(NamedTuple):
    before: State
    after: State
    label: str


def calls() -> Iterator[Call]:
    """Several calls of every state: with and without media, share, agent, away, rating, company."""
    queued, _ = start(demand=DEMAND, hall="hall", node=NODE, now=NOW)
    offered = _after(queued, ev.Reserved(HELD))
    accept = ev.Accepted(AGENT, HELD.id)
    connecting = _after(_connected(offered, RESIDENT), accept)
    active = _after(_connected(_connected(offered, RESIDENT), SEAT), accept)
    half = (_connected(queued, RESIDENT), _connected(offered, SEAT))
    for call in (queued, offered, *half, connecting, active):
        yield from (call, _after(call, ev.NodeGone(NODE, None)))
        yield from (_after(call, ev.WentAway(seat.participant)) for seat in call.seats)
        yield _after(call, ev.Offered(RESIDENT, 1, "offer"))
    yield _connected(_connected(offered, RESIDENT), SEAT)
    yield _after(active, ev.ShareSet(SEAT, on=True))
    yield from _in_company(active)
    over = _after(active, ev.HungUpByAgent(AGENT))
    yield from (over, _after(over, ev.Rated(5, ())), _after(queued, ev.LeftByResident()))


def _in_company(active: Call) -> Iterator[Call]:
    """Somebody is asked, rung, there, on hold; a supervisor listens; handed on."""
    asked = _after(active, ev.AskMade(AGENT, Joining.CONSULT, SOMEBODY, DEMAND))
    rung = _after(asked, ev.Reserved(JOINING))
    guest = seat_of_account(rung, GUEST)
    assert guest is not None
    there = _after(_connected(rung, guest.participant), ev.Accepted(GUEST, JOINING.id))
    yield from (asked, rung, there, _after(there, ev.HoldSet(AGENT, on=False)))
    yield _after(there, ev.WentAway(SEAT))
    yield _after(active, ev.Supervised(BOSS, Supervision.LISTEN))
    yield _after(active, ev.AskMade(AGENT, Joining.TRANSFER, SOMEBODY, DEMAND))


def probes(call: Call) -> Iterator[Probe]:
    """Every event, in every way that matters to this call."""
    yield Probe("Reserved", ev.Reserved(HELD if call.reservation is None else OTHER))
    for agent, who in ((AGENT, ""), (STRANGER, " by another")):
        yield Probe("Accepted" + who, ev.Accepted(agent, HELD.id))
        yield Probe("Declined" + who, ev.Declined(agent, HELD.id))
        yield Probe("HungUpByAgent" + who, ev.HungUpByAgent(agent))
        yield Probe("NoteAdded" + who, ev.NoteAdded(agent, "text", "key"))
        yield Probe("OutcomeSet" + who, ev.OutcomeSet(agent, Outcome.RESOLVED, ""))
    if call.ask is not None:
        yield Probe("Reserved for an ask", ev.Reserved(JOINING))
        yield Probe("Accepted by who is asked", ev.Accepted(GUEST, JOINING.id))
        yield Probe("Declined by who is asked", ev.Declined(GUEST, JOINING.id))
    yield Probe("RingExpired", ev.RingExpired(HELD.id))
    yield Probe("RingLost", ev.RingLost(AGENT, HELD.id))
    yield Probe("LeftByResident", ev.LeftByResident())
    yield from _company_probes(call)
    yield from _leg_probes(call)
    for participant, name in ((RESIDENT, "resident"), (SEAT, "agent")):
        yield Probe(f"WentAway ({name})", ev.WentAway(participant))
        yield Probe(f"CameBack ({name})", ev.CameBack(participant))
    yield Probe("ShareSet (on)", ev.ShareSet(SEAT, on=True))
    yield Probe("ShareSet (off)", ev.ShareSet(SEAT, on=False))
    yield Probe("DevicesSet", ev.DevicesSet(SEAT, mic=False, camera=True))
    yield Probe("Rated", ev.Rated(1, (RatingReason.NOT_SOLVED,)))
    yield Probe("NodeGone (another has room)", ev.NodeGone(NODE, SPARE))
    yield Probe("NodeGone (none has room)", ev.NodeGone(NODE, None))
    yield Probe("DeadlinePassed", ev.DeadlinePassed())


def _company_probes(call: Call) -> Iterator[Probe]:
    for kind in Joining:
        yield Probe(f"AskMade ({kind})", ev.AskMade(AGENT, kind, SOMEBODY, DEMAND))
    yield Probe("AskMade by another", ev.AskMade(STRANGER, Joining.JOIN, SOMEBODY, DEMAND))
    yield Probe("AskDropped", ev.AskDropped(AGENT))
    yield Probe("HoldSet (on)", ev.HoldSet(AGENT, on=True))
    yield Probe("HoldSet (off)", ev.HoldSet(AGENT, on=False))
    guest = next((s.participant for s in call.seats if s.who == GUEST), ParticipantId("nobody"))
    yield Probe("HandedOver to who is in it", ev.HandedOver(AGENT, guest))
    yield Probe("HandedOver to a stranger", ev.HandedOver(AGENT, ParticipantId("stranger")))
    yield Probe("SentAway", ev.SentAway(AGENT, guest))
    yield Probe("HungUpByAgent by a guest", ev.HungUpByAgent(GUEST))
    for mode in Supervision:
        yield Probe(f"Supervised ({mode})", ev.Supervised(BOSS, mode))
    yield Probe("SupervisionEnded", ev.SupervisionEnded(BOSS))
    yield Probe("TakenOver", ev.TakenOver(BOSS))


def _leg_probes(call: Call) -> Iterator[Probe]:
    for seat in call.seats[:2]:
        who, generation = seat.participant, seat.generation
        yield Probe("Offered", ev.Offered(who, generation, "offer"))
        yield Probe("Answered", ev.Answered(who, generation, "answer"))
        yield Probe("AnswerRefused", ev.AnswerRefused(who, generation, "why"))
        yield Probe("LegUp", ev.LegUp(who, generation))
        yield Probe("LegDown", ev.LegDown(who, generation, "silent"))
        yield Probe("RejoinAsked", ev.RejoinAsked(who, generation))
        yield Probe("RestartAsked", ev.RestartAsked(who, generation))


def probed() -> tuple[Outcomes, set[Arrow]]:
    """What each event does in each state, over all the calls in it; and every change of state."""
    outcomes: Outcomes = {}
    arrows: set[Arrow] = set()
    for call in calls():
        for probe in probes(call):
            cell = outcomes.setdefault((call.state, probe.label), set())
            at = due(call) if isinstance(probe.event, ev.DeadlinePassed) else NOW + 1
            if at is None:
                continue
            try:
                after, commands = transition(call, probe.event, at)
            except InvalidTransition:
                cell.add("refused")
                continue
            cell.add(_said(call, after, commands))
            if after.state is not call.state:
                why = f" ({after.end_reason})" if after.end_reason is not None else ""
                arrows.add(Arrow(call.state, after.state, probe.label + why))
    return outcomes, arrows


def _said(before: Call, after: Call, commands: tuple[AnyCommand, ...]) -> str:
    names = ", ".join(dict.fromkeys(_name(command) for command in commands))
    if after.state is not before.state:
        return f"**→ {after.state}**" + (f": {names}" if names else "")
    if names:
        return names
    return "—" if after == before else "noted"


def _name(command: AnyCommand) -> str:
    match command:
        case ev.Journal(kind=kind):
            return f"journal {kind}"
        case ev.GiveBack(why=why):
            return f"GiveBack ({why})"
    return type(command).__name__


def _after(call: Call, event: AnyEvent) -> Call:
    return transition(call, event, NOW)[0]


def _connected(call: Call, who: ParticipantId) -> Call:
    for event in (ev.Offered(who, 1, "offer"), ev.Answered(who, 1, "answer"), ev.LegUp(who, 1)):
        call = _after(call, event)
    return replace(call)


HEAD = """\
# The states of a call

Made by `.venv/bin/python -m signaling.diagram`, which asks `transition` in signaling/call.py about every
event in every state. Do not edit; a test fails when this page is out of date.

"""
LEGEND = """
## Every event in every state

A cell says what an event does: the next state if it changes, then the commands. *noted*: the snapshot
changes, nobody need do anything. —: nothing happens (a straggler, or told twice). *refused*:
`InvalidTransition`, the call is as it was; a page is answered `out_of_order`. Several lines: it depends on
the call (who is connected or away, whose call it is, which offer is open). An empty cell: it cannot come
there.
"by another": by an agent whose call it is not.

"""
ENDINGS = "\n## Endings\n\nEvery ended call has one of these reasons: {reasons}.\n"


def page() -> str:
    outcomes, arrows = probed()
    reasons = ", ".join(f"`{reason}`" for reason in EndReason)
    return HEAD + _drawing(arrows) + LEGEND + _table(outcomes) + ENDINGS.format(reasons=reasons)


def _drawing(arrows: set[Arrow]) -> str:
    order = list(State)
    drawn = {(arrow.before, arrow.after) for arrow in arrows}
    pairs = sorted(drawn, key=lambda pair: (order.index(pair[0]), order.index(pair[1])))
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> queued: start"]
    for before, after in pairs:
        labels = sorted(a.label for a in arrows if (a.before, a.after) == (before, after))
        lines.append(f"    {before} --> {after}: {'<br/>'.join(labels)}")
    return "\n".join([*lines, "    ended --> [*]: Forget", "```", ""])


def _table(outcomes: Outcomes) -> str:
    lines = ["| event | " + " | ".join(State) + " |", "| --- |" + " --- |" * len(State)]
    for label in dict.fromkeys(label for _, label in outcomes):
        cells = ("<br>".join(sorted(outcomes.get((state, label), ()))) for state in State)
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def events_probed() -> frozenset[type]:
    return frozenset(type(probe.event) for call in calls() for probe in probes(call))


def main(words: list[str]) -> int:
    assert events_probed() == frozenset(get_args(AnyEvent))
    text = page()
    if words == ["--check"]:
        return 0 if OUT.read_text("utf-8") == text else 1
    OUT.write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
