"""What each audience is shown of the truth. Pure: snapshots in, messages out."""

from collections.abc import Callable, Mapping

from agents import waiting
from agents.agent import Agent, Presence
from agents.availability import Snapshot
from media.protocol import NodeInfo
from records.model import CallId, ParticipantId, ParticipantRole, Text
from signaling import messages as m
from signaling.ports import Directory, StationCard, Statistics
from signaling.quality import Standing
from signaling.snapshot import Call, Seat, State, seat_with, share_codecs, slots

NOBODY = Text("—", "—")


def ms(at: float | None) -> int:
    return round((at or 0.0) * 1000)


def ms_or_none(at: float | None) -> int | None:
    return None if at is None else ms(at)


def station_state(
    card: StationCard,
    call: Call | None,
    snapshot: Snapshot,
    directory: Directory,
    stats: Statistics,
    now: float,
) -> m.StationState:
    shown = None if call is None else _station_call(call, snapshot, directory, stats, now)
    return m.StationState(station=card.id, name=card.name, call=shown)


def _station_call(
    call: Call, snapshot: Snapshot, directory: Directory, stats: Statistics, now: float
) -> m.StationCall:
    seat = seat_with(call, ParticipantRole.RESIDENT)
    answered = None if call.agent is None else seat_with(call, ParticipantRole.AGENT)
    ahead, estimate = _waiting(call, snapshot, stats, now)
    return m.StationCall(
        id=call.id,
        item=call.item,
        phase=call.state,
        ahead=ahead,
        estimate_s=estimate,
        on_duty=waiting.on_duty(snapshot, call.skill),
        ringing=call.state is State.OFFERED,
        held_up=call.node_until is not None,
        generation=seat.generation if seat else 0,
        connected=seat.connected if seat else False,
        agent=None if call.agent is None else directory.agent(call.agent),
        agent_away=answered is not None and _away(answered),
        agent_mic=answered is None or answered.mic,
        agent_camera=answered is None or answered.camera,
        slots=_slots(call, seat),
        sharing=call.sharing is not None,
        requested_at=ms(call.requested_at),
        answered_at=ms_or_none(call.answered_at),
        ended_at=ms_or_none(call.ended_at),
        end_reason=call.end_reason,
        rated=call.stars is not None,
    )


def _waiting(
    call: Call, snapshot: Snapshot, stats: Statistics, now: float
) -> tuple[int, tuple[int, int] | None]:
    if call.state is not State.QUEUED:
        return 0, None
    ahead = waiting.place(snapshot, call.id, now)
    duty = waiting.on_duty(snapshot, call.skill)
    return ahead, waiting.estimate(ahead, duty, stats.recent_talks(call.skill))


def agent_state(
    agent: Agent,
    card: m.AgentCard,
    call: Call | None,
    snapshot: Snapshot,
    directory: Directory,
) -> m.AgentState:
    could_take = waiting.takeable(snapshot, agent.id)
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
        ring=None if call is None else _ring(call, agent, directory),
        call=None if call is None else _agent_call(call, agent, directory),
        waiting=len(could_take),
        longest_wait_since=min((ms(w.enqueued_at) for w in could_take), default=None),
        colleagues_free=sum(a.routable for a in snapshot.agents if a.id != agent.id),
    )


def _ring(call: Call, agent: Agent, directory: Directory) -> m.Ring | None:
    held = call.reservation
    if call.state is not State.OFFERED or held is None or held.agent != agent.id:
        return None
    station, site = _where(call, directory)
    return m.Ring(call.id, held.id, call.item, station, site, ms(call.requested_at), ms(held.until))


def _agent_call(call: Call, agent: Agent, directory: Directory) -> m.AgentCall | None:
    mine = next((s for s in call.seats if s.who == agent.id), None)
    if mine is None:
        return None
    station, site = _where(call, directory)
    resident = seat_with(call, ParticipantRole.RESIDENT)
    return m.AgentCall(
        id=call.id,
        item=call.item,
        phase=call.state,
        station=station,
        site=site,
        generation=mine.generation,
        connected=mine.connected,
        resident_away=resident is None or _away(resident),
        resident_mic=resident is None or resident.mic,
        resident_camera=resident is None or resident.camera,
        slots=_slots(call, mine),
        sharing=call.sharing == mine.participant,
        share_codecs=share_codecs(call, mine.participant),
        requested_at=ms(call.requested_at),
        answered_at=ms_or_none(call.answered_at),
        ended_at=ms_or_none(call.ended_at),
        end_reason=call.end_reason,
        outcome=call.outcome,
        outcome_note=call.outcome_note,
    )


