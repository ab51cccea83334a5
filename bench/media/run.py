"""A level of calls on one server, joins while calls run, and a whole run of both servers in turn."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.media.calls import Call, Failed, Full, Server
from bench.media.generator import Generator
from bench.media.recordings import Checked
from tests.media.caller_streams import Incoming

OPEN_AT_ONCE = 4
FULL_ATTEMPTS = 10  # a second apart
SETTLE_S = 2.0
BEHIND_MS = 100.0  # a generator that is later than this did not send what it should have
ON_THEIR_WAY_S = 0.5  # for packets that were sent when the interval ended, and their repair
JOINS_PER_S = 20
SAMPLE = 16  # recordings that are decoded at a level with more of them


@dataclass(frozen=True)
class Plan:
    levels: tuple[int, ...]
    seconds: float  # of the measured interval
    joins: bool
    join_calls: int  # that run while others join
    every_recording: bool
    p99_ms: float  # a level whose packets take longer than this is not carried, whatever it costs
    seed: int = 1


NOTHING_CHECKED = Checked()


@dataclass(frozen=True)
class Delays:
    """Milliseconds."""

    p50: float
    p99: float
    worst: float


@dataclass(frozen=True)
class Level:
    """What was seen at ``calls`` calls. ``cpu`` in % of a core a call, ``rss`` in bytes a call; ``trouble``
    is why it could not be measured."""

    server: str
    calls: int
    cpu: float = 0.0
    rss: float = 0.0
    video: Delays = Delays(0, 0, 0)
    sound: Delays = Delays(0, 0, 0)
    sent: int = 0
    lost: int = 0
    repaired: int = 0
    foreign: int = 0
    generator: float = 0.0  # % of its core
    behind_ms: float = 0.0
    checked: Checked = NOTHING_CHECKED
    trouble: str = ""
    bound_ms: float = 0.0  # for p99 of the video

    @property
    def gapless(self) -> bool:
        return not self.lost and not self.foreign and not self.trouble and self.sent > 0

    @property
    def clean(self) -> bool:
        """The server carries this many calls."""
        quick = self.video.p99 <= self.bound_ms and self.behind_ms <= BEHIND_MS
        return self.gapless and not self.checked.faults and quick


@dataclass(frozen=True)
class Joins:
    """``cpu_ms`` is what one join costs; the rest is of the calls that ran meanwhile."""

    server: str
    joined: int
    failed: int
    cpu_ms: float = 0.0
    video: Delays = Delays(0, 0, 0)
    sound: Delays = Delays(0, 0, 0)
    sent: int = 0
    lost: int = 0
    trouble: str = ""


MakeServer = Callable[[Path], Server]
Status = Callable[[str], None]


async def measure_level(
    make: MakeServer, folder: Path, generator: Generator, calls: int, plan: Plan, status: Status
) -> Level:
    """A server of its own, its calls, the interval, its recordings."""
    server = make(folder)
    say = _labelled(status, server.name, calls)
    level = Level(server.name, calls, trouble="not started")
    try:
        say("starting")
        await server.start()
        before = server.usage()
        running = await open_calls(server, generator, calls, "call", say)
        await asyncio.sleep(SETTLE_S)
        say(f"measuring for {plan.seconds:.0f} s")
        level = await _interval(server, generator, running, before.rss, plan.seconds)
        say("closing")
        await close_calls(server, generator, running)
    except Failed as error:
        level = Level(server.name, calls, trouble=str(error))
    finally:
        generator.remove_all()
        await server.stop()
    if not level.trouble:
        say("decoding")
        sample = None if plan.every_recording else SAMPLE
        checked = await asyncio.to_thread(server.check_recordings, sample, plan.seed)
        level = _with(level, checked=checked, bound_ms=plan.p99_ms)
    return level


async def measure_joins(
    make: MakeServer, folder: Path, generator: Generator, plan: Plan, status: Status
) -> Joins:
    """Twice the same interval: calls alone, then with joins. The difference is the joins'."""
    server = make(folder)
    say = _labelled(status, server.name, plan.join_calls)
    try:
        await server.start()
        running = await open_calls(server, generator, plan.join_calls, "call", say)
        await asyncio.sleep(SETTLE_S)
        say("alone")
        alone = await _interval(server, generator, running, 0, plan.seconds)
        say(f"{JOINS_PER_S} joins a second")
        results: list[str] = []
        joining = asyncio.create_task(_join(server, generator, plan.seconds, results), name="joins")
        busy = await _interval(server, generator, running, 0, plan.seconds)
        await joining
        await close_calls(server, generator, running)
    except Failed as error:
        return Joins(server.name, 0, 0, trouble=str(error))
    finally:
        generator.remove_all()
        await server.stop()
    failed = [result for result in results if result]
    joined = len(results) - len(failed)
    extra = (busy.cpu - alone.cpu) * plan.join_calls / 100 * plan.seconds
    return Joins(
        server.name,
        joined,
        len(failed),
        cpu_ms=1000 * extra / max(joined, 1),
        video=busy.video,
        sound=busy.sound,
        sent=busy.sent,
        lost=busy.lost,
        trouble=failed[0] if failed else "",
    )


