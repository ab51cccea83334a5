"""The media nodes, seen from signaling: where a call goes, commands out, events in."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from media import protocol
from media.protocol import AnyEvent, NodeDown, NodeId, NodeInfo, NodeUp
from signaling.ports import NotYet

log = structlog.get_logger(__name__)

BACKLOG = 10_000  # commands kept for a node that does not read
COMMANDS_KEPT_S = 3_600  # after the last one: nobody sweeps up what is sent to a node that is gone
CLAIM_MS = 5_000  # an event that its reader did not finish is taken over after this
BLOCK_MS = 1_000  # how long one reading waits for an event
COUNTED_S = 0.3  # a node's lease shows a room sooner than this after it was asked for it
ROOM_SHARE = 0.015  # of a core: what a call is expected to cost a node
LATE_MS = 50.0
CPU_STEP = 0.05  # nodes whose load differs by less are equally loaded
GIVE_UP_S = 86_400.0  # an event that nobody could carry for this long is let go


class Nodes(Protocol):
    async def alive(self) -> tuple[NodeInfo, ...]: ...

    async def send(self, node: NodeId, command: protocol.AnyCommand) -> None: ...


def least_loaded(nodes: Iterable[NodeInfo], placed: Mapping[NodeId, int] | None = None) -> NodeId | None:
    """The node that has most of its core left, of several that have the same the one with fewest rooms; one
    whose loop runs late only when all do. None when all are full or draining. ``placed``: rooms that the
    nodes' own figures cannot have yet."""
    coming = placed or {}
    free = [
        n for n in nodes if n.full is None and not n.draining and n.rooms + coming.get(n.node, 0) < n.capacity
    ]

    def load(node: NodeInfo) -> tuple[bool, int, int, NodeId]:
        more = coming.get(node.node, 0)
        late = node.lag_ms > LATE_MS
        return late, round((node.cpu + more * ROOM_SHARE) / CPU_STEP), node.rooms + more, node.node

    return min(free, key=load).node if free else None


class Placement:
    """Chooses a node for every call, and remembers its choices until the nodes themselves count them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._recent: deque[tuple[float, NodeId]] = deque()

    def choose(self, nodes: Iterable[NodeInfo], without: NodeId | None = None) -> NodeId | None:
        """None when every node but ``without`` is full."""
        now = self._clock()
        while self._recent and now - self._recent[0][0] >= COUNTED_S:
            self._recent.popleft()
        placed = Counter(node for _, node in self._recent)
        chosen = least_loaded([n for n in nodes if n.node != without], placed)
        if chosen is not None:
            self._recent.append((now, chosen))
        return chosen


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
            # Its commands stay a while: one that only lost its lease is yet to hear that its rooms moved.
            await self._redis.srem(protocol.NODES, *gone)
        return tuple(protocol.info_decoder.decode(body) for body in bodies if body is not None)

    async def send(self, node: NodeId, command: protocol.AnyCommand) -> None:
        stream = protocol.command_stream(node)
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xadd(stream, {"m": protocol.encode(command)}, maxlen=BACKLOG, approximate=True)
            pipe.expire(stream, COMMANDS_KEPT_S)
            await pipe.execute()


class NodeNews:
    """Word of nodes that came and went, told to ``receive`` in every process as soon as it is said. It may be
    lost: who needs to be sure reads the leases as well."""

    def __init__(self, redis: Redis, receive: Callable[[NodeUp | NodeDown], Awaitable[None]]) -> None:
        self._redis: Any = redis
        self._receive = receive

    async def run(self) -> None:
        while True:
            try:
                await self._listen_until_lost()
            except (RedisError, OSError) as lost:
                log.warning("news of media nodes lost", error=str(lost))
                await asyncio.sleep(0.5)

    async def _listen_until_lost(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(protocol.NODE_NEWS)
            while True:
                message = await subscription.get_message(timeout=2.0)
                if message is not None:
                    await self._tell(message["data"])

    async def _tell(self, text: bytes) -> None:
        try:
            news = protocol.news_decoder.decode(text)
        except msgspec.MsgspecError as bad:
            log.error("news of a media node refused", error=str(bad))
            return
        log.info("< " + type(news).__name__, node=news.node)
        try:
            await self._receive(news)
        except Exception as failed:  # the next look at the leases makes up for it
            log.warning("news of a media node failed", node=news.node, why=str(failed))


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
