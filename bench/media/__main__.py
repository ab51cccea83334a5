"""How many recorded calls one core carries: our media node and Debian's Janus under the same generator.

    python -m bench.media [--levels 1,20,40,60] [--seconds 8] [--rounds 1] [--quick] [--all] ...
    (or: make bench-media)

A call is two people, each sending 50 packets a second of Opus and about 130 of VP8 at 1.1 Mbit/s, each
shown the other, both recorded. The servers take turns, level by level, each time as a new process, pinned to
one core; the generator has the other. A delay is from the moment a packet is handed to the kernel to the
kernel's receive stamp, so it holds the server and nothing of the generator. "lost" counts packets that never
came, "again" those that came only when they were asked for again; a stream is compared with what was sent,
packet by packet. When the interval is over the recordings are decoded (Janus's are counted: its files hold
the packets), all of them with ``--all``,
else those of the small levels and a seeded sample of the large ones.

Needs two cores and, for Janus, Debian's package, which is installed when it is missing (as root).
The last line is for machines: calls per core, ours over theirs.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop

from bench.media import janus
from bench.media.calls import Failed, Server
from bench.media.clip import sound_clip, video_clip
from bench.media.generator import Generator
from bench.media.janus import Janus
from bench.media.ours import Ours
from bench.media.report import calls_per_core, calls_per_core_at_best, join_table, level_table
from bench.media.run import Joins, Level, MakeServer, Plan, measure_joins, measure_level

SERVER_CORE, BENCH_CORE = 0, 1


def main() -> int:
    options = _options()
    plan = Plan(
        options.levels,
        options.seconds,
        options.joins,
        options.join_calls,
        options.all,
        options.p99,
        options.seed,
    )
    os.sched_setaffinity(0, {BENCH_CORE})
    with tempfile.TemporaryDirectory(prefix="bbbench") as folder, _ends_like_ctrl_c():
        try:
            ratio = uvloop.run(_run(Path(folder), plan, options.servers, options.rounds))
        except Failed as error:
            print(error, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return 130
    print(f"ratio_vs_janus={ratio:.2f}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.media", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--levels", type=_numbers, help="calls at a time (1,20,40,60)")
    parser.add_argument("--seconds", type=float, help="of each measured interval (8)")
    parser.add_argument("--rounds", type=int, default=1, help="how often the levels are gone through")
    parser.add_argument("--servers", type=lambda text: text.split(","), default=["ours", "janus"])
    parser.add_argument("--no-joins", dest="joins", action="store_false", help="leave the joins out")
    parser.add_argument("--join-calls", type=int, default=20, help="calls that run while others join")
    parser.add_argument("--all", action="store_true", help="decode every recording")
    parser.add_argument("--quick", action="store_true", help="1 and 20 calls, 4 s each, no joins")
    parser.add_argument(
        "--p99", type=float, default=20.0, help="ms; a level that is slower does not count (20)"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not set(options.servers) <= {"ours", "janus"}:
        parser.error("--servers: ours, janus or both")
    options.levels = options.levels or ((1, 20) if options.quick else (1, 20, 40, 60))
    options.seconds = options.seconds or (4.0 if options.quick else 8.0)
    options.joins = options.joins and not options.quick
    return options


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


async def _run(folder: Path, plan: Plan, servers: list[str], rounds: int) -> float:
    host = own_address()
    makers = {"ours": _ours(host), "janus": _janus(host)}
    if "janus" in servers:
        print(janus.installed(), flush=True)
    status = _Status()
    status("encoding the media of a call")
    for clip in (video_clip, sound_clip):
        clip()
    generator = Generator(host, plan.seed)
    turning = asyncio.create_task(generator.run(), name="generator")
    measuring = asyncio.create_task(
        _measure({name: makers[name] for name in servers}, folder, generator, plan, rounds, status),
        name="measure",
    )
    try:
        await asyncio.wait([turning, measuring], return_when=asyncio.FIRST_COMPLETED)
        if turning.done():
            turning.result()  # it never ends by itself: raise what ended it
        levels, joins = await measuring
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        generator.close()
        status.clear()
    return _report(levels, joins)


async def _measure(
    makers: dict[str, MakeServer],
    folder: Path,
    generator: Generator,
    plan: Plan,
    rounds: int,
    status: "_Status",
) -> tuple[list[Level], list[Joins]]:
    levels: list[Level] = []
    joins: list[Joins] = []
    for turn in range(rounds):
        for calls in plan.levels:
            for name, make in makers.items():
                place = folder / f"{turn}-{calls}-{name}"
                levels.append(await measure_level(make, place, generator, calls, plan, status))
                shutil.rmtree(place, ignore_errors=True)
    for name, make in makers.items():
        if plan.joins:
            place = folder / f"joins-{name}"
            joins.append(await measure_joins(make, place, generator, plan, status))
            shutil.rmtree(place, ignore_errors=True)
    return levels, joins


def _report(levels: list[Level], joins: list[Joins]) -> float:
    print("p50 / p99 of the delay in milliseconds; CPU in % of one core\n")
    print(level_table(levels))
    if joins:
        print("\n20 joins a second while calls run:\n")
        print(join_table(joins))
    print()
    ours, theirs = (_figure(levels, name) for name in ("ours", "janus"))
    print(f"calls_per_core_ours={ours:.1f} calls_per_core_janus={theirs:.1f}")
    return ours / theirs if theirs else 0.0


def _figure(levels: list[Level], server: str) -> float:
    if figure := calls_per_core(levels, server):
        return figure
    if figure := calls_per_core_at_best(levels, server):
        print(f"NOT TO BE TRUSTED: no level of {server} ran clean; its figure is of the highest that ran")
    return figure


def _ours(host: str) -> MakeServer:
    def make(folder: Path) -> Server:
        return Ours(folder, SERVER_CORE, BENCH_CORE, host)

    return make


def _janus(host: str) -> MakeServer:
    def make(folder: Path) -> Server:
        return Janus(folder, SERVER_CORE, host)

    return make


def own_address() -> str:
    """An address of this machine that is not 127.0.0.1, because Janus does not listen there. What is sent to
    it from here goes over loopback all the same. Connecting a UDP socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.254", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


class _Status:
    """One line that is written over, on a terminal; nothing but the steps elsewhere."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        line = f"{time.monotonic() - self._begun:4.0f} s  {text}"
        print(
            f"\r\x1b[K{line}" if self._terminal else line, end="" if self._terminal else "\n", file=sys.stderr
        )
        sys.stderr.flush()

    def clear(self) -> None:
        if self._terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _ends_like_ctrl_c() -> Iterator[None]:
    """SIGTERM ends it as Ctrl-C does: every process that was started is ended."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    sys.exit(main())
