"""Events to calls, and commands to those whom they concern: nothing is lost, nothing is done by halves."""

import asyncio
from typing import Any

import pytest

from agents.agent import Activity, DemandId, Party, Waiting
from media import protocol
from records.model import (
    CallId,
    EndReason,
    Gap,
    JournalKind,
    MediaKind,
    ParticipantId,
    ParticipantRole,
    PartId,
    RatingReason,
)
from signaling import events as ev
from signaling import messages as m
from signaling.call import InvalidTransition, start
from signaling.calls import Pending
from signaling.messages import ErrorCode
from signaling.snapshot import RESIDENT, State
from signaling.switchboard import NoMediaNode, StationBusy, UnknownCall
from tests.signaling.world import (
    FIRST,
    ITEM,
    LIN,
    NODE_A,
    NODE_B,
    OWN_QUEUE,
    SKILL,
    LedgerDown,
    Names,
    World,
    item,
    node,
)

CARD = Names().cards[FIRST]
CALL = CallId("c1")
SEAT = ParticipantId("agent-1")


async def waiting_call(world: World) -> CallId:
    return (await world.switchboard.request(CARD, item(ITEM))).id


async def test_a_call_is_put_on_the_least_loaded_node_and_into_the_queue(world: World) -> None:
    world.racks.nodes = [node(NODE_A, rooms=1, cpu=0.5), node(NODE_B, rooms=10, cpu=0.2)]
    call = await waiting_call(world)
    made = [(to, type(command)) for to, command in world.racks.sent]
    assert made == [(NODE_B, protocol.OpenRoom), (NODE_B, protocol.Join)]
    assert world.racks.told(protocol.OpenRoom)[0].folder == f"day/{call}"
    assert await world.queue() == [call]
    assert world.books.kinds(call) == [JournalKind.REQUESTED]
    assert await world.calls.left_over(world.clock() + 1) == ()


async def test_without_room_on_any_node_there_is_no_call(world: World) -> None:
    world.racks.nodes = [node(NODE_A, rooms=40, capacity=40), node(NODE_B, draining=True)]
    with pytest.raises(NoMediaNode):
        await waiting_call(world)
    assert await world.calls.of_station(FIRST) is None


async def test_a_station_has_one_call_and_one_that_is_over_makes_way(world: World) -> None:
    first = await waiting_call(world)
    with pytest.raises(StationBusy):
        await waiting_call(world)
    await world.switchboard.tell(first, ev.LeftByResident())
    second = await waiting_call(world)
    assert await world.calls.of_station(FIRST) == second != first


async def test_nobody_is_told_of_a_call_that_is_not_there(world: World) -> None:
    with pytest.raises(UnknownCall):
        await world.switchboard.tell(CallId("nowhere"), ev.LeftByResident())


async def test_what_does_not_fit_changes_nothing(world: World) -> None:
    call = await waiting_call(world)
    before, sent = await world.call(call), list(world.racks.sent)
    with pytest.raises(InvalidTransition):
        await world.switchboard.tell(call, ev.Rated(5, ()))
    assert await world.call(call) == before
    assert world.racks.sent == sent


async def test_fifty_at_once_all_happen_one_after_the_other(redis_world: World) -> None:
    world = redis_world
    talk = await world.talking()
    before = (await world.call(talk.call)).revision
    toggles = [ev.ShareSet(SEAT, on=True), ev.ShareSet(RESIDENT, on=True)] * 5
    await asyncio.gather(
        *(world.switchboard.tell(talk.call, toggle) for toggle in toggles),
        *(world.switchboard.tell(talk.call, ev.NoteAdded(LIN, "n", f"{n}")) for n in range(40)),
    )
    assert (await world.call(talk.call)).revision > before
    assert world.books.kinds(talk.call).count(JournalKind.NOTE) == 40
    revisions = [c.revision for c in world.racks.told(protocol.SetSlots)]
    assert len(set(revisions)) == len(revisions), "every mapping has a number of its own"
    assert await world.calls.left_over(2e9) == ()


