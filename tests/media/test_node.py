"""The process: its lease, its streams, its ending."""

import asyncio
import gc
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis.asyncio import Redis

from media import node
from media.node import Node, NodeSettings
from media.protocol import (
    NODES,
    CloseRoom,
    Disconnected,
    Leave,
    NodeInfo,
    Offered,
    OpenRoom,
    RefusalReason,
    Refused,
    RoomClosed,
    RoomId,
    command_stream,
    info_decoder,
    node_key,
)
from records.model import ParticipantId
from tests.media.conftest import HALL, Control, StartNode
from tests.valkey import running_valkey


async def test_a_node_says_what_it_is_while_it_lives_and_is_gone_after_sigterm(control: Control) -> None:
    info = await control.info()
    assert info is not None
    assert (info.node, info.addresses, info.rooms, info.capacity) == (control.node, ("127.0.0.1",), 0, 4)
    assert not info.draining
    assert 0 < await control.redis.pttl(node_key(control.node)) <= 6000
    room = await control.open("call-1")
    await control.join(room, "resident")
    begun = time.monotonic()
    control.process.send_signal(signal.SIGTERM)
    await control.next(RoomClosed)
    assert await _ended(control) == 0
    assert time.monotonic() - begun < 2.0
    assert await control.info() is None
    assert await control.redis.smembers(NODES) == set()
    assert not await control.redis.exists(command_stream(control.node))


async def _ended(control: Control) -> int:
    return await asyncio.to_thread(control.process.wait, 5)


async def test_every_command_may_come_twice(control: Control) -> None:
    room = await control.open("call-1")
    await control.open("call-1")
    first, again = await control.join(room, "resident"), await control.join(room, "resident")
    assert first.sdp == again.sdp
    await control.record(room, "resident")
    await control.record(room, "resident")
    for _ in range(2):
        await control.send(Leave(HALL, room, ParticipantId("resident")))
    for _ in range(2):
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
    assert not [e for e in control.events if isinstance(e, Refused | Disconnected)]


async def test_what_it_cannot_do_is_refused_by_name(start_node: StartNode) -> None:
    control: Control = await start_node(capacity=1)
    await control.record("nowhere", "resident")
    assert (await control.next(Refused)).reason is RefusalReason.NO_SUCH_ROOM
    await control.send(OpenRoom(HALL, RoomId("call-0"), folder="../../etc"))
    assert (await control.next(Refused)).room == "call-0"
    await control.open("call-1")
    await control.open("call-2")
    refused = await control.next(Refused)
    assert (refused.room, refused.reason, refused.participant) == ("call-2", RefusalReason.FULL, None)
    await control.send(CloseRoom(HALL, RoomId("call-1")))
    await control.next(RoomClosed)
    await control.open("call-2")
    await control.join("call-2", "resident")


async def test_garbage_in_the_stream_is_passed_over(control: Control) -> None:
    stream = command_stream(control.node)
    for text in (b"", b"{", b'{"type":"Explode"}', b"\xff\xfe", b'{"type":"OpenRoom","hall":1}'):
        await control.redis.xadd(stream, {"m": text})
    await control.redis.xadd(stream, {"other": "field"})
    await control.open("call-1")
    await control.join("call-1", "resident")


async def test_redis_may_go_and_come_back(tmp_path: Path) -> None:
    """The node waits, says what happened meanwhile, and takes commands again."""
    with running_valkey() as path:
        settings = NodeSettings(
            redis_url=f"unix://{path}", recordings=tmp_path, addresses=("127.0.0.1",), capacity=2
        )
        node, stop = Node(settings), asyncio.Event()
        async with Redis(unix_socket_path=str(path)) as redis:
            serving = asyncio.create_task(node.serve(stop))
            await _lease(redis, node)
            control = Control(redis, node.id, None, tmp_path)
            room = await control.open("call-1")
            await control.join(room, "resident")
            # Every client is cut off, and again while they come back.
            for _ in range(3):
                await redis.client_kill_filter(_type="normal", skipme=True)
            await control.join(room, "agent")
            assert len([e for e in control.events if isinstance(e, Offered)]) == 2
            assert (await _lease(redis, node)).rooms <= 1
            stop.set()
            await serving


async def _lease(redis: Redis, node: Node) -> NodeInfo:
    async with asyncio.timeout(5):
        while (text := await redis.get(node_key(node.id))) is None:  # noqa: ASYNC110 - another's write
            await asyncio.sleep(0.01)
    return info_decoder.decode(text)


async def test_a_node_stops_even_when_redis_is_away(tmp_path: Path) -> None:
    settings = NodeSettings(redis_url=f"unix://{tmp_path}/none", recordings=tmp_path / "r")
    node, stop = Node(settings), asyncio.Event()
    serving = asyncio.create_task(node.serve(stop))
    stop.set()
    async with asyncio.timeout(3):
        await serving


@pytest.mark.parametrize("field", ["redis_url", "recordings"])
def test_settings_that_must_be_given(field: str) -> None:
    given = {"redis_url": "unix:///x", "recordings": Path("/x")}
    del given[field]
    with pytest.raises(TypeError):
        NodeSettings(**given)  # type: ignore[arg-type]


def test_the_garbage_collector_passes_over_what_is_there_from_the_beginning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spared: list[int] = []

    def run(work: Coroutine[Any, Any, None]) -> None:
        work.close()
        spared.append(gc.get_freeze_count())

    monkeypatch.setattr(uvloop, "run", run)
    try:
        node.main(NodeSettings(redis_url="unix:///nowhere", recordings=tmp_path))
    finally:
        gc.unfreeze()
    assert spared[0] > 10_000
