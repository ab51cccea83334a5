"""The series of a call's connections: appended once, bounded, summed up."""

import asyncio
from typing import Any

import msgspec
import pytest

from records.model import CallId, ParticipantId, ParticipantRole, QualityRow
from records.quality import KEPT_S, QualitySums
from records.store import Store

CALL = CallId("c1")
RESIDENT, AGENT = ParticipantId("resident"), ParticipantId("agent-1")


def row(at: float = 1000.0, who: ParticipantId = RESIDENT, **changes: Any) -> QualityRow:
    made = QualityRow(
        call=CALL,
        participant=who,
        at=at,
        role=ParticipantRole.RESIDENT if who == RESIDENT else ParticipantRole.AGENT,
        rtt_ms=42.5,
        bitrate_limit=None,
        up_bitrate=1_100_000,
        down_bitrate=900_000,
        up_packets=1500,
        up_lost=12,
        up_unrepaired=1,
        down_packets=1400,
        down_lost=3,
        down_unrepaired=0,
        jitter_ms=4.5,
        freezes=1,
        key_frames=2,
        recorder_lag_ms=0.3,
    )
    return msgspec.structs.replace(made, **changes)


async def test_what_is_kept_is_read_back_in_order(store: Store) -> None:
    rows = [row(1020.0), row(1000.0), row(1010.0, AGENT, rtt_ms=None, bitrate_limit=480_000)]
    await store.quality.keep(rows)
    assert await store.quality.of_call(CALL) == (rows[2], rows[1], rows[0])
    assert await store.quality.of_call(CallId("c2")) == ()


async def test_a_row_kept_twice_stands_once_and_as_it_was(store: Store) -> None:
    await store.quality.keep([row()])
    await store.quality.keep([row(freezes=9), row(1010.0)])
    assert [kept.freezes for kept in await store.quality.of_call(CALL)] == [1, 1]


async def test_many_who_write_the_same_leave_one_of_each(store: Store) -> None:
    rows = [row(1000.0 + 10 * n) for n in range(6)]
    await asyncio.gather(*(store.quality.keep(rows) for _ in range(10)))
    assert await store.quality.of_call(CALL) == tuple(rows)


async def test_nothing_is_kept_beyond_a_day(store: Store) -> None:
    await store.quality.keep([row(1000.0)])
    await store.quality.keep([row(1000.0 + KEPT_S - 10), row(1000.0 + KEPT_S), row(1000.0 + 2 * KEPT_S)])
    await store.quality.keep([row(1000.0 + KEPT_S, AGENT)])  # each participant has a day of its own
    assert [kept.at for kept in await store.quality.of_call(CALL)] == [
        1000.0 + KEPT_S,
        1000.0,
        1000.0 + KEPT_S - 10,
    ]


async def test_a_whole_day_at_once(store: Store) -> None:
    await store.quality.keep([row(1000.0 + 10 * n) for n in range(9_000)])
    assert len(await store.quality.of_call(CALL)) == 8_640


async def test_nothing_to_keep_is_nothing(store: Store) -> None:
    await store.quality.keep([])
    assert await store.quality.sums(CALL) == ()


async def test_sums_of_the_whole_call(store: Store) -> None:
    await store.quality.keep([row(1000.0), row(1010.0, rtt_ms=57.5, up_bitrate=900_000)])
    await store.quality.keep([row(1000.0, AGENT, rtt_ms=None)])
    agent, resident = await store.quality.sums(CALL)
    assert resident == QualitySums(
        RESIDENT, ParticipantRole.RESIDENT, 5800, 30, 2, 2, pytest.approx(50.0), 1_000_000.0, 900_000.0
    )
    assert (agent.participant, agent.rtt_ms) == (AGENT, None)