def manager_state(
    calls: tuple[Call, ...],
    snapshot: Snapshot,
    online: frozenset[str],
    nodes: tuple[NodeInfo, ...],
    standings: Callable[[CallId], Mapping[ParticipantId, Standing]],
    directory: Directory,
    stats: Statistics,
    now: float,
) -> m.ManagerState:
    """``online``: the ids of the stations whose socket is held; ``standings``: of a call's networks."""
    by_age = sorted(calls, key=lambda c: (c.requested_at, c.id))
    return m.ManagerState(
        now=ms(now),
        waiting=tuple(_waiting_row(c, directory) for c in by_age if c.state in (State.QUEUED, State.OFFERED)),
        live=tuple(
            _live_row(c, directory, networks(c, standings(c.id)))
            for c in by_age
            if c.state in (State.CONNECTING, State.ACTIVE)
        ),
        agents=tuple(
            _agent_row(a, directory) for a in snapshot.agents if a.presence is not Presence.SIGNED_OUT
        ),
        stations=tuple(m.StationRow(s.id, s.name, s.id in online) for s in directory.stations()),
        nodes=tuple(map(_node_row, sorted(nodes, key=lambda n: (n.port, n.node)))),
        today=stats.today(),
    )


def _waiting_row(call: Call, directory: Directory) -> m.WaitingRow:
    rung = None if call.reservation is None else directory.agent(call.reservation.agent)
    return m.WaitingRow(
        call=call.id,
        item=_item(call, directory),
        station=_where(call, directory)[0],
        requested_at=ms(call.requested_at),
        ringing=None if rung is None else rung.name,
    )


def networks(call: Call, standings: Mapping[ParticipantId, Standing]) -> tuple[m.Network, ...]:
    """In the order of the seats; nothing while it waits or when it is over."""
    if call.state not in (State.CONNECTING, State.ACTIVE):
        return ()
    return tuple(_network(s.role, standings[s.participant]) for s in call.seats if s.participant in standings)


def _network(role: ParticipantRole, standing: Standing) -> m.Network:
    sample = standing.sample
    return m.Network(
        role=role,
        judgement=standing.judgement,
        rtt_ms=None if sample.rtt_ms is None else round(sample.rtt_ms),
        loss=round(100 * sample.loss, 1),
        unrepaired=round(100 * max(sample.up.loss_for_good, sample.down.loss_for_good), 1),
        up_kbps=round(sample.up.bitrate / 1000),
        down_kbps=round(sample.down.bitrate / 1000),
    )


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


def _live_row(call: Call, directory: Directory, networks: tuple[m.Network, ...]) -> m.LiveRow:
    agent = None if call.agent is None else directory.agent(call.agent)
    return m.LiveRow(
        call=call.id,
        item=_item(call, directory),
        station=_where(call, directory)[0],
        agent=NOBODY if agent is None else agent.name,
        phase=call.state,
        answered_at=ms_or_none(call.answered_at),
        sharing=call.sharing is not None,
        networks=networks,
    )


def _agent_row(agent: Agent, directory: Directory) -> m.AgentRow:
    card = directory.agent(agent.id)
    return m.AgentRow(
        agent=agent.id,
        name=NOBODY if card is None else card.name,
        presence=agent.presence,
        pause_reason=agent.pause_reason,
        activity=agent.activity,
        since=ms(agent.since),
    )


def _slots(call: Call, viewer: Seat | None) -> tuple[m.SlotView, ...]:
    if viewer is None:
        return ()
    roles = {s.participant: s.role for s in call.seats}
    seen = slots(call).get(viewer.participant, {})
    return tuple(m.SlotView(mid, t.participant, roles[t.participant], t.source) for mid, t in seen.items())


def _away(seat: Seat) -> bool:
    return seat.away_until is not None or seat.down_until is not None


def _item(call: Call, directory: Directory) -> Text:
    item = directory.item(call.item)
    return Text(call.item, call.item) if item is None else item.name


def _where(call: Call, directory: Directory) -> tuple[Text, Text]:
    card = directory.station(call.station)
    return (Text(call.station, call.station), NOBODY) if card is None else (card.name, card.site_name)
