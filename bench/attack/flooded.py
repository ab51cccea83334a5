"""Calls and joins under a flood: what is lost of them, what ends, what the node keeps of it."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.media.calls import Call, Failed, Full
from bench.media.generator import Generator
from bench.media.ours import Ours
from bench.media.run import close_calls, open_calls
from bench.soak.run import Watched, count, watched
from bench.soak.samples import MB, Sample

ATTEMPTS = 20  # of a join that a node refuses because it is full, a second apart
WARM_JOINS = 20  # before memory is looked at: what is made once is made then
GROWTH = 5 << 20  # bytes, at most
END_S = 10.0

Say = Callable[[str], None]


@dataclass(frozen=True)
class Flooded:
    """``rate`` is what was sent, a second; ``dropped`` what the kernel had no room for, of that and of the
    calls' own."""

    rate: float
    dropped: int
    joins: int
    failed: list[str]
    seen: Watched
    ended: list[str]
    cpu: float  # % of a core that the node used
    before: Sample
    after: Sample

    @property
    def faults(self) -> list[str]:
        found = [f"{len(self.failed)} of {self.joins} joins: {self.failed[0]}"] if self.failed else []
        found += [f"{self.seen.lost} of {self.seen.sent} packets lost"] if self.seen.lost else []
        found += self.ended
        grown = self.after.rss - self.before.rss
        found += [f"{grown / MB:.1f} MB kept"] if grown > GROWTH else []
        before, after = self.before.kept[1:], self.after.kept[1:]
        if any(a > b for a, b in zip(after, before, strict=True)):
            found.append(f"threads, tasks, objects {before} -> {after}")
        return found

    def row(self) -> str:
        return (
            f"{self.rate:9.0f} {self.cpu:6.0f} {self.dropped:9d} {len(self.failed):6d}/{self.joins:<6d} "
            f"{self.seen.lost:6d}/{self.seen.sent:<8d} {len(self.ended):5d} "
            f"{(self.after.rss - self.before.rss) / MB:+10.2f}"
        )


HEAD = "   rate/s  CPU %   dropped  joins lost   packets lost    ended    RSS MB"


@asynccontextmanager
async def flooding(host: str, port: int, rate: float) -> AsyncIterator["subprocess.Popen[str]"]:
    """The strangers, from here to the end of the block; write ufrags to them."""
    command = [sys.executable, "-m", "bench.attack.flood", host, str(port), str(rate)]
    process = subprocess.Popen(  # noqa: ASYNC220 - at once, and no loop is to wait on it
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def under_flood(
    node: Ours,
    folder: Path,
    generator: Generator,
    *,
    rate: float,
    joins: int,
    at_once: int,
    host: str = "127.0.0.1",
    seconds: float = 0.0,
) -> Flooded:
    """The flood begins, a call of two begins, ``joins`` come and go, ``seconds`` at least; the node is empty
    before and after."""
    name = f"{rate:.0f}"
    await joined(node, generator, f"warm-{name}", WARM_JOINS, at_once)
    await close_calls(node, generator, await open_calls(node, generator, 1, f"warm-{name}", lambda _: None))
    before = await count(node, folder, 0)
    async with flooding(host, node.port, rate) as strangers:
        assert strangers.stdin is not None
        (call,) = await open_calls(node, generator, 1, f"call-{name}", lambda _: None)
        strangers.stdin.writelines(f"{ufrag}\n" for ufrag in _ufrags(call))
        strangers.stdin.flush()
        drops, used, began = dropped(host, node.port), node.usage().cpu, time.monotonic()
        watching = asyncio.create_task(_watched(call, stop := asyncio.Event()))
        failed = await joined(node, generator, f"join-{name}", joins, at_once)
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        stop.set()
        seen = await watching
        cpu = 100 * (node.usage().cpu - used) / (time.monotonic() - began)
        drops = dropped(host, node.port) - drops
        said, _ = await asyncio.to_thread(strangers.communicate, timeout=END_S)
    datagrams, took = said.split()
    await close_calls(node, generator, [call])
    await asyncio.sleep(1.0)
    after = await count(node, folder, 1)
    # Who joined and left says goodbye in a race with the node.
    ended = [one for one in node.lost if one.startswith("call-") or not one.endswith(": closed")]
    node.lost.clear()
    return Flooded(float(datagrams) / float(took), drops, joins, failed, seen, ended, cpu, before, after)


def _ufrags(call: Call) -> list[str]:
    return [caller.ice.remote_ufrag for caller in call.callers()]


async def _watched(call: Call, stop: asyncio.Event) -> Watched:
    """A second at a time, so that no list grows without end."""
    seen = Watched(0, 0, 0)
    while not stop.is_set():
        seen = Watched(*(a + b for a, b in zip(seen, await watched([call], 1.0), strict=True)))
    return seen


async def joined(node: Ours, generator: Generator, stem: str, joins: int, at_once: int) -> list[str]:
    """Why those failed that failed."""
    failed: list[str] = []
    for first in range(0, joins, at_once):
        names = [f"{stem}-{number}" for number in range(first, min(first + at_once, joins))]
        results = await asyncio.gather(*(_join(node, generator, name) for name in names))
        failed += [result for result in results if result]
    return failed


async def _join(node: Ours, generator: Generator, name: str) -> str:
    """Nothing, or why there was no connection. A node that is full for the moment is asked again: that is
    said before there is a handshake."""
    for attempt in range(ATTEMPTS):
        try:
            await node.join_and_leave(f"{name}-{attempt}", generator)
        except Full:
            await asyncio.sleep(1.0)
        except Failed as why:
            return str(why)
        else:
            return ""
    return "the node stayed full"


def dropped(host: str, port: int) -> int:
    """Datagrams that the kernel dropped at this port because its buffer was full."""
    local = f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] == local:
            return int(fields[-1])
    return 0
