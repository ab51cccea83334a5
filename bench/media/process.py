"""A server's process and whatever it starts: pinned to a core, measured through /proc, ended by its id."""

import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
END_S = 5.0
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Usage(NamedTuple):
    cpu: float  # seconds, user and system, of every thread and child so far
    rss: int  # bytes


class Process:
    """In a session of its own, so that Ctrl-C at the terminal reaches the bench, which then ends it. When the
    bench is killed, the kernel ends it."""

    def __init__(
        self, command: Sequence[str], core: int, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: _settle(core),
                env={**os.environ, **(environment or {})},
            )
        self.pid = self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def output(self) -> str:
        """The last line that it has said."""
        return self._log.read_text(errors="replace").rstrip().rpartition("\n")[2][-300:]

    def pids(self) -> list[int]:
        """It and what descends from it."""
        found = [self.pid]
        for pid in found:
            found += _children(pid)
        return found

    def usage(self) -> Usage:
        cpu, rss = 0.0, 0
        for pid in self.pids():
            with contextlib.suppress(OSError, IndexError, ValueError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                # utime, stime; and cutime, cstime of children that have ended (proc(5), fields 14 to 17).
                cpu += sum(int(fields[n]) for n in (11, 12, 13, 14)) / _TICKS
                rss += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        return Usage(cpu, rss)

    def end(self) -> None:
        """SIGTERM, and SIGKILL to what is left after ``END_S``. Idempotent."""
        pids = self.pids()
        if self.running:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(END_S)
        for pid in pids:
            if self.running or pid != self.pid:
                _kill_own(pid, self.pid)
        self._process.wait(END_S)


def _settle(core: int) -> None:
    """In the new process, before it is the server's."""
    os.sched_setaffinity(0, {core})
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_own(pid: int, session: int) -> None:
    """Only what is still in the session that we made: a number may be somebody else's by now."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getsid(pid) == session:
            os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    return [child for path in _tasks(pid) for child in _numbers(path / "children")]


def _tasks(pid: int) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        yield from Path(f"/proc/{pid}/task").iterdir()


def _numbers(path: Path) -> list[int]:
    try:
        return [int(word) for word in path.read_text().split()]
    except OSError:
        return []
