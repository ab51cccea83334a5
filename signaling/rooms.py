"""The media nodes, seen from signaling: where a call goes, commands out, events in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from media import protocol
from media.protocol import AnyEvent, NodeId, NodeInfo
from signaling.ports import NotYet

log = structlog.get_logger(__name__)

BACKLOG = 10_000  # commands kept for a node that does not read
COMMANDS_KEPT_S = 3_600  # after the last one: nobody sweeps up what is sent to a node that is gone
CLAIM_MS = 5_000  # an event that its reader did not finish is taken over after this
BLOCK_MS = 1_000  # how long one reading waits for an event
GIVE_UP_S = 86_400.0  # an event that nobody could carry for this long is let go


class Nodes(Protocol):
    async def alive(self) -> tuple[NodeInfo, ...]: ...

    async def send(self, node: NodeId, command: protocol.AnyCommand) -> None: ...


def least_loaded(nodes: tuple[NodeInfo, ...]) -> NodeId | None:
    """Calls are spread: the node with the most room left, None when all are full."""
    free = [n for n in nodes if not n.draining and n.rooms < n.capacity]
    return min(free, key=lambda n: (n.rooms / n.capacity, n.node)).node if free else None


class RedisNodes:
    def __init__(self, redis: Redis) -> None:
        self._redis: Any = redis

    async def alive(self) -> tuple[NodeInfo, ...]:
        names = [NodeId(n.decode()) for n in await self._redis.smembers(protocol.NODES)]
        if not names:
            return ()
        bodies = await self._redis.mget([protocol.node_key(n) for n in names])
        gone = [n for n, body in zip(names, bodies, strict=True) if body is None]
        if gone:
            await self._redis.srem(protocol.NODES, *gone)
            await self._redis.delete(*(protocol.command_stream(n) for n in gone))
        return tuple(protocol.info_decoder.decode(body) for body in bodies if body is not None)

    async def send(self, node: NodeId, command: protocol.AnyCommand) -> None:
        stream = protocol.command_stream(node)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(stream, {"m": protocol.encode(command)}, maxlen=BACKLOG, approximate=True)
            pipe.expire(stream, COMMANDS_KEPT_S)
            await pipe.execute()


class MediaEvents:
    """Reads a hall's media events as one of a consumer group: every event is carried by one process, and
    taken over by another when that one dies before it is done."""

    def __init__(
        self,
        redis: Redis,
        hall: str,
        consumer: str,
        receive: Callable[[AnyEvent], Awaitable[None]],
        claim_ms: int = CLAIM_MS,
        block_ms: int = BLOCK_MS,
    ) -> None:
        self._redis: Any = redis
        self._stream = protocol.event_stream(hall)
        self._consumer = consumer
        self._receive = receive
        self._claim_ms = claim_ms
        self._block_ms = block_ms

    async def run(self) -> None:
        while True:
            try:
                await self._make_group()
                while True:
                    await self._take_over()
                    await self._read()
            except (RedisError, OSError) as lost:
                log.warning("media events lost", error=str(lost))
                await asyncio.sleep(0.5)

    async def _make_group(self) -> None:
        try:
            await self._redis.xgroup_create(self._stream, protocol.EVENT_GROUP, id="0", mkstream=True)
        except ResponseError as known:
            if "BUSYGROUP" not in str(known):
                raise

    async def _read(self) -> None:
        answer = await self._redis.xreadgroup(
            protocol.EVENT_GROUP, self._consumer, {self._stream: ">"}, count=50, block=self._block_ms
        )
        for _, entries in answer or ():
            await self._carry(entries)

    async def _take_over(self) -> None:
        claimed = await self._redis.xautoclaim(
            self._stream, protocol.EVENT_GROUP, self._consumer, min_idle_time=self._claim_ms, count=50
        )
        await self._carry(claimed[1])

    async def _carry(self, entries: list[tuple[bytes, dict[bytes, bytes]]]) -> None:
        for entry, fields in entries:
            try:
                await self._receive(protocol.event_decoder.decode(fields[b"m"]))
            except (msgspec.MsgspecError, KeyError) as bad:
                log.error("media event refused", entry=entry, error=str(bad))
            except (RedisError, OSError):
                raise
            except Exception as failed:
                log.warning("media event failed", entry=entry, exc_info=not isinstance(failed, NotYet))
                if _age_s(entry) < GIVE_UP_S:
                    continue  # stays pending, taken over later
            await self._redis.xack(self._stream, protocol.EVENT_GROUP, entry)
            await self._redis.xdel(self._stream, entry)


def _age_s(entry: bytes) -> float:
    """Of a stream's entry, by the milliseconds that its id begins with."""
    return time.time() - int(entry.partition(b"-")[0]) / 1000