async def test_of_accepting_and_cancelling_at_once_one_happens_and_nobody_is_stuck(
    redis_world: World,
) -> None:
    world = redis_world
    station, agent = await world.station().arrives(), await world.agent_on_duty()
    await station.asks("call", item=ITEM, consent=True)
    await world.dispatch()
    ring = (await agent.sees()).ring
    accepted, cancelled = await asyncio.gather(
        agent.asks("accept", call=ring.call, reservation=ring.reservation),
        station.asks("cancel", call=ring.call),
    )
    call, lin = await world.call(ring.call), await world.known(LIN)
    assert cancelled is None
    assert call.state is State.ENDED
    if accepted is None:  # it was answered first, then hung up
        assert (call.end_reason, lin.activity) == (EndReason.COMPLETED_BY_RESIDENT, Activity.WRAP_UP)
    else:
        assert (accepted, call.end_reason, lin.activity) == (
            ErrorCode.NOT_OFFERED,
            EndReason.CANCELLED,
            Activity.IDLE,
        )


async def test_while_the_ledger_is_away_calls_go_on_and_it_is_told_later(world: World) -> None:
    world.books.down = True
    talk = await world.talking()
    assert await talk.agent.asks("hang_up", call=talk.call) is None
    assert (await world.known(LIN)).activity is Activity.WRAP_UP
    assert world.racks.told(protocol.CloseRoom), "people do not wait for the ledger"
    assert world.books.entries == {}
    world.clock.now += 6
    await world.timers.left_over()
    assert world.books.entries == {}, "it is still away"
    world.books.down = False
    await world.timers.left_over()
    assert world.books.kinds(talk.call) == [
        JournalKind.REQUESTED,
        JournalKind.RING,
        JournalKind.ANSWERED,
        JournalKind.CONNECTED,
        JournalKind.ENDED,
    ]
    assert world.books.summaries[talk.call].end_reason is EndReason.COMPLETED_BY_AGENT
    assert await world.calls.left_over(world.clock() + 1) == ()


async def test_what_began_something_is_not_carried_out_once_the_call_is_over(world: World) -> None:
    world.books.down = True
    call = await waiting_call(world)
    await world.switchboard.tell(call, ev.LeftByResident())
    world.racks.sent.clear()
    world.clock.now += 6
    await world.timers.left_over()
    assert [type(c) for _, c in world.racks.sent] == [protocol.CloseRoom]
    assert await world.queue() == []


async def test_a_call_is_not_forgotten_before_the_ledger_knows_of_it(world: World) -> None:
    world.books.down = True
    call = await waiting_call(world)
    await world.switchboard.tell(call, ev.LeftByResident())
    world.clock.now += 1000
    await world.timers.deadlines()
    assert await world.calls.load(call) is not None
    world.books.down = False
    await world.timers.left_over()
    await world.timers.deadlines()
    assert await world.calls.load(call) is None
    assert world.books.kinds(call) == [JournalKind.REQUESTED, JournalKind.ENDED]


async def test_a_process_that_dies_between_saving_and_carrying_out_is_made_up_for(world: World) -> None:
    """What it saved is all that is left of it."""
    call, commands = start(
        demand=Waiting(
            id=DemandId(CALL),
            call=CALL,
            queue=OWN_QUEUE,
            item=ITEM,
            station=FIRST,
            site=CARD.site,
            enqueued_at=world.clock(),
            party=Party(needs={SKILL: 1}),
        ),
        hall="demo",
        node=NODE_A,
        now=world.clock(),
    )
    await world.calls.create(call, commands, None)
    await world.timers.left_over()
    assert world.racks.sent == [], "it may still be at work"
    world.clock.now += 6
    await world.timers.left_over()
    assert await world.queue() == [CALL]
    assert len(world.racks.told(protocol.Join)) == 1
    assert world.books.kinds(CALL) == [JournalKind.REQUESTED]


async def test_left_overs_of_a_forgotten_call_go(world: World) -> None:
    await world.switchboard.carry_out_again(Pending("1", CallId("gone"), (ev.CloseRoom(),)))
    assert world.racks.sent == []


