"""Deadlines and reconciliation: what must happen even if everybody who should do it is gone.

Any number of processes may run this for one hall; everything it does is idempotent.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from agents.agent import Activity, Agent, DemandId, PauseReason, Presence, Release
from media.protocol import NodeDown, NodeId, NodeInfo, NodeUp
from records.model import AccountId, CallId, ParticipantRole, StationId
from signaling import events as ev
from signaling.bus import QUEUE, agent_topic
from signaling.call import InvalidTransition
from signaling.hall import Hall
from signaling.holders import agent_identity, station_identity, supervisor_identity
from signaling.snapshot import Call, Seat, State, demands, seat_of_account
from signaling.switchboard import UnknownCall, is_over

log = structlog.get_logger(__name__)

TICK_S = 0.25
LEASES_S = 0.5  # how often the nodes' leases are read, for one that died without word of it
LOOKS_UNTIL_SURE = 4  # every so many looks at the leases the calls are looked at as well
MOVED_AT_ONCE = 20  # calls of a dead node
RECONCILE_S = 2.0
LEFT_OVER_S = 5.0  # commands saved this long ago and not carried out belong to a process that died


class Timers:
    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._suspects: frozenset[str] = frozenset()
        self._silent_nodes: frozenset[NodeId] = frozenset()
        self._alive: frozenset[NodeId] = frozenset()
        self._lapsed: frozenset[NodeId] = frozenset()  # were gone with calls that nobody could take
        self._settled = False  # at the last look every call was on a node that is alive
        self._looks = 0

    async def run(self) -> None:
        reconciled = looked = 0.0
        while True:
            now = self._hall.clock()
            await self._try(self.deadlines)
            if now - looked >= LEASES_S:
                looked = now
                await self._try(self.leases)
            if now - reconciled >= RECONCILE_S:
                reconciled = now
                for work in (self.left_over, self.holders, self.agents, self.queue):
                    await self._try(work)
            await asyncio.sleep(TICK_S)

    async def deadlines(self) -> None:
        now = self._hall.clock()
        due = await self._hall.calls.due(now)
        unfinished = {p.call for p in await self._hall.calls.left_over(now)} if due else set()
        for call in due:
            if call not in unfinished or not await self._is_over(call):
                await self._tell(call, ev.DeadlinePassed())

    async def left_over(self) -> None:
        for pending in await self._hall.calls.left_over(self._hall.clock() - LEFT_OVER_S):
            log.info("carried out again", call=pending.call, outbox=pending.id)
            await self._hall.switchboard.carry_out_again(pending)

    async def hear(self, news: NodeUp | NodeDown) -> None:
        """A node that is said to be gone is left at once; one that came takes what nobody could carry."""
        alive = await self._hall.switchboard.nodes.alive()
        calls = await self._live()
        if isinstance(news, NodeUp):
            await self._each(self._carried_again, [c for c in calls if c.node_until is not None], alive)
        elif all(info.node != news.node for info in alive):
            await self._each(self._move, [c for c in calls if c.node == news.node], alive)

    async def leases(self) -> None:
        """``nodes``, as soon as the leases say something else than before; cheap while they do not."""
        alive = frozenset(info.node for info in await self._hall.switchboard.nodes.alive())
        self._looks += 1
        if alive != self._alive or not self._settled or self._looks % LOOKS_UNTIL_SURE == 0:
            await self.nodes()

    async def nodes(self) -> None:
        """Calls on a media node whose lease is over, seen twice, go to another one; or to the same, if
        it comes back before another has room."""
        alive = await self._hall.switchboard.nodes.alive()
        calls = await self._live()
        names = frozenset(info.node for info in alive)
        silent = frozenset(c.node for c in calls if c.node not in names)
        gone, self._silent_nodes = silent & self._silent_nodes, silent
        self._alive, self._settled = names, not silent and all(c.node_until is None for c in calls)
        self._lapsed = (self._lapsed | gone) & {c.node for c in calls}
        await self._each(self._move, [c for c in calls if c.node in gone], alive)
        back = [c for c in calls if c.node in names and c.node_until is not None]
        await self._each(self._carried_again, back, alive)

    async def holders(self) -> None:
        """Sockets whose process died without a word: seen missing twice, their people are away."""
        calls = await self._live()
        agents = [a for a in (await self._hall.availability.snapshot()).agents if _is_present(a)]
        seats = [(call, seat) for call in calls for seat in call.seats]
        wanted = {_identity(seat) for _, seat in seats} | {agent_identity(a.id) for a in agents}
        held = await self._hall.holders.held(tuple(sorted(wanted)))
        missing = frozenset(wanted - held)
        gone, self._suspects = missing & self._suspects, missing
        for call, seat in seats:
            if _identity(seat) in gone and seat.away_until is None:
                await self._tell(call.id, ev.WentAway(seat.participant))
        for agent in agents:
            if agent_identity(agent.id) in gone:
                await self._pause(agent)

    async def agents(self) -> None:
        """An agent who is with a call that is over, that nobody remembers or that it has no seat in is let
        go."""
        long_ago = self._hall.clock() - LEFT_OVER_S
        for agent in (await self._hall.availability.snapshot()).agents:
            if agent.activity is not Activity.IN_CALL or agent.call is None or agent.since > long_ago:
                continue
            call = await self._hall.calls.load(agent.call)
            seat = None if call is None else seat_of_account(call, agent.id)
            if call is not None and (agent.id in call.former if seat is None else call.state is State.ENDED):
                log.warning("agent let go", agent=agent.id, call=agent.call)
                await self._to_wrap_up(agent, agent.call)
            elif seat is None:
                log.warning("agent let go", agent=agent.id, call=agent.call)
                await self._hall.switchboard.let_go(agent.id, agent.call)

    async def queue(self) -> None:
        """What waits for a call is in the queue, and what is over is not, whatever was lost on the way."""
        snapshot = await self._hall.availability.snapshot()
        queued = {w.id: w.call for w in snapshot.waiting}
        known = {c.id: c for c in await self._hall.calls.live()}
        wanted = {d.id: c.id for c in known.values() for d in demands(c)}
        lost = wanted.keys() - queued.keys()
        over = {d for d, call in queued.items() if is_over(known.get(call), d)}
        of_calls: dict[CallId, list[DemandId]] = {}
        for demand in sorted(lost | over):
            of_calls.setdefault((queued | wanted)[demand], []).append(demand)
        for call, demands_ in of_calls.items():
            await self._hall.switchboard.back_in_queue(call, *demands_)
        if of_calls:
            await self._hall.bus.tell(QUEUE)

    # --- parts -----------------------------------------------------------------------------------------

    async def _each(
        self,
        work: Callable[[Call, tuple[NodeInfo, ...]], Awaitable[None]],
        calls: list[Call],
        alive: tuple[NodeInfo, ...],
    ) -> None:
        """Several at a time: the last of sixty calls is not to wait for the other fifty-nine."""
        for first in range(0, len(calls), MOVED_AT_ONCE):
            some = calls[first : first + MOVED_AT_ONCE]
            done = await asyncio.gather(*(work(call, alive) for call in some), return_exceptions=True)
            for call, result in zip(some, done, strict=True):
                if isinstance(result, BaseException):
                    log.warning("to be moved again", call=call.id, why=str(result))

    async def _move(self, call: Call, alive: tuple[NodeInfo, ...]) -> None:
        other = self._hall.switchboard.placement.choose(alive, without=call.node)
        await self._tell(call.id, ev.NodeGone(call.node, other))

    async def _carried_again(self, call: Call, alive: tuple[NodeInfo, ...]) -> None:
        """On any node that has room; or on its own one that was silent and is back, even if that says that it
        is full: it may be full of calls such as this one, and refuses if it is not."""
        node = self._hall.switchboard.placement.choose(alive)
        back = {info.node for info in alive if not info.draining} & self._lapsed
        if node is None and call.node in back:
            node = call.node
        if node is not None:
            await self._tell(call.id, ev.NodeGone(call.node, node))

    async def _live(self) -> list[Call]:
        return [c for c in await self._hall.calls.live() if c.state is not State.ENDED]

    async def _is_over(self, id: CallId) -> bool:
        call = await self._hall.calls.load(id)
        return call is not None and call.state is State.ENDED

    async def _to_wrap_up(self, agent: Agent, call: CallId) -> None:
        await self._hall.availability.release(agent.id, call, Release.ENDED, self._hall.clock())
        await self._hall.bus.tell(agent_topic(agent.id), QUEUE)

    async def _pause(self, agent: Agent) -> None:
        now = self._hall.clock()
        declare = self._hall.availability.declare
        await declare(agent.id, Presence.PAUSED, PauseReason.CONNECTION_LOST, now)
        await self._hall.bus.tell(agent_topic(agent.id), QUEUE)

    async def _tell(self, call: CallId, event: ev.AnyEvent) -> None:
        try:
            await self._hall.switchboard.tell(call, event)
        except (UnknownCall, InvalidTransition) as late:
            log.info("event dropped", call=call, why=str(late))

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as failed:
            log.warning("to be tried again", work=getattr(work, "__name__", "work"), why=str(failed))


def _identity(seat: Seat) -> str:
    match seat.role:
        case ParticipantRole.RESIDENT:
            return station_identity(StationId(seat.who))
        case ParticipantRole.SUPERVISOR:
            return supervisor_identity(AccountId(seat.who))
        case _:
            return agent_identity(AccountId(seat.who))


def _is_present(agent: Agent) -> bool:
    return agent.presence is Presence.AVAILABLE
