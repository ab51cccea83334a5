"""The media node's process: commands from its Redis stream, events to the hall's, a lease while it lives.

Redis may come and go: forwarding and recording do not notice, events wait here and are sent when it is back.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import uvloop
from msgspec import Struct
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from media.live import LiveRooms
from media.protocol import (
    NODE_BEAT_S,
    NODE_LEASE_S,
    NODES,
    AnyEvent,
    NodeId,
    NodeInfo,
    command_decoder,
    command_stream,
    encode,
    event_stream,
    node_key,
)
from media.transport import Network

logger = logging.getLogger(__name__)

BLOCK_MS = 1000  # of one XREAD
RETRY_S = 0.3  # between attempts while Redis is away
EVENTS_KEPT = 10_000  # in a hall's stream, and here while Redis is away
READ_AT_ONCE = 64
CLOSE_S = 1.8  # for sealing on SIGTERM
LAST_WORDS_S = 0.5  # for the events of that


class NodeSettings(Struct, frozen=True, kw_only=True):
    """``redis_url`` may be ``unix://…``. ``addresses`` empty: every address of the host but loopback.
    ``port_min`` 0: any port. ``capacity``: rooms at a time."""

    redis_url: str
    recordings: Path
    addresses: tuple[str, ...] = ()
    public_address: str | None = None
    port_min: int = 0
    port_max: int = 0
    capacity: int = 40


def main(settings: NodeSettings) -> None:
    """Run a node until SIGTERM or SIGINT; parts are sealed before it returns."""
    uvloop.run(serve_node(settings))


async def serve_node(settings: NodeSettings) -> None:
    """Run a node until SIGTERM, SIGINT or cancellation."""
    node = Node(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await node.serve(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


class Node:
    def __init__(self, settings: NodeSettings) -> None:
        self.id = NodeId(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")
        self._settings = settings
        self._network = Network(
            settings.addresses, settings.public_address, settings.port_min, settings.port_max
        )
        self._rooms = LiveRooms(self.id, self._network, settings.recordings, settings.capacity, self._publish)
        self._outbox: deque[AnyEvent] = deque(maxlen=EVENTS_KEPT)
        self._outbox_filled = asyncio.Event()
        self._outbox_empty = asyncio.Event()
        self._outbox_empty.set()
        self._started_at = time.time()
        self._draining = False

    async def serve(self, stop: asyncio.Event) -> None:
        self._settings.recordings.mkdir(parents=True, exist_ok=True)
        reader, writer = self._client(), self._client()
        loops = {
            "commands": self._read(reader),
            "events": self._write(writer),
            "lease": self._beat(writer),
            "rooms": self._rooms.run(),
        }
        async with _client_closed(reader), _client_closed(writer):
            tasks = [asyncio.create_task(work, name=name) for name, work in loops.items()]
            stopped = asyncio.create_task(_until(stop), name="stop")
            try:
                done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            finally:
                self._draining = True
                await self._close(writer, tasks[0], [*tasks, stopped])
            for task in done:
                if task is not stopped:
                    task.result()  # a loop never ends by itself: raise what ended it

    async def _close(
        self, writer: Redis, reading: asyncio.Task[None], tasks: list[asyncio.Task[None]]
    ) -> None:
        reading.cancel()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._rooms.close()
        except TimeoutError:
            logger.error("not everything could be sealed in %s s", CLOSE_S)
        with contextlib.suppress(TimeoutError, RedisError, OSError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._outbox_empty.wait()
                await writer.delete(node_key(self.id), command_stream(self.id))
                await writer.srem(NODES, self.id)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _client(self) -> Redis:
        # Retrying is done by the loops here, so that each attempt is short and a lost server is seen.
        return Redis.from_url(
            self._settings.redis_url,
            socket_timeout=BLOCK_MS / 1000 + 2,
            socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 0),
        )

    # --- commands in ---

    async def _read(self, redis: Redis) -> None:
        last, stream = "0-0", command_stream(self.id)
        while True:
            try:
                answer = await redis.xread({stream: last}, count=READ_AT_ONCE, block=BLOCK_MS)
            except (RedisError, OSError) as error:
                logger.warning("commands: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            for number, fields in _messages(answer):
                last = number
                self._command(fields.get(b"m", b""))

    def _command(self, text: bytes) -> None:
        try:
            command = command_decoder.decode(text)
        except (msgspec.DecodeError, msgspec.ValidationError) as error:
            logger.error("command refused: %s", error)
            return
        logger.info("< %s %s", type(command).__name__, command.room)
        try:
            self._rooms.command(command)
        except Exception:
            # One room's trouble must not end the others.
            logger.exception("%s failed", type(command).__name__)

    # --- events out ---

    def _publish(self, event: AnyEvent) -> None:
        self._outbox.append(event)
        self._outbox_filled.set()
        self._outbox_empty.clear()

    async def _write(self, redis: Redis) -> None:
        while True:
            await self._outbox_filled.wait()
            self._outbox_filled.clear()
            while self._outbox:
                event = self._outbox[0]
                try:
                    await redis.xadd(
                        event_stream(event.hall), {"m": encode(event)}, maxlen=EVENTS_KEPT, approximate=True
                    )
                except (RedisError, OSError) as error:
                    logger.warning("events: %s", error)
                    await asyncio.sleep(RETRY_S)
                else:
                    if self._outbox and self._outbox[0] is event:
                        self._outbox.popleft()
            self._outbox_empty.set()

    async def _beat(self, redis: Redis) -> None:
        while True:
            try:
                await redis.set(node_key(self.id), encode(self._info()), px=int(NODE_LEASE_S * 1000))
                await redis.sadd(NODES, self.id)
                await asyncio.sleep(NODE_BEAT_S)
            except (RedisError, OSError) as error:
                logger.warning("lease: %s", error)
                await asyncio.sleep(RETRY_S)

    def _info(self) -> NodeInfo:
        return NodeInfo(
            node=self.id,
            pid=os.getpid(),
            addresses=tuple(self._network.local()),
            rooms=len(self._rooms),
            capacity=self._settings.capacity,
            draining=self._draining,
            started_at=self._started_at,
        )


def _messages(answer: Any) -> Iterator[tuple[str, dict[bytes, bytes]]]:
    """The (id, fields) of an XREAD of one stream; nothing when it timed out. Both shapes of redis-py."""
    streams = answer.items() if isinstance(answer, dict) else answer or ()
    for _, messages in streams:
        yield from messages


async def _until(event: asyncio.Event) -> None:
    await event.wait()


@contextlib.asynccontextmanager
async def _client_closed(redis: Redis) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(RedisError, OSError):
            await redis.aclose()
