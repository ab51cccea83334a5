"""Quality messages into this process, and their series into the records.

Messages come by Redis pub/sub: at most once, and nobody misses one that is lost. Every web process hears all
of them. One of them writes a call's series: the holder of a lease in Redis. The others keep their rows for a
while, so that one of them goes on when the holder dies; a row that is there already is not written twice
(records/).
"""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from media.protocol import quality_channel, quality_decoder
from records.model import CallId, ParticipantId, QualityRow
from signaling.bus import quality_topic
from signaling.keys import Keys
from signaling.ports import QualityLog
from signaling.quality import Board, Sample, Series

log = structlog.get_logger(__name__)

LEASE_MS = 15_000
FLUSH_S = 2.0
KEPT_S = 60.0  # a row that another process is to write is kept here for this long
ROWS = 20_000  # kept at most while the database is away


class QualityFeed:
    """``tell`` wakes the sockets of this process that show a call."""

    def __init__(
        self,
        redis: Redis,
        hall: str,
        board: Board,
        tell: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._redis: Any = redis
        self._channel = quality_channel(hall)
        self._board = board
        self._tell = tell
        self._clock = clock

    async def run(self) -> None:
        while True:
            try:
                await self._listen_until_lost()
            except (RedisError, OSError) as lost:
                log.warning("quality lost", error=str(lost))
                await asyncio.sleep(0.5)

    def hear(self, body: bytes) -> None:
        try:
            quality = quality_decoder.decode(body)
        except msgspec.MsgspecError as bad:
            log.error("quality refused", error=str(bad))
            return
        self._board.hear(quality, self._clock())
        self._tell(quality_topic(CallId(quality.room)))

    async def _listen_until_lost(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(self._channel)
            while True:
                message = await subscription.get_message(timeout=2.0)
                if message is not None:
                    self.hear(message["data"])


class QualityKeeper:
    """Hands the series of the calls that it holds to the log. ``me`` names this process."""

    def __init__(
        self,
        redis: Redis,
        hall: str,
        me: str,
        board: Board,
        kept: QualityLog,
        clock: Callable[[], float],
    ) -> None:
        self._redis: Any = redis
        self._keys = Keys(hall)
        self._me = me
        self._log = kept
        self._clock = clock
        self._series = Series()
        self._due: list[tuple[float, QualityRow]] = []  # with the time since when it is due
        board.listen(self._take)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except Exception as failed:  # Redis or the database is away: the rows are kept for the next time
                log.warning("quality not kept", error=str(failed), rows=len(self._due))

    async def flush(self) -> None:
        """Write what this process is to write. What fails is left for the next time."""
        now = self._clock()
        self._due = [*self._due, *((now, row) for row in self._series.over(now))][-ROWS:]
        mine = {call for call in {row.call for _, row in self._due} if await self._holds(call)}
        writing = [row for _, row in self._due if row.call in mine]
        if writing:
            await self._log.keep(writing)
        done = set(map(id, writing))
        self._due = [(at, row) for at, row in self._due if id(row) not in done and now - at < KEPT_S]

    def _take(self, call: CallId, participant: ParticipantId, sample: Sample) -> None:
        now = self._clock()
        row = self._series.add(call, participant, sample, now)
        if row is not None:
            self._due.append((now, row))

    async def _holds(self, call: CallId) -> bool:
        """Between the look and the longer lease another may take it over: then both write, one row stands."""
        key = self._keys.quality_writer(call)
        if await self._redis.set(key, self._me, nx=True, px=LEASE_MS):
            return True
        if await self._redis.get(key) != self._me.encode():
            return False
        await self._redis.pexpire(key, LEASE_MS)
        return True
