"""Disks that are full, broken or stuck under the real node: no packet of a call waits for them.

The faults are the kernel's: a file system of four megabytes, and system calls that strace makes fail.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bench.media.calls import Call
from bench.media.generator import Generator
from bench.media.ours import Ours
from bench.media.recordings import decode
from bench.soak.run import watched
from media.recording.repair import seal_orphan
from tests.eventually import eventually
from tests.media.coturn import tool

FIRST_S = 1.5  # of a recording before its disk fails
IN_FOUR_MEGABYTES = 'mount -t tmpfs -o size=4m none "$0" && exec "$@"'


@asynccontextmanager
async def failing(pid: int, path: Path | None, *inject: str) -> AsyncIterator[None]:
    """System calls of the node's disk threads fail, or last, as strace's ``inject`` says; with ``path`` only
    those on this file."""
    threads = [thread for thread in _threads(pid) if thread != pid]
    command = [tool("strace"), "-qq", "-o", "/dev/null"]
    command += [word for thread in threads for word in ("-p", str(thread))]
    command += [word for one in inject for word in ("-e", f"inject={one}")]
    command += ["-P", str(path)] if path is not None else []
    tracer = await asyncio.create_subprocess_exec(*command)
    try:
        await eventually(lambda: tracer.returncode is not None or all(_traced(pid, t) for t in threads))
        assert tracer.returncode is None
        yield
    finally:
        if tracer.returncode is None:
            tracer.send_signal(signal.SIGINT)
        await tracer.wait()


def _threads(pid: int) -> list[int]:
    return [int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()]


def _traced(pid: int, thread: int) -> bool:
    return "TracerPid:\t0" not in Path(f"/proc/{pid}/task/{thread}/status").read_text()


async def running(node: Ours, generator: Generator, *names: str) -> list[Call]:
    calls = list(await asyncio.gather(*(node.open_call(name, generator) for name in names)))
    assert (await watched(calls, FIRST_S)).sound == 0
    return calls


async def ended(node: Ours, generator: Generator, calls: Sequence[Call]) -> None:
    for call in calls:
        await node.close_call(call, generator)
    assert node.lost == []


def recorded(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.webm"))


async def plays(path: Path) -> bool:
    """All that is in it."""
    return (await asyncio.to_thread(decode, path))[1] == ""


async def test_a_file_that_cannot_be_written_stops_and_nothing_else_does(
    node: Ours, folder: Path, generator: Generator
) -> None:
    calls = await running(node, generator, "good", "bad")
    broken = folder / "recordings" / "bad" / "resident-g1-camera.webm"
    async with failing(node.pid, broken, "pwrite64:error=EIO"):
        assert (await watched(calls, 2.0)).sound == 0
    size = broken.stat().st_size
    assert (await watched(calls, 1.0)).sound == 0
    await ended(node, generator, calls)
    assert broken.stat().st_size == size
    assert await plays(broken)
    assert seal_orphan(broken).duration > FIRST_S / 2, "the service finds it and repairs it"
    assert await plays(broken)
    others = [path for path in recorded(folder / "recordings") if path != broken]
    assert len(others) == 3
    for path in others:
        assert await plays(path), path
        assert path.stat().st_size > 1.5 * size
    log = (folder / "node.log").read_text()
    assert (log.count("stops: [Errno 5]"), log.count("Traceback")) == (1, 0)


async def test_a_disk_that_hangs_for_seconds_costs_nothing(
    node: Ours, folder: Path, generator: Generator
) -> None:
    """Every write and sync lasts two seconds; then the disk is well again."""
    calls = await running(node, generator, "one", "two")
    hangs = ("pwrite64:delay_enter=2s", "fdatasync:delay_enter=2s", "openat:delay_enter=2s")
    async with failing(node.pid, None, *hangs):
        assert (await watched(calls, 4.5)).sound == 0
    await ended(node, generator, calls)
    paths = recorded(folder / "recordings")
    assert len(paths) == 4
    for path in paths:
        assert await plays(path), path  # a hole of more than 0.1 s is a fault
        assert path.stat().st_size > 6 * 100_000


def space_of_its_own() -> list[str]:
    """The command that gives a process mounts which nobody else has."""
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode:
        pytest.skip("nothing can be mounted here, not even for one process")
    return command


@pytest.fixture
async def small(folder: Path, generator: Generator) -> AsyncIterator[Ours]:
    """A node whose recordings are on a disk of four megabytes, which nobody else sees."""
    space = space_of_its_own()
    core = min(os.sched_getaffinity(0))
    wrapper = [*space, "sh", "-c", IN_FOUR_MEGABYTES, str(folder / "recordings")]
    node = Ours(folder, core, core, program="bench.soak.node", wrapper=wrapper)
    try:
        await node.start()
        yield node
    finally:
        generator.remove_all()
        await node.stop()


async def test_a_full_disk_ends_the_parts_and_room_makes_the_next_ones(
    small: Ours, folder: Path, generator: Generator
) -> None:
    recordings = Path(f"/proc/{small.pid}/root{folder / 'recordings'}")
    calls = await running(small, generator, "call")
    (filler := recordings / "filler").touch()
    _fill(filler)
    assert (await watched(calls, 2.5)).sound == 0
    filler.unlink()
    await eventually(lambda: sum("-r2" in path.name for path in recorded(recordings)) == 2, within_s=20)
    assert (await watched(calls, FIRST_S)).sound == 0
    await ended(small, generator, calls)
    paths = recorded(recordings)
    names = [f"{who}-g1-camera{again}.webm" for who in ("agent", "resident") for again in ("-r2", "")]
    assert [path.name for path in paths] == names
    for path in paths:
        assert await plays(path), path
    assert (folder / "node.log").read_text().count("No space left on device") == 2


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return
