"""What each verb does to one agent and to one demand. Pure: both stores apply these same rules.

A function returns the record as it is afterwards, or the very same object when there is nothing to change.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from agents.agent import (
    Acceptance,
    Activity,
    Agent,
    PauseReason,
    Presence,
    Profile,
    Release,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.availability import Ask, Rules
from records.model import AccountId, CallId

_GIVE_BACKS = frozenset({Release.DECLINED, Release.NO_ANSWER, Release.LOST, Release.WITHDRAWN})
_AT_WORK = frozenset({Activity.IN_CALL, Activity.WRAP_UP})


class Held(Struct, frozen=True):
    """What is kept with a reservation; its id and its fence apart."""

    agents: tuple[AccountId, ...]
    until: float
    waiting: Waiting
    accepted: tuple[AccountId, ...] = ()

    def reservation(self, id_: ReservationId, fence: int) -> Reservation:
        waiting = self.waiting
        return Reservation(id_, waiting.id, waiting.call, self.agents, self.until, fence, self.accepted)


class Taken(Struct, frozen=True):
    """Who has a demand: reserved for it, or in a call for it."""

    reservation: ReservationId
    agents: tuple[AccountId, ...]


# --- presence ----------------------------------------------------------------------------------


def signed_in(known: Agent | None, agent: AccountId, profile: Profile, now: float) -> Agent:
    """A newcomer, or one who had signed out, begins a shift: paused until it declares itself available."""
    if known is None:
        return Agent(
            agent, profile, Presence.PAUSED, Activity.IDLE, since=now, idle_since=now, signed_in_at=now
        )
    if known.presence is Presence.SIGNED_OUT:
        known = replace(
            known, presence=Presence.PAUSED, pause_reason=None, since=now, signed_in_at=now, busy_s=0.0
        )
    return known if known.profile == profile else replace(known, profile=profile)


def declared(agent: Agent, presence: Presence, reason: PauseReason | None, now: float) -> Agent:
    """Only a pause has a reason. Who becomes free by coming back goes to the end of the idle agents."""
    if presence is not Presence.PAUSED:
        reason = None
    if presence is Presence.AVAILABLE and agent.misses:
        agent = replace(agent, misses=0)
    if (agent.presence, agent.pause_reason) == (presence, reason):
        return agent
    becomes_free = presence is Presence.AVAILABLE and agent.activity is Activity.IDLE
    return replace(
        agent,
        presence=presence,
        pause_reason=reason,
        since=now,
        busy_s=_busy_until(agent, now),
        idle_since=now if becomes_free else agent.idle_since,
    )


def _busy_until(agent: Agent, now: float) -> float:
    """``busy_s`` once ``since`` is ``now``: what was counted, and the time at work from ``since`` on."""
    return agent.busy_s + max(0.0, now - agent.since) if agent.activity in _AT_WORK else agent.busy_s


# --- the queue ---------------------------------------------------------------------------------


def enqueued(known: Waiting | None, waiting: Waiting) -> Waiting:
    """What waits already is replaced, but keeps who is passed over."""
    if known is None:
        return waiting
    after = replace(waiting, passed_over={**waiting.passed_over, **known.passed_over})
    return known if after == known else after


def in_order(waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """Who asked first, then by id."""
    return tuple(sorted(waiting, key=lambda w: (w.enqueued_at, w.id)))


# --- the reservation ---------------------------------------------------------------------------


def may_reserve(agents: Sequence[Agent], waiting: Waiting, now: float) -> bool:
    """As many different agents as the demand needs, all routable and none passed over: a dispatcher's
    picture may be older than a decline."""
    wanted = 1 if waiting.second is None else 2
    return len({agent.id for agent in agents}) == len(agents) == wanted and all(
        agent.routable and waiting.passed_over.get(agent.id, now) <= now for agent in agents
    )


def is_answer(held: Held, ask: Ask) -> bool:
    """Whether a reservation that is there already is what was asked for."""
    return (held.waiting.id, held.agents) == (ask.demand, ask.agents)


def reserved(agent: Agent, waiting: Waiting, reservation: ReservationId, fence: int, now: float) -> Agent:
    return replace(
        agent,
        activity=Activity.RESERVED,
        call=waiting.call,
        demand=waiting.id,
        reservation=reservation,
        fence=fence,
        since=now,
        offered_at=now,
    )


def acceptance(held: Held, agent: AccountId, now: float) -> Acceptance:
    """What it means when this agent says yes."""
    if agent not in held.agents or held.until <= now:
        return Acceptance.REFUSED
    others = set(held.agents) - {agent}
    return Acceptance.COMPLETE if others <= set(held.accepted) else Acceptance.PARTIAL


def with_yes(held: Held, agent: AccountId) -> Held:
    return held if agent in held.accepted else replace(held, accepted=(*held.accepted, agent))


def accepted(agent: Agent, now: float) -> Agent:
    """The reservation's id stays with the agent during the call, so that accepting twice is recognised."""
    return replace(agent, activity=Activity.IN_CALL, misses=0, since=now)


