"""A call on bad networks: two real browsers, the node, and a seeded lossy proxy in front of each browser.

    python -m bench.loss [seconds [burst]]        (or: make bench-loss)

At 0, 5, 10 and 20 % of packets lost in each direction of each leg, with 50 ms of round trip on each: how long
pictures froze (libwebrtc's own count), how much sound had to be made up, how many pictures are missing in the
recording. With ``burst`` so many are lost in a row, on average. Then how the sender's rate follows what a
viewer's path carries. The last line is for machines.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from av import FFmpegError
from playwright.async_api import Page
from redis.asyncio import Redis

from bench import loss_rate
from media.protocol import NODES, NodeId, info_decoder, node_key
from tests.media.browser import pages
from tests.media.conftest import Control
from tests.media.impaired import PEOPLE, Impaired, Kept, Shown, shown
from tests.media.link import GilbertElliott, Loss, Uniform
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


async def level(
    control: Control,
    both: list[Page],
    ways: list[Lossy],
    share: float,
    loss: Callable[[], Loss],
    seconds: float,
) -> Level:
    call = Impaired(control, both, ways, f"loss-{share * 100:.0f}")
    await call.begin()
    await asyncio.sleep(WARM_S)
    links = [link for way in ways for link in (way.up, way.down)]
    dropped = sum(link.dropped for link in links)
    before, began = await call.look(), time.monotonic()
    for link in links:
        link.loss = loss()
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


async def main(seconds: float, burst: float) -> None:
    print(f"packets lost {f'in bursts of {burst:g}' if burst > 1 else 'one by one'}, {seconds:.0f} s each")
    print("lost  frozen %  concealed %  recorded missing %  silent %  fps  kbit/s     packets lost")
    found: list[Level] = []
    with tempfile.TemporaryDirectory(prefix="bangban-loss-") as folder:
        async with running_node(Path(folder)) as control, pages(2) as both:
            for share in LEVELS:
                loss = partial(GilbertElliott, share, burst) if burst > 1 else partial(Uniform, share)
                with step(f"{share * 100:.0f} % lost each way, for {seconds:.0f} s"), proxies() as ways:
                    found.append(await level(control, both, ways, share, loss, seconds))
                    say(report(found[-1]))
            for name, polices in (("queue", False), ("policer", True)):
                with step(f"what a {name} in the viewer's way does to the sender"), proxies() as ways:
                    say(loss_rate.report(name, await loss_rate.rate(control, both, ways, polices)))
    print(summary({level.loss: level for level in found}))


@contextmanager
def proxies() -> Iterator[list[Lossy]]:
    with ExitStack() as stack:
        yield [stack.enter_context(lossy(seed, ONE_WAY_S)) for seed in (1, 2)]


@contextmanager
def step(name: str) -> Iterator[None]:
    """Says what is going on. One that fails is said to have failed, and the next one begins."""
    print(f"\r\x1b[K{name} ...", end="", file=sys.stderr, flush=True)
    try:
        yield
    except (AssertionError, TimeoutError, FFmpegError) as error:
        say(f"{name}: FAILED: {error}"[:500])


def say(text: str) -> None:
    print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    print(text, flush=True)


def summary(levels: dict[float, Level]) -> str:
    """Of a level that failed there is no number."""

    def joined(number: Callable[[Level], float]) -> str:
        found = [levels.get(share) for share in LEVELS if share]
        return "/".join("failed" if level is None else f"{number(level) * 100:.2f}" for level in found)

    return (
        f"freeze_pct={joined(lambda level: level.shown.frozen)} "
        f"concealed_pct={joined(lambda level: level.shown.concealed)} "
        f"recorded_missing_pct={joined(lambda level: level.missing)}"
    )


if __name__ == "__main__":
    words = [float(word) for word in sys.argv[1:]]
    asyncio.run(main(*[*words, *(SECONDS, 1.0)[len(words) :]]))
