"""What tests of child processes ask of the system."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def gone(pid: int) -> bool:
    """Whether the process runs no more; a zombie that nobody reaped yet does not run."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state in "ZX"


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@contextmanager
def python(code: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    """A Python that runs ``code`` and can be talked to by lines; killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


async def line(process: "subprocess.Popen[str]") -> str:
    """The next line it prints, within ten seconds."""
    assert process.stdout is not None
    async with asyncio.timeout(10):
        return (await asyncio.to_thread(process.stdout.readline)).strip()
