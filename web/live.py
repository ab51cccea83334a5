"""The live half of a web process: its Redis clients, the parts of signaling, and what drives them."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from redis.asyncio import Redis

from agents.agent import Release, Reservation, ReservationId
from agents.dispatcher import Dispatcher
from agents.redis_store import RedisAvailability
from records.model import HallId
from signaling import events as ev
from signaling.bus import QUEUE, RedisBus
from signaling.call import InvalidTransition
from signaling.hall import Hall, Shared
from signaling.holders import RedisHolders
from signaling.ice import Turn
from signaling.ports import Directory, Ledger, QualityLog, Statistics
from signaling.quality import Board
from signaling.quality_feed import QualityFeed, QualityKeeper
from signaling.redis_calls import RedisCalls
from signaling.rooms import MediaEvents, NodeNews, RedisNodes
from signaling.snapshot import Call
from signaling.switchboard import Switchboard, UnknownCall
from signaling.timers import Timers
from signaling.ws import Sockets
from web.config import Config
from web.engine import redis_url
from web.hall_time import HallTime

log = structlog.get_logger(__name__)

SHARED_S = 0.3  # how old a reading of the queue may be that several consoles share
CANCEL_AGAIN_S = 0.2
NODES_S = 1.0  # likewise for the list of media nodes


@dataclass(frozen=True)
class Live:
    hall: Hall
    sockets: Sockets


@asynccontextmanager
async def live(
    config: Config,
    directory: Directory,
    statistics: Statistics,
    ledger: Ledger,
    qualities: QualityLog,
    days: HallTime,
) -> AsyncIterator[Live]:
    """Connected and running until left; a loop that dies takes the process with it, to be started again."""
    async with AsyncExitStack() as stack:
        redis = Redis.from_url(redis_url(config))
        stack.push_async_callback(redis.aclose)
        # XREADGROUP blocks longer than redis-py's own socket timeout would let it.
        reader = Redis.from_url(redis_url(config), socket_timeout=None)
        stack.push_async_callback(reader.aclose)
        await redis.ping()
        made = _plug(config, redis, directory, statistics, ledger, days)
        me, board = f"web-{secrets.token_hex(4)}", made.hall.quality
        timers = Timers(made.hall)
        loops = {
            "bus": made.bus.run,
            "timers": timers.run,
            "media nodes": NodeNews(redis, timers.hear).run,
            "dispatcher": made.dispatcher.run,
            "media events": MediaEvents(reader, config.hall.id, me, made.hall.switchboard.hear).run,
            "quality": QualityFeed(redis, config.hall.id, board, made.bus.tell_here, time.time).run,
            "quality series": QualityKeeper(redis, config.hall.id, me, board, qualities, time.time).run,
        }
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop(), name=name) for name, loop in loops.items()]
            try:
                yield Live(made.hall, made.sockets)
            finally:
                await made.sockets.close()
                await _cancelled(tasks)


async def _cancelled(tasks: "list[asyncio.Task[None]]") -> None:
    """Told until they are done: redis-py waits in asyncio.wait_for, which on Python 3.11 may lose it."""
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


@dataclass(frozen=True)
class _Made:
    hall: Hall
    sockets: Sockets
    bus: RedisBus
    dispatcher: Dispatcher


def _plug(
    config: Config,
    redis: Redis,
    directory: Directory,
    statistics: Statistics,
    ledger: Ledger,
    days: HallTime,
) -> _Made:
    id = config.hall.id
    availability = RedisAvailability(redis, HallId(id), config.routing)
    calls, nodes, bus = RedisCalls(redis, id), RedisNodes(redis), RedisBus(redis, id)
    snapshot = Shared(availability.snapshot, time.monotonic, SHARED_S)
    bus.listen(lambda topic: snapshot.stale() if topic == QUEUE else None)
    dispatcher = Dispatcher(
        availability,
        time.time,
        lambda: ReservationId(_new_id()),
        config.routing.ring,
        lambda reservation: _reserved(switchboard, reservation),
        lambda reservation: _ring_expired(switchboard, reservation),
    )
    bus.listen(lambda topic: dispatcher.poke() if topic == QUEUE else None)
    switchboard = Switchboard(
        hall=id,
        calls=calls,
        availability=availability,
        nodes=nodes,
        ledger=ledger,
        bus=bus,
        clock=time.time,
        new_id=_new_id,
        folder_of=lambda call: _folder(call, days),
        poke=dispatcher.poke,
    )
    hall = Hall(
        switchboard=switchboard,
        calls=calls,
        availability=availability,
        holders=RedisHolders(redis, id),
        directory=directory,
        statistics=statistics,
        ledger=ledger,
        bus=bus,
        turn=Turn(config.turn.urls, config.turn.secret or "", config.turn.ttl_s),
        clock=time.time,
        snapshot=snapshot,
        nodes=Shared(nodes.alive, time.monotonic, NODES_S),
        quality=Board(),
    )
    return _Made(hall, Sockets(hall, lambda: secrets.token_urlsafe(24), time.monotonic), bus, dispatcher)


async def _reserved(switchboard: Switchboard, reservation: Reservation) -> None:
    try:
        await switchboard.tell(reservation.call, ev.Reserved(reservation))
    except (UnknownCall, InvalidTransition) as gone:
        log.info("reservation withdrawn", call=reservation.call, why=str(gone))
        await _withdraw(switchboard, reservation)


async def _ring_expired(switchboard: Switchboard, reservation: Reservation) -> None:
    try:
        await switchboard.tell(reservation.call, ev.RingExpired(reservation.id))
    except (UnknownCall, InvalidTransition):
        await _withdraw(switchboard, reservation)


async def _withdraw(switchboard: Switchboard, reservation: Reservation) -> None:
    now = switchboard.clock()
    await switchboard.availability.give_back(reservation.id, Release.WITHDRAWN, now)


def _folder(call: Call, days: HallTime) -> str:
    """By the hall's day, so that a day can be kept, moved or deleted as one."""
    return f"{days.today(call.requested_at).isoformat()}/{call.id}"


def _new_id() -> str:
    """Sortable by the second, unguessable behind that: 20 hex digits."""
    return f"{int(datetime.now().timestamp()):08x}{secrets.token_hex(6)}"
