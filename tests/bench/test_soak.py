"""A short soak: the node keeps nothing of the calls it had; and what the soak itself would say of a leak."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.media.generator import Generator
from bench.media.ours import Ours
from bench.soak.run import long_call, short_calls
from bench.soak.samples import SPARE_FDS, Sample, faults, rss_slope

CALLS = 30
MEMORY = 10 << 20  # bytes: in so few calls what the allocator keeps outweighs what could leak


async def test_thirty_calls_leave_nothing_behind(node: Ours, folder: Path, generator: Generator) -> None:
    said: list[str] = []
    found = await short_calls(
        node,
        folder,
        generator,
        calls=CALLS,
        at_once=10,
        seconds=1.0,
        every=CALLS,
        say=said.append,
        warm=10,
    )
    before, after = found.samples
    assert (after.threads, after.objects) == (before.threads, before.objects)
    assert after.tasks <= before.tasks
    assert after.fds <= before.fds + SPARE_FDS
    assert after.rss - before.rss < MEMORY
    assert after.sent > CALLS * 200
    assert [fault for fault in found.faults if "RSS" not in fault and "packets lost" not in fault] == []
    assert len(said) == 4


async def test_a_long_call_stays_as_it_is_and_in_step(node: Ours, folder: Path, generator: Generator) -> None:
    said: list[str] = []
    found = await long_call(node, folder, generator, minutes=0.05, say=said.append)
    assert [fault for fault in found.faults if "RSS" not in fault and "packets lost" not in fault] == []
    assert len([line for line in said if "beside the sound" in line]) == 2


def test_what_grows_is_named() -> None:
    first = Sample(0, 60_000_000, 20, 3, 10, 0)
    samples = [replace(first, at=at, rss=first.rss + 20_000 * at) for at in range(0, 1001, 50)]
    assert rss_slope(samples) == pytest.approx(20_000)
    assert faults(samples, 100, bound=2_000_001) == []
    assert faults(samples, 100, bound=1_999_999) == ["RSS grows by 2.00 MB per 100"]
    leaking = [*samples, replace(samples[-1], at=1050, fds=23, tasks=12, sent=100, lost=3)]
    assert faults(leaking, 100, bound=1e9) == ["fds 20 -> 23", "tasks 10 -> 12", "3 of 100 packets lost"]
    assert faults([first], 100, bound=0) == []
