"""What happens although everybody who should see to it is gone."""

from agents.agent import (
    Acceptance,
    Activity,
    DemandId,
    PauseReason,
    Presence,
    Release,
    ReservationId,
)
from agents.availability import Ask
from media import protocol
from media.protocol import NodeDown, NodeUp, RoomId
from records.model import CallId, EndReason, JournalKind
from signaling import events as ev
from signaling import messages as m
from signaling.holders import agent_identity, station_identity
from signaling.snapshot import RESIDENT, Call, State, seat_of_account
from tests.signaling.world import FIRST, HALL, ITEM, LIN, NODE_A, NODE_B, Talk, World, node


async def hold(world: World, talk: Talk) -> None:
    """As their sockets do, every few seconds."""
    await world.holders.take(station_identity(FIRST), talk.station.session.id)
    await world.holders.take(agent_identity(LIN), talk.agent.session.id)


async def test_a_dead_nodes_calls_move_to_another_when_it_was_missed_twice(world: World) -> None:
    talk = await world.talking()
    world.racks.nodes = [node(NODE_B)]
    await world.timers.nodes()
    assert (await world.call(talk.call)).node != NODE_B, "one look may be too early"
    await world.timers.nodes()
    call = await world.call(talk.call)
    assert (call.node, call.state) == (NODE_B, State.ACTIVE)
    made = {type(c).__name__ for to, c in world.racks.sent if to == NODE_B}
    assert made == {"OpenRoom", "Join", "SetSlots", "Record"}
    assert JournalKind.MEDIA_MOVED in world.books.kinds(talk.call)


async def test_a_node_that_only_lost_its_lease_is_told_to_close_and_ends_no_recording(world: World) -> None:
    talk = await world.talking()
    world.racks.nodes = [node(NODE_B)]
    for _ in range(2):
        await world.timers.nodes()
    assert world.racks.sent[-1] == (NODE_A, protocol.CloseRoom(HALL, RoomId(talk.call)))
    await world.node_says(protocol.RoomClosed, talk.call, at=NODE_A)
    assert world.books.complete == []
    await world.node_says(protocol.RoomClosed, talk.call, at=NODE_B)
    assert world.books.complete == [talk.call]


async def test_a_node_that_comes_back_in_time_makes_its_rooms_again(world: World) -> None:
    talk = await world.talking()
    nodes, world.racks.nodes = world.racks.nodes, []
    for _ in range(2):
        await world.timers.nodes()
    assert (await world.call(talk.call)).node_until == world.clock() + 15
    world.racks.nodes = nodes
    await world.timers.nodes()
    call = await world.call(talk.call)
    assert call.node_until is None
    assert {seat.generation for seat in call.seats} == {2}
    world.clock.now += 16
    await world.timers.deadlines()
    assert (await world.call(talk.call)).state is State.ACTIVE


async def test_word_of_a_dead_node_moves_its_calls_at_once_and_spreads_them(world: World) -> None:
    talk = await world.talking()
    world.racks.nodes = [node(NODE_B)]
    await world.timers.hear(NodeDown(NODE_A))
    call = await world.call(talk.call)
    assert (call.node, call.state) == (NODE_B, State.ACTIVE)
    await world.offered(talk.call, RESIDENT, 2)
    await talk.station.sees()
    assert talk.station.all(m.Offer)[-1].generation == 2


async def test_word_of_a_death_is_not_believed_against_the_lease(world: World) -> None:
    talk = await world.talking()
    world.racks.nodes.append(node(NODE_B))
    await world.timers.hear(NodeDown(NODE_A))
    assert (await world.call(talk.call)).node == NODE_A


async def test_a_node_that_comes_up_takes_what_nobody_could_carry(world: World) -> None:
    station, agent = await world.station().arrives(), await world.agent_on_duty()
    await station.asks("call", item=ITEM, consent=True)
    world.racks.nodes = []
    await world.timers.hear(NodeDown(NODE_A))
    assert (await station.sees()).call.held_up
    assert await world.queue() == []
    await world.timers.queue()
    assert await world.queue() == [], "nobody puts it back either"
    await world.dispatch()
    assert (await agent.sees()).ring is None
    world.racks.nodes = [node(NODE_B)]
    await world.timers.hear(NodeUp(NODE_B))
    assert not (await station.sees()).call.held_up
    await world.dispatch()
    assert (await agent.sees()).ring.call == (await station.sees()).call.id


