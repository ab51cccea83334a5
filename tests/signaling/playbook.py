"""Stories of one call: ``Playbook(call) >> event << command``.

``>>`` lets an event happen, at the story's time; ``<<`` says which command comes next of those that are not
told yet. Commands that a story does not care for (journal entries) are passed over; ``silent`` says that
there is nothing left to do. ``at`` moves the clock.
"""

from dataclasses import dataclass, field

from agents.agent import Reservation, ReservationId
from media.protocol import NodeId
from records.model import AccountId, CallId, ItemId, ParticipantId, SiteId, SkillId, StationId
from signaling import events as ev
from signaling.call import start, transition
from signaling.snapshot import RESIDENT, Call, State

NOW = 1_000_000.0
AGENT = AccountId("agent1")
OTHER = AccountId("agent2")
NODE = NodeId("node-a")
SEAT = ParticipantId("agent-1")


def new_call() -> tuple[Call, tuple[ev.AnyCommand, ...]]:
    return start(
        id=CallId("c1"),
        hall="demo",
        station=StationId("s1"),
        site=SiteId("village"),
        item=ItemId("item"),
        skill=SkillId("general"),
        node=NODE,
        now=NOW,
    )


def reservation(agent: AccountId = AGENT, number: int = 1, until: float = NOW + 20) -> Reservation:
    return Reservation(ReservationId(f"r{number}"), CallId("c1"), agent, until, fence=number)


@dataclass
class Playbook:
    call: Call
    now: float = NOW
    commands: list[ev.AnyCommand] = field(default_factory=list)

    @classmethod
    def begin(cls) -> "Playbook":
        call, commands = new_call()
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
        return self >> ev.Offered(RESIDENT, 1, "o") >> ev.Answered(RESIDENT, 1, "a") >> ev.LegUp(RESIDENT, 1)

    def ringing(self) -> "Playbook":
        return self >> ev.Reserved(reservation())

    def connected_agent(self) -> "Playbook":
        return self >> ev.Offered(SEAT, 1, "o") >> ev.Answered(SEAT, 1, "a") >> ev.LegUp(SEAT, 1)

    def accepted(self) -> "Playbook":
        return self >> ev.Accepted(AGENT, ReservationId("r1"))

    def talking(self) -> "Playbook":
        return self.connected_resident().ringing().connected_agent().accepted().is_(State.ACTIVE)
