"""A real coturn on loopback, configured by the file that halls are given (deploy/examples/coturn.conf)."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from signaling.ice import Turn
from tests.certificates import as_files, self_signed
from tests.e2e.service import free_port
from tests.eventually import eventually

HOST = "127.0.0.1"
SECRET = "the shared secret of a test"
EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "examples" / "coturn.conf"


@dataclass(frozen=True)
class Coturn:
    port: int  # UDP and TCP
    tls_port: int

    def url(self, transport: str) -> str:
        """``transport``: udp, tcp or tls."""
        if transport == "tls":
            return f"turns:{HOST}:{self.tls_port}?transport=tcp"
        return f"turn:{HOST}:{self.port}?transport={transport}"

    def turn(self, transport: str, secret: str = SECRET) -> Turn:
        return Turn((self.url(transport),), secret)


def tool(name: str) -> str:
    """Where a program is that deploy/test-tools.sh installs. Where it cannot, it says so in
    $TESTS_WITHOUT, and the test is left out."""
    if name in os.environ.get("TESTS_WITHOUT", "").split():
        pytest.skip(f"{name} is what $TESTS_WITHOUT names")
    found = shutil.which(name)
    assert found is not None, f"no {name}: run deploy/test-tools.sh, or set TESTS_WITHOUT={name}"
    return found


@asynccontextmanager
async def coturn(
    folder: Path, *, allow_loopback: bool = True, more: Sequence[str] = ()
) -> AsyncIterator[Coturn]:
    """Runs until the end of the block. Peers on loopback are what a hall must never allow, and tests need.
    ``more``: further lines of its configuration."""
    server = Coturn(free_port(), free_port())
    path = folder / "turnserver.conf"
    path.write_text("\n".join([configuration(folder, server, allow_loopback), *more, ""]))
    with (folder / "coturn.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(tool("turnserver"), "-c", path, stdout=log, stderr=log)
    try:
        await eventually(lambda: _listens(server.port) and _listens(server.tls_port))
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def configuration(folder: Path, server: Coturn, allow_loopback: bool) -> str:
    """The example, with what a test has of its own in the place of what a hall has."""
    certificate, key = as_files(self_signed(HOST, [HOST]), folder, "turn")
    text = EXAMPLE.read_text()
    own = {
        "listening-port": server.port,
        "tls-listening-port": server.tls_port,
        "cert": certificate,
        "pkey": key,
        "static-auth-secret": SECRET,
    }
    for name, value in own.items():
        text, count = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
        assert count == 1, name
    if allow_loopback:
        text, count = re.subn(r"^denied-peer-ip=127\..*$", "allow-loopback-peers", text, flags=re.MULTILINE)
        assert count == 1
    more = (f"listening-ip={HOST}", f"relay-ip={HOST}", "log-file=stdout", "pidfile=/dev/null")
    return "\n".join([text, *more, f"userdb={folder / 'turndb'}"])


def _listens(port: int) -> bool:
    """On TCP, as the kernel has it: a connection of ours would be one that coturn has to give up."""
    state = f"0100007F:{port:04X} 00000000:0000 0A"
    return state in Path("/proc/net/tcp").read_text()
