"""Events to calls: load -> transition -> save if unchanged -> carry out the commands.

Everything that carries out is idempotent, and what was saved but not carried out (this process died in
between) is carried out by whichever process finds it (timers.py).
"""

from collections.abc import Callable
from contextlib import suppress
from typing import assert_never

import structlog
from msgspec.structs import replace
from redis.exceptions import RedisError

from agents.agent import DemandId, Release
from agents.availability import Availability
from agents.plan import Plan
from media import protocol
from media.protocol import NodeId, RoomId
from records.model import AccountId, CallId, Item, JournalEntry, Part
from signaling import call as machine
from signaling import events as ev
from signaling.bus import QUEUE, Bus, agent_topic, call_topic
from signaling.call import InvalidTransition
from signaling.calls import Calls, Pending
from signaling.events import AnyCommand, AnyEvent
from signaling.ports import Ledger, StationCard
from signaling.requests import NOTHING_SPECIAL, SIGN_LANGUAGE, Wish, demand_for, is_sequel
from signaling.ringing import reservation as reservation_of
from signaling.rooms import Nodes, Placement
from signaling.snapshot import Call, Patience, State, demands, is_queued, seat_of, summary

__all__ = ["SIGN_LANGUAGE", "NoMediaNode", "StationBusy", "Switchboard", "UnknownCall", "Wish", "is_over"]

log = structlog.get_logger(__name__)


class UnknownCall(LookupError):
    """No live call has this id."""


class StationBusy(Exception):
    """The station already has a call."""


class NoMediaNode(Exception):
    """No media node is alive with room for another call."""


