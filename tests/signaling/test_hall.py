"""One reading for all who ask, and never an older one than what they were told of."""

import asyncio

from signaling.hall import Shared
from tests.eventually import eventually
from tests.signaling.world import Clock


class Truth:
    """``value`` as read; a reading waits for ``gate``."""

    def __init__(self) -> None:
        self.value, self.readings = 1, 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self) -> int:
        self.readings += 1
        value = self.value
        await self.gate.wait()
        return value


async def test_a_hundred_who_ask_at_once_read_once() -> None:
    truth = Truth()
    shared = Shared(truth.read, Clock(), 1.0)
    assert await asyncio.gather(*(shared() for _ in range(100))) == [1] * 100
    assert truth.readings == 1


async def test_a_reading_is_good_for_its_time_only() -> None:
    truth, clock = Truth(), Clock()
    shared = Shared(truth.read, clock, 1.0)
    await shared()
    truth.value, clock.now = 2, clock.now + 0.9
    assert await shared() == 1
    clock.now += 0.1
    assert await shared() == 2


async def test_after_word_of_a_change_it_is_read_again() -> None:
    truth = Truth()
    shared = Shared(truth.read, Clock(), 1.0)
    await shared()
    truth.value = 2
    shared.stale()
    assert await shared() == 2


async def test_word_of_a_change_during_a_reading_counts_for_the_next_one() -> None:
    truth = Truth()
    shared = Shared(truth.read, Clock(), 1.0)
    truth.gate.clear()
    first = asyncio.create_task(shared())
    await eventually(lambda: truth.readings == 1)
    truth.value = 2
    shared.stale()
    truth.gate.set()
    assert await first == 1
    assert await shared() == 2
