"""What each verb does to one agent and to one waiting call. Pure: both stores apply these same rules.

A function returns the record as it is afterwards, or the very same object when there is nothing to change.
"""

from collections.abc import Iterable

from msgspec.structs import replace

from agents.agent import Activity, Agent, PauseReason, Presence, Release, Reservation, ReservationId, Waiting
from agents.availability import Rules, Snapshot
from records.model import AccountId, CallId, SiteId, SkillId

_GIVE_BACKS = frozenset({Release.DECLINED, Release.NO_ANSWER, Release.WITHDRAWN})


def signed_in(
    known: Agent | None, agent: AccountId, skills: dict[SkillId, int], site: SiteId, now: float
) -> Agent:
    """A newcomer, or one who had signed out, is paused until it declares itself available."""
    if known is None:
        return Agent(agent, skills, site, Presence.PAUSED, Activity.IDLE, since=now, idle_since=now)
    if known.presence is Presence.SIGNED_OUT:
        known = replace(known, presence=Presence.PAUSED, pause_reason=None, since=now)
    return replace(known, skills=skills, site=site)


def declared(agent: Agent, presence: Presence, reason: PauseReason | None, now: float) -> Agent:
    """Only a pause has a reason. Who becomes free by coming back goes to the end of the idle agents."""
    if presence is not Presence.PAUSED:
        reason = None
    if presence is Presence.AVAILABLE:
        agent = replace(agent, misses=0)
    if (agent.presence, agent.pause_reason) == (presence, reason):
        return agent
    becomes_free = presence is Presence.AVAILABLE and agent.activity is Activity.IDLE
    return replace(
        agent,
        presence=presence,
        pause_reason=reason,
        since=now,
        idle_since=now if becomes_free else agent.idle_since,
    )


def may_reserve(agent: Agent, waiting: Waiting, now: float) -> bool:
    """Routable, and not passed over for this call: a dispatcher's picture may be older than a decline."""
    return agent.routable and waiting.passed_over.get(agent.id, now) <= now


def reserved(agent: Agent, call: CallId, reservation: ReservationId, now: float) -> Agent:
    return replace(agent, activity=Activity.RESERVED, call=call, reservation=reservation, since=now)


def accepted(agent: Agent, now: float) -> Agent:
    """The reservation's id stays with the agent during the call, so that accepting twice is recognised."""
    return replace(agent, activity=Activity.IN_CALL, misses=0, since=now)


def is_in_call_by(agent: Agent, reservation: ReservationId) -> bool:
    return agent.activity is Activity.IN_CALL and agent.reservation == reservation


def check_give_back(why: Release) -> None:
    """Raises ValueError for what is not a way to give a reservation back."""
    if why not in _GIVE_BACKS:
        raise ValueError(f"a reservation is not given back as {why}")


def given_back(agent: Agent, why: Release, rules: Rules, now: float) -> Agent:
    """Idle again. Only a withdrawn call costs the agent nothing of its rank."""
    idle = replace(agent, activity=Activity.IDLE, call=None, reservation=None, since=now)
    match why:
        case Release.WITHDRAWN:
            return idle
        case Release.NO_ANSWER:
            return _missed(replace(idle, idle_since=now), rules)
        case _:
            return replace(idle, idle_since=now)


def _missed(agent: Agent, rules: Rules) -> Agent:
    """A pause that the agent declared itself while it rang is left as it is."""
    agent = replace(agent, misses=agent.misses + 1)
    if agent.presence is not Presence.AVAILABLE or agent.misses < rules.misses_before_pause:
        return agent
    return replace(agent, presence=Presence.PAUSED, pause_reason=PauseReason.MISSED_CALLS)


def put_back(waiting: Waiting, agent: AccountId, why: Release, rules: Rules, now: float) -> Waiting | None:
    """The call in its old place with the agent passed over; None when it went away."""
    if why is Release.WITHDRAWN:
        return None
    backoff = rules.decline_backoff if why is Release.DECLINED else rules.no_answer_backoff
    still = {passed: until for passed, until in waiting.passed_over.items() if until > now}
    return replace(waiting, passed_over={**still, agent: now + backoff})


def check_release(why: Release) -> None:
    """Raises ValueError for what is not a way to let a busy agent go."""
    if why in _GIVE_BACKS:
        raise ValueError(f"a busy agent is not released as {why}")


def released(agent: Agent, call: CallId, why: Release, rules: Rules, now: float) -> Agent | None:
    """None when the agent is not, or no longer, with that call in the activity that ``why`` ends."""
    match agent.activity, why:
        case Activity.IN_CALL, Release.ENDED if agent.call == call:
            return replace(
                agent,
                activity=Activity.WRAP_UP,
                reservation=None,
                since=now,
                wrap_up_until=now + rules.wrap_up,
            )
        case Activity.WRAP_UP, Release.READY if agent.call == call:
            return replace(
                agent, activity=Activity.IDLE, call=None, since=now, idle_since=now, wrap_up_until=None
            )
        case _:
            return None


def in_order(waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """The order of the queue: who asked first, then by id."""
    return tuple(sorted(waiting, key=lambda w: (w.enqueued_at, w.call)))


def overdue(snapshot: Snapshot, now: float) -> tuple[tuple[Reservation, ...], tuple[Agent, ...]]:
    """Reservations at or past their deadline, and agents whose wrap-up is over."""
    return (
        tuple(held for held in snapshot.reservations if held.until <= now),
        tuple(a for a in snapshot.agents if a.wrap_up_until is not None and a.wrap_up_until <= now),
    )
