"""Floods of strangers' datagrams against a node with a call on it, while others join.

    python -m bench.attack [--rates 5000,20000,40000] [--joins 1000] [--seconds 10] [--core 0]
    (or: make attack)

Each line is one flood: what came a second, the node's CPU, what the kernel dropped at its port for want of
room, joins that were lost, packets of the running call that were lost, connections that ended, and what the
process kept. The joins are made in the flood of 20,000 a second (the one nearest to it); the other lines show
where the machine ends. The last line is the verdict on the flood with the joins; the exit code is 1 when it
is not "ok".
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import uvloop

from bench.attack.flooded import HEAD, Flooded, under_flood
from bench.media.calls import Failed
from bench.media.clip import sound_clip, video_clip
from bench.media.generator import Generator
from bench.media.ours import Ours

HOST = "127.0.0.1"
RATE = 20_000
AT_ONCE = 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.attack", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rates", type=_numbers, default=(5_000, RATE, 2 * RATE), help="datagrams a second")
    parser.add_argument("--joins", type=int, default=1000, help="under the flood of 20,000 (1000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of the other floods (10)")
    parser.add_argument("--core", type=int, default=0, help="that the node runs on (0)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="bbattack"))
    try:
        judged = uvloop.run(_run(folder, options))
    except Failed as error:
        print(f"attack FAILED: {error}")
        return 1
    finally:
        shutil.rmtree(folder)
    print("attack ok" if not judged.faults else "attack FAILED: " + "; ".join(judged.faults[:10]))
    return 1 if judged.faults else 0


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


async def _run(folder: Path, options: argparse.Namespace) -> Flooded:
    for clip in (video_clip, sound_clip):
        clip()
    generator = Generator(HOST)
    turning = asyncio.create_task(generator.run(), name="generator")
    node = Ours(folder, options.core, options.core, HOST, "bench.soak.node")
    try:
        await node.start()
        chosen = min(options.rates, key=lambda rate: abs(rate - RATE))
        print(HEAD, flush=True)
        for rate in options.rates:
            found = await under_flood(
                node,
                folder,
                generator,
                rate=rate,
                joins=options.joins if rate == chosen else 0,
                at_once=AT_ONCE,
                seconds=options.seconds,
            )
            print(found.row(), flush=True)
            if rate == chosen:
                judged = found
        return judged
    finally:
        generator.remove_all()
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        await node.stop()
        generator.close()


if __name__ == "__main__":
    sys.exit(main())
