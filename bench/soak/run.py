"""Many short calls on one node, and one long call."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bench.media.calls import Call, Failed, Person, person
from bench.media.generator import Generator
from bench.media.ours import Ours
from bench.media.recordings import check, decode
from bench.media.run import close_calls, open_calls
from bench.soak import in_step
from bench.soak.node import COUNTS
from bench.soak.samples import Sample, faults, grown, head, row, taken

COUNT_S = 20.0  # until the node has said its counts
LOOKS = 4
ON_THEIR_WAY_S = 0.5
SETTLE_S = 1.0  # after the last call of a batch
WARM_CALLS = 16  # that come before the first sample: what is made once is made then
WARM_MINUTES = 1.0
DRIFT = 50e-6  # of the resident's sound: its clock is slower than the node's
RSS_PER_100_CALLS = 500e3  # bytes
RSS_PER_10_MINUTES = 500e3
APART_S = 0.08  # sound and picture, at most

Say = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    samples: list[Sample]
    faults: list[str] = field(default_factory=list)


async def count(node: Ours, folder: Path, at: float, sent: int = 0, lost: int = 0) -> Sample:
    """What the node says that it has at least, as a task that waits for Redis may have a second one for a
    moment. Raises Failed when it says nothing."""
    looks = [await _look(node, folder, at, sent, lost) for _ in range(LOOKS)]
    return min(looks, key=lambda look: look.tasks)


async def _look(node: Ours, folder: Path, at: float, sent: int, lost: int) -> Sample:
    path = folder / COUNTS
    path.unlink(missing_ok=True)
    os.kill(node.pid, signal.SIGUSR2)
    try:
        async with asyncio.timeout(COUNT_S):
            while not path.exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise Failed("the node does not say its counts") from None
    return taken(at, node.pid, path.read_text(), sent, lost)


async def short_calls(
    node: Ours,
    folder: Path,
    generator: Generator,
    *,
    calls: int,
    at_once: int,
    seconds: float,
    every: int,
    say: Say,
    warm: int = WARM_CALLS,
) -> Found:
    """``calls`` of them, ``at_once`` at a time; a sample each ``every`` calls while there are none."""
    say(head("calls"))
    await _batches(node, generator, "warm", warm, at_once, seconds)
    samples = [await count(node, folder, 0)]
    say(row(samples[0]))
    bad: list[str] = []
    for done in range(0, calls, every):
        some = min(every, calls - done)
        sent, lost = await _batches(node, generator, f"short-{done}", some, at_once, seconds)
        await asyncio.sleep(SETTLE_S)
        samples.append(await count(node, folder, done + some, sent, lost))
        say(row(samples[-1]))
        bad += await asyncio.to_thread(_decoded, node, folder)
    say(grown(samples, 100, "calls"))
    return Found(samples, bad + faults(samples, 100, RSS_PER_100_CALLS) + node.lost)


async def _batches(
    node: Ours, generator: Generator, stem: str, calls: int, at_once: int, seconds: float
) -> tuple[int, int]:
    """Packets sent and lost."""
    sent = lost = 0
    for first in range(0, calls, at_once):
        some = min(at_once, calls - first)
        running = await open_calls(node, generator, some, f"{stem}-{first}", lambda _: None)
        one = await watched(running, seconds)
        await close_calls(node, generator, running)
        sent, lost = sent + one.sent, lost + one.lost
    return sent, lost


class Watched(NamedTuple):
    """Packets that were sent, and those of them that never came. ``sound`` is of the latter: it is never left
    out, as pictures are on a path that seems to be full, or to a receiver that has no time."""

    sent: int
    lost: int
    sound: int


async def watched(calls: Sequence[Call], seconds: float) -> Watched:
    streams = [stream for call in calls for stream in call.incoming()]
    for stream in streams:
        stream.watch()
    await asyncio.sleep(seconds)
    for stream in streams:
        stream.mark()
    await asyncio.sleep(ON_THEIR_WAY_S)
    seen = [(stream.video, stream.seen()) for stream in streams]
    return Watched(
        sum(one.sent for _, one in seen),
        sum(one.lost for _, one in seen),
        sum(one.lost for video, one in seen if not video),
    )


def _decoded(node: Ours, folder: Path) -> list[str]:
    """Faults of a sample of the recordings, which are removed."""
    checked = node.check_recordings(8, seed=1)
    for path in (folder / "recordings").iterdir():
        shutil.rmtree(path)
    return list(checked.faults)


async def long_call(node: Ours, folder: Path, generator: Generator, *, minutes: float, say: Say) -> Found:
    """A sample each minute; at the end everything is decoded, and the end of each recording must be in
    step."""
    say(head("minutes"))
    people = (person(generator), person(generator))
    resident = people[0].sound
    resident.clip = resident.clip._replace(interval=resident.clip.interval * (1 + DRIFT))
    call = await node.open_call("long", generator, people)
    await watched([call], 60 * min(WARM_MINUTES, minutes / 4))
    samples = [await count(node, folder, 0)]
    say(row(samples[0]))
    step = min(1.0, minutes)
    while samples[-1].at < minutes:
        seen = await watched([call], 60 * step - ON_THEIR_WAY_S)
        samples.append(await count(node, folder, samples[-1].at + step, seen.sent, seen.lost))
        say(row(samples[-1]))
    await node.close_call(call, generator)
    say(grown(samples, 10, "minutes"))
    bad = faults(samples, 10, RSS_PER_10_MINUTES) + node.lost
    say("decoding")
    paths = sorted((folder / "recordings").rglob("*.webm"))
    checked = await asyncio.to_thread(check, paths, decode, None, 1)
    say(f"{checked.files} recordings, {checked.frames} frames decoded")
    bad += checked.faults
    for path, one in zip(paths, _senders(paths, people), strict=True):
        apart = await asyncio.to_thread(in_step.offset, path, one.sound, one.video)
        say(f"{path.name}: picture {1000 * apart:+.1f} ms beside the sound at the end")
        if abs(apart) > APART_S:
            bad.append(f"{path.name}: {1000 * apart:.0f} ms out of step")
    return Found(samples, bad)


def _senders(paths: list[Path], people: tuple[Person, Person]) -> list[Person]:
    """Whose recording each is: the resident is the first."""
    return [people[0 if path.name.startswith("resident") else 1] for path in paths]
