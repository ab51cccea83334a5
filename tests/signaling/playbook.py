"""Stories of one call: ``Playbook(call) >> event << command``.

``>>`` lets an event happen, at the story's time; ``<<`` says which command comes next of those that are not
told yet. Commands that a story does not care for (journal entries) are passed over; ``silent`` says that
there is nothing left to do. ``at`` moves the clock.
"""

from dataclasses import dataclass, field

from agents.agent import DemandId, Party, Reservation, ReservationId, Waiting
from media.protocol import NodeId
from records.model import (
    AccountId,
    CallId,
    ItemId,
    JournalKind,
    ParticipantId,
    ParticipantRole,
    QueueId,
    SiteId,
    SkillId,
    StationId,
)
from signaling import events as ev
from signaling.call import start, transition
from signaling.snapshot import RESIDENT, Call, Joining, Patience, State, Target, slots

NOW = 1_000_000.0
CALL = CallId("c1")
AGENT = AccountId("agent1")
OTHER = AccountId("agent2")
THIRD = AccountId("agent3")
BOSS = AccountId("boss")
NODE = NodeId("node-a")
SEAT = ParticipantId("agent-1")
SECOND_SEAT = ParticipantId("agent-2")
QUEUE = QueueId("general")
PARTY = Party(needs={SkillId("general"): 1})
INTERPRETER = Party(ParticipantRole.INTERPRETER, {SkillId("sign-language"): 1})
EXPERT = Party(ParticipantRole.EXPERT)


def demand(
    id: str = CALL, party: Party = PARTY, second: Party | None = None, wanted: AccountId | None = None
) -> Waiting:
    return Waiting(
        id=DemandId(id),
        call=CALL,
        queue=QUEUE,
        item=ItemId("item"),
        station=StationId("s1"),
        site=SiteId("village"),
        enqueued_at=NOW,
        party=party,
        second=second,
        wanted=wanted,
    )


def new_call(
    second: Party | None = None, patience: Patience | None = None
) -> tuple[Call, tuple[ev.AnyCommand, ...]]:
    return start(demand=demand(second=second), hall="demo", node=NODE, now=NOW, patience=patience)


def reservation(
    agent: AccountId | tuple[AccountId, ...] = AGENT,
    number: int = 1,
    until: float = NOW + 20,
    demand: str = CALL,
) -> Reservation:
    agents = agent if isinstance(agent, tuple) else (agent,)
    return Reservation(ReservationId(f"r{number}"), DemandId(demand), CALL, agents, until, fence=number)


def asks_for(
    kind: Joining,
    party: Party = PARTY,
    person: AccountId | None = None,
    by: AccountId = AGENT,
) -> ev.AskMade:
    """Of a person, or of anybody in the queue."""
    target = Target(agent=person) if person is not None else Target(queue=QUEUE)
    return ev.AskMade(by, kind, target, demand("", party, wanted=person))


@dataclass
class Playbook:
    call: Call
    now: float = NOW
    commands: list[ev.AnyCommand] = field(default_factory=list)

    @classmethod
    def begin(cls, second: Party | None = None, patience: Patience | None = None) -> "Playbook":
        call, commands = new_call(second, patience)
        return cls(call, commands=list(commands))

    def at(self, now: float) -> "Playbook":
        self.now = now
        return self

    def __rshift__(self, event: ev.AnyEvent) -> "Playbook":
        before = self.call
        self.call, commands = transition(self.call, event, self.now)
        assert self.call.revision in (before.revision, before.revision + 1)
        self.commands = list(commands)
        return self

    def __lshift__(self, command: ev.AnyCommand | type) -> "Playbook":
        while self.commands:
            came = self.commands.pop(0)
            if came == command or (isinstance(command, type) and isinstance(came, command)):
                return self
            assert isinstance(came, ev.Journal), f"expected {command}, but {came} came first"
        raise AssertionError(f"expected {command}, but nothing more came")

    def silent(self) -> "Playbook":
        left = [c for c in self.commands if not isinstance(c, ev.Journal)]
        assert not left, f"not told of: {left}"
        return self

    def is_(self, state: State) -> "Playbook":
        assert self.call.state is state
        return self

    # --- chapters that many stories share -------------------------------------------------------------------

    def connected_resident(self) -> "Playbook":
        return self.connected(RESIDENT)

    def ringing(self) -> "Playbook":
        return self >> ev.Reserved(reservation())

    def connected(self, who: ParticipantId) -> "Playbook":
        return self >> ev.Offered(who, 1, "o") >> ev.Answered(who, 1, "a") >> ev.LegUp(who, 1)

    def connected_agent(self) -> "Playbook":
        return self.connected(SEAT)

    def accepted(self) -> "Playbook":
        return self >> ev.Accepted(AGENT, ReservationId("r1"))

    def talking(self) -> "Playbook":
        return self.connected_resident().ringing().connected_agent().accepted().is_(State.ACTIVE)

    def asked(
        self, kind: Joining = Joining.JOIN, party: Party = PARTY, person: AccountId | None = None
    ) -> "Playbook":
        return self >> asks_for(kind, party, person)

    def rung_for_ask(self, agent: AccountId = OTHER, number: int = 2) -> "Playbook":
        """The ask's reservation is won; at the story's time it rings for 20 s."""
        asked = f"{CALL}.{self.call.asks}"
        return self >> ev.Reserved(reservation(agent, number, self.now + 20, asked))

    def came(self, agent: AccountId = OTHER, number: int = 2) -> "Playbook":
        """The one who was asked for is rung, connects and accepts."""
        self.rung_for_ask(agent, number)
        self.connected(self.call.seats[-1].participant)
        return self >> ev.Accepted(agent, ReservationId(f"r{number}"))

    def joined(
        self, kind: Joining = Joining.JOIN, party: Party = PARTY, agent: AccountId = OTHER, number: int = 2
    ) -> "Playbook":
        return self.asked(kind, party).came(agent, number)


# --- what is read off a story -------------------------------------------------------------------------------


def kinds(story: Playbook) -> list[JournalKind]:
    return [c.kind for c in story.commands if isinstance(c, ev.Journal)]


def sees(call: Call) -> dict[ParticipantId, set[ParticipantId]]:
    """Whom each one sees and hears something of."""
    return {viewer: {t.participant for t in seen.values()} for viewer, seen in slots(call).items()}
