"""What a manager's live page is shown: the whole hall, and the call that it supervises. Pure."""

from collections.abc import Callable, Iterable, Mapping

from agents.agent import Activity, Agent, Presence
from agents.hours import is_open
from agents.plan import Queue
from media.protocol import NodeInfo
from records.model import AccountId, CallId, ParticipantId, ParticipantRole, QueueId
from signaling import messages as m
from signaling.ports import Directory
from signaling.quality import Standing
from signaling.snapshot import TALKING, WAITING, Call, seat_of_account, seat_with
from signaling.views.common import (
    NOBODY,
    Moment,
    is_away,
    item_name,
    ms,
    ms_or_none,
    name_of,
    networks,
    people,
    slot_views,
    where,
)
from signaling.views.duty import Duty

SETTLED_S = 60.0  # of a shift, before it says anything to be occupied


def manager_state(
    calls: tuple[Call, ...],
    moment: Moment,
    duty: Mapping[QueueId, Duty],
    online: frozenset[str],
    nodes: tuple[NodeInfo, ...],
    standings: Callable[[CallId], Mapping[ParticipantId, Standing]],
    supervising: m.ManagerCall | None,
) -> m.ManagerState:
    """``online``: the ids of the stations whose socket is held; ``standings``: of a call's networks."""
    directory, now = moment.directory, moment.now
    by_age = sorted(calls, key=lambda c: (c.requested_at, c.id))
    signed_in = [a for a in moment.picture.agents.values() if a.presence is not Presence.SIGNED_OUT]
    return m.ManagerState(
        now=ms(now),
        waiting=tuple(_waiting_row(c, moment) for c in by_age if c.state in WAITING),
        live=tuple(
            _live_row(c, directory, networks(c, standings(c.id))) for c in by_age if c.state in TALKING
        ),
        agents=tuple(_agent_row(a, directory, now) for a in sorted(signed_in, key=lambda a: a.id)),
        stations=tuple(m.StationRow(s.id, s.name, s.id in online) for s in directory.stations()),
        nodes=tuple(map(_node_row, sorted(nodes, key=lambda n: (n.port, n.node)))),
        queues=tuple(_queue_row(queue, moment, duty) for queue in moment.plan.queues.values()),
        occupancy=_occupancy(signed_in, now),
        supervising=supervising,
        today=moment.statistics.today(),
    )


# --- calls -------------------------------------------------------------------------------------


def _waiting_row(call: Call, moment: Moment) -> m.WaitingRow:
    held, directory = call.reservation, moment.directory
    return m.WaitingRow(
        call=call.id,
        item=item_name(call, directory),
        station=where(call, directory)[0],
        requested_at=ms(call.requested_at),
        ringing=None if held is None else name_of(held.agent, directory),
        lane=call.demand.lane,
        queue=moment.plan.queue(call.demand.queue).name,
        moved=call.moved,
    )


def _live_row(call: Call, directory: Directory, networks: tuple[m.Network, ...]) -> m.LiveRow:
    others = tuple(s for s in call.seats if s.role is not ParticipantRole.RESIDENT and s.who != call.agent)
    return m.LiveRow(
        call=call.id,
        item=item_name(call, directory),
        station=where(call, directory)[0],
        agent=NOBODY if call.agent is None else name_of(call.agent, directory),
        phase=call.state,
        answered_at=ms_or_none(call.answered_at),
        sharing=call.sharing is not None,
        people=people(call, others, directory),
        on_hold=call.on_hold,
        networks=networks,
    )


def manager_call(call: Call, manager: AccountId, directory: Directory) -> m.ManagerCall | None:
    """None when the manager is not in the call."""
    mine = seat_of_account(call, manager)
    if mine is None:
        return None
    resident = seat_with(call, ParticipantRole.RESIDENT)
    others = tuple(s for s in call.seats if s is not mine and s is not resident)
    return m.ManagerCall(
        id=call.id,
        item=call.item,
        phase=call.state,
        mode=mine.supervision,
        owner=call.agent == manager,
        participant=mine.participant,
        generation=mine.generation,
        connected=mine.connected,
        people=people(call, others, directory),
        resident_away=resident is None or is_away(resident),
        on_hold=call.on_hold,
        slots=slot_views(call, mine),
        sharing=call.sharing is not None,
        answered_at=ms_or_none(call.answered_at),
        ended_at=ms_or_none(call.ended_at),
        end_reason=call.end_reason,
        outcome=call.outcome,
    )


# --- people, queues, machines --------------------------------------------------------------------


def _agent_row(agent: Agent, directory: Directory, now: float) -> m.AgentRow:
    return m.AgentRow(
        agent=agent.id,
        name=name_of(agent.id, directory),
        presence=agent.presence,
        pause_reason=agent.pause_reason,
        activity=agent.activity,
        since=ms(agent.since),
        role=agent.profile.role,
        occupancy=_occupancy([agent], now),
    )


def _occupancy(agents: Iterable[Agent], now: float) -> int | None:
    """Per cent of their shifts that they spent in calls and wrap-up; None while the shifts are too short."""
    settled = [a for a in agents if now - a.signed_in_at >= SETTLED_S]
    shifts = sum(now - a.signed_in_at for a in settled)
    busy = sum(_busy_s(a, now) for a in settled)
    return None if not settled else min(100, round(100 * busy / shifts))


def _busy_s(agent: Agent, now: float) -> float:
    """With the stretch that is not over yet."""
    at_work = agent.activity in (Activity.IN_CALL, Activity.WRAP_UP)
    return agent.busy_s + (now - agent.since if at_work else 0.0)


def _queue_row(queue: Queue, moment: Moment, duty: Mapping[QueueId, Duty]) -> m.QueueRow:
    waiting = moment.picture.queue(queue.id)
    there, today = duty.get(queue.id, Duty()), moment.statistics.of_queue(queue.id)
    return m.QueueRow(
        queue=queue.id,
        name=queue.name,
        open=is_open(queue.hours, moment.now, moment.plan.zone),
        waiting=len(waiting),
        longest_since=min((ms(w.enqueued_at) for w in waiting), default=None),
        on_duty=there.on_duty,
        free=there.free,
        goal_s=round(queue.goal_s),
        goal_pct=round(queue.goal_pct),
        in_goal_pct=_per_cent(today.in_goal, today.calls),
        abandoned_pct=_per_cent(today.abandoned, today.calls),
    )


def _per_cent(some: int, all_: int) -> int | None:
    return None if not all_ else round(100 * some / all_)


def _node_row(node: NodeInfo) -> m.NodeRow:
    return m.NodeRow(
        node=node.node,
        port=node.port,
        rooms=node.rooms,
        capacity=node.capacity,
        cpu=round(100 * node.cpu),
        lag_ms=round(node.lag_ms, 1),
        draining=node.draining,
        full=node.full,
    )
