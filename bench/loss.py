"""A call on bad networks: two real browsers, the node, and a seeded lossy proxy in front of each browser.

    python -m bench.loss [seconds]        (or: make bench-loss)

At 0, 5, 10 and 20 % of packets lost in each direction of each leg, with 50 ms of round trip on each: how long
pictures froze (libwebrtc's own count), how much sound had to be made up, how many pictures are missing in the
recording. Then how the sender's rate follows what a viewer's path carries. The last line is for machines.
"""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Page
from redis.asyncio import Redis

from bench import loss_rate
from media.protocol import NODES, NodeId, info_decoder, node_key
from tests.media.browser import pages
from tests.media.conftest import Control
from tests.media.impaired import PEOPLE, Impaired, Kept, Shown, shown
from tests.media.link import Uniform
from tests.media.lossy import Lossy, lossy
from tests.valkey import running_valkey

SECONDS = 35.0  # of loss at each level
WARM_S = 6.0  # before it, clean: the senders find their rate
QUIET_S = 1.5  # after it, clean: what was lost last is repaired
LEVELS = (0.0, 0.05, 0.1, 0.2)
ONE_WAY_S = 0.025
CAPACITY = 4
START_S = 10.0


@dataclass(frozen=True)
class Level:
    loss: float
    shown: Shown
    encoded: int  # while packets were lost
    kept: tuple[Kept, ...]
    rates: tuple[float, ...]  # bit/s that each sent
    lost: int  # packets

    @property
    def missing(self) -> float:
        return sum(part.missing for part in self.kept) / self.encoded

    @property
    def silent(self) -> float:
        """Share of the recorded sound; over the whole call, lossy or not."""
        return sum(part.silent for part in self.kept) / sum(part.sounds for part in self.kept)


async def level(control: Control, both: list[Page], ways: list[Lossy], share: float, seconds: float) -> Level:
    call = Impaired(control, both, ways, f"loss-{share * 100:.0f}")
    await call.begin()
    await asyncio.sleep(WARM_S)
    links = [link for way in ways for link in (way.up, way.down)]
    dropped = sum(link.dropped for link in links)
    before, began = await call.look(), time.monotonic()
    for link in links:
        link.loss = Uniform(share)
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    at_end = await call.look()
    for link in links:
        link.loss = None
    await asyncio.sleep(QUIET_S)
    after = await call.look()
    lost = sum(link.dropped for link in links) - dropped
    return Level(
        loss=share,
        shown=shown(before, after, took),
        encoded=sum(_grown(a, b, "encoded") for a, b in zip(before, at_end, strict=True)),
        kept=tuple(await call.end()),
        rates=tuple(8 * _grown(a, b, "bytes") / took for a, b in zip(before, at_end, strict=True)),
        lost=lost,
    )


def _grown(before: dict[str, Any], after: dict[str, Any], what: str) -> int:
    return int(after["outbound"]["camera"][what] - before["outbound"]["camera"][what])


def report(found: Level) -> str:
    rates = "/".join(f"{rate / 1000:.0f}" for rate in found.rates)
    missing = sum(part.missing for part in found.kept)
    # Each part begins with one: the camera is put on after the microphone.
    gaps = [
        f"\n        {who}: {track} {why} from {start:.1f} to {end:.1f} s"
        for who, part in zip(PEOPLE, found.kept, strict=True)
        for start, end, track, why in part.gaps
        if start > 0
    ]
    return (
        f"{found.loss * 100:4.0f} %  {found.shown.frozen * 100:6.2f}  {found.shown.concealed * 100:9.2f}  "
        f"{found.missing * 100:7.3f} ({missing} of {found.encoded})  {found.silent * 100:7.3f}  "
        f"{found.shown.fps:4.1f}  {rates:>9}  {found.lost:6d}{''.join(gaps)}"
    )


# --- the node ----------------------------------------------------------------------------------


@asynccontextmanager
async def running_node(folder: Path) -> AsyncIterator[Control]:
    recordings = folder / "recordings"
    recordings.mkdir()
    with running_valkey() as socket:
        url = f"unix://{socket}"
        with _process(url, str(recordings), "127.0.0.1", str(CAPACITY)) as process:
            async with Redis(unix_socket_path=str(socket)) as redis:
                node = await _registered(redis, process)
                yield Control(redis, node, process, recordings)


@contextmanager
def _process(*arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-m", "bench.media.node", *arguments])
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _registered(redis: Redis, process: "subprocess.Popen[bytes]") -> NodeId:
    async with asyncio.timeout(START_S):
        while process.poll() is None:
            names: Any = await redis.smembers(NODES)
            for name in names:
                text = await redis.get(node_key(NodeId(name.decode())))
                if text is not None and info_decoder.decode(text).pid == process.pid:
                    return NodeId(name.decode())
            await asyncio.sleep(0.02)
    raise RuntimeError("the node ended")


# --- all of it ---------------------------------------------------------------------------------


def progress(text: str) -> None:
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


async def main(seconds: float) -> None:
    print("lost  frozen %  concealed %  recorded missing %  silent %  fps  kbit/s     packets lost")
    found: dict[float, Level] = {}
    with (
        tempfile.TemporaryDirectory(prefix="bangban-loss-") as folder,
        contextlib.suppress(KeyboardInterrupt),
    ):
        async with running_node(Path(folder)) as control, pages(2) as both:
            for share in LEVELS:
                progress(f"{share * 100:.0f} % lost each way, for {seconds:.0f} s ...")
                with ExitStack() as stack:
                    ways = [stack.enter_context(lossy(seed, ONE_WAY_S)) for seed in (1, 2)]
                    found[share] = await level(control, both, ways, share, seconds)
                progress("")
                print(report(found[share]), flush=True)
            for name, polices in (("queue", False), ("policer", True)):
                progress(f"what a {name} in the viewer's way does to the sender ...")
                with ExitStack() as stack:
                    ways = [stack.enter_context(lossy(seed, ONE_WAY_S)) for seed in (1, 2)]
                    followed = await loss_rate.rate(control, both, ways, polices)
                progress("")
                print(loss_rate.report(name, followed), flush=True)
    print(summary([found[share] for share in LEVELS if share]))


def summary(levels: list[Level]) -> str:
    def joined(numbers: list[float]) -> str:
        return "/".join(f"{number * 100:.2f}" for number in numbers)

    return (
        f"freeze_pct={joined([level.shown.frozen for level in levels])} "
        f"concealed_pct={joined([level.shown.concealed for level in levels])} "
        f"recorded_missing_pct={joined([level.missing for level in levels])}"
    )


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
