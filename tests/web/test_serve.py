"""``bangban serve --demo`` for real: it comes up, heals, stops within three seconds and can start again."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.web.processes import ROOT, gone, kill
from web import serve
from web.config import Config, load

UP_S = 60.0
PASSWORD = re.compile(r"^ +(\S+) +(\w+-\w+-\w+-\d\d) ", re.MULTILINE)


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {
        "BANGBAN_DATA_DIR": str(tmp_path / "var"),
        "BANGBAN_WEB__PORT": str(port),
        "BANGBAN_MEDIA__WORKERS": "1",
    }


@contextmanager
def bangban(variables: dict[str, str], *words: str) -> "Iterator[subprocess.Popen[str]]":
    """The program as in a terminal of its own: a process group that Ctrl-C would reach as a whole."""
    with subprocess.Popen(
        [sys.executable, "-m", "web.cli", *words],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


async def announced(process: "subprocess.Popen[str]") -> str:
    """What it prints until it says how to stop it."""
    lines: list[str] = []

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "Ctrl-C" in line:
                return

    async with asyncio.timeout(UP_S):
        await asyncio.to_thread(read)
    return "".join(lines)


def children(pid: int) -> dict[str, int]:
    """Role to process id of what it started."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            words = (stat.parent / "cmdline").read_bytes().decode().split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid and fields[0] not in "ZX":
            role = next((word for word in words if word in ("web", "media")), "redis")
            found[role] = int(stat.parent.name)
    return found


def settings(variables: dict[str, str], folder: Path) -> Config:
    return load(None, variables, folder)


async def test_the_whole_service_comes_up_heals_stops_is_killed_and_starts_again(
    variables: dict[str, str], tmp_path: Path
) -> None:
    config = settings(variables, tmp_path)
    with bangban(variables, "serve", "--demo") as process:
        first = await announced(process)
        assert await serve.answers_http(config)
        assert len(re.findall(rf"{config.origin}/station#enrol=\S{{4}}-\S{{4}} ", first)) == 3
        running = children(process.pid)
        assert set(running) == {"redis", "web", "media"}

        kill(running["media"])
        await eventually(lambda: children(process.pid).get("media", running["media"]) != running["media"], 30)
        running = children(process.pid)

        with bangban(variables, "serve") as second:
            _, why = second.communicate(timeout=30)
            assert (second.returncode, f"(process {process.pid})" in why) == (1, True)

        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - began < 3.0
        assert all(map(gone, running.values()))

    with bangban(variables, "serve", "--demo") as process:
        again = await announced(process)
        assert PASSWORD.findall(again) == PASSWORD.findall(first)
        assert len(PASSWORD.findall(again)) == 13
        running = children(process.pid)
        process.kill()
        process.wait()

    # Killed, it leaves nothing and can start at once.
    with bangban(variables, "serve", "--demo") as process:
        await announced(process)
        assert all(map(gone, running.values()))
        process.terminate()
        assert process.wait(timeout=10) == 0


def test_a_port_in_use_is_said_before_anything_starts(variables: dict[str, str], tmp_path: Path) -> None:
    taken = ("127.0.0.1", int(variables["BANGBAN_WEB__PORT"]))
    with socket.create_server(taken), bangban(variables, "serve") as process:
        _, why = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Address already in use. Stop what uses it, or choose another web.port." in why
    assert not (tmp_path / "var" / "redis").exists()


def test_a_configured_redis_that_is_down_is_said(variables: dict[str, str]) -> None:
    variables["BANGBAN_REDIS__URL"] = "redis://:geheim@127.0.0.1:1/0"
    with bangban(variables, "serve") as process:
        _, why = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "Redis at redis://:***@127.0.0.1:1/0 does not answer" in why
    assert "geheim" not in why
