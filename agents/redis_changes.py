"""The stream of changes in Redis, read: what became of which record since a position."""

from collections.abc import Iterable
from typing import NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.client import Pipeline

from agents import redis_records as records
from agents.agent import DemandId, ReservationId
from agents.availability import Changes, Position, Snapshot
from agents.keys import Keys
from agents.redis_life import Lost
from agents.transitions import in_order
from records.model import AccountId

# The kinds under which scripts tell what they wrote: "<kind>:<id>" -> the record, empty when it is gone.
AGENT, WAITING, RESERVATION = "a", "w", "r"

Entry = tuple[bytes, dict[bytes, bytes]]


class Stored(NamedTuple):
    """Records as they are stored, by id; those that are gone are empty."""

    agents: dict[AccountId, bytes]
    waiting: dict[DemandId, bytes]
    reservations: dict[ReservationId, bytes]


async def since(redis: Redis, keys: Keys, position: Position) -> tuple[Position, Stored] | None:
    """What was written after ``position``; None when that is not, or no longer, all in the stream."""
    # The entry at the position itself is read as well: when it is there, nothing is missing behind it.
    entries = await redis.xrange(keys.changes, min=f"{position.generation}-{position.seq}")
    return follow(position, cast(list[Entry], entries))


def follow(position: Position, entries: list[Entry]) -> tuple[Position, Stored] | None:
    """What the entries tell that begin at ``position``; None when they do not, or leave a gap."""
    here = Position(position.generation, position.seq - 1)
    for id_, _ in entries:
        following = Position(here.generation, here.seq + 1)
        if _position(id_) != following:
            return None
        here = following
    if here < position:
        return None
    last = {field: value for _, fields in entries[1:] for field, value in fields.items()}
    return here, _sorted_out(last)


async def everything(redis: Redis, keys: Keys) -> tuple[Position, Stored]:
    """All records at one moment, and the position that they are at. Raises Lost when the stream was lost."""
    async with redis.pipeline(transaction=True) as pipe:
        _read_records(pipe, keys)
        pipe.xrevrange(keys.changes, count=1)
        *read, entries = await pipe.execute()
    if not entries:
        raise Lost
    return _position(entries[0][0]), _stored(*read)


async def records_now(redis: Redis, keys: Keys) -> Stored:
    """All records at one moment."""
    async with redis.pipeline(transaction=True) as pipe:
        _read_records(pipe, keys)
        return _stored(*await pipe.execute())


def _read_records(pipe: Pipeline, keys: Keys) -> None:
    for key in (keys.agents, keys.waiting, keys.reservations):
        pipe.hgetall(key)


def _stored(
    agents: dict[bytes, bytes], waiting: dict[bytes, bytes], reservations: dict[bytes, bytes]
) -> Stored:
    return Stored(
        {AccountId(id_.decode()): read for id_, read in agents.items()},
        {DemandId(id_.decode()): read for id_, read in waiting.items()},
        {ReservationId(id_.decode()): read for id_, read in reservations.items()},
    )


def as_snapshot(stored: Stored) -> Snapshot:
    reservations = (records.reservation(id_, read) for id_, read in stored.reservations.items() if read)
    return Snapshot(
        agents=tuple(records.agent(read) for _, read in sorted(stored.agents.items()) if read),
        waiting=in_order(records.waiting(read) for read in stored.waiting.values() if read),
        reservations=records.by_fence(reservations),
    )


def as_changes(position: Position, whole: bool, stored: Stored) -> Changes:
    now = as_snapshot(stored)
    return Changes(
        position=position,
        whole=whole,
        agents=now.agents,
        waiting=now.waiting,
        reservations=now.reservations,
        gone_agents=tuple(sorted(id_ for id_, read in stored.agents.items() if not read)),
        gone_waiting=tuple(sorted(id_ for id_, read in stored.waiting.items() if not read)),
        gone_reservations=tuple(sorted(id_ for id_, read in stored.reservations.items() if not read)),
    )


def _position(id_: bytes) -> Position:
    generation, _, seq = id_.partition(b"-")
    return Position(int(generation), int(seq))


def _sorted_out(last: dict[bytes, bytes]) -> Stored:
    stored = Stored({}, {}, {})
    for kind, id_, read in _told(last.items()):
        match kind:
            case "a":
                stored.agents[AccountId(id_)] = read
            case "w":
                stored.waiting[DemandId(id_)] = read
            case "r":
                stored.reservations[ReservationId(id_)] = read
            case _:  # "began": the beginning of a generation tells of no record
                pass
    return stored


def _told(fields: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[str, str, bytes]]:
    for field, read in fields:
        kind, _, id_ = field.decode().partition(":")
        yield kind, id_, read
