"""What an agent's console is shown: the agent itself, its ring, its call, and whom it may ask for. Pure."""

from collections.abc import Mapping, Sequence

from agents.agent import Activity, Agent, Presence, Reservation, Waiting
from agents.availability import Rules
from agents.takers import is_on_duty
from records.model import AccountId, DepartmentId, ParticipantRole, QueueId, SkillId, Text
from signaling import messages as m
from signaling.ports import Directory
from signaling.snapshot import (
    Call,
    Joining,
    Moved,
    Seat,
    State,
    Supervision,
    Target,
    seat_of_account,
    seat_with,
    share_codecs,
)
from signaling.views.common import (
    NOBODY,
    Moment,
    is_away,
    ms,
    ms_or_none,
    name_of,
    people,
    slot_views,
    where,
)
from signaling.views.duty import Duty

MOST_PEOPLE = 200  # colleagues that are listed, the free ones first


def agent_state(
    agent: Agent,
    card: m.AgentCard,
    call: Call | None,
    could_take: Sequence[Waiting],
    moment: Moment,
    rules: Rules,
    *,
    shows_supervision: bool,
) -> m.AgentState:
    """``could_take``: what waits and this agent may be asked for."""
    return m.AgentState(
        agent=agent.id,
        name=card.name,
        badge=card.badge,
        department=card.department,
        presence=agent.presence,
        pause_reason=agent.pause_reason,
        activity=agent.activity,
        since=ms(agent.since),
        wrap_up_until=ms_or_none(agent.wrap_up_until),
        extensions_left=_extensions_left(agent, rules),
        ring=None if call is None else _ring(call, agent, moment.directory),
        call=None if call is None else _agent_call(call, agent, moment, shows_supervision),
        waiting=len(could_take),
        longest_wait_since=min((ms(w.enqueued_at) for w in could_take), default=None),
        colleagues_free=len(moment.picture.free()) - agent.routable,
    )


def _extensions_left(agent: Agent, rules: Rules) -> int:
    if agent.activity is not Activity.WRAP_UP:
        return 0
    return max(0, rules.wrap_up_extensions - agent.extensions)


# --- the ring ----------------------------------------------------------------------------------


def ring_of(call: Call, agent: AccountId) -> tuple[Reservation, Waiting] | None:
    """The reservation by which this agent is rung for the call, and for which of its demands."""
    if call.state is State.OFFERED and call.reservation is not None and agent in call.reservation.agents:
        return call.reservation, call.demand
    ask = call.ask
    if ask is not None and ask.reservation is not None and agent in ask.reservation.agents:
        return ask.reservation, ask.demand
    return None


def _ring(call: Call, agent: Agent, directory: Directory) -> m.Ring | None:
    found = ring_of(call, agent.id)
    if found is None:
        return None
    held, demand = found
    joining, by = _asked(call, held)
    station, site = where(call, directory)
    return m.Ring(
        call=call.id,
        reservation=held.id,
        item=call.item,
        station=station,
        site=site,
        requested_at=ms(call.requested_at),
        until=ms(held.until),
        role=_role(demand, held.agents.index(agent.id)),
        lane=demand.lane,
        joining=joining,
        asked_by=None if by is None else directory.agent(by),
        answered=agent.id in held.accepted,
    )


def _role(demand: Waiting, place: int) -> ParticipantRole:
    return demand.second.role if place == 1 and demand.second is not None else demand.party.role


def _asked(call: Call, held: Reservation) -> tuple[Joining | None, AccountId | None]:
    """How whoever is rung would come in, and who asks for it."""
    if call.ask is not None and call.ask.reservation == held:
        return call.ask.kind, call.ask.by
    return (Joining.TRANSFER, call.agent) if call.moved is Moved.TRANSFER else (None, None)


# --- the call ----------------------------------------------------------------------------------


