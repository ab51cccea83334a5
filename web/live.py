"""The live half of a web process: its Redis clients, the parts of signaling, and what drives them."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from redis.asyncio import Redis

from agents.agent import Release, Reservation, ReservationId
from agents.dispatcher import Dispatcher
from agents.picture import Picture
from agents.plan import Plan
from agents.redis_store import RedisAvailability
from agents.waiting import Outlook
from records.model import HallId, QueueId
from signaling import events as ev
from signaling.bus import GENERATION, QUEUE, RedisBus
from signaling.call import InvalidTransition
from signaling.hall import Hall, Shared
from signaling.holders import RedisHolders
from signaling.ice import Turn
from signaling.ports import Appointments, AuditTrail, Directory, Ledger, QualityLog, Statistics
from signaling.quality import Board
from signaling.quality_feed import QualityFeed, QualityKeeper
from signaling.redis_calls import RedisCalls
from signaling.rooms import MediaEvents, NodeNews, RedisNodes
from signaling.snapshot import Call
from signaling.switchboard import Switchboard, UnknownCall
from signaling.timers import Timers
from signaling.views.duty import Duty, duty
from signaling.ws import Sockets
from web.config import Config
from web.engine import redis_url
from web.hall_time import HallTime
from web.metrics import Tally

log = structlog.get_logger(__name__)

SHARED_S = 0.3  # how old a reading of the queue may be that several consoles share
CANCEL_AGAIN_S = 0.2
NODES_S = 1.0  # likewise for the list of media nodes
DUTY_S = 1.0  # and for who is there for each queue


@dataclass(frozen=True)
class Records:
    """What the live half needs of the one that lasts."""

    directory: Directory
    statistics: Statistics
    ledger: Ledger
    qualities: QualityLog
    appointments: Appointments
    audit: AuditTrail


@dataclass(frozen=True)
class Live:
    hall: Hall
    sockets: Sockets
    tally: Tally


@asynccontextmanager
async def live(config: Config, records: Records, plan: Plan, days: HallTime) -> AsyncIterator[Live]:
    """Connected and running until left; a loop that dies takes the process with it, to be started again."""
    async with AsyncExitStack() as stack:
        redis = Redis.from_url(redis_url(config))
        stack.push_async_callback(redis.aclose)
        # XREADGROUP blocks longer than redis-py's own socket timeout would let it.
        reader = Redis.from_url(redis_url(config), socket_timeout=None)
        stack.push_async_callback(reader.aclose)
        await redis.ping()
        made = _plug(config, redis, records, plan, days)
        me, board = f"web-{secrets.token_hex(4)}", made.hall.quality
        keeper = QualityKeeper(redis, config.hall.id, me, board, records.qualities, time.time)
        timers = Timers(made.hall)
        loops = {
            "bus": made.bus.run,
            "timers": timers.run,
            "media nodes": NodeNews(redis, timers.hear).run,
            "dispatcher": made.dispatcher.run,
            "media events": MediaEvents(reader, config.hall.id, me, made.hall.switchboard.hear).run,
            "quality": QualityFeed(redis, config.hall.id, board, made.bus.tell_here, time.time).run,
            "quality series": keeper.run,
        }
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(loop(), name=name) for name, loop in loops.items()]
            try:
                yield Live(made.hall, made.sockets, made.tally)
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
    tally: Tally


def _plug(config: Config, redis: Redis, records: Records, plan: Plan, days: HallTime) -> _Made:
    id = config.hall.id
    availability = RedisAvailability(redis, HallId(id), config.routing)
    calls, nodes, bus = RedisCalls(redis, id), RedisNodes(redis), RedisBus(redis, id)
    tally = Tally()
    dispatcher = Dispatcher(
        availability,
        plan,
        config.routing,
        time.time,
        lambda: ReservationId(_new_id()),
        lambda reservation: _reserved(switchboard, reservation, tally),
        lambda reservation: _ring_expired(switchboard, reservation),
        lambda _: _tell_of_a_new_life(bus),
    )
    bus.listen(lambda topic: dispatcher.poke() if topic == QUEUE else None)
    switchboard = Switchboard(
        hall=id,
        calls=calls,
        availability=availability,
        nodes=nodes,
        ledger=records.ledger,
        bus=bus,
        clock=time.time,
        new_id=_new_id,
        folder_of=lambda call: _folder(call, days),
        plan=lambda: dispatcher.plan,
        poke=dispatcher.poke,
    )
    readings = _readings(dispatcher, bus)
    hall = Hall(
        switchboard=switchboard,
        calls=calls,
        availability=availability,
        holders=RedisHolders(redis, id),
        directory=records.directory,
        statistics=records.statistics,
        ledger=records.ledger,
        bus=bus,
        turn=Turn(config.turn.urls, config.turn.secret or "", config.turn.ttl_s),
        clock=time.time,
        plan=lambda: dispatcher.plan,
        picture=readings.picture,
        outlook=readings.outlook,
        duty=readings.duty,
        appointments=records.appointments,
        audit=records.audit,
        nodes=Shared(nodes.alive, time.monotonic, NODES_S),
        quality=Board(),
        rules=config.routing,
        shows_supervision=config.hall.show_supervision,
    )
    sockets = Sockets(hall, lambda: secrets.token_urlsafe(24), time.monotonic)
    return _Made(hall, sockets, bus, dispatcher, tally)


@dataclass(frozen=True)
class _Readings:
    """Read once for all who ask: a hundred consoles cost one look at what changed."""

    picture: Shared[Picture]
    outlook: Shared[Outlook]
    duty: Shared[Mapping[QueueId, Duty]]


def _readings(dispatcher: Dispatcher, bus: RedisBus) -> _Readings:
    picture = Shared(dispatcher.follow, time.monotonic, SHARED_S)

    async def look_out() -> Outlook:
        return Outlook(await picture(), dispatcher.plan, time.time())

    async def count() -> Mapping[QueueId, Duty]:
        return duty(await picture(), dispatcher.plan, time.time())

    outlook = Shared(look_out, time.monotonic, SHARED_S)

    def changed(topic: str) -> None:
        if topic == QUEUE:
            picture.stale()
            outlook.stale()

    bus.listen(changed)
    return _Readings(picture, outlook, Shared(count, time.monotonic, DUTY_S))


async def _tell_of_a_new_life(bus: RedisBus) -> None:
    """Every process sees it by itself."""
    bus.tell_here(GENERATION, QUEUE)


async def _reserved(switchboard: Switchboard, reservation: Reservation, tally: Tally) -> None:
    try:
        await switchboard.tell(reservation.call, ev.Reserved(reservation))
        tally.reservations += 1
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
