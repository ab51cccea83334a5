"""What a media node publishes, through the running service: counted by every web process, kept by one."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from redis.asyncio import Redis

from media import protocol
from records.model import CallId
from signaling.snapshot import RESIDENT
from tests.signaling.qualities import AGENT, Stream, said
from tests.signaling.world import HALL, NOW
from tests.web.running import Service, running
from tests.web.test_metrics import key, read

DATABASE = 8
CALL = CallId("c-measured")


async def until(expected: object, found: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(15):
        while await found() != expected:  # noqa: ASYNC110 - asked of another process's store
            await asyncio.sleep(0.02)


async def legs_counted(service: Service) -> float:
    found = read(await (await service.get("/metrics")).text())
    return found.get(key("leg_rtt_seconds_count", role="agent"), 0.0)


async def test_two_web_processes_hear_of_a_call_and_one_of_them_keeps_it(
    tmp_path: Path, valkey_socket: Path
) -> None:
    """Each has a database of its own here, so that it shows who wrote."""
    async with AsyncExitStack() as stack:
        folders = tmp_path / "one", tmp_path / "two"
        both = [
            await stack.enter_async_context(running(folder, valkey_socket, DATABASE)) for folder in folders
        ]
        redis = await stack.enter_async_context(Redis(unix_socket_path=str(valkey_socket), db=DATABASE))
        channel = protocol.quality_channel(HALL)

        async def listeners() -> int:
            return int((await redis.pubsub_numsub(channel))[0][1])

        await until(2, listeners)
        streams = Stream(RESIDENT), Stream(AGENT)
        for at in range(0, 32, 2):
            quality = said(CALL, *(stream.next(lost=1) for stream in streams), at=NOW + at)
            await redis.publish(channel, protocol.encode(quality))

        async def counted() -> list[float]:
            return [await legs_counted(service) for service in both]

        async def kept() -> list[int]:
            return sorted([len(await service.store.quality.of_call(CALL)) for service in both])

        await until([16, 16], counted)
        await until([0, 6], kept)