def _agent_call(call: Call, agent: Agent, moment: Moment, shows_supervision: bool) -> m.AgentCall | None:
    mine = seat_of_account(call, agent.id)
    left = mine is None and (agent.id in call.former or agent.id == call.agent)
    if mine is None and not left:
        return None
    station, site = where(call, moment.directory)
    resident = seat_with(call, ParticipantRole.RESIDENT)
    return m.AgentCall(
        id=call.id,
        item=call.item,
        # Whoever is asked to join makes the connection while it rings, whatever the others do.
        phase=State.OFFERED if mine is not None and mine.ringing else call.state,
        role=agent.profile.role if mine is None else mine.role,
        owner=mine is not None and not mine.ringing and call.agent == agent.id,
        people=people(call, _others(call, mine, shows_supervision), moment.directory),
        on_hold=call.on_hold,
        ask=_ask(call, moment),
        failed_ask=_failed_ask(call, moment),
        left=left,
        station=station,
        site=site,
        generation=0 if mine is None else mine.generation,
        connected=mine is not None and mine.connected,
        resident_away=resident is None or is_away(resident),
        resident_mic=resident is None or resident.mic,
        resident_camera=resident is None or resident.camera,
        slots=slot_views(call, mine),
        sharing=mine is not None and call.sharing == mine.participant,
        share_codecs=() if mine is None else share_codecs(call, mine.participant),
        requested_at=ms(call.requested_at),
        answered_at=ms_or_none(call.answered_at),
        ended_at=ms_or_none(call.ended_at),
        end_reason=call.end_reason,
        outcome=call.outcome,
        outcome_note=call.outcome_note,
    )


def _others(call: Call, mine: Seat | None, shows_supervision: bool) -> tuple[Seat, ...]:
    """Whoever whispers is heard, so it is always said; who only listens, if the hall shows that."""
    return tuple(
        seat
        for seat in call.seats
        if seat is not mine
        and seat.role is not ParticipantRole.RESIDENT
        and (shows_supervision or seat.supervision is not Supervision.LISTEN)
    )


def _ask(call: Call, moment: Moment) -> m.AskView | None:
    ask = call.ask
    if ask is None:
        return None
    name = target_name(ask.target, moment)
    return m.AskView(ask.kind, name, ms(ask.made_at), ms(ask.until), ringing=ask.reservation is not None)


def _failed_ask(call: Call, moment: Moment) -> m.FailedAskView | None:
    failed = call.failed_ask
    if failed is None:
        return None
    return m.FailedAskView(failed.number, failed.kind, target_name(failed.target, moment), failed.why)


def target_name(target: Target, moment: Moment) -> Text:
    match target:
        case Target(queue=str(queue)):
            return moment.plan.queue(queue).name
        case Target(agent=str(agent)):
            return name_of(agent, moment.directory)
        case Target(department=str(department)):
            return moment.directory.department(department)
        case Target(skill=str(skill)):
            return moment.directory.skill(skill)
    return NOBODY


# --- whom to ask for -----------------------------------------------------------------------------


def colleagues(me: AccountId, moment: Moment, duty: Mapping[QueueId, Duty]) -> m.Colleagues:
    others = [
        agent
        for agent in moment.picture.agents.values()
        if agent.id != me and agent.presence is not Presence.SIGNED_OUT
    ]
    return m.Colleagues(
        queues=tuple(_queue_line(queue, moment, duty) for queue in moment.plan.queues),
        people=tuple(
            _colleague(a, moment.directory) for a in sorted(others, key=_the_free_first)[:MOST_PEOPLE]
        ),
        departments=tuple(_department_lines(others, moment)),
        skills=tuple(_skill_line(skill, others, moment) for skill in moment.directory.interpreting()),
    )


def _the_free_first(agent: Agent) -> tuple[bool, bool, AccountId]:
    return not agent.routable, agent.presence is not Presence.AVAILABLE, agent.id


def _queue_line(queue: QueueId, moment: Moment, duty: Mapping[QueueId, Duty]) -> m.QueueLine:
    free = duty.get(queue, Duty()).free
    return m.QueueLine(queue, moment.plan.queue(queue).name, len(moment.picture.queue(queue)), free)


def _colleague(agent: Agent, directory: Directory) -> m.Colleague:
    card = directory.agent(agent.id) or m.AgentCard(NOBODY, NOBODY, "")
    role = agent.profile.role
    return m.Colleague(agent.id, card.name, card.department, role, agent.presence, agent.activity)


def _department_lines(others: Sequence[Agent], moment: Moment) -> list[m.DepartmentLine]:
    experts: dict[DepartmentId, list[Agent]] = {}
    for agent in others:
        if agent.profile.role is ParticipantRole.EXPERT and is_on_duty(agent, moment.plan, moment.now):
            experts.setdefault(agent.profile.department, []).append(agent)
    return [
        m.DepartmentLine(department, moment.directory.department(department), len(here), _free(here))
        for department, here in sorted(experts.items())
    ]


def _skill_line(skill: SkillId, others: Sequence[Agent], moment: Moment) -> m.SkillLine:
    here = [a for a in others if skill in a.profile.skills and is_on_duty(a, moment.plan, moment.now)]
    return m.SkillLine(skill, moment.directory.skill(skill), len(here), _free(here))


def _free(agents: Sequence[Agent]) -> int:
    return sum(agent.routable for agent in agents)
