"""Recorded calls for an hour: does the node's memory, do its tasks, threads or descriptors grow?

    python -m bench.soak [--calls 1000] [--at-once 8] [--seconds 2.5] [--minutes 60] [--core 0]
    (or: make soak)

First ``--calls`` short calls of two people, some at a time, then one call of ``--minutes``; 0 leaves one out.
The node is asked every 50 calls, when there is none, and every minute of the long call. Objects are those
that belong to one connection. A packet is lost when its receiver never got it. In the long call the clock of
the resident's sound is 50 ppm slow, and at its end every recording is decoded, and its picture compared with
its sound by what was sent. The last line is the verdict; the exit code is 1 when it is not "ok".
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bench.media.calls import Failed
from bench.media.clip import sound_clip, video_clip
from bench.media.generator import Generator
from bench.media.ours import Ours
from bench.soak.run import Found, long_call, short_calls

EVERY = 50  # calls
HOST = "127.0.0.1"


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--calls", type=int, default=1000, help="short calls (1000)")
    parser.add_argument("--at-once", type=int, default=8, help="of them at a time (8)")
    parser.add_argument("--seconds", type=float, default=2.5, help="of each short call (2.5)")
    parser.add_argument("--minutes", type=float, default=60, help="of the long call (60)")
    parser.add_argument("--core", type=int, default=0, help="that the node runs on (0)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bbsoak"))
    try:
        bad = uvloop.run(_run(folder, options))
    except Failed as error:
        bad = [str(error)]
    finally:
        shutil.rmtree(folder)
    print("soak ok" if not bad else "soak FAILED: " + "; ".join(bad[:10]))
    return 1 if bad else 0


async def _run(folder: Path, options: argparse.Namespace) -> list[str]:
    for clip in (video_clip, sound_clip):
        clip()
    generator = Generator(HOST)
    turning = asyncio.create_task(generator.run(), name="generator")
    soaking = asyncio.create_task(_soak(folder, generator, options), name="soak")
    try:
        await asyncio.wait([turning, soaking], return_when=asyncio.FIRST_COMPLETED)
        if turning.done():
            turning.result()  # it never ends by itself: raise what ended it
        return await soaking
    finally:
        for task in (soaking, turning):
            task.cancel()
        await asyncio.gather(soaking, turning, return_exceptions=True)
        generator.close()


async def _soak(folder: Path, generator: Generator, options: argparse.Namespace) -> list[str]:
    node = Ours(folder, options.core, options.core, HOST, "bench.soak.node")
    found: list[Found] = []
    try:
        await node.start()
        if options.calls:
            found.append(
                await short_calls(
                    node,
                    folder,
                    generator,
                    calls=options.calls,
                    at_once=options.at_once,
                    seconds=options.seconds,
                    every=EVERY,
                    say=_say,
                )
            )
        if options.minutes:
            found.append(await long_call(node, folder, generator, minutes=options.minutes, say=_say))
    finally:
        generator.remove_all()
        await node.stop()
    return [fault for one in found for fault in one.faults]


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
