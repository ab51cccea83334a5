"""The whole service as its user starts it: ``bangban serve --demo`` on a port and in a folder of its own."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S = 60.0
STOP_S = 10.0


@dataclass
class Service:
    """``codes``: the stations' enrolment codes in the order of the printed page. ``passwords``: by login."""

    origin: str
    data: Path
    process: asyncio.subprocess.Process
    environment: dict[str, str]
    codes: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)

    @property
    def recordings(self) -> Path:
        return self.data / "recordings"

    @property
    def database(self) -> Path:
        return self.data / "bangban.sqlite3"

    async def new_code(self, station: str) -> str:
        """What the administrator gives to whoever sets up the terminal; the one before is no longer good."""
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "web.cli", "station", "enrol", station),
            cwd=ROOT,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await command.communicate()
        found = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", printed.decode())
        assert found is not None, printed
        return found[0]

    def children(self) -> dict[str, int]:
        """Process ids by role ("media", "web"), read from the system."""
        found = {}
        for pid in descendants(self.process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if "web.cli" in words:
                found[words[-2]] = pid
        return found

    def kill(self, role: str) -> None:
        """As a fault would: without a chance to say goodbye."""
        os.kill(self.children()[role], signal.SIGKILL)


def descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(c) for c in children] + [d for c in children for d in descendants(int(c))]


@asynccontextmanager
async def running(folder: Path, **settings: str) -> AsyncIterator[Service]:
    """``settings``: more variables, such as ``BANGBAN_ROUTING__RING="5"``. Stopped by Ctrl-C at the end."""
    port = free_port()
    variables = {name: value for name, value in os.environ.items() if not name.startswith("BANGBAN_")}
    variables |= {"BANGBAN_DATA_DIR": str(folder / "var"), "BANGBAN_WEB__PORT": str(port), **settings}
    with (folder / "service.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "web.cli", "serve", "--demo"),
            cwd=ROOT,
            env=variables,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    service = Service(f"http://localhost:{port}", folder / "var", process, variables)
    try:
        await _until_announced(service, folder / "service.log")
        yield service
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(STOP_S):
                await process.wait()


async def _until_announced(service: Service, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while "Ctrl-C" not in (text := log.read_text("utf-8")):  # noqa: ASYNC240 - a small local file
            assert service.process.returncode is None, text
            await asyncio.sleep(0.05)
    service.codes = re.findall(r"#enrol=([A-Z0-9-]+)", text)
    service.passwords = dict(re.findall(r"^    (\w+)\s+([a-z]+-[a-z]+-[a-z]+-\d+)", text, re.MULTILINE))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
