"""What to tell those who wait, and those who could help them. Pure. What was said before: agents.promise.

The estimate follows Ward Whitt, "Predicting Queueing Delays", Management Science 45 (6), 1999: with n busy
servers, k calls ahead and a mean service time m, the wait is the sum of k + 1 gaps between departures, each
of mean m / n, so its mean is (k + 1) m / n. Taking the gaps as independent and as variable as exponential
ones, its standard deviation is sqrt(k + 1) m / n. The range is one standard deviation to either side.

m is the mean of the queue's recent talks with their wrap-up; n counts those on duty who could take the call
in any ring; k counts those ahead by turn that compete for one of these n. Who is rung, talks or wraps up is
busy. The estimate does not know of shifts that end, nor of residents who give up, and so is rather long.
"""

from bisect import bisect_left
from collections.abc import Sequence
from heapq import merge
from math import ceil, floor, sqrt

from agents.agent import Agent, DemandId, Waiting
from agents.crew import Crew, Known
from agents.lanes import Line, line, turn
from agents.plan import Plan, Scope
from agents.promise import Forecast, Promise
from agents.rings import everybody
from agents.takers import asks_alone, fits, is_fit, parties, rings_of, widest
from records.model import AccountId

__all__ = ["Forecast", "Outlook", "Promise", "estimate", "on_duty", "place", "takeable"]

Turn = tuple[float, DemandId]

# Fewer talks than this say too little about the next one.
LEAST_TALKS = 3


class Outlook:
    """The answers for one moment. Whoever asks for many demands keeps one for them all: who could take the
    demands of a line is found once."""

    def __init__(self, picture: Known, plan: Plan, now: float) -> None:
        self._picture = picture
        self._plan = plan
        self._now = now
        self._crew = Crew(picture.on_duty, plan, now)
        self._takers: dict[Line, frozenset[AccountId]] = {}
        self._turns: dict[Line, Sequence[Turn]] = {}
        self._rivals: dict[Line, Sequence[Sequence[Turn]]] = {}

    def place(self, demand: DemandId) -> int:
        """How many demands ahead by turn compete with this one for the same agents; 0 when it is next or
        does not wait.

        A demand competes when it stands in the same queue for the same needs, or when somebody on duty could
        take both. Rings, passes and wishes are left out: they change by the minute, and a place should not.
        """
        waiting = self._picture.waiting.get(demand)
        if waiting is None:
            return 0
        before = turn(waiting, self._plan)
        return sum(bisect_left(turns, before) for turns in self._rivals_of(line(waiting), waiting))

    def on_duty(self, demand: DemandId) -> int:
        """How many could take it in any of its rings, whether free or busy. A pause is not duty."""
        waiting = self._picture.waiting.get(demand)
        if waiting is None:
            return 0
        if any(ring.scope is Scope.ALL for ring in rings_of(waiting, waiting.party, self._plan)):
            return len(self._takers_of(line(waiting), waiting))
        return len(everybody(waiting, waiting.party, self._crew, self._plan))

    def forecast(self, demand: DemandId, talks: Sequence[float]) -> Forecast:
        """Place, agents and estimate: what a Promise is made and renewed of."""
        ahead, agents = self.place(demand), self.on_duty(demand)
        talk_s = sum(talks) / len(talks) if len(talks) >= LEAST_TALKS else None
        return Forecast(ahead, agents, talk_s, estimate(ahead, agents, talks))

    def _rivals_of(self, own: Line, example: Waiting) -> Sequence[Sequence[Turn]]:
        """The turns of each line whose demands compete with this one's, its own among them."""
        found = self._rivals.get(own)
        if found is None:
            ours = self._takers_of(own, example)
            found = self._rivals[own] = [
                self._turns_of(other, demands)
                for other, demands in self._picture.lines().items()
                if _are_alike(own, other) or not ours.isdisjoint(self._takers_of(other, demands[0]))
            ]
        return found

    def _turns_of(self, line_: Line, demands: Sequence[Waiting]) -> Sequence[Turn]:
        found = self._turns.get(line_)
        if found is None:
            found = self._turns[line_] = [turn(waiting, self._plan) for waiting in demands]
        return found

    def _takers_of(self, line_: Line, example: Waiting) -> frozenset[AccountId]:
        """Who on duty could take a demand of the line, wherever it came from."""
        found = self._takers.get(line_)
        if found is None:
            crews = (self._crew.shortlist(it).all() for it in widest(example, example.party, self._plan))
            found = self._takers[line_] = frozenset(agent.id for crew in crews for agent in crew)
        return found


def place(picture: Known, plan: Plan, demand: DemandId, now: float) -> int:
    """Outlook.place for one demand."""
    return Outlook(picture, plan, now).place(demand)


def on_duty(picture: Known, plan: Plan, demand: DemandId, now: float) -> int:
    """Outlook.on_duty for one demand."""
    return Outlook(picture, plan, now).on_duty(demand)


def estimate(place: int, on_duty: int, talks: Sequence[float]) -> tuple[int, int] | None:
    """From how many to how many seconds a call at ``place`` will wait; None when there is no basis for it.

    ``talks``: how long recent calls of the queue kept their agents busy, in seconds, with their wrap-up.
    There is no basis without agents on duty or with fewer than three talks.
    """
    if on_duty < 1 or len(talks) < LEAST_TALKS:
        return None
    gap = sum(talks) / len(talks) / on_duty
    departures = place + 1
    mean, deviation = departures * gap, sqrt(departures) * gap
    return floor(mean - deviation), ceil(mean + deviation)


def takeable(picture: Known, plan: Plan, agent: AccountId, now: float) -> tuple[Waiting, ...]:
    """The waiting demands that this agent could be asked for in one of their rings, in order of turn.

    Those it declined or missed a moment ago are among them: it is not rung for them just now, but their
    residents wait all the same. Those for which somebody else alone is asked are not.
    """
    known = picture.agents.get(agent)
    if known is None:
        return ()
    lines = (demands for demands in picture.lines().values() if _could_help(known, demands[0], plan))
    in_turn = merge(*lines, key=lambda waiting: turn(waiting, plan))
    return tuple(waiting for waiting in in_turn if _is_theirs(known, waiting, plan, now))


def _could_help(agent: Agent, example: Waiting, plan: Plan) -> bool:
    """Whether the agent is what a line looks for, wherever its demands come from."""
    return any(
        fits(agent.profile, looked_for, plan)
        for party in parties(example)
        for looked_for in widest(example, party, plan)
    )


def _is_theirs(agent: Agent, waiting: Waiting, plan: Plan, now: float) -> bool:
    return any(
        asks_alone(waiting, party, now) in (None, agent.id) and is_fit(agent, waiting, party, plan)
        for party in parties(waiting)
    )


def _are_alike(one: Line, other: Line) -> bool:
    return one.queue == other.queue and one.first == other.first
