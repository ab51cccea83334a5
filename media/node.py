"""The media node's process: commands from its Redis stream, events to the hall's, a lease while it lives.

Redis may come and go: forwarding and recording do not notice, events wait here and are sent when it is back.
"""

import asyncio
import contextlib
import gc
import logging
import os
import secrets
import signal
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterator
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
from media.load import Admission, Meter
from media.net.network import Network
from media.protocol import (
    NODE_BEAT_S,
    NODE_LEASE_S,
    NODE_NEWS,
    NODES,
    QUALITY_KEPT_S,
    AnyCommand,
    AnyEvent,
    Drain,
    NodeDown,
    NodeId,
    NodeInfo,
    NodeUp,
    OpenRoom,
    Quality,
    RefusalReason,
    Refused,
    RoomClosed,
    RoomId,
    command_decoder,
    command_stream,
    encode,
    event_stream,
    node_key,
    quality_channel,
    quality_key,
)

logger = logging.getLogger(__name__)

BLOCK_MS = 1000  # of one XREAD
RETRY_S = 0.3  # between attempts while Redis is away
EVENTS_KEPT = 10_000  # in a hall's stream, and here while Redis is away
READ_AT_ONCE = 64
CLOSE_S = 1.8  # for sealing on SIGTERM
LAST_WORDS_S = 0.5  # for the events of that
FAREWELL_S = 0.3  # for word of our end, before anything is sealed: pages go elsewhere meanwhile
CANCEL_AGAIN_S = 0.1
LIFE_S = 0.25  # between two signs of life to whoever watches over us
ALIVE, DRAINED = b".", b"d"  # what is written to ``life``


class NodeSettings(Struct, frozen=True, kw_only=True):
    """``redis_url`` may be ``unix://…``. ``addresses`` empty: every address of the host but loopback.
    ``port`` is the UDP port of all its calls, 0: any. ``capacity``: rooms at a time. ``node`` None: an id of
    its own making."""

    redis_url: str
    recordings: Path
    addresses: tuple[str, ...] = ()
    public_address: str | None = None
    port: int = 0
    capacity: int = 100
    node: str | None = None


def main(settings: NodeSettings, life: int | None = None) -> None:
    """Run a node until SIGTERM or SIGINT (parts are sealed before it returns), or until it is drained."""
    # Modules stay for good: the garbage collector need not go through them. With them a full collection holds
    # up every packet for some 40 ms; without, and with 60 calls, for 5, and it comes seldom: what a call
    # leaves behind is freed by itself (tests/media/test_live.py).
    gc.collect()
    gc.freeze()
    uvloop.run(serve_node(settings, life))


async def serve_node(settings: NodeSettings, life: int | None = None) -> None:
    """As ``main``, or until cancellation. SIGUSR1 drains. ``life``: a descriptor that is written to while the
    loop runs."""
    node = Node(settings, life)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    asked = {signal.SIGTERM: stop.set, signal.SIGINT: stop.set, signal.SIGUSR1: node.drain}
    for number, do in asked.items():
        loop.add_signal_handler(number, do)
    try:
        await node.serve(stop)
    finally:
        for number in asked:
            loop.remove_signal_handler(number)


def new_id() -> NodeId:
    return NodeId(f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}")


