"""The media nodes seen through a real Valkey: where a call goes, commands out, events in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from media import protocol
from media.protocol import NodeId, RoomId
from signaling import rooms
from signaling.ports import NotYet
from signaling.rooms import MediaEvents, NodeNews, RedisNodes, least_loaded
from tests.eventually import eventually
from tests.signaling.loops import cancelled
from tests.signaling.world import HALL, NODE_A, NODE_B, node

STREAM = protocol.event_stream(HALL)


def said(room: str) -> protocol.RoomClosed:
    return protocol.RoomClosed(HALL, RoomId(room), NODE_A, 1.0)


async def say(redis: Redis, room: str) -> None:
    await redis.xadd(STREAM, {"m": protocol.encode(said(room))})


class Reader:
    """Hears as one process does; ``faults`` are raised first."""

    def __init__(self, redis: Redis, name: str, claim_ms: int = 20) -> None:
        self.heard: list[str] = []
        self.faults: list[Exception] = []
        self.events = MediaEvents(redis, HALL, name, self.receive, claim_ms, block_ms=50)

    async def receive(self, event: protocol.AnyEvent) -> None:
        if self.faults:
            raise self.faults.pop()
        self.heard.append(event.room)


@asynccontextmanager
async def reading(*readers: Reader) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(reader.events.run()) for reader in readers]
    try:
        yield
    finally:
        await cancelled(*tasks)


async def test_news_of_nodes_reaches_everybody_and_what_fails_or_is_garbage_does_not_end_it(
    redis: Redis,
) -> None:
    heard: list[list[Any]] = [[], []]

    async def first(news: Any) -> None:
        heard[0].append(news)
        raise RuntimeError("the database is away")

    async def second(news: Any) -> None:
        heard[1].append(news)

    tasks = [asyncio.create_task(NodeNews(redis, receive).run()) for receive in (first, second)]
    up, down = protocol.NodeUp(NODE_A), protocol.NodeDown(NODE_A)
    try:
        async with asyncio.timeout(5):
            while await redis.publish(protocol.NODE_NEWS, b"garbage") < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.002)
        for news in (up, down):
            await redis.publish(protocol.NODE_NEWS, protocol.encode(news))
        await eventually(lambda: heard == [[up, down], [up, down]])
    finally:
        await cancelled(*tasks)


async def is_empty(redis: Redis) -> None:
    async with asyncio.timeout(5):
        while await redis.xlen(STREAM):  # noqa: ASYNC110
            await asyncio.sleep(0.002)


def test_a_call_goes_to_the_least_loaded_core_and_of_equal_ones_to_the_one_with_fewest_calls() -> None:
    assert least_loaded((node(NODE_A, 5, cpu=0.4), node(NODE_B, 10, cpu=0.2))) == NODE_B
    assert least_loaded((node(NODE_A, 5, cpu=0.21), node(NODE_B, 4, cpu=0.19))) == NODE_B
    assert least_loaded((node(NODE_A, 4, cpu=0.21), node(NODE_B, 5, cpu=0.19))) == NODE_A
    late = replace(node(NODE_A), lag_ms=60.0)
    assert least_loaded((late, node(NODE_B, 30, cpu=0.6))) == NODE_B
    assert least_loaded((late,)) == NODE_A, "late is better than not at all"
    assert least_loaded((node(NODE_B, 1), node(NODE_A, 1))) == NODE_A, "the same for everybody"


def test_calls_on_their_way_count() -> None:
    idle = (node(NODE_A, cpu=0.1), node(NODE_B, cpu=0.2))
    assert least_loaded(idle, {NODE_A: 3}) == NODE_A
    assert least_loaded(idle, {NODE_A: 12}) == NODE_B
    assert least_loaded((node(NODE_A, 8, 10),), {NODE_A: 2}) is None


@pytest.mark.parametrize(
    "nodes",
    [(), (node(NODE_A, 10, 10),), (node(NODE_A, draining=True),), (node(NODE_A, full="cpu"),)],
)
def test_without_room_a_call_goes_nowhere(nodes: tuple[protocol.NodeInfo, ...]) -> None:
    assert least_loaded(nodes) is None


async def test_a_node_is_alive_while_its_lease_lasts_and_then_leaves_nothing(redis: Redis) -> None:
    nodes = RedisNodes(redis)
    for name in (NODE_A, NODE_B):
        await redis.sadd(protocol.NODES, name)
        await redis.set(protocol.node_key(name), protocol.encode(node(name)))
        await nodes.send(name, protocol.CloseRoom(HALL, RoomId("c1")))
    assert {n.node for n in await nodes.alive()} == {NODE_A, NODE_B}
    await redis.delete(protocol.node_key(NODE_A))
    assert [n.node for n in await nodes.alive()] == [NODE_B]
    assert await redis.smembers(protocol.NODES) == {NODE_B.encode()}
    assert await redis.exists(protocol.command_stream(NODE_A)), "it may be alive and yet to hear of it"


async def test_what_is_sent_to_a_node_that_is_gone_does_not_stay_for_ever(redis: Redis) -> None:
    await RedisNodes(redis).send(NODE_A, protocol.CloseRoom(HALL, RoomId("c1")))
    assert 0 < await redis.ttl(protocol.command_stream(NODE_A)) <= rooms.COMMANDS_KEPT_S


async def test_without_nodes_nobody_is_alive(redis: Redis) -> None:
    assert await RedisNodes(redis).alive() == ()


async def test_commands_reach_their_node_in_order_and_unread_ones_are_bounded(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rooms, "BACKLOG", 100)
    nodes = RedisNodes(redis)
    for n in range(400):
        await nodes.send(NodeId("n"), protocol.CloseRoom(HALL, RoomId(f"c{n}")))
    entries: Any = await redis.xrange(protocol.command_stream(NodeId("n")))
    sent = [protocol.command_decoder.decode(fields[b"m"]).room for _, fields in entries]
    assert sent == [f"c{n}" for n in range(400 - len(sent), 400)]
    assert len(sent) < 400


async def test_each_event_is_carried_once_by_one_of_all_processes(redis: Redis) -> None:
    await say(redis, "before anybody came")
    # Nobody is taken for dead here, however slow the machine.
    one, two = Reader(redis, "one", rooms.CLAIM_MS), Reader(redis, "two", rooms.CLAIM_MS)
    async with reading(one, two):
        for n in range(50):
            await say(redis, f"c{n}")
        await eventually(lambda: len(one.heard) + len(two.heard) >= 51)
        await is_empty(redis)
    assert sorted(one.heard + two.heard) == sorted(["before anybody came", *(f"c{n}" for n in range(50))])


async def test_what_a_dead_reader_had_is_taken_over(redis: Redis) -> None:
    await say(redis, "c1")
    await redis.xgroup_create(STREAM, protocol.EVENT_GROUP, id="0")
    assert await redis.xreadgroup(protocol.EVENT_GROUP, "dead", {STREAM: ">"})
    alive = Reader(redis, "alive")
    async with reading(alive):
        await eventually(lambda: alive.heard == ["c1"])
        await is_empty(redis)


@pytest.mark.parametrize("fault", [NotYet("not over"), RuntimeError("the database is away")])
async def test_what_could_not_be_carried_is_delivered_again(redis: Redis, fault: Exception) -> None:
    reader = Reader(redis, "one")
    reader.faults = [fault, fault]
    async with reading(reader):
        await say(redis, "c1")
        await eventually(lambda: reader.heard == ["c1"])
        await is_empty(redis)


async def test_what_nobody_could_carry_for_a_day_is_let_go(redis: Redis) -> None:
    await redis.xadd(STREAM, {"m": protocol.encode(said("c1"))}, id="1000-0")
    reader = Reader(redis, "one")
    reader.faults = [RuntimeError("never")]
    async with reading(reader):
        await say(redis, "c2")
        await eventually(lambda: reader.heard == ["c2"])
        await is_empty(redis)


@pytest.mark.parametrize("fields", [{"m": "{"}, {"m": '{"type":"Nothing"}'}, {"other": "x"}])
async def test_what_cannot_be_read_is_refused_and_done_with(redis: Redis, fields: dict[str, str]) -> None:
    reader = Reader(redis, "one")
    async with reading(reader):
        await redis.xadd(STREAM, fields)  # type: ignore[arg-type]
        await say(redis, "c1")
        await eventually(lambda: reader.heard == ["c1"])
        await is_empty(redis)
    assert (await redis.xpending(STREAM, protocol.EVENT_GROUP))["pending"] == 0
