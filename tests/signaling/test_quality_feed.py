"""Quality messages over a real Valkey: into every process, and into the records once."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from media import protocol
from media.protocol import Quality
from records.model import CallId, QualityRow
from signaling.quality import SHOWN_S, Board, Judgement
from signaling.quality_feed import LEASE_MS, QualityFeed, QualityKeeper
from signaling.snapshot import RESIDENT
from tests.eventually import eventually
from tests.signaling.loops import cancelled
from tests.signaling.qualities import AGENT, Stream, said
from tests.signaling.world import HALL, NOW, Clock, LedgerDown

CALL = CallId("c1")


@dataclass
class Book:
    """``signaling.ports.QualityLog`` that remembers who wrote, and fails while ``down``."""

    down: bool = False
    written: list[QualityRow] = field(default_factory=list)

    async def keep(self, rows: Sequence[QualityRow]) -> None:
        if self.down:
            raise LedgerDown
        self.written += rows


class Process:
    """One web process: what it heard, what its sockets were told, what it wrote."""

    def __init__(self, redis: Redis, clock: Clock, me: str = "web-1") -> None:
        self.board, self.told, self.book = Board(), list[str](), Book()
        self.feed = QualityFeed(redis, HALL, self.board, self.told.append, clock)
        self.keeper = QualityKeeper(redis, HALL, me, self.board, self.book, clock)


async def say(clock: Clock, processes: Sequence[Process], seconds: int, call: str = CALL) -> None:
    """A call of two goes on, heard by these processes."""
    streams = Stream(RESIDENT), Stream(AGENT)
    for _ in range(seconds // 2):
        body = protocol.encode(said(call, *(one.next(lost=3) for one in streams), at=clock.now))
        for process in processes:
            process.feed.hear(body)
        clock.now += 2


def keys(rows: Sequence[QualityRow]) -> list[tuple[str, float]]:
    return sorted((row.participant, row.at) for row in rows)


ALL_OF_30_S = [(who, NOW + at) for who in (AGENT, RESIDENT) for at in (0, 10, 20)]


async def test_what_a_node_publishes_arrives(redis: Redis) -> None:
    process = Process(redis, Clock())
    loop = asyncio.create_task(process.feed.run())
    try:
        async with asyncio.timeout(5):
            quality: Quality = said(CALL, Stream().next())
            while not process.told:
                await redis.publish(protocol.quality_channel(HALL), protocol.encode(quality))
                await asyncio.sleep(0.01)
        assert set(process.told) == {"quality:c1"}
        assert process.board.of(CALL, NOW)[RESIDENT].judgement is Judgement.GOOD
        await redis.client_kill_filter(_type="pubsub")
        process.told.clear()
        async with asyncio.timeout(5):
            while not process.told:
                await redis.publish(protocol.quality_channel(HALL), protocol.encode(quality))
                await asyncio.sleep(0.01)
        await redis.publish(protocol.quality_channel(HALL), b"{}")
        count = len(process.told)
        await redis.publish(protocol.quality_channel(HALL), protocol.encode(said("c2", Stream().next())))
        await eventually(lambda: "quality:c2" in process.told[count - 1 :])
    finally:
        await cancelled(loop)


async def test_a_series_is_kept_while_the_call_goes_on_and_its_end_after_it(redis: Redis) -> None:
    clock = Clock()
    process = Process(redis, clock)
    await say(clock, [process], 30)
    await process.keeper.flush()
    assert keys(process.book.written) == [key for key in ALL_OF_30_S if key[1] < NOW + 20]
    clock.now += SHOWN_S
    await process.keeper.flush()
    assert keys(process.book.written) == ALL_OF_30_S
    assert [row.up_lost for row in process.book.written if row.participant == RESIDENT] == [12, 15, 15]


async def test_of_two_processes_one_writes(redis: Redis) -> None:
    clock = Clock()
    both = [Process(redis, clock, f"web-{n}") for n in (1, 2)]
    await say(clock, both, 30)
    clock.now += SHOWN_S
    await asyncio.gather(*(process.keeper.flush() for process in both))
    await asyncio.gather(*(process.keeper.flush() for process in both))
    assert sorted(len(process.book.written) for process in both) == [0, 6]


async def test_two_calls_may_be_written_by_two_processes(redis: Redis) -> None:
    clock = Clock()
    both = [Process(redis, clock, f"web-{n}") for n in (1, 2)]
    await say(clock, both[:1], 30, "c1")
    await say(clock, both[1:], 30, "c2")
    for process in both:
        await process.keeper.flush()
    assert [{row.call for row in process.book.written} for process in both] == [{"c1"}, {"c2"}]


async def test_when_the_writer_dies_another_writes_what_is_missing(redis: Redis) -> None:
    clock = Clock()
    dies, lives = (Process(redis, clock, f"web-{n}") for n in (1, 2))
    await say(clock, [dies, lives], 30)
    await dies.keeper.flush()
    await lives.keeper.flush()
    assert lives.book.written == []
    ttl = await redis.pttl("bb:{demo}:quality-writer:c1")
    assert 0 < ttl <= LEASE_MS
    await redis.delete("bb:{demo}:quality-writer:c1")  # as it does by itself when it is not kept
    clock.now += SHOWN_S
    await lives.keeper.flush()
    assert set(keys(lives.book.written)) >= set(ALL_OF_30_S) - set(keys(dies.book.written))


async def test_a_database_that_is_away_loses_nothing(redis: Redis) -> None:
    clock = Clock()
    process = Process(redis, clock)
    await say(clock, [process], 20)
    process.book.down = True
    with pytest.raises(LedgerDown):
        await process.keeper.flush()
    process.book.down = False
    await process.keeper.flush()
    assert keys(process.book.written) == [(AGENT, NOW), (RESIDENT, NOW)]


async def test_what_another_process_is_to_write_is_let_go_after_a_minute(redis: Redis) -> None:
    clock = Clock()
    process = Process(redis, clock)
    await redis.set("bb:{demo}:quality-writer:c1", "web-2")
    await say(clock, [process], 20)
    await process.keeper.flush()
    for _ in range(2):
        clock.now += 61
        await process.keeper.flush()
    await redis.delete("bb:{demo}:quality-writer:c1")
    await process.keeper.flush()
    assert process.book.written == []