class Switchboard:
    """``folder_of`` says where in the recordings folder a call's files go; ``poke`` wakes the dispatcher."""

    def __init__(
        self,
        *,
        hall: str,
        calls: Calls,
        availability: Availability,
        nodes: Nodes,
        ledger: Ledger,
        bus: Bus,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        folder_of: Callable[[Call], str],
        plan: Callable[[], Plan],
        poke: Callable[[], None],
        patience: Patience | None = None,
    ) -> None:
        self.hall = hall
        self.calls = calls
        self.availability = availability
        self.nodes = nodes
        self.placement = Placement(clock)
        self.ledger = ledger
        self.bus = bus
        self.clock = clock
        self._new_id = new_id
        self._folder_of = folder_of
        self._plan = plan
        self._poke = poke
        self._patience = patience or Patience()

    # --- in ------------------------------------------------------------------------------------------

    async def request(self, station: StationCard, item: Item, wish: Wish = NOTHING_SPECIAL) -> Call:
        """A resident's call. Raises StationBusy, NoMediaNode."""
        node = self.placement.choose(await self.nodes.alive())
        if node is None:
            raise NoMediaNode
        now, held = self.clock(), await self._ended_call_of(station)
        before = await self.sequel_of(station, item)
        plan, id_ = self._plan(), CallId(self._new_id())
        demand = demand_for(id_, station, item, wish, before, plan, now)
        patience = replace(self._patience, queue=plan.queue(demand.queue).wait_at_most_s)
        call, commands = machine.start(demand=demand, hall=self.hall, node=node, now=now, patience=patience)
        pending = await self.calls.create(call, commands, held)
        if pending is None:
            raise StationBusy
        log.info("call", call=call.id, state=f"-> {call.state}", item=item.id, station=station.id)
        await self._carry_out(call, pending)
        return call

    async def sequel_of(self, station: StationCard, item: Item) -> Call | None:
        """The call that the station's next one about this item goes on with: its last, if that broke off."""
        held = await self.calls.of_station(station.id)
        call = None if held is None else await self.calls.load(held)
        if call is None or not is_sequel(call, item, self.clock()):
            return None
        return call

    async def tell(self, call: CallId, event: AnyEvent) -> Call:
        """Let an event happen to a call; returns the call after it. Raises UnknownCall, InvalidTransition."""
        while True:
            before = await self.calls.load(call)
            if before is None:
                raise UnknownCall(call)
            after, commands = machine.transition(before, event, self.clock())
            if after is before and not commands:
                return before
            pending = await self.calls.save(after, before.revision, commands)
            if pending is not None:
                break
        if after.state is not before.state:
            log.info("call", call=call, state=f"{before.state} -> {after.state}", by=type(event).__name__)
        await self._carry_out(after, pending)
        if after.node != before.node:
            await self._close_left_room(before)
        return after

    async def hear(self, event: protocol.AnyEvent) -> None:
        """What a media node says. Raises what the ledger raises: the event is then delivered again."""
        match event:
            case protocol.PartOpened() | protocol.PartSealed():
                await self._keep_part(event)
            case protocol.Refused(participant=participant, reason=reason, detail=detail):
                log.warning("< node refused", call=event.room, who=participant, reason=reason, detail=detail)
                await self._refused(event)
            case protocol.RoomClosed():
                call = await self.calls.load(CallId(event.room))
                if call is None or call.node == event.node:  # a node that was left does not end a recording
                    await self.ledger.recording_complete(CallId(event.room))
            case protocol.Offered() | protocol.Connected() | protocol.Disconnected():
                await self._tell_quietly(CallId(event.room), _leg_event(event))
            case _:
                assert_never(event)

    async def carry_out_again(self, pending: Pending) -> None:
        """Commands left over by a process that died, or that failed before."""
        call = await self.calls.load(pending.call)
        if call is None:
            await self.calls.carried_out(pending)
            return
        meant = tuple(c for c in pending.commands if machine.is_still_meant(call, c))
        await self._carry_out(call, replace(pending, commands=meant))

    async def let_go(self, agent: AccountId, call: CallId) -> None:
        """An agent who took a reservation of which the call knows nothing (any more): idle again at once, and
        the call, if it still waits, is offered to others."""
        now = self.clock()
        await self.availability.release(agent, call, Release.ENDED, now)
        await self.availability.release(agent, call, Release.READY, now)
        await self.back_in_queue(call)
        await self.bus.tell(agent_topic(agent), QUEUE)
        self._poke()

    async def back_in_queue(self, id_: CallId, *maybe_over: DemandId) -> None:
        """The queue has what waits for the call, in its place, and nothing else of it: neither its own demand
        nor any of ``maybe_over``, nor what no media node carries."""
        call = await self.calls.load(id_)
        wanted = demands(call) if call is not None else ()
        for demand in wanted:
            await self.availability.enqueue(demand)
        if wanted:
            call = await self.calls.load(id_)
        for demand_id in {DemandId(id_), *(d.id for d in wanted), *maybe_over}:
            if is_over(call, demand_id):
                await self.availability.withdraw(demand_id)

    # --- out -----------------------------------------------------------------------------------------

    async def _carry_out(self, call: Call, pending: Pending) -> None:
        """Media and agents first: they are what people wait for. Then word to the pages, then the ledger, and
        the room is closed last: the node's answer to that seals the recording of a call that is over.

        What fails stays in the outbox and is carried out again; the call itself is already saved.
        """
        failed = False
        for step in (self._carry_live, self._spread_word, self._write_down, self._close_room):
            try:
                await step(call, pending.commands)
            except Exception:
                failed = True
                log.exception("to be carried out again", call=call.id, outbox=pending.id)
        if not failed:
            with suppress(RedisError, OSError):  # then it is carried out twice, which changes nothing
                await self.calls.carried_out(pending)

    async def _carry_live(self, call: Call, commands: tuple[AnyCommand, ...]) -> None:
        for command in commands:
            if not isinstance(command, ev.CloseRoom):
                await self._carry(call, command)

    async def _write_down(self, call: Call, commands: tuple[AnyCommand, ...]) -> None:
        written = [_entry(call, c) for c in commands if isinstance(c, ev.Journal)]
        if written:
            await self.ledger.write(written, summary(call))
        for rating in commands:
            if isinstance(rating, ev.KeepRating):
                await self.ledger.rate(call.id, rating.stars, rating.reasons, rating.at)

    async def _close_room(self, call: Call, commands: tuple[AnyCommand, ...]) -> None:
        if any(isinstance(command, ev.CloseRoom) for command in commands):
            await self.nodes.send(call.node, protocol.CloseRoom(call.hall, RoomId(call.id)))

    async def _close_left_room(self, before: Call) -> None:
        """A node that only lost its lease still has the room, and its files open. Once is enough: a room
        that everybody left is closed after a minute anyway."""
        try:
            await self.nodes.send(before.node, protocol.CloseRoom(before.hall, RoomId(before.id)))
        except (RedisError, OSError) as lost:
            log.warning("room left open", call=before.id, node=before.node, why=str(lost))

    async def _carry(self, call: Call, command: AnyCommand) -> None:
        now = self.clock()
        match command:
            case ev.Enqueue():
                await self.back_in_queue(call.id)  # by now it may have been cancelled, or be held up no more
            case ev.Withdraw(demand):
                await self.back_in_queue(call.id, demand)
            case ev.GiveBack(reservation, why, by):
                await self.availability.give_back(reservation.id, why, now, by)
            case ev.FreeAgent(agent):
                await self.availability.release(agent, call.id, Release.ENDED, now)
            case ev.Forget():
                await self.calls.forget(call)
            case ev.Journal() | ev.KeepRating():
                pass  # written together, after everything else
            case _:
                await self.nodes.send(call.node, _to_node(call, command, self._folder_of(call)))

    async def _spread_word(self, call: Call, commands: tuple[AnyCommand, ...]) -> None:
        topics = [call_topic(call.id)]
        for command in commands:
            match command:
                case ev.GiveBack(reservation):
                    topics += [*map(agent_topic, reservation.agents), QUEUE]
                case ev.FreeAgent(agent):
                    topics += [agent_topic(agent), QUEUE]
                case ev.Enqueue() | ev.Withdraw():
                    topics.append(QUEUE)
        if (rings := reservation_of(call)) is not None:
            topics += [*map(agent_topic, rings.agents), QUEUE]
        await self.bus.tell(*dict.fromkeys(topics))
        if QUEUE in topics:
            self._poke()

    async def _keep_part(self, event: protocol.PartOpened | protocol.PartSealed) -> None:
        if isinstance(event, protocol.PartOpened):
            await self.ledger.part_opened(_part(event))
        else:
            await self.ledger.part_sealed(
                replace(
                    _part(event),
                    sealed=True,
                    duration=event.duration,
                    size=event.size,
                    sha256=event.sha256,
                    gaps=event.gaps,
                )
            )

    async def _refused(self, event: protocol.Refused) -> None:
        """A bad answer is the page's to hear of. A connection or a room that the node has not got is made
        again; a node that is full is as good as gone."""
        id, who, generation = CallId(event.room), event.participant, event.generation
        match event.reason, who:
            case protocol.RefusalReason.BAD_ANSWER, str():
                await self._tell_quietly(id, ev.AnswerRefused(who, generation, event.detail))
            case protocol.RefusalReason.NO_SUCH_PARTICIPANT, str():
                await self._tell_quietly(id, ev.RejoinAsked(who, generation))
            case protocol.RefusalReason.NO_SUCH_ROOM, str():
                call = await self.calls.load(id)
                seat = None if call is None else seat_of(call, who)
                if call is None or seat is None or seat.generation != generation:
                    return  # made again already
                if call.node == event.node and call.node_until is None:
                    await self._tell_quietly(id, ev.NodeGone(event.node, event.node))
            case protocol.RefusalReason.FULL, _:
                await self._leave(id, event.node)

    async def _leave(self, id: CallId, full: NodeId) -> None:
        call = await self.calls.load(id)
        if call is not None and call.node == full:
            other = self.placement.choose(await self.nodes.alive(), without=full)
            await self._tell_quietly(id, ev.NodeGone(full, other))

    async def _tell_quietly(self, call: CallId, event: AnyEvent) -> None:
        """For senders that cannot be answered: what does not fit is logged."""
        try:
            await self.tell(call, event)
        except (UnknownCall, InvalidTransition) as late:
            log.info("event dropped", call=call, why=str(late))

    async def _ended_call_of(self, station: StationCard) -> CallId | None:
        """An ended call that nobody dismissed makes way for the next resident."""
        held = await self.calls.of_station(station.id)
        if held is None:
            return None
        call = await self.calls.load(held)
        return held if call is None or call.state is State.ENDED else None