class Node:
    def __init__(self, settings: NodeSettings, life: int | None = None) -> None:
        self.id = new_id() if settings.node is None else NodeId(settings.node)
        self._settings = settings
        self._life = life
        self._meter = Meter()
        self.admission = Admission(settings.capacity, lambda: len(self._rooms), time.monotonic)
        self._admitted: set[RoomId] = set()
        network = Network(settings.addresses, settings.public_address, settings.port, settings.port)
        self._rooms = LiveRooms(self.id, network, settings.recordings, self._publish, self._say)
        self._outbox: deque[AnyEvent] = deque(maxlen=EVENTS_KEPT)
        self._outbox_filled = asyncio.Event()
        self._outbox_empty = asyncio.Event()
        self._outbox_empty.set()
        self._qualities: dict[RoomId, Quality] = {}  # the newest of each room, not said yet
        self._qualities_filled = asyncio.Event()
        self._started_at = time.time()
        self._drain_asked = asyncio.Event()
        self._room_closed = asyncio.Event()
        self._news = asyncio.Event()  # to be told with the lease at once

    def drain(self) -> None:
        """Take no more rooms; ``serve`` ends when the last one is closed."""
        logger.info("draining")
        self.admission.draining = True
        self._drain_asked.set()
        self._news.set()

    async def serve(self, stop: asyncio.Event) -> None:
        self._settings.recordings.mkdir(parents=True, exist_ok=True)
        reader, writer = self._client(), self._client()
        loops = {
            "commands": self._read(reader),
            "lease": self._beat(writer),
            "events": self._write(writer),
            "quality": self._tell_quality(writer),
            "meter": self._meter.run(),
            "load": self._measure(),
            "life": self._live(),
        }
        async with _client_closed(reader), _client_closed(writer):
            tasks = [_task(name, work) for name, work in loops.items()]
            ends = [_task("stop", _until(stop)), _task("drained", self._drained())]
            try:
                done, _ = await asyncio.wait([*ends, *tasks], return_when=asyncio.FIRST_COMPLETED)
            finally:
                self.admission.draining = True
                await self._close(writer, tasks, ends)
            for task in done - set(ends):
                task.result()  # a loop never ends by itself: raise what ended it

    async def _close(
        self, writer: Redis, tasks: list[asyncio.Task[None]], ends: list[asyncio.Task[None]]
    ) -> None:
        reading, leasing, *_ = tasks
        await _cancelled(reading, leasing)
        await self._say_farewell(writer)
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._rooms.close()
        except TimeoutError:
            logger.error("not everything could be sealed in %s s", CLOSE_S)
        with contextlib.suppress(TimeoutError, RedisError, OSError):
            async with asyncio.timeout(LAST_WORDS_S):
                await self._outbox_empty.wait()
                await writer.delete(command_stream(self.id))
        await _cancelled(*tasks, *ends)

    async def _say_farewell(self, redis: Redis) -> None:
        """First of all, so that the calls are on another node while the parts are sealed here."""
        with contextlib.suppress(TimeoutError, RedisError, OSError):
            async with asyncio.timeout(FAREWELL_S), redis.pipeline(transaction=True) as pipe:
                pipe.delete(node_key(self.id))
                pipe.srem(NODES, self.id)
                pipe.publish(NODE_NEWS, encode(NodeDown(self.id)))
                await pipe.execute()

    async def _drained(self) -> None:
        await self._drain_asked.wait()
        while len(self._rooms):
            self._room_closed.clear()
            await self._room_closed.wait()
        self._show_life(DRAINED)

    async def _live(self) -> None:
        """A sign of life from this very loop: it stops when the process is stopped or the loop is stuck."""
        while True:
            self._show_life(ALIVE)
            await asyncio.sleep(LIFE_S)

    def _show_life(self, sign: bytes) -> None:
        if self._life is not None:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):  # nobody reads just now, or ever
                os.write(self._life, sign)

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(NODE_BEAT_S)
            self.admission.update(self._meter.load())

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
        if isinstance(command, Drain):
            self.drain()
            return
        logger.info("< %s %s", type(command).__name__, command.room)
        try:
            if self._admits(command):
                self._rooms.command(command)
        except Exception:
            # One room's trouble must not end the others.
            logger.exception("%s failed", type(command).__name__)

    def _admits(self, command: AnyCommand) -> bool:
        """A room that is open already is not asked about again: every command may come twice."""
        if not isinstance(command, OpenRoom) or command.room in self._admitted:
            return True
        self._news.set()
        why = self.admission()
        if why is None:
            self._admitted.add(command.room)
            return True
        detail = f"takes no more rooms: {why}"
        self._publish(
            Refused(command.hall, command.room, self.id, time.time(), None, 0, RefusalReason.FULL, detail)
        )
        return False

    # --- events out ---

    def _publish(self, event: AnyEvent) -> None:
        never_opened = isinstance(event, Refused) and event.reason is RefusalReason.NO_SUCH_ROOM
        if never_opened or isinstance(event, RoomClosed):
            self._admitted.discard(event.room)
            self._news.set()
            self._room_closed.set()
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

    def _say(self, quality: Quality) -> None:
        self._qualities[quality.room] = quality
        self._qualities_filled.set()

    async def _tell_quality(self, redis: Redis) -> None:
        """Numbers are of the moment: while Redis is away they are let go."""
        while True:
            await self._qualities_filled.wait()
            self._qualities_filled.clear()
            said, self._qualities = list(self._qualities.values()), {}
            with contextlib.suppress(RedisError, OSError):
                async with redis.pipeline(transaction=False) as pipe:
                    for quality in said:
                        text = encode(quality)
                        pipe.set(quality_key(quality.hall, quality.room), text, ex=QUALITY_KEPT_S)
                        pipe.publish(quality_channel(quality.hall), text)
                    await pipe.execute()

    async def _beat(self, redis: Redis) -> None:
        """The lease, every ``NODE_BEAT_S``, and at once when a room came or went: who places the next call
        is to see it."""
        said = False
        while True:
            self._news.clear()
            try:
                await redis.set(node_key(self.id), encode(self._info()), px=int(NODE_LEASE_S * 1000))
                await redis.sadd(NODES, self.id)
                if not said:
                    await redis.publish(NODE_NEWS, encode(NodeUp(self.id)))
                said = True
            except (RedisError, OSError) as error:
                logger.warning("lease: %s", error)
                said = False
                await asyncio.sleep(RETRY_S)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(NODE_BEAT_S):
                    await self._news.wait()

    def _info(self) -> NodeInfo:
        return NodeInfo(
            node=self.id,
            pid=os.getpid(),
            addresses=self._rooms.addresses,
            rooms=len(self._rooms),
            capacity=self._settings.capacity,
            draining=self.admission.draining,
            started_at=self._started_at,
            port=self._rooms.port_number,
            cpu=round(self.admission.cpu(), 3),
            lag_ms=round(self.admission.lag * 1000, 1),
            full=self.admission.full(),
        )


def _messages(answer: Any) -> Iterator[tuple[str, dict[bytes, bytes]]]:
    """The (id, fields) of an XREAD of one stream; nothing when it timed out. Both shapes of redis-py."""
    streams = answer.items() if isinstance(answer, dict) else answer or ()
    for _, messages in streams:
        yield from messages


def _task(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)


async def _cancelled(*tasks: asyncio.Task[None]) -> None:
    """Told until they are done: redis-py waits in asyncio.wait_for, which on Python 3.11 may lose it."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


@contextlib.asynccontextmanager
async def _client_closed(redis: Redis) -> AsyncIterator[None]:
    try:
        yield
    finally:
        with contextlib.suppress(RedisError, OSError):
            await redis.aclose()
