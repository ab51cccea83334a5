"""The children of ``bangban serve``: started in order, restarted when they die, stopped in reverse.

Every child gets a session of its own, so that Ctrl-C in a terminal reaches only the parent, which then
stops them in order; and the kernel sends it SIGTERM when the parent dies without having done so.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO

import structlog
from msgspec import Struct

log = structlog.get_logger("supervisor")

GRACE_S = 2.35  # SIGTERM to SIGKILL, for each stage but the first; a media node takes up to 2.3 s to seal
LAST_GRACE_S = 0.3  # for the first stage, at the least: an engine writes its file and goes
POLL_S = 0.02
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 10.0
HEALTHY_S = 30.0  # a child that lived this long starts again without delay
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class CannotStart(RuntimeError):
    """A sentence for the person who started it: what is wrong and what to do."""


class ChildFailed(CannotStart):
    """A child ended, or did not answer, before it was ever ready."""


class Child(Struct, frozen=True):
    """``ready`` tells by the child's pid whether it answers; ``stage`` 0 starts first and stops last. One
    that ``may_finish`` is not started again when it ended with 0: it did what it was there for."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[int], Awaitable[bool]]
    stage: int = 1
    ready_s: float = 20.0
    pass_fds: tuple[int, ...] = ()
    may_finish: bool = False
    output: Path | None = None  # None: where the parent's output goes


async def spawn(
    command: Sequence[str], *, pass_fds: Sequence[int] = (), output: IO[bytes] | None = None
) -> Process:
    """Start a process that dies with this one (Linux: prctl(2), PR_SET_PDEATHSIG). Call from the main thread:
    the kernel watches the thread that started the child, not the process."""
    parent = os.getpid()

    def tie_to_parent() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        pass_fds=tuple(pass_fds),
        preexec_fn=tie_to_parent if sys.platform == "linux" else None,
    )


async def stop(process: Process, grace: float) -> bool:
    """SIGTERM, then SIGKILL for its whole session when ``grace`` is over. False when it had to be killed."""
    if process.returncode is not None:
        return True
    _signal(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), grace)
    except TimeoutError:
        _signal(process, signal.SIGKILL, group=True)
        await process.wait()
        return False
    return True


def _signal(process: Process, number: signal.Signals, *, group: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
        (os.killpg if group else os.kill)(process.pid, number)


async def until_ready(child: Child, process: Process) -> None:
    """Ask ``ready`` until it says yes. Raises ChildFailed when the process ends or the time is over."""
    deadline = time.monotonic() + child.ready_s
    while process.returncode is None:
        if await child.ready(process.pid):
            return
        if time.monotonic() > deadline:
            raise ChildFailed(f"{child.name} did not answer within {child.ready_s:.0f} s{_last_words(child)}")
        await asyncio.sleep(POLL_S)
    raise ChildFailed(f"{child.name} ended at once ({ending(process.returncode)}){_last_words(child)}")


def ending(code: int) -> str:
    """``exit code 3`` or ``signal SIGKILL``."""
    return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"


def _last_words(child: Child) -> str:
    if child.output is None or not child.output.exists():
        return ""
    lines = child.output.read_text("utf-8", "replace").splitlines()[-5:]
    return f"; the end of {child.output}:\n  " + "\n  ".join(lines)


class Supervisor:
    """Owns its children from ``start`` to ``stop``."""

    def __init__(self, *, first_delay: float = FIRST_DELAY_S) -> None:
        self._first_delay = first_delay
        self._stages: dict[int, list[_Kept]] = {}

    async def start(self, children: Sequence[Child]) -> None:
        """Start children side by side and wait until all answer. Raises ChildFailed; then call ``stop``."""
        kept = [_Kept(child, self._first_delay) for child in children]
        for one in kept:
            self._stages.setdefault(one.child.stage, []).append(one)
        results = await asyncio.gather(*(one.start() for one in kept), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def stop(self) -> bool:
        """Stop everything, the highest stage first. False when something had to be killed."""
        clean, until = True, time.monotonic() + GRACE_S + LAST_GRACE_S
        for stage, kept in sorted(self._stages.items(), reverse=True):
            # What the others left of their time is the engine's.
            grace = GRACE_S if stage else max(LAST_GRACE_S, until - time.monotonic())
            clean &= all(await asyncio.gather(*(one.stop(grace) for one in kept)))
        self._stages.clear()
        return clean

    def pids(self) -> dict[str, int]:
        """Name to process id of what runs now."""
        return {
            one.child.name: one.process.pid
            for kept in self._stages.values()
            for one in kept
            if one.process is not None and one.process.returncode is None
        }


class _Kept:
    """One child, kept alive by a task of its own."""

    def __init__(self, child: Child, first_delay: float) -> None:
        self.child = child
        self.process: Process | None = None
        self._first_delay = first_delay
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        process = await self._spawn()
        await until_ready(self.child, process)
        self._task = asyncio.create_task(self._keep(process), name=f"child {self.child.name}")

    async def stop(self, grace: float) -> bool:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.process is None:
            return True
        began = time.monotonic()
        clean = await stop(self.process, grace)
        log.debug(
            "child stopped", child=self.child.name, s=round(time.monotonic() - began, 2), killed=not clean
        )
        return clean

    async def _spawn(self) -> Process:
        if self.child.output is None:
            self.process = await spawn(self.child.command, pass_fds=self.child.pass_fds)
        else:
            with self.child.output.open("ab") as output:
                self.process = await spawn(self.child.command, pass_fds=self.child.pass_fds, output=output)
        return self.process

    async def _keep(self, process: Process) -> None:
        delay = self._first_delay
        while True:
            began = time.monotonic()
            code = await process.wait()
            if code == 0 and self.child.may_finish:
                log.info("child has finished", child=self.child.name)
                return
            if time.monotonic() - began > HEALTHY_S:
                delay = self._first_delay
            log.warning("child ended", child=self.child.name, how=ending(code), again_in_s=delay)
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_DELAY_S)
            try:
                process = await self._spawn()
            except OSError as why:  # no memory or no descriptors just now: wait as for a child that died
                log.error("child not started", child=self.child.name, why=str(why), again_in_s=delay)
                continue
            log.info("child started", child=self.child.name, pid=process.pid)