def is_in_call_by(agent: Agent | None, reservation: ReservationId) -> bool:
    return agent is not None and agent.activity is Activity.IN_CALL and agent.reservation == reservation


def check_give_back(why: Release) -> None:
    """Raises ValueError for what is not a way to give a reservation back."""
    if why not in _GIVE_BACKS:
        raise ValueError(f"a reservation is not given back as {why}")


def whose_doing(held: Held, by: AccountId | None) -> frozenset[AccountId]:
    """The reserved agents because of whom it is given back; nobody when ``by`` is a stranger to it."""
    if by is None:
        return frozenset(held.agents) - frozenset(held.accepted)
    return frozenset({by}) & frozenset(held.agents)


def given_back(agent: Agent, why: Release, rules: Rules, now: float) -> Agent:
    """Idle again. Only a withdrawn demand costs the agent nothing of its rank."""
    idle = replace(agent, activity=Activity.IDLE, call=None, demand=None, reservation=None, since=now)
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


def put_back(
    waiting: Waiting, culprits: Iterable[AccountId], why: Release, rules: Rules, now: float
) -> Waiting | None:
    """The demand in its old place, with those who declined or let it ring passed over; None when it went
    away."""
    match why:
        case Release.WITHDRAWN:
            return None
        case Release.LOST:
            return waiting
        case _:
            backoff = rules.decline_backoff if why is Release.DECLINED else rules.no_answer_backoff
    still = {passed: until for passed, until in waiting.passed_over.items() if until > now}
    return replace(waiting, passed_over={**still, **dict.fromkeys(sorted(culprits), now + backoff)})


# --- the call and after it ---------------------------------------------------------------------


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
                busy_s=_busy_until(agent, now),
                wrap_up_until=now + rules.wrap_up,
                extensions=0,
            )
        case Activity.WRAP_UP, Release.READY if agent.call == call:
            return _ready(agent, now)
        case _:
            return None


def _ready(agent: Agent, now: float) -> Agent:
    return replace(
        agent,
        activity=Activity.IDLE,
        call=None,
        demand=None,
        since=now,
        idle_since=now,
        busy_s=_busy_until(agent, now),
        wrap_up_until=None,
        extensions=0,
    )


def left(taken: Taken | None, agent: AccountId) -> Taken | None:
    """Who has the demand when this agent is out of it; None when nobody does."""
    others = () if taken is None else tuple(other for other in taken.agents if other != agent)
    return replace(taken, agents=others) if taken is not None and others else None


def extended(agent: Agent, call: CallId, rules: Rules, now: float) -> Agent | None:
    """None when it is not in wrap-up for that call or had every extension."""
    until = agent.wrap_up_until
    if (agent.activity, agent.call) != (Activity.WRAP_UP, call) or until is None:
        return None
    if agent.extensions >= rules.wrap_up_extensions:
        return None
    later = max(until, now) + rules.wrap_up_extension
    return replace(agent, wrap_up_until=later, extensions=agent.extensions + 1)


# --- after data was lost -----------------------------------------------------------------------

_FORWARD = (Activity.RESERVED, Activity.IN_CALL, Activity.WRAP_UP, Activity.IDLE)  # under one fence


def fell_back(known: Agent, remembered: Agent) -> bool:
    """Whether the store knows an older state of the agent than its socket's owner does, as after a failover.

    Fences only grow, and under one fence activity only goes forward. Of two who are free, nothing is lost.
    """
    if known.activity is Activity.IDLE and remembered.activity in (Activity.IDLE, Activity.RESERVED):
        return False
    return _progress(known) < _progress(remembered)


def _progress(agent: Agent) -> tuple[int, int]:
    return agent.fence, _FORWARD.index(agent.activity)


def is_lost_yes(known: Agent, remembered: Agent) -> bool:
    """Whether the store still rings for what its agent has accepted."""
    return is_in_call_by(remembered, remembered.reservation or ReservationId("")) and (
        known.activity is Activity.RESERVED and known.reservation == remembered.reservation
    )


def restored(agent: Agent, taken: Taken | None, now: float) -> tuple[Agent, Taken | None]:
    """The agent as its socket's owner remembers it, and who has its demand then.

    What rang is over. A call goes on unless its demand is in other hands; those who were reserved together
    for it are not other hands.
    """
    match agent.activity:
        case Activity.RESERVED:
            return replace(_ready(agent, now), reservation=None, idle_since=agent.idle_since), taken
        case Activity.IN_CALL:
            if agent.reservation is None or (taken is not None and taken.reservation != agent.reservation):
                return replace(_ready(agent, now), reservation=None), taken
            others = () if taken is None else taken.agents
            return agent, Taken(agent.reservation, tuple(sorted({*others, agent.id})))
        case _:
            return agent, taken