async def test_a_call_that_its_full_node_refused_waits_for_room_and_is_not_thrown_at_it_again(
    world: World,
) -> None:
    talk = await world.talking()
    world.racks.nodes = [node(NODE_A, full="cpu")]
    await world.switchboard.tell(talk.call, ev.NodeGone(NODE_A, None))
    world.racks.sent.clear()
    for _ in range(3):
        await world.timers.leases()
    assert world.racks.sent == []
    world.racks.nodes = [node(NODE_A, full="cpu"), node(NODE_B)]
    await world.timers.leases()
    assert (await world.call(talk.call)).node == NODE_B


async def test_a_full_node_that_was_only_silent_keeps_its_calls(world: World) -> None:
    talk = await world.talking()
    world.racks.nodes = []
    for _ in range(2):
        await world.timers.leases()
    assert (await world.call(talk.call)).node_until is not None
    world.racks.nodes = [node(NODE_A, rooms=40, capacity=40)]
    await world.timers.leases()
    assert (await world.call(talk.call)).node_until is None


async def test_calls_are_looked_at_only_when_the_leases_changed_and_now_and_then(world: World) -> None:
    await world.talking()
    looked = 0
    live = world.calls.live

    async def counted() -> tuple[Call, ...]:
        nonlocal looked
        looked += 1
        return await live()

    world.calls.live = counted  # type: ignore[method-assign]
    await world.timers.leases()
    assert looked == 1
    for _ in range(40):
        await world.timers.leases()
    assert looked == 11


async def test_without_any_node_a_call_ends_by_name(world: World) -> None:
    talk = await world.talking()
    world.racks.nodes = []
    for _ in range(2):
        await world.timers.nodes()
    world.clock.now += 15
    await world.timers.deadlines()
    assert (await world.call(talk.call)).end_reason is EndReason.MEDIA_LOST


async def test_people_whose_process_died_are_away_when_they_were_missed_twice(world: World) -> None:
    talk = await world.talking()
    await hold(world, talk)
    await world.timers.holders()
    await world.holders.drop(station_identity(FIRST), talk.station.session.id)
    await world.holders.drop(agent_identity(LIN), talk.agent.session.id)
    await world.timers.holders()
    assert not any(seat.away_until for seat in (await world.call(talk.call)).seats)
    await world.timers.holders()
    assert all(seat.away_until for seat in (await world.call(talk.call)).seats)
    lin = await world.known(LIN)
    assert (lin.presence, lin.pause_reason) == (Presence.PAUSED, PauseReason.CONNECTION_LOST)


async def test_who_was_there_all_the_time_is_back_with_the_next_look(world: World) -> None:
    """Redis forgot who holds what, not who is connected."""
    talk = await world.talking()
    for _ in range(2):
        await world.timers.holders()
    assert all(seat.away_until for seat in (await world.call(talk.call)).seats)
    await talk.station.sees()
    await talk.agent.sees()
    assert not any(seat.away_until for seat in (await world.call(talk.call)).seats)
    assert (await world.known(LIN)).presence is Presence.AVAILABLE


async def test_an_agent_stuck_in_a_call_that_is_over_is_let_go(world: World) -> None:
    talk = await world.talking()
    await world.switchboard.tell(talk.call, ev.LeftByResident())
    # A failover brought back the agent's record as it was before.
    await comes_back_in_call(world, talk.call)
    await world.timers.agents()
    assert (await world.known(LIN)).activity is Activity.IN_CALL, "not before its own process had the time"
    world.clock.now += 6
    await world.timers.agents()
    assert (await world.known(LIN)).activity is Activity.WRAP_UP