def is_over(call: Call | None, demand: DemandId) -> bool:
    """Whether nobody is to be rung for this demand any more. One that somebody was just reserved for is not
    over: its call hears of that later than the queue."""
    if call is None or call.state is State.ENDED:
        return True
    if demand == call.demand.id:
        return call.state is State.QUEUED and not is_queued(call)
    ask = call.ask
    return ask is None or ask.demand.id != demand or call.node_until is not None


def _entry(call: Call, said: ev.Journal) -> JournalEntry:
    return JournalEntry(call=call.id, at=said.at, kind=said.kind, key=said.key, data=said.data)


def _leg_event(event: protocol.Offered | protocol.Connected | protocol.Disconnected) -> AnyEvent:
    match event:
        case protocol.Offered(participant=participant, generation=generation, sdp=sdp, restart=restart):
            return ev.Offered(participant, generation, sdp, restart)
        case protocol.Connected(participant=participant, generation=generation, takes=takes):
            return ev.LegUp(participant, generation, takes)
        case protocol.Disconnected(participant=participant, generation=generation, reason=reason):
            return ev.LegDown(participant, generation, reason)


def _part(event: protocol.PartEvent) -> Part:
    return Part(
        id=event.part,
        call=CallId(event.room),
        participant=event.participant,
        role=event.role,
        kind=event.kind,
        generation=event.generation,
        path=event.path,
        started_at=event.started_at,
    )


def _to_node(call: Call, command: AnyCommand, folder: str) -> protocol.AnyCommand:
    """A call's command in the node's words: the room is the call."""
    hall, room = call.hall, RoomId(call.id)
    match command:
        case ev.OpenRoom():
            return protocol.OpenRoom(hall, room, folder)
        case ev.CloseRoom():
            return protocol.CloseRoom(hall, room)
        case ev.Join(participant, role, generation):
            return protocol.Join(hall, room, participant, role, generation)
        case ev.PassAnswer(participant, generation, sdp, restart):
            return protocol.Answer(hall, room, participant, generation, sdp, restart)
        case ev.RestartIce(participant, generation, restart):
            return protocol.RestartIce(hall, room, participant, generation, restart)
        case ev.Leave(participant):
            return protocol.Leave(hall, room, participant)
        case ev.SetSlots(revision, slots):
            return protocol.SetSlots(hall, room, revision, slots)
        case ev.Record(participants):
            return protocol.Record(hall, room, participants)
    raise TypeError(f"{type(command).__name__} is not for a media node")
