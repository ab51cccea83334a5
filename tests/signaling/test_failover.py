"""A media worker dies in a call: real workers, real Valkey, real switchboard; browsers are played by hand."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis

from media.protocol import NodeInfo
from records.model import JournalKind
from signaling import messages as m
from signaling.rooms import MediaEvents, NodeNews, RedisNodes
from signaling.snapshot import State
from tests.media.parent import LONE, Parent, started
from tests.signaling.loops import cancelled
from tests.signaling.world import HALL, Clock, Peer, Talk, World


class RealClock(Clock):
    def __call__(self) -> float:
        return time.time()


@asynccontextmanager
async def hall(redis: Redis) -> AsyncIterator[World]:
    """With the loops of a web process that have to do with media nodes."""
    world = World(redis, nodes=RedisNodes(redis), clock=RealClock())
    loops = [
        NodeNews(redis, world.timers.hear).run(),
        MediaEvents(redis, HALL, "web", world.switchboard.hear, block_ms=100).run(),
        _leases(world),
    ]
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield world
    finally:
        await cancelled(*tasks)


async def _leases(world: World) -> None:
    while True:
        await asyncio.sleep(0.5)
        await world.timers.leases()


async def offered(peer: Peer, generation: int) -> m.Offer:
    """What the page is sent for its connection of this generation, by the node."""
    while True:
        await peer.desk.refresh()
        found: list[m.Offer] = [o for o in peer.all(m.Offer) if o.generation == generation]
        if found:
            return found[0]
        await asyncio.sleep(0.005)


async def both_offered(talk: Talk, generation: int, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        for peer in (talk.station, talk.agent):
            assert (await offered(peer, generation)).sdp.startswith("v=0")


async def shown_held_up(station: Peer, held_up: bool) -> None:
    async with asyncio.timeout(5):
        while (await station.sees()).call.held_up is not held_up:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def carrier(world: World, talk: Talk, parent: Parent) -> NodeInfo:
    return (await parent.workers())[(await world.call(talk.call)).node]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_both_pages_are_offered_another_workers_connection(
    redis: Redis, valkey_socket: Path, tmp_path: Path, number: signal.Signals
) -> None:
    async with started(redis, valkey_socket, tmp_path, 0, 0) as parent, hall(redis) as world:
        await parent.up(2)
        talk = await world.talking()
        dead = await carrier(world, talk, parent)
        os.kill(dead.pid, number)
        await both_offered(talk, 2, within_s=4)
        call = await world.call(talk.call)
        assert (call.state, call.node != dead.node) == (State.ACTIVE, True)
        assert JournalKind.MEDIA_MOVED in world.books.kinds(talk.call)
        lease = (await parent.workers())[call.node]
        assert lease.rooms == 1


async def test_the_only_worker_is_replaced_by_its_successor(
    redis: Redis, valkey_socket: Path, tmp_path: Path
) -> None:
    async with started(redis, valkey_socket, tmp_path, 0) as parent, hall(redis) as world:
        await parent.up(1)
        talk = await world.talking()
        os.kill((await carrier(world, talk, parent)).pid, signal.SIGKILL)
        await both_offered(talk, 2, within_s=5)


async def test_all_calls_of_a_dead_worker_are_spread_over_the_others(
    redis: Redis, valkey_socket: Path, tmp_path: Path
) -> None:
    async with started(redis, valkey_socket, tmp_path, 0, 0, 0) as parent, hall(redis) as world:
        await parent.up(3)
        talk = await world.talking()
        dead = await carrier(world, talk, parent)
        template = await world.call(talk.call)
        for n in range(30):
            await world.copy(template, f"copy{n}")
        os.kill(dead.pid, signal.SIGKILL)
        async with asyncio.timeout(5):
            while any(c.node == dead.node for c in await world.calls.live()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        nodes = [c.node for c in await world.calls.live()]
        assert min(nodes.count(n) for n in set(nodes)) >= 10
        assert len(set(nodes)) == 2


async def test_a_node_that_was_only_stopped_closes_what_has_moved_and_disturbs_nothing(
    redis: Redis, valkey_socket: Path, tmp_path: Path
) -> None:
    """Nobody watches over these two, as on machines that are cut off: only their leases tell."""
    async with (
        started(redis, valkey_socket, tmp_path, 0, program=LONE) as one,
        started(redis, valkey_socket, tmp_path, 0, program=LONE) as two,
        hall(redis) as world,
    ):
        await one.up(2)
        talk = await world.talking()
        stopped = await carrier(world, talk, two)
        os.kill(stopped.pid, signal.SIGSTOP)
        await both_offered(talk, 2, within_s=6)
        before = await world.call(talk.call)
        os.kill(stopped.pid, signal.SIGCONT)
        async with asyncio.timeout(5):
            while (lease := (await two.workers()).get(stopped.node)) is None or lease.rooms:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert await world.call(talk.call) == before
        assert (await two.workers())[before.node].rooms == 1
        assert world.books.complete == []


async def test_nobody_is_rung_while_the_only_node_is_dead(
    redis: Redis, valkey_socket: Path, tmp_path: Path
) -> None:
    async with hall(redis) as world:
        async with started(redis, valkey_socket, tmp_path, 0) as parent:
            await parent.up(1)
            station = await world.station().arrives()
            assert await world.lets_in(station) is None
            parent.process.terminate()
            await parent.ended()
            await shown_held_up(station, True)
            agent = await world.agent_on_duty()
            await world.dispatch()
            assert (await agent.sees()).ring is None
        async with started(redis, valkey_socket, tmp_path, 0) as parent:
            await parent.up(1)
            await shown_held_up(station, False)
            await world.dispatch()
            assert (await agent.sees()).ring is not None
