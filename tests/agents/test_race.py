"""Many dispatchers, one hall, a real Valkey: who reserves is settled once."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest
from redis.asyncio import Redis

from agents.agent import Acceptance, Activity, DemandId, Release, Reservation, ReservationId
from agents.availability import Ask
from agents.dispatcher import Dispatcher
from agents.redis_store import RedisAvailability
from records.model import AccountId
from tests.agents.hall import (
    HALL,
    INTERPRETER,
    LAND,
    LIN,
    PLAN,
    RULES,
    TAX,
    comes_to_work,
    known,
    reserves,
    rings,
    waits,
)

DISPATCHERS = 20


class Racer:
    """One dispatcher with a connection of its own, and what it was told."""

    def __init__(self, name: str, redis: Redis) -> None:
        self.rung: list[Reservation] = []
        self.availability = RedisAvailability(redis, HALL, RULES)
        ids = count(1)
        self.dispatcher = Dispatcher(
            self.availability,
            plan=PLAN,
            rules=RULES,
            clock=lambda: 10.0,
            new_id=lambda: ReservationId(f"{name}/{next(ids)}"),
            on_reserved=self.on_reserved,
            on_expired=self.on_expired,
            on_generation=self.on_generation,
        )

    async def on_reserved(self, reservation: Reservation) -> None:
        self.rung.append(reservation)

    async def on_expired(self, reservation: Reservation) -> None:
        raise AssertionError("nothing expires at a standing clock")

    async def on_generation(self, generation: int) -> None:
        self.generation = generation


def ask(demand: str, *agents: AccountId) -> Ask:
    id_ = ReservationId(f"{demand}/{'+'.join(agents)}")
    return Ask(DemandId(demand), agents, id_, until=30.0)


@pytest.fixture
async def racers(redis: Redis, valkey_socket: Path) -> AsyncIterator[list[Racer]]:
    async with AsyncExitStack() as stack:
        racers = []
        for number in range(DISPATCHERS):
            client = await stack.enter_async_context(Redis(unix_socket_path=str(valkey_socket)))
            await client.ping()
            racers.append(Racer(f"d{number}", client))
        yield racers


async def test_twenty_dispatchers_and_one_agent_have_one_winner(racers: list[Racer]) -> None:
    availability = racers[0].availability
    for number in range(3):
        await availability.enqueue(waits(DemandId(f"c{number}"), since=number))
    await comes_to_work(availability, LIN)
    await asyncio.gather(*(racer.dispatcher.round(10.0) for racer in racers))
    (won,) = [reservation for racer in racers for reservation in racer.rung]
    assert (won.agent, won.call) == (LIN, "c0")
    assert (await known(availability, LIN)).reservation == won.id
    snapshot = await availability.snapshot()
    assert snapshot.reservations == (won,)
    assert [waiting.call for waiting in snapshot.waiting] == ["c1", "c2"]


async def test_twenty_hands_on_one_agent_for_different_calls_have_one_winner(racers: list[Racer]) -> None:
    """Without ranking in between: every hand wants the same agent for a call of its own."""
    availability = racers[0].availability
    await comes_to_work(availability, LIN)
    for number in range(DISPATCHERS):
        await availability.enqueue(waits(DemandId(f"c{number}")))
    answers = await asyncio.gather(
        *(
            reserves(
                racer.availability, Ask(DemandId(f"c{n}"), (LIN,), ReservationId(f"r{n}"), 30.0), now=10.0
            )
            for n, racer in enumerate(racers)
        )
    )
    (won,) = [answer for answer in answers if answer is not None]
    snapshot = await availability.snapshot()
    assert {w.id for w in snapshot.waiting} == {f"c{n}" for n in range(DISPATCHERS)} - {won.demand}


async def test_twenty_hands_on_one_call_for_different_agents_have_one_winner(racers: list[Racer]) -> None:
    availability = racers[0].availability
    agents = [AccountId(f"a{number}") for number in range(DISPATCHERS)]
    for agent in agents:
        await comes_to_work(availability, agent)
    await availability.enqueue(waits(DemandId("c")))
    answers = await asyncio.gather(
        *(
            reserves(
                racer.availability, Ask(DemandId("c"), (agent,), ReservationId(f"r/{agent}"), 30.0), 10.0
            )
            for agent, racer in zip(agents, racers, strict=True)
        )
    )
    (won,) = [answer for answer in answers if answer is not None]
    snapshot = await availability.snapshot()
    assert [a.id for a in snapshot.agents if not a.routable] == [won.agent]
    assert snapshot.reservations == (won,)


async def test_twenty_dispatchers_use_all_five_agents_once_for_the_first_five_of_thirty_calls(
    racers: list[Racer],
) -> None:
    availability = racers[0].availability
    agents = [AccountId(f"a{number}") for number in range(5)]
    for agent in agents:
        await comes_to_work(availability, agent)
    calls = [DemandId(f"c{number:02}") for number in range(30)]
    for since, call in enumerate(calls):
        await availability.enqueue(waits(call, since))
    for _ in range(2):
        await asyncio.gather(*(racer.dispatcher.round(10.0) for racer in racers))
    rung = [reservation for racer in racers for reservation in racer.rung]
    assert Counter(r.agent for r in rung) == Counter(agents)
    assert {r.call for r in rung} == set(calls[:5])
    first = min(r.fence for r in rung)
    assert sorted(r.fence for r in rung) == list(range(first, first + 5))
    snapshot = await availability.snapshot()
    assert {a.activity for a in snapshot.agents} == {Activity.RESERVED}
    assert [w.call for w in snapshot.waiting] == calls[5:]


async def test_accepting_races_giving_back_and_one_of_them_happened(racers: list[Racer]) -> None:
    availability = racers[0].availability
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(DemandId("c")))
    made = await rings(availability, LIN, DemandId("c"), now=10.0)
    halves = racers[::2], racers[1::2]
    outcomes = await asyncio.gather(
        *(racer.availability.accept(made.id, LIN, 11.0) for racer in halves[0]),
        *(racer.availability.give_back(made.id, Release.DECLINED, 11.0) for racer in halves[1]),
    )
    accepted, declined = Acceptance.COMPLETE in outcomes[:10], outcomes[10:].count(True)
    agent = await known(availability, LIN)
    assert (agent.activity is Activity.IN_CALL) == accepted
    assert declined == (0 if accepted else 1)


async def test_twenty_hands_on_overlapping_pairs_have_no_halves(racers: list[Racer]) -> None:
    """Each wants two of five agents at once: nobody is in two pairs, and no pair is half."""
    availability = racers[0].availability
    agents = [AccountId(f"a{number}") for number in range(5)]
    for agent in agents:
        await comes_to_work(availability, agent, skills=(TAX, LAND))
    asks = []
    for number in range(DISPATCHERS):
        demand = DemandId(f"c{number}")
        await availability.enqueue(waits(demand, second=INTERPRETER))
        pair = agents[number % 5], agents[(number + 1 + number // 5 % 4) % 5]
        asks.append(ask(demand, *pair))
    made = await asyncio.gather(
        *(reserves(racer.availability, one, 10.0) for racer, one in zip(racers, asks, strict=True))
    )
    won = [reservation for reservation in made if reservation is not None]
    assert len(won) in (1, 2)
    snapshot = await availability.snapshot()
    reserved = {agent.id: agent.reservation for agent in snapshot.agents if not agent.routable}
    assert reserved == {agent: reservation.id for reservation in won for agent in reservation.agents}
    assert len(snapshot.waiting) == DISPATCHERS - len(won)


async def test_twenty_processes_that_find_the_store_emptied_begin_one_life(
    redis: Redis, racers: list[Racer]
) -> None:
    (before,) = {(await racer.availability.changes(None)).position for racer in racers}
    await redis.flushall()
    found = await asyncio.gather(*(racer.availability.changes(before) for racer in racers))
    (after,) = {changes.position for changes in found}
    assert after.generation > before.generation


PROCESS = """
import asyncio, sys, json
from redis.asyncio import Redis
from tests.agents.test_race import Racer

async def main(name: str, socket: str) -> None:
    async with Redis(unix_socket_path=socket) as client:
        racer = Racer(name, client)
        await client.ping()
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        for _ in range(3):
            await racer.dispatcher.round(10.0)
        await racer.dispatcher.close()
        print(json.dumps([[r.agent, r.call] for r in racer.rung]), flush=True)

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


async def test_four_processes_divide_the_agents_among_them(redis: Redis, valkey_socket: Path) -> None:
    availability = RedisAvailability(redis, HALL, RULES)
    for number in range(8):
        await comes_to_work(availability, AccountId(f"a{number}"))
        await availability.enqueue(waits(DemandId(f"c{number}"), since=number))
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROCESS, name, str(valkey_socket)), stdin=pipe, stdout=pipe
        )
        for name in ("p1", "p2", "p3", "p4")
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    answers = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    rung = [pair for out, _ in answers for pair in json.loads(out)]
    assert sorted(rung) == [[f"a{number}", f"c{number}"] for number in range(8)]
