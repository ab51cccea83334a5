"""Random verbs on both stores: they agree on everything, and the hall's invariants hold after each."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from msgspec.structs import replace
from redis.asyncio import Redis

from agents.agent import (
    Activity,
    Agent,
    DemandId,
    Lane,
    PauseReason,
    Presence,
    Release,
    Reservation,
    ReservationId,
)
from agents.availability import Ask, Availability, UnknownAgent
from agents.memory import MemoryAvailability
from agents.picture import Picture
from agents.redis_store import RedisAvailability
from agents.routing import match
from agents.transitions import in_order
from records.model import AccountId, CallId, SkillId
from tests.agents.hall import HALL, INTERPRETER, LAND, PLAN, RULES, TAX, profile, waits

T = TypeVar("T")
AGENT_IDS = [AccountId(f"a{n}") for n in range(3)]
AGENTS = st.sampled_from(AGENT_IDS)
CREWS = st.lists(AGENTS, min_size=1, max_size=2).map(tuple)
DEMANDS = st.sampled_from([DemandId(f"c{n}") for n in range(3)])
RINGS = st.integers(1, 12).map(lambda n: ReservationId(f"r{n}"))
SKILLS = st.sampled_from([(TAX,), (LAND,), (TAX, LAND)])
GIVE_BACKS = st.sampled_from([Release.DECLINED, Release.NO_ANSWER, Release.LOST, Release.WITHDRAWN])
BUSY = (Activity.RESERVED, Activity.IN_CALL)


class Hall(RuleBasedStateMachine):
    """Drives both stores and keeps its own account of which demands must be somewhere."""

    socket: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.redis = Redis(unix_socket_path=str(self.socket))
        self.now = 1000.0
        self.rings = 0
        self.named: set[ReservationId] = set()  # reservation ids that were ever used
        self.fence = 0
        self.open: set[DemandId] = set()  # enqueued, and neither withdrawn nor ended since
        self.remembered: tuple[Agent, ...] = ()  # by the owners of sockets, when the stores lost everything
        self.picture = Picture(PLAN)
        self.memory = MemoryAvailability(RULES)
        self.stores: tuple[Availability, ...] = (
            self.memory,
            RedisAvailability(self.redis, HALL, RULES),
        )
        self.begin_another_life()

    def begin_another_life(self) -> None:
        async def begin() -> int:
            await self.redis.flushall()
            return (await self.stores[1].changes(None)).position.generation

        generation = self.runner.run(begin())
        assert generation > self.fence
        self.memory.lose_everything(generation)
        self.open.clear()

    def teardown(self) -> None:
        self.runner.run(self.redis.aclose())
        self.runner.close()

    def both(self, verb: Callable[[Availability], Awaitable[T]]) -> T:
        async def answers() -> list[T]:
            return [await verb(store) for store in self.stores]

        memory, redis = self.runner.run(answers())
        assert memory == redis
        return memory

    # --- time, and what breaks -----------------------------------------------------------------

    @rule(seconds=st.sampled_from([0.5, 7.0, 20.0, 30.0, 120.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(seconds=st.sampled_from([1.0, 60.0]))
    def the_clock_goes_back(self, seconds: float) -> None:
        self.now -= seconds

    @rule()
    def everything_is_lost(self) -> None:
        self.remembered = self.both(lambda store: store.snapshot()).agents
        self.begin_another_life()

    @rule()
    def all_are_restored(self) -> None:
        for agent in self.remembered:
            self.restore(agent)

    @rule(agent=AGENTS, like=AGENTS)
    def somebody_remembers_what_another_did(self, agent: AccountId, like: AccountId) -> None:
        known = self.both(lambda store: store.agent(like))
        if known is not None:
            self.restore(replace(known, id=agent))

    def restore(self, agent: Agent) -> None:
        before = self.both(lambda store: store.agent(agent.id))
        done = self.both(lambda store: store.restore(agent, self.now))
        assert done == (before is None)
        after = self.both(lambda store: store.agent(agent.id))
        assert after is not None
        if done and after.demand is not None and after.activity is Activity.IN_CALL:
            self.open.add(after.demand)

    # --- agents --------------------------------------------------------------------------------

    @rule(agent=AGENTS, skills=SKILLS)
    def sign_in(self, agent: AccountId, skills: tuple[SkillId, ...]) -> None:
        self.both(lambda store: store.sign_in(agent, profile(*skills), self.now))

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
        for agent in AGENT_IDS:
            self.comes_to_work(agent)

    @rule(agent=AGENTS)
    def comes_to_work(self, agent: AccountId) -> None:
        self.sign_in(agent, (TAX, LAND))
        self.declare(agent, Presence.AVAILABLE, None)

    # --- the queue -----------------------------------------------------------------------------

    @rule(
        demand=DEMANDS,
        skill=st.sampled_from([TAX, LAND]),
        age=st.integers(0, 3),
        lane=st.sampled_from(Lane),
        joint=st.booleans(),
    )
    def enqueue(self, demand: DemandId, skill: SkillId, age: int, lane: Lane, joint: bool) -> None:
        waiting = waits(demand, self.now - age, skill, second=INTERPRETER if joint else None)
        self.both(lambda store: store.enqueue(replace(waiting, lane=lane)))
        self.open.add(demand)

    @rule(demand=DEMANDS)
    def withdraw(self, demand: DemandId) -> None:
        waiting = {w.id for w in self.both(lambda store: store.snapshot()).waiting}
        self.both(lambda store: store.withdraw(demand))
        self.open -= waiting & {demand}

    # --- the reservation -----------------------------------------------------------------------

    def unused_ring(self) -> ReservationId:
        """An id that nobody used before, as dispatchers do."""
        self.rings += 1
        while ReservationId(f"r{self.rings}") in self.named:
            self.rings += 1
        return ReservationId(f"r{self.rings}")

    @rule(agents=CREWS, demand=DEMANDS)
    def reserve(self, agents: tuple[AccountId, ...], demand: DemandId) -> None:
        self.reserve_as(agents, demand, self.unused_ring())

    @rule(agents=CREWS, demand=DEMANDS, ring=RINGS)
    def reserve_as(self, agents: tuple[AccountId, ...], demand: DemandId, ring: ReservationId) -> None:
        """With any id, also one that is or was in use."""
        self.reserve_all((self.ask(demand, agents, ring),))

    def ask(self, demand: DemandId, agents: tuple[AccountId, ...], ring: ReservationId) -> Ask:
        self.named.add(ring)
        return Ask(demand, agents, ring, self.now + RULES.ring)

    def reserve_all(self, asks: tuple[Ask, ...]) -> tuple[Reservation | None, ...]:
        before = {agent.id: agent for agent in self.both(lambda store: store.snapshot()).agents}
        made = self.both(lambda store: store.reserve(asks, self.now))
        for reservation in made:
            if reservation is not None and reservation.fence > self.fence:
                assert all(before[agent].routable for agent in reservation.agents)
                self.fence = reservation.fence
        return made

    @rule()
    def dispatch(self) -> None:
        self.follow()
        asks = tuple(
            self.ask(m.demand, m.agents, self.unused_ring()) for m in match(self.picture, PLAN, self.now)
        )
        assert None not in self.reserve_all(asks)

    @rule(skips=st.integers(0, 3))
    def dispatch_by_an_old_picture(self, skips: int) -> None:
        """Somebody is asked for whom others have reserved, or who has gone."""
        matches = match(self.picture, PLAN, self.now)[skips:]
        self.reserve_all(tuple(self.ask(m.demand, m.agents, self.unused_ring()) for m in matches))

    def ringing(self) -> tuple[Reservation, ...]:
        return self.both(lambda store: store.snapshot()).reservations

    @rule(demand=DEMANDS, joint=st.booleans())
    def is_answered_at_once(self, demand: DemandId, joint: bool) -> None:
        self.enqueue(demand, TAX, 0, Lane.NORMAL, joint)
        self.dispatch()
        self.accept_the_first()

    @rule()
    def accept_the_first(self) -> None:
        for reservation in self.ringing()[:1]:
            for agent in reservation.agents:
                self.accept(reservation.id, agent)

    @rule(ring=RINGS, agent=AGENTS)
    def accept(self, ring: ReservationId, agent: AccountId) -> None:
        self.both(lambda store: store.accept(ring, agent, self.now))

    @rule(ring=RINGS, why=GIVE_BACKS, by=st.none() | AGENTS)
    def give_back(self, ring: ReservationId, why: Release, by: AccountId | None) -> None:
        held = {r.id: r for r in self.ringing()}
        done = self.both(lambda store: store.give_back(ring, why, self.now, by))
        assert done == (ring in held and (by is None or by in held[ring].agents))
        if done and why is Release.WITHDRAWN:
            self.open.discard(held[ring].demand)

    @rule(why=GIVE_BACKS)
    def give_back_the_last(self, why: Release) -> None:
        for reservation in self.ringing()[-1:]:
            self.give_back(reservation.id, why, None)

    # --- the call and after it -----------------------------------------------------------------

    @rule(agent=AGENTS, demand=DEMANDS, why=st.sampled_from([Release.ENDED, Release.READY]))
    def release(self, agent: AccountId, demand: DemandId, why: Release) -> None:
        done = self.both(lambda store: store.release(agent, CallId(demand), why, self.now))
        if done and why is Release.ENDED:
            agents = self.both(lambda store: store.snapshot()).agents
            if not any((a.demand, a.activity) == (demand, Activity.IN_CALL) for a in agents):
                self.open.discard(demand)

    @rule(why=st.sampled_from([Release.ENDED, Release.READY]))
    def release_all(self, why: Release) -> None:
        for agent in self.both(lambda store: store.snapshot()).agents:
            if agent.demand is not None:
                self.release(agent.id, agent.demand, why)

    @rule(agent=AGENTS, demand=DEMANDS)
    def extend(self, agent: AccountId, demand: DemandId) -> None:
        self.both(lambda store: store.extend(agent, CallId(demand), self.now))

    # --- following -----------------------------------------------------------------------------

    @rule()
    def follow(self) -> None:
        since = self.picture.position
        changes = self.both(lambda store: store.changes(since))
        same_life = since is not None and since.generation == changes.position.generation
        assert changes.whole != same_life
        self.picture.apply(changes)
        snapshot = self.both(lambda store: store.snapshot())
        assert in_order(self.picture.waiting.values()) == snapshot.waiting
        assert sorted(self.picture.agents.values(), key=lambda a: a.id) == list(snapshot.agents)
        assert {**self.picture.reservations} == {r.id: r for r in snapshot.reservations}

    @invariant()
    def no_demand_is_lost_or_in_two_places(self) -> None:
        snapshot = self.both(lambda store: store.snapshot())
        waiting = [waiting.id for waiting in snapshot.waiting]
        busy = {(a.demand, a.reservation) for a in snapshot.agents if a.activity in BUSY}
        assert sorted(waiting + [demand for demand, _ in busy if demand is not None]) == sorted(self.open)

    @invariant()
    def who_has_a_call_is_not_idle(self) -> None:
        for agent in self.both(lambda store: store.snapshot()).agents:
            assert (agent.activity is Activity.IDLE) == (agent.call is None) == (agent.demand is None)
            assert (agent.activity in BUSY) == (agent.reservation is not None)
            assert (agent.activity is Activity.WRAP_UP) == (agent.wrap_up_until is not None)

    @invariant()
    def every_reservation_is_its_agents(self) -> None:
        snapshot = self.both(lambda store: store.snapshot())
        reserved = {(a.id, a.reservation) for a in snapshot.agents if a.activity is Activity.RESERVED}
        assert reserved == {(agent, r.id) for r in snapshot.reservations for agent in r.agents}


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