async def test_an_agent_in_a_call_that_nobody_remembers_is_idle(world: World) -> None:
    talk = await world.talking()
    await world.calls.forget(await world.call(talk.call))
    world.clock.now += 6
    await world.timers.agents()
    assert (await world.known(LIN)).activity is Activity.IDLE


async def test_a_process_that_dies_between_taking_a_ring_and_telling_the_call_costs_nobody_anything(
    world: World,
) -> None:
    station, agent = await world.station().arrives(), await world.agent_on_duty()
    await station.asks("call", item=ITEM, consent=True)
    await world.dispatch()
    ring = (await agent.sees()).ring
    accepted = await world.availability.accept(ring.reservation, LIN, world.clock())  # and then it died
    assert accepted is Acceptance.COMPLETE
    world.clock.now += 20 + 3
    await world.timers.deadlines()
    await world.timers.agents()
    assert (await world.call(ring.call)).state is State.QUEUED
    assert (await world.known(LIN)).activity is Activity.IDLE
    assert await world.queue() == [ring.call]
    await world.dispatch()
    assert (await agent.sees()).ring.call == ring.call


async def test_a_ring_that_nobody_ends_ends_by_itself(world: World) -> None:
    """The dispatcher gave the reservation back, but could not tell the call."""
    station, agent = await world.station().arrives(), await world.agent_on_duty()
    await station.asks("call", item=ITEM, consent=True)
    await world.dispatch()
    ring = (await agent.sees()).ring
    await world.availability.give_back(ring.reservation, Release.NO_ANSWER, world.clock())
    world.clock.now += 23
    await world.timers.deadlines()
    assert (await world.call(ring.call)).state is State.QUEUED
    assert await world.queue() == [ring.call]


async def test_a_waiting_call_that_the_queue_lost_is_put_back(redis_world: World) -> None:
    world = redis_world
    station = await world.station().arrives()
    assert await world.lets_in(station) is None
    (call,) = await world.queue()
    await world.availability.withdraw(DemandId(call))
    await world.timers.queue()
    assert await world.queue() == [call]


async def test_a_call_that_is_over_does_not_stay_in_the_queue(world: World) -> None:
    station = await world.station().arrives()
    assert await world.lets_in(station) is None
    entry = (await world.availability.snapshot()).waiting[0]
    await station.asks("cancel", call=entry.call)
    await world.availability.enqueue(entry)  # a command that came late
    await world.timers.queue()
    assert await world.queue() == []


async def test_an_agent_who_is_gone_while_it_rings_does_not_hold_up_the_call(world: World) -> None:
    station, agent = await world.station().arrives(), await world.agent_on_duty()
    await station.asks("call", item=ITEM, consent=True)
    await world.dispatch()
    await agent.sees()
    await agent.desk.lost()
    (call,) = await world.calls.live()
    assert call.state is State.QUEUED, "at once"
    assert seat_of_account(call, LIN) is None
    assert await world.queue() == [call.id]
    assert (await world.known(LIN)).activity is Activity.IDLE


async def test_one_work_that_fails_does_not_keep_the_others(world: World) -> None:
    async def fails() -> None:
        raise ConnectionError("Redis is away")

    await world.timers._try(fails)


async def test_the_end_of_an_older_ring_is_no_end_of_this_one(world: World) -> None:
    station, agent = await world.station().arrives(), await world.agent_on_duty()
    await station.asks("call", item=ITEM, consent=True)
    await world.dispatch()
    ring = (await agent.sees()).ring
    before = await world.call(ring.call)
    await world.switchboard.tell(ring.call, ev.RingExpired(ReservationId("older")))
    assert await world.call(ring.call) == before


async def comes_back_in_call(world: World, call: CallId) -> None:
    lin = await world.known(LIN)
    assert lin.call == call
    await world.availability.release(LIN, call, Release.READY, world.clock())
    demand = (await world.call(call)).demand
    await world.availability.enqueue(demand)
    until = world.clock() + 20
    ask = Ask(demand.id, (LIN,), ReservationId("again"), until)
    (made,) = await world.availability.reserve((ask,), world.clock())
    assert made is not None
    assert await world.availability.accept(made.id, LIN, world.clock()) is Acceptance.COMPLETE
