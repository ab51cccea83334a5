"""What to tell those who wait, and those who could help them. Pure.

The estimate follows Ward Whitt, "Predicting Queueing Delays", Management Science 45 (6), 1999: with n busy
servers, k calls ahead and a mean service time m, the wait is the sum of k + 1 gaps between departures, each
of mean m / n, so its mean is (k + 1) m / n. Taking the gaps as independent and as variable as exponential
ones, its standard deviation is sqrt(k + 1) m / n. The range is one standard deviation to either side.
"""

from collections.abc import Sequence
from math import ceil, floor, sqrt

from agents.agent import Agent, Presence, Waiting
from agents.availability import Snapshot
from agents.routing import can_take
from records.model import AccountId, CallId, SkillId

# Fewer talks than this say too little about the next one.
LEAST_TALKS = 3


def place(snapshot: Snapshot, call: CallId, now: float) -> int:
    """How many calls ahead compete with this one for the same agents; 0 when it is next or does not wait.

    A call competes when it has the same skill, or when somebody on duty can take both at ``now``.
    """
    waiting = next((w for w in snapshot.waiting if w.call == call), None)
    if waiting is None:
        return 0
    ours = [a for a in snapshot.agents if _is_on_duty(a) and can_take(a, waiting, now)]
    ahead = snapshot.waiting[: snapshot.waiting.index(waiting)]
    return sum(w.skill == waiting.skill or any(can_take(a, w, now) for a in ours) for w in ahead)


def on_duty(snapshot: Snapshot, skill: SkillId) -> int:
    """How many agents with the skill are available, whether free or busy. A pause is not duty."""
    return sum(_is_on_duty(agent) and skill in agent.skills for agent in snapshot.agents)


def estimate(place: int, on_duty: int, talks: Sequence[float]) -> tuple[int, int] | None:
    """From how many to how many seconds a call at ``place`` will wait; None when there is no basis for it.

    ``talks``: how long recent calls kept their agents busy, in seconds; with their wrap-up, if it is known.
    There is no basis without agents on duty or with fewer than three talks.
    """
    if on_duty < 1 or len(talks) < LEAST_TALKS:
        return None
    gap = sum(talks) / len(talks) / on_duty
    departures = place + 1
    mean, deviation = departures * gap, sqrt(departures) * gap
    return floor(mean - deviation), ceil(mean + deviation)


def takeable(snapshot: Snapshot, agent: AccountId) -> tuple[Waiting, ...]:
    """The waiting calls that this agent has the skill for, in order of the queue.

    Those it declined or missed a moment ago are among them: it is not rung for them just now, but their
    residents wait all the same.
    """
    known = next((a for a in snapshot.agents if a.id == agent), None)
    if known is None:
        return ()
    return tuple(waiting for waiting in snapshot.waiting if waiting.skill in known.skills)


def _is_on_duty(agent: Agent) -> bool:
    return agent.presence is Presence.AVAILABLE
