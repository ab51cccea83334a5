"""The parent of the media workers, with real processes: what dies or hangs is told of and started again."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from media import protocol
from media.protocol import (
    CloseRoom,
    Drain,
    NodeUp,
    OpenRoom,
    RefusalReason,
    Refused,
    RoomClosed,
    RoomId,
    command_stream,
    encode,
    node_key,
)
from media.workers import TooFewPorts, ports
from tests.eventually import eventually
from tests.media.conftest import HALL
from tests.media.parent import FAILS, RUN, started
from tests.web.processes import gone


@pytest.fixture
def start(redis: Redis, valkey_socket: Path, tmp_path: Path) -> Callable[..., Any]:
    def start(*ports: int, program: str = RUN) -> Any:
        return started(redis, valkey_socket, tmp_path, *ports, program=program)

    return start


def test_each_worker_has_the_next_port_and_a_range_that_is_too_small_is_refused() -> None:
    assert ports(40000, 40003, 3) == (40000, 40001, 40002)
    assert ports(0, 0, 2) == (0, 0)
    with pytest.raises(TooFewPorts, match="3 workers need 3 UDP ports, one each, but the range has 2"):
        ports(40000, 40001, 3)


async def test_each_worker_is_a_process_with_a_port_and_a_lease_of_its_own(start: Callable[..., Any]) -> None:
    async with start(41001, 41002) as parent:
        one, two = await parent.up(2)
        assert (one.port, two.port) == (41001, 41002)
        assert len({one.pid, two.pid, parent.process.pid}) == 3
        assert (one.rooms, one.capacity, one.draining, one.full) == (0, 100, False, None)
        await eventually(lambda: {NodeUp(one.node), NodeUp(two.node)} <= set(parent.news))
        began = time.monotonic()
        parent.process.terminate()
        assert await parent.ended() == 0
        assert time.monotonic() - began < 2.3
        assert await parent.workers() == {}


async def test_a_killed_worker_is_told_of_at_once_and_started_again(start: Callable[..., Any]) -> None:
    async with start(0, 0) as parent:
        one, two = await parent.up(2)
        await parent.control(one.node).open("call-1")
        os.kill(one.pid, signal.SIGKILL)
        assert await parent.down(one.node, within_s=2) < protocol.NODE_LEASE_S / 2
        after = await parent.up(2, without=frozenset({one.node}))
        assert two.node in {info.node for info in after}
        assert not await parent.redis.exists(node_key(one.node), command_stream(one.node))


@pytest.mark.parametrize("number", [1, 2])
async def test_a_worker_that_shows_no_life_is_killed_and_told_of(
    start: Callable[..., Any], number: int
) -> None:
    async with start(*[0] * number) as parent:
        stopped, *_ = await parent.up(number)
        os.kill(stopped.pid, signal.SIGSTOP)
        await parent.down(stopped.node, within_s=5)
        await parent.up(number, without=frozenset({stopped.node}))
        assert gone(stopped.pid)


async def test_a_parent_that_was_stopped_itself_kills_nobody(start: Callable[..., Any]) -> None:
    async with start(0) as parent:
        (before,) = await parent.up(1)
        os.kill(parent.process.pid, signal.SIGSTOP)
        await asyncio.sleep(2.0)  # longer than a worker may be silent
        os.kill(parent.process.pid, signal.SIGCONT)
        with pytest.raises(TimeoutError):
            await parent.down(before.node, within_s=1)
        assert list(await parent.workers()) == [before.node]


async def test_when_the_parent_is_killed_the_workers_seal_and_end(start: Callable[..., Any]) -> None:
    async with start(0) as parent:
        (worker,) = await parent.up(1)
        parent.process.kill()
        await parent.down(worker.node, within_s=5)
        await eventually(lambda: gone(worker.pid))


async def test_a_drained_worker_lets_its_calls_end_and_is_not_started_again(
    start: Callable[..., Any],
) -> None:
    async with start(0, 0) as parent:
        one, two = await parent.up(2)
        control = parent.control(one.node)
        await control.open("call-1")
        await control.join("call-1", "resident")
        await parent.redis.xadd(command_stream(one.node), {"m": encode(Drain())})
        await control.open("call-2")
        refused = await control.next(Refused)
        assert (refused.room, refused.reason) == ("call-2", RefusalReason.FULL)
        info = (await parent.workers())[one.node]
        assert (info.draining, info.full, info.rooms) == (True, "draining", 1)
        await control.open("call-1")  # told twice
        await control.join("call-1", "agent")
        await control.send(CloseRoom(HALL, RoomId("call-1")))
        await control.next(RoomClosed)
        await parent.down(one.node, within_s=3)
        assert [info.node for info in await parent.up(1)] == [two.node]
        os.kill(parent.process.pid, signal.SIGUSR1)
        assert await parent.ended() == 0
        await parent.down(two.node, within_s=3)


async def test_what_cannot_start_at_all_ends_the_parent(start: Callable[..., Any]) -> None:
    async with start(0, 0, program=FAILS) as parent:
        assert await parent.ended() == 1


async def test_rooms_show_in_the_lease_at_once(start: Callable[..., Any]) -> None:
    """Who places the next call a moment later is to see this one."""
    async with start(0) as parent:
        (worker,) = await parent.up(1)
        for n in range(3):
            await parent.redis.xadd(
                command_stream(worker.node), {"m": encode(OpenRoom(HALL, RoomId(f"c{n}"), f"day/c{n}"))}
            )
        async with asyncio.timeout(protocol.NODE_BEAT_S * 4):
            while (info := (await parent.workers())[worker.node]).rooms < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert info.cpu >= 3 * 0.01, "what they will cost is counted already"
