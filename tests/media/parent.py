"""The parent of the media workers as a process, and what Redis says of it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from media.protocol import (
    NODE_NEWS,
    NODES,
    NodeDown,
    NodeId,
    NodeInfo,
    NodeUp,
    info_decoder,
    news_decoder,
    node_key,
)
from tests.media.conftest import Control

RUN = """
import logging, sys
from pathlib import Path
from media.node import NodeSettings
from media.workers import Workers
logging.basicConfig(level=logging.INFO)
url, recordings, *ports = sys.argv[1:]
settings = NodeSettings(redis_url=url, recordings=Path(recordings), addresses=("127.0.0.1",))
sys.exit(Workers(settings, [int(port) for port in ports]).run())
"""
LONE = RUN.replace("Workers(settings, [int(port) for port in ports]).run()", "main(settings)").replace(
    "import NodeSettings", "import NodeSettings, main"
)
FAILS = RUN.replace(".run())", ", lambda settings, life: 1 / 0).run())").replace("]), lambda", "], lambda")


@dataclass
class Parent:
    """The parent process, and what Redis says of its workers."""

    process: "subprocess.Popen[bytes]"
    redis: Redis
    recordings: Path
    news: list[NodeUp | NodeDown] = field(default_factory=list)

    async def workers(self) -> dict[NodeId, NodeInfo]:
        members: Any = await self.redis.smembers(NODES)
        names = [NodeId(name.decode()) for name in members]
        leases: Any = await self.redis.mget([node_key(name) for name in names]) if names else []
        found = [info_decoder.decode(lease) for lease in leases if lease is not None]
        return {info.node: info for info in found}

    async def up(self, count: int, without: frozenset[NodeId] = frozenset()) -> list[NodeInfo]:
        """This many workers, none of ``without``, ordered by port."""
        async with asyncio.timeout(20):
            while True:
                found = await self.workers()
                if len(found) == count and not without & found.keys():
                    return sorted(found.values(), key=lambda info: (info.port, info.node))
                assert self.process.poll() is None
                await asyncio.sleep(0.01)

    async def ended(self, within_s: float = 10) -> int:
        return await asyncio.to_thread(self.process.wait, within_s)

    def control(self, node: NodeId) -> Control:
        return Control(self.redis, node, self.process, self.recordings)

    async def down(self, node: NodeId, within_s: float) -> float:
        """Until word comes that it is gone; how long that took, in seconds."""
        began = time.monotonic()
        async with asyncio.timeout(within_s):
            while NodeDown(node) not in self.news:  # noqa: ASYNC110 - read by another task
                await asyncio.sleep(0.002)
        return time.monotonic() - began


@asynccontextmanager
async def started(
    redis: Redis, socket: Path, recordings: Path, *ports: int, program: str = RUN
) -> AsyncIterator[Parent]:
    """A parent with a worker for each port; all of them are killed at the end if they still run."""
    process = _spawn(program, f"unix://{socket}", str(recordings), *map(str, ports))
    parent = Parent(process, redis, recordings)
    async with redis.pubsub(ignore_subscribe_messages=True) as subscription:
        await subscription.subscribe(NODE_NEWS)
        listening = asyncio.create_task(_listen(subscription, parent.news), name="news")
        try:
            yield parent
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _spawn(program: str, *words: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", program, *words], start_new_session=True)


async def _listen(subscription: Any, news: list[NodeUp | NodeDown]) -> None:
    while True:
        message = await subscription.get_message(timeout=1.0)
        if message is not None:
            news.append(news_decoder.decode(message["data"]))