async def test_a_rating_goes_into_the_ledger_after_the_call_itself(world: World) -> None:
    talk = await world.talking()
    await talk.agent.asks("hang_up", call=talk.call)
    world.books.down = True
    reasons = ["not_clear", "waited_long"]
    assert await talk.station.asks("rate", call=talk.call, stars=2, reasons=reasons) is None
    assert world.books.ratings == {}
    world.books.down = False
    world.clock.now += 6
    await world.timers.left_over()
    assert world.books.ratings == {talk.call: (2, (RatingReason.NOT_CLEAR, RatingReason.WAITED_LONG))}


# --- what the media node says ---


async def test_an_offer_reaches_the_page_and_an_answer_the_node(world: World) -> None:
    station = await world.station().arrives()
    assert await world.lets_in(station) is None
    await world.offered(CALL, RESIDENT)
    await station.sees()
    (offer,) = station.all(m.Offer)
    assert (offer.call, offer.generation, offer.sdp) == (CALL, 1, "offer 1")
    assert offer.ice_servers[0].username.endswith(f":{CALL}")
    assert await station.asks("answer", call=CALL, generation=1, sdp="v=0") is None
    assert [(a.generation, a.sdp) for a in world.racks.told(protocol.Answer)] == [(1, "v=0")]


async def test_a_refused_answer_reaches_the_page_by_name_and_once(world: World) -> None:
    station = await world.station().arrives()
    assert await world.lets_in(station) is None
    await world.offered(CALL, RESIDENT)
    await station.sees()
    await station.asks("answer", call=CALL, generation=1, sdp="nonsense")
    await world.node_says(
        protocol.Refused,
        CALL,
        participant=RESIDENT,
        generation=1,
        reason=protocol.RefusalReason.BAD_ANSWER,
        detail="no fingerprint",
    )
    await station.sees()
    await station.sees()
    assert [e.code for e in station.all(m.Error)] == [ErrorCode.BAD_ANSWER]


async def test_a_connection_that_the_node_does_not_know_is_made_again(world: World) -> None:
    call = await waiting_call(world)
    await refuses(world, call, protocol.RefusalReason.NO_SUCH_PARTICIPANT)
    assert [j.generation for j in world.racks.told(protocol.Join)] == [1, 2]


async def test_a_room_that_the_node_does_not_know_is_made_again_once(world: World) -> None:
    talk = await world.talking()
    world.racks.sent.clear()
    for who in (RESIDENT, SEAT):
        await refuses(world, talk.call, protocol.RefusalReason.NO_SUCH_ROOM, who)
    assert [type(c).__name__ for _, c in world.racks.sent] == [
        "OpenRoom",
        "Join",
        "Join",
        "SetSlots",
        "Record",
    ]
    assert {seat.generation for seat in (await world.call(talk.call)).seats} == {2}


async def test_a_full_node_is_left_for_another(world: World) -> None:
    call = await waiting_call(world)
    world.racks.nodes.append(node(NODE_B))
    await refuses(world, call, protocol.RefusalReason.FULL, None, 0)
    await refuses(world, call, protocol.RefusalReason.NO_SUCH_ROOM)
    assert (await world.call(call)).node == NODE_B
    assert [j.generation for j in world.racks.told(protocol.Join, NODE_B)] == [2]


async def test_with_every_node_full_a_call_is_not_thrown_to_and_fro(world: World) -> None:
    call = await waiting_call(world)
    await refuses(world, call, protocol.RefusalReason.FULL, None, 0)
    await refuses(world, call, protocol.RefusalReason.NO_SUCH_ROOM)
    assert len(world.racks.told(protocol.Join)) == 1
    assert (await world.call(call)).node_until == world.clock() + 60


async def test_a_node_that_was_left_refuses_in_vain(world: World) -> None:
    """One that was stopped and goes on hears of what was asked of it long ago."""
    call = await waiting_call(world)
    await world.switchboard.tell(call, ev.NodeGone(NODE_A, NODE_B))
    before = await world.call(call)
    for reason in protocol.RefusalReason:
        await refuses(world, call, reason)
    await world.offered(call, RESIDENT, generation=1)
    for event in (protocol.Connected, protocol.Disconnected):
        rest: dict[str, Any] = {"reason": "silent"} if event is protocol.Disconnected else {}
        await world.node_says(event, call, participant=RESIDENT, generation=1, **rest)
    await world.node_says(protocol.RoomClosed, call)
    assert await world.call(call) == before
    assert world.books.complete == []