async def open_calls(server: Server, generator: Generator, count: int, stem: str, say: Status) -> list[Call]:
    """A few at a time, as people come."""
    opened: list[Call] = []
    for first in range(0, count, OPEN_AT_ONCE):
        names = [f"{stem}-{number}" for number in range(first, min(first + OPEN_AT_ONCE, count))]
        opened += await _all(*(_open_call(server, generator, name) for name in names))
        say(f"{len(opened)} open")
    return opened


async def _open_call(server: Server, generator: Generator, name: str) -> Call:
    """A server that counts the cost of the last joins may be full for a moment only."""
    for attempt in range(FULL_ATTEMPTS):
        try:
            return await server.open_call(f"{name}-{attempt}", generator)
        except Full:
            await asyncio.sleep(1.0)
    return await server.open_call(name, generator)


async def close_calls(server: Server, generator: Generator, calls: list[Call]) -> None:
    for first in range(0, len(calls), OPEN_AT_ONCE):
        await _all(*(server.close_call(call, generator) for call in calls[first : first + OPEN_AT_ONCE]))


async def _all(*work: Awaitable[Call | None]) -> list[Call]:
    """Every one has ended when the first that failed is told."""
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if isinstance(result, Call)]


async def _join(server: Server, generator: Generator, seconds: float, results: list[str]) -> None:
    begun = time.monotonic()
    tasks = []
    for number in range(int(seconds * JOINS_PER_S)):
        await asyncio.sleep(max(0.0, begun + number / JOINS_PER_S - time.monotonic()))
        tasks.append(asyncio.create_task(server.join_and_leave(f"join-{number}", generator)))
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, Failed):
            raise result
        results.append("" if result is None else str(result))


async def _interval(
    server: Server, generator: Generator, calls: list[Call], rss_before: int, seconds: float
) -> Level:
    streams = [stream for call in calls for stream in call.incoming()]
    gc.collect()
    gc.disable()  # a collection here would show as the server's delay
    try:
        for stream in streams:
            stream.watch()
        generator.behind = 0.0
        usage, own, begun = server.usage(), time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        after, own_after, took = server.usage(), time.process_time(), time.monotonic() - begun
        for stream in streams:
            stream.mark()
        await asyncio.sleep(ON_THEIR_WAY_S)
    finally:
        gc.enable()
    return _with(
        _seen(server.name, len(calls), streams),
        cpu=100 * (after.cpu - usage.cpu) / took / len(calls),
        rss=(after.rss - rss_before) / len(calls),
        generator=100 * (own_after - own) / took,
        behind_ms=1000 * generator.behind,
    )


def _seen(name: str, calls: int, streams: list[Incoming]) -> Level:
    seen = [stream.seen() for stream in streams]
    video = [delay for stream in streams if stream.video for delay in stream.delays]
    sound = [delay for stream in streams if not stream.video for delay in stream.delays]
    return Level(
        name,
        calls,
        video=percentiles(video),
        sound=percentiles(sound),
        sent=sum(one.sent for one in seen),
        lost=sum(one.lost for one in seen),
        repaired=sum(one.repaired for one in seen),
        foreign=sum(one.foreign for one in seen),
    )


def percentiles(delays: list[float]) -> Delays:
    if not delays:
        return Delays(0, 0, 0)
    ordered = sorted(delays)
    last = len(ordered) - 1
    return Delays(*(1000 * ordered[round(share * last)] for share in (0.5, 0.99, 1.0)))


def _with(level: Level, **changed: object) -> Level:
    return replace(level, **changed)  # type: ignore[arg-type]


def _labelled(status: Status, name: str, calls: int) -> Status:
    return lambda text: status(f"{name}, {calls} calls: {text}")
