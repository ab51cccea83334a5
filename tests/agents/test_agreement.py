"""Random verbs on both stores: they agree on everything, and the hall's invariants hold after each."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from redis.asyncio import Redis

from agents.agent import Activity, PauseReason, Presence, Release, Reservation, ReservationId
from agents.availability import Availability, UnknownAgent
from agents.memory import MemoryAvailability
from agents.redis_store import RedisAvailability
from agents.routing import match
from records.model import AccountId, CallId
from tests.agents.hall import CENTRE, HALL, LAND, RULES, TAX, waits

T = TypeVar("T")
AGENTS = st.sampled_from([AccountId(f"a{n}") for n in range(3)])
CALLS = st.sampled_from([CallId(f"c{n}") for n in range(3)])
RINGS = st.integers(1, 12).map(lambda n: ReservationId(f"r{n}"))
SKILLS = st.sampled_from([(TAX,), (LAND,), (TAX, LAND)])
BUSY = (Activity.RESERVED, Activity.IN_CALL)


class Hall(RuleBasedStateMachine):
    """Drives both stores and keeps its own account of which calls must be where."""

    socket: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis(unix_socket_path=str(self.socket))
        self.empty_the_database()
        self.stores: tuple[Availability, ...] = (
            MemoryAvailability(RULES),
            RedisAvailability(self.redis, HALL, RULES),
        )
        self.now = 1000.0
        self.rings = 0
        self.named: set[ReservationId] = set()  # reservation ids that were ever used
        self.fence = 0
        self.open: set[CallId] = set()  # enqueued, and neither withdrawn nor ended since

    def empty_the_database(self) -> None:
        async def flush() -> None:
            await self.redis.flushall()

        self.runner.run(flush())

    def teardown(self) -> None:
        self.runner.run(self.redis.aclose())
        self.runner.close()

    def both(self, verb: Callable[[Availability], Awaitable[T]]) -> T:
        async def answers() -> list[T]:
            return [await verb(store) for store in self.stores]

        memory, redis = self.runner.run(answers())
        assert memory == redis
        return memory

    @rule(seconds=st.sampled_from([0.5, 7.0, 20.0, 30.0, 120.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(agent=AGENTS, skills=SKILLS)
    def sign_in(self, agent: AccountId, skills: tuple[str, ...]) -> None:
        levels = dict.fromkeys(skills, 2)
        self.both(lambda store: store.sign_in(agent, levels, CENTRE, self.now))  # type: ignore[arg-type]

    @rule(agent=AGENTS, presence=st.sampled_from(Presence), reason=st.none() | st.sampled_from(PauseReason))
    def declare(self, agent: AccountId, presence: Presence, reason: PauseReason | None) -> None:
        async def declare(store: Availability) -> object:
            try:
                return await store.declare(agent, presence, reason, self.now)
            except UnknownAgent:
                return None

        self.both(declare)

    @initialize()
    def everybody_comes_to_work(self) -> None:
        for number in range(3):
            self.comes_to_work(AccountId(f"a{number}"))

    @rule(agent=AGENTS)
    def comes_to_work(self, agent: AccountId) -> None:
        self.sign_in(agent, (TAX, LAND))
        self.declare(agent, Presence.AVAILABLE, None)

    @rule(call=CALLS, skill=st.sampled_from([TAX, LAND]), age=st.integers(0, 3))
    def enqueue(self, call: CallId, skill: str, age: int) -> None:
        waiting = waits(call, self.now - age, TAX if skill == TAX else LAND)
        self.both(lambda store: store.enqueue(waiting))
        self.open.add(call)

    @rule(call=CALLS)
    def withdraw(self, call: CallId) -> None:
        waiting = {w.call for w in self.both(lambda store: store.snapshot()).waiting}
        self.both(lambda store: store.withdraw(call))
        self.open -= waiting & {call}

    @rule(agent=AGENTS, call=CALLS)
    def reserve(self, agent: AccountId, call: CallId) -> None:
        """As a dispatcher does, with an id that nobody used before."""
        self.rings += 1
        while ReservationId(f"r{self.rings}") in self.named:
            self.rings += 1
        self.reserve_as(agent, call, ReservationId(f"r{self.rings}"))

    @rule(agent=AGENTS, call=CALLS, ring=RINGS)
    def reserve_as(self, agent: AccountId, call: CallId, ring: ReservationId) -> None:
        """With any id, also one that is or was in use."""
        self.named.add(ring)
        before = self.both(lambda store: store.agent(agent))
        made = self.both(lambda store: store.reserve(agent, call, ring, self.now + RULES.ring, self.now))
        if made is not None and made.fence > self.fence:
            assert before is not None
            assert before.routable
            self.fence = made.fence

    @rule()
    def dispatch(self) -> None:
        for call, agent in match(self.both(lambda store: store.snapshot()), self.now):
            before = self.fence
            self.reserve(agent, call)
            assert self.fence == before + 1

    def ringing(self) -> tuple[Reservation, ...]:
        return self.both(lambda store: store.snapshot()).reservations

    @rule(call=CALLS)
    def is_answered_at_once(self, call: CallId) -> None:
        self.enqueue(call, TAX, 0)
        self.dispatch()
        self.accept_the_first()

    @rule()
    def accept_the_first(self) -> None:
        for reservation in self.ringing()[:1]:
            self.accept(reservation.id)

    @rule(ring=RINGS)
    def accept(self, ring: ReservationId) -> None:
        self.both(lambda store: store.accept(ring, self.now))

    @rule(ring=RINGS, why=st.sampled_from([Release.DECLINED, Release.NO_ANSWER, Release.WITHDRAWN]))
    def give_back(self, ring: ReservationId, why: Release) -> None:
        held = {r.id: r.call for r in self.ringing()}
        done = self.both(lambda store: store.give_back(ring, why, self.now))
        assert done == (ring in held)
        if done and why is Release.WITHDRAWN:
            self.open.discard(held[ring])

    @rule(why=st.sampled_from([Release.DECLINED, Release.NO_ANSWER, Release.WITHDRAWN]))
    def give_back_the_last(self, why: Release) -> None:
        for reservation in self.ringing()[-1:]:
            self.give_back(reservation.id, why)

    @rule(agent=AGENTS, call=CALLS, why=st.sampled_from([Release.ENDED, Release.READY]))
    def release(self, agent: AccountId, call: CallId, why: Release) -> None:
        done = self.both(lambda store: store.release(agent, call, why, self.now))
        if done and why is Release.ENDED:
            self.open.discard(call)

    @rule(why=st.sampled_from([Release.ENDED, Release.READY]))
    def release_all(self, why: Release) -> None:
        for agent in self.both(lambda store: store.snapshot()).agents:
            if agent.call is not None:
                self.release(agent.id, agent.call, why)

    @rule()
    def overdue(self) -> None:
        self.both(lambda store: store.overdue(self.now))

    @invariant()
    def no_call_is_lost_or_in_two_places(self) -> None:
        snapshot = self.both(lambda store: store.snapshot())
        places = [waiting.call for waiting in snapshot.waiting]
        places += [
            agent.call for agent in snapshot.agents if agent.activity in BUSY and agent.call is not None
        ]
        assert sorted(places) == sorted(self.open)

    @invariant()
    def every_reservation_is_its_agents(self) -> None:
        snapshot = self.both(lambda store: store.snapshot())
        reserved = {a.reservation: a.call for a in snapshot.agents if a.activity is Activity.RESERVED}
        assert reserved == {r.id: r.call for r in snapshot.reservations}


def test_memory_and_redis_agree(valkey_socket: Path) -> None:
    class HallOnThisSocket(Hall):
        socket = valkey_socket

    run_state_machine_as_test(
        HallOnThisSocket,
        settings=settings(
            max_examples=50,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
