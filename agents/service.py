"""How well a queue serves, for managers: service level, abandonment, waits, occupancy. Pure.

The service level counts abandoned calls: of all but those that were given up before the goal had passed, the
share that was answered within it. Who leaves after two seconds was not failed; who leaves after two minutes
was.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from agents.agent import Activity, Agent, Presence


class Served(Struct, frozen=True):
    """One call that waits no more: how long it did, in seconds, and whether somebody answered."""

    wait_s: float
    answered: bool


def service_level(calls: Sequence[Served], goal_s: float) -> float | None:
    """Per cent answered within ``goal_s``; None when no call counts."""
    counted = [call for call in calls if call.answered or call.wait_s > goal_s]
    return _pct(sum(call.answered and call.wait_s <= goal_s for call in counted), len(counted))


def abandonment(calls: Sequence[Served]) -> float | None:
    """Per cent that nobody answered; None without calls."""
    return _pct(sum(not call.answered for call in calls), len(calls))


def wait_at(calls: Sequence[Served], share: float) -> float | None:
    """The wait, in seconds, that this share (0 to 1) of the answered calls did not exceed (nearest rank)."""
    waits = sorted(call.wait_s for call in calls if call.answered)
    return waits[max(0, -int(-share * len(waits) // 1) - 1)] if waits else None


def occupancy(agents: Iterable[Agent], now: float) -> float | None:
    """Per cent of the time since they signed in that the agents spent in calls and wrap-up, the current one
    included; None when nobody has been there for any time."""
    signed_in = [agent for agent in agents if agent.presence is not Presence.SIGNED_OUT]
    shifts = sum(max(0.0, now - agent.signed_in_at) for agent in signed_in)
    busy = sum(agent.busy_s + _current(agent, now) for agent in signed_in)
    return _pct(busy, shifts)


def _current(agent: Agent, now: float) -> float:
    """``since`` changes with presence too, so somebody who paused within a call counts from then on."""
    is_busy = agent.activity in (Activity.IN_CALL, Activity.WRAP_UP)
    return max(0.0, now - agent.since) if is_busy else 0.0


def _pct(part: float, whole: float) -> float | None:
    return 100.0 * part / whole if whole > 0 else None
