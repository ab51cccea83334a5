"""Our node's process as a soak starts it: redis_url recordings host capacity.

It is the node itself, and may be traced. On SIGUSR2 it writes beside the recordings folder how many tasks
and objects it has, which nobody can count from outside.
"""

import asyncio
import ctypes
import gc
import json
import logging
import signal
import sys
from collections import Counter
from pathlib import Path

import uvloop

from media.leg import Leg
from media.net.dtls import Dtls
from media.net.peer import Peer
from media.node import NodeSettings, serve_node
from media.path.slot import Slot
from media.path.upstream import Upstream
from media.recording.disk import PartFile
from media.recording.recorder import Recorder

COUNTS = "counts.json"
PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, ctypes.c_ulong(-1)
KINDS = (Leg, Peer, Dtls, Upstream, Slot, Recorder, PartFile)  # each belongs to one connection


def counted() -> dict[str, int]:
    """Tasks by that word, objects by their type's name. Garbage is collected before."""
    gc.collect()
    found = Counter(type(thing).__name__ for thing in gc.get_objects() if type(thing) in KINDS)
    return {"tasks": len(asyncio.all_tasks()), **{kind.__name__: found[kind.__name__] for kind in KINDS}}


def write_counts(path: Path) -> None:
    """Whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(counted()))
    draft.replace(path)


def let_strace_in() -> None:
    """From anybody of the same user, where Yama lets a process be traced by its ancestors only."""
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)


async def run(settings: NodeSettings) -> None:
    path = settings.recordings.parent / COUNTS
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR2, write_counts, path)
    await serve_node(settings)


if __name__ == "__main__":
    url, recordings, host, capacity = sys.argv[1:]
    logging.basicConfig(level=logging.WARNING)
    let_strace_in()
    uvloop.run(
        run(
            NodeSettings(
                redis_url=url, recordings=Path(recordings), addresses=(host,), capacity=int(capacity)
            )
        )
    )
