"""The node's real process under strangers' floods, and with participants who do not behave."""

import asyncio
from pathlib import Path
from random import Random

from bench.attack.flooded import under_flood
from bench.attack.misdeeds import MISDEEDS
from bench.media.generator import Generator
from bench.media.ours import Ours
from bench.media.recordings import decode
from bench.soak.run import count, watched

JOINS = 60
MISBEHAVES_S = 1.2
AT_ONCE, TURN_S = 30, 0.003  # some 10,000 datagrams a second
MEMORY, DISK = 8 << 20, 20 << 20  # bytes that one of them may take
REQUESTS = 30  # for key frames, that a flood of them may become


async def test_a_flood_of_strangers_keeps_nobody_out_and_is_not_kept(
    node: Ours, folder: Path, generator: Generator
) -> None:
    found = await under_flood(node, folder, generator, rate=20_000, joins=JOINS, at_once=10)
    assert found.rate > 5_000
    assert found.seen.sound == 0
    assert [fault for fault in found.faults if "packets lost" not in fault] == []


async def test_who_misbehaves_harms_nobody_else(node: Ours, folder: Path, generator: Generator) -> None:
    """A call goes on while in others, one after the other, somebody does something, after a proper beginning.
    All are recorded."""
    good = await node.open_call("good", generator)
    for misdeed in MISDEEDS:
        what = misdeed.__name__
        bad = await node.open_call(what, generator)
        before = await count(node, folder, 0)
        watching = asyncio.create_task(watched([good], MISBEHAVES_S))
        deeds = misdeed(bad.people[0].callers[0], Random(1))
        while not watching.done():
            for _ in range(AT_ONCE):
                next(deeds)
            await asyncio.sleep(TURN_S)
        assert (await watching).sound == 0, what
        assert node.lost == [], what  # not even its own: much of it could be forged
        after = await count(node, folder, 1)
        assert after.rss - before.rss < MEMORY, what
        assert bad.people[1].video.requests < REQUESTS, what
        await node.close_call(bad, generator)
        assert sum(path.stat().st_size for path in (folder / "recordings" / what).iterdir()) < DISK, what
    await node.close_call(good, generator)
    for path in (folder / "recordings" / "good").iterdir():
        assert decode(path)[1] == "", path
    assert "Traceback" not in (folder / "node.log").read_text()