async def test_fifty_calls_at_once_are_spread_over_the_nodes(world: World) -> None:
    """Although no node has said yet how many it has."""
    world.racks.nodes = [node(NODE_A), node(NODE_B, cpu=0.1)]
    chosen = [world.switchboard.placement.choose(world.racks.nodes) for _ in range(50)]
    assert 20 <= chosen.count(NODE_B) <= 25
    world.clock.now += 1
    assert world.switchboard.placement.choose(world.racks.nodes) == NODE_A
    assert world.switchboard.placement.choose(world.racks.nodes, without=NODE_A) == NODE_B


async def test_a_restart_goes_to_the_node_and_its_offer_to_the_page_and_back(world: World) -> None:
    talk = await world.talking()
    await talk.station.sees()
    assert await talk.station.asks("restart_ice", call=talk.call, generation=1) is None
    (asked,) = world.racks.told(protocol.RestartIce)
    assert (asked.participant, asked.generation, asked.restart) == (RESIDENT, 1, 1)
    await world.node_says(
        protocol.Offered, talk.call, participant=RESIDENT, generation=1, sdp="offer 1.1", restart=1
    )
    await talk.station.sees()
    await talk.station.sees()
    offers = [(o.generation, o.restart, o.sdp) for o in talk.station.all(m.Offer)]
    assert offers == [(1, 0, "offer 1"), (1, 1, "offer 1.1")]
    assert await talk.station.asks("answer", call=talk.call, generation=1, restart=1, sdp="again") is None
    assert world.racks.told(protocol.Answer)[-1].restart == 1


async def test_a_stale_refusal_changes_nothing(world: World) -> None:
    call = await waiting_call(world)
    before = await world.call(call)
    await refuses(world, call, protocol.RefusalReason.STALE_GENERATION)
    assert await world.call(call) == before


async def test_word_of_a_call_that_is_not_there_is_dropped(world: World) -> None:
    await world.offered(CallId("nowhere"), RESIDENT)
    assert await world.calls.live() == ()


async def test_parts_and_the_end_of_a_recording_go_to_the_ledger(world: World) -> None:
    described: dict[str, Any] = {
        "part": PartId("p1"),
        "participant": RESIDENT,
        "role": ParticipantRole.RESIDENT,
        "kind": MediaKind.CAMERA,
        "generation": 1,
        "path": "day/c1/p1.webm",
        "started_at": 5.0,
    }
    gaps = (Gap(0.0, 0.5, "video", "no_key_frame"),)
    seal: dict[str, Any] = {"duration": 8.0, "size": 9, "sha256": "ab", "gaps": gaps}
    await world.node_says(protocol.PartOpened, CALL, **described)
    await world.node_says(protocol.PartSealed, CALL, **described, **seal)
    await world.node_says(protocol.RoomClosed, CALL)
    opened, sealed = world.books.parts
    assert (opened.sealed, sealed.sealed, sealed.gaps) == (False, True, gaps)
    assert world.books.complete == [CALL]


async def test_what_the_ledger_cannot_take_is_the_readers_to_deliver_again(world: World) -> None:
    world.books.down = True
    with pytest.raises(LedgerDown):
        await world.node_says(protocol.RoomClosed, CALL)


async def test_the_room_is_closed_when_the_ledger_knows_that_the_call_is_over(world: World) -> None:
    call = await waiting_call(world)
    order: list[str] = []
    write, send = world.books.write, world.racks.send

    async def noted_write(entries, summary):  # type: ignore[no-untyped-def]
        order.append("ledger")
        await write(entries, summary)

    async def noted_send(node, command):  # type: ignore[no-untyped-def]
        order.append(type(command).__name__)
        await send(node, command)

    world.books.write = noted_write  # type: ignore[method-assign]
    world.racks.send = noted_send  # type: ignore[method-assign]
    await world.switchboard.tell(call, ev.LeftByResident())
    assert order == ["ledger", "CloseRoom"]


async def refuses(
    world: World,
    call: CallId,
    reason: protocol.RefusalReason,
    who: ParticipantId | None = RESIDENT,
    generation: int = 1,
) -> None:
    await world.node_says(
        protocol.Refused, call, participant=who, generation=generation, reason=reason, detail="why"
    )
