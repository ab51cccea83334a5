"""One simulated agent: when it is there, how it answers the ring, and what it did with its day."""

from msgspec import Struct

from agents.agent import Activity, Agent, PauseReason, Presence
from agents.simulation.demand import dice, duration
from agents.simulation.roster import Person

BUSY = (Activity.IN_CALL, Activity.WRAP_UP)


class Spent(Struct):
    """Seconds of the day on duty (available, or busy), and of these in calls and wrap-up."""

    duty_s: float = 0.0
    busy_s: float = 0.0


class Desk:
    """Times are seconds since midnight. ``seed`` and ``day`` make its habits the same in every run."""

    def __init__(self, person: Person, seed: int, day: int) -> None:
        self.person = person
        self.spent = Spent()
        self.missed = 0  # rings
        self.away = False  # paused for missed calls, and has not noticed yet
        self.at_counter = False
        self.declared: tuple[Presence, PauseReason | None] = (Presence.SIGNED_OUT, None)
        self._dice = dice(seed, day, person.id)
        self._counter = dice(seed, day, person.id, "counter")
        self._since = 0.0
        self._duty = self._busy = False

    def presence(self, at: float) -> tuple[Presence, PauseReason | None]:
        """What the agent declares at that time of day."""
        if not any(start <= at < end for start, end in self.person.shifts):
            return Presence.SIGNED_OUT, None
        if not self.person.at_work(at):
            return Presence.PAUSED, PauseReason.BREAK
        if self.away:
            return Presence.PAUSED, PauseReason.MISSED_CALLS
        if self.at_counter:
            return Presence.PAUSED, PauseReason.COUNTER
        return Presence.AVAILABLE, None

    def answers_after(self) -> float | None:
        """Seconds of ringing; None when it lets it ring."""
        group = self.person.group
        misses = self._dice.random() < group.miss
        rings_for = duration(self._dice, group.answer_s, group.answer_cv)
        return None if misses else rings_for

    def counter_changes_after(self) -> float:
        """Seconds until somebody comes to the counter, or goes: exponential, with the group's share."""
        group = self.person.group
        if self.at_counter:
            return self._counter.expovariate(1 / group.counter_s)
        return self._counter.expovariate(group.counter / (1 - group.counter) / group.counter_s)

    def seen(self, agent: Agent, at: float) -> None:
        """Count what it did until now, and note what it does from now on."""
        self.closes(at)
        self._busy = agent.activity in BUSY
        self._duty = self._busy or agent.presence is Presence.AVAILABLE

    def closes(self, at: float) -> None:
        """Count what it did until now."""
        self.spent.duty_s += (at - self._since) * self._duty
        self.spent.busy_s += (at - self._since) * self._busy
        self._since = at
