"""Availability in Redis or Valkey: Python decides by the rules, a Lua script settles the race.

A verb reads the records it needs, asks agents.transitions what they become, and hands both to a script
that writes only if all is still as it was read. Whoever loses reads again and decides again; each
round that somebody loses, somebody else has won, so nobody waits for a lock and no rule exists twice.
"""

from redis.asyncio import Redis

from agents import redis_changes, transitions
from agents import redis_records as records
from agents.agent import (
    Acceptance,
    Activity,
    Agent,
    DemandId,
    PauseReason,
    Presence,
    Profile,
    Release,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.availability import Ask, Changes, Position, Rules, Snapshot, UnknownAgent
from agents.keys import Keys
from agents.redis_changes import AGENT, RESERVATION, WAITING
from agents.redis_life import Change, Life, Lost, again_when_lost
from agents.redis_records import ABSENT, encode
from agents.redis_reserve import Reserving
from agents.transitions import Held, Taken
from records.model import AccountId, CallId, HallId


class RedisAvailability:
    """``redis`` answers in bytes (``decode_responses=False``). Errors of the connection are the caller's."""

    def __init__(self, redis: Redis, hall: HallId, rules: Rules) -> None:
        self._redis = redis
        self._keys = Keys(hall)
        self._rules = rules
        self._life = Life(redis, self._keys)
        self._reserving = Reserving(redis, self._keys, self._life)

    # --- agents --------------------------------------------------------------------------------

    @again_when_lost
    async def sign_in(self, agent: AccountId, profile: Profile, now: float) -> Agent:
        read = await self._get(self._keys.agents, agent)
        known = records.agent(read) if read else None
        return await self._keep(read, known, transitions.signed_in(known, agent, profile, now))

    @again_when_lost
    async def declare(
        self, agent: AccountId, presence: Presence, reason: PauseReason | None, now: float
    ) -> Agent:
        read = await self._get(self._keys.agents, agent)
        if not read:
            raise UnknownAgent(agent)
        known = records.agent(read)
        return await self._keep(read, known, transitions.declared(known, presence, reason, now))

    async def agent(self, agent: AccountId) -> Agent | None:
        read = await self._get(self._keys.agents, agent)
        return records.agent(read) if read else None

    @again_when_lost
    async def restore(self, agent: Agent, now: float) -> bool:
        read = await self._get(self._keys.agents, agent.id)
        known = records.agent(read) if read else None
        if known is not None and not transitions.fell_back(known, agent):
            return False
        if known is not None and known.reservation is not None and known.activity is Activity.RESERVED:
            held_read = await self._get(self._keys.reservations, known.reservation)
            if held_read and transitions.is_lost_yes(known, agent):
                await self._complete(known.reservation, held_read, now)
                return True
            if held_read:
                await self.give_back(known.reservation, Release.LOST, now, by=agent.id)
                raise Lost  # what it is now is another question
        await self._life.settle(*await self._restored(read, known, agent, now))
        return True

    async def _restored(self, read: bytes, known: Agent | None, agent: Agent, now: float) -> list[Change]:
        """``known`` leaves the call that it is in, by the store; ``agent`` is as it is remembered."""
        left = known.demand if known is not None and known.activity is Activity.IN_CALL else None
        demands = {demand for demand in (left, agent.demand) if demand is not None}
        reads = {demand: await self._get(self._keys.taken, demand) for demand in demands}
        taken = {demand: records.taken(read) if read else None for demand, read in reads.items()}
        if left is not None:
            taken[left] = transitions.left(taken[left], agent.id)
        mine = None if agent.demand is None else taken[agent.demand]
        after, mine = transitions.restored(agent, mine, now)
        changes = [self._agent_change(read, after)]
        if after.demand is not None and after.activity is Activity.IN_CALL:
            taken[after.demand] = mine
            waiting_read = await self._get(self._keys.waiting, after.demand)
            changes.append(self._waiting_change(after.demand, waiting_read, ABSENT))
        for demand, now_taken in taken.items():
            after_taken = ABSENT if now_taken is None else encode(now_taken)
            changes.append(Change("", self._keys.taken, demand, reads[demand], after_taken))
        return changes

    # --- the queue -----------------------------------------------------------------------------

    @again_when_lost
    async def enqueue(self, waiting: Waiting) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(self._keys.waiting, waiting.id)
            pipe.hexists(self._keys.taken, waiting.id)
            read, is_taken = await pipe.execute()
        if is_taken:
            return
        known = records.waiting(read) if read else None
        after = transitions.enqueued(known, waiting)
        if after is not known:
            await self._life.settle(
                Change("", self._keys.taken, waiting.id, ABSENT, ABSENT),
                self._waiting_change(waiting.id, read or ABSENT, encode(after)),
            )

    @again_when_lost
    async def withdraw(self, demand: DemandId) -> None:
        read = await self._get(self._keys.waiting, demand)
        if read:
            await self._life.settle(self._waiting_change(demand, read, ABSENT))

    # --- the reservation -----------------------------------------------------------------------

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        return await self._reserving.reserve(asks, now)

    @again_when_lost
    async def accept(self, reservation: ReservationId, agent: AccountId, now: float) -> Acceptance:
        held_read = await self._get(self._keys.reservations, reservation)
        if not held_read:
            in_call = transitions.is_in_call_by(await self.agent(agent), reservation)
            return Acceptance.COMPLETE if in_call else Acceptance.REFUSED
        fence, held = records.held(held_read)
        answer = transitions.acceptance(held, agent, now)
        match answer:
            case Acceptance.PARTIAL if agent not in held.accepted:
                after = records.encode_held(fence, transitions.with_yes(held, agent))
                await self._life.settle(self._held_change(reservation, held_read, after))
            case Acceptance.COMPLETE:
                await self._complete(reservation, held_read, now)
            case _:
                pass
        return answer

    async def _complete(self, reservation: ReservationId, held_read: bytes, now: float) -> None:
        """Everybody reserved is in the call."""
        agents = await self._get_agents(records.held(held_read)[1])
        await self._life.settle(
            self._held_change(reservation, held_read, ABSENT),
            *(self._agent_change(read, transitions.accepted(known, now)) for read, known in agents),
        )

    @again_when_lost
    async def give_back(
        self, reservation: ReservationId, why: Release, now: float, by: AccountId | None = None
    ) -> bool:
        transitions.check_give_back(why)
        held_read = await self._get(self._keys.reservations, reservation)
        if not held_read:
            return False
        _, held = records.held(held_read)
        culprits = transitions.whose_doing(held, by)
        if not culprits:
            return False
        changes = [self._held_change(reservation, held_read, ABSENT)]
        for read, agent in await self._get_agents(held):
            how = why if agent.id in culprits else Release.WITHDRAWN
            changes.append(self._agent_change(read, transitions.given_back(agent, how, self._rules, now)))
        demand, taken = held.waiting.id, Taken(reservation, held.agents)
        changes.append(Change("", self._keys.taken, demand, encode(taken), ABSENT))
        back = transitions.put_back(held.waiting, culprits, why, self._rules, now)
        if back is not None:
            changes.append(self._waiting_change(demand, ABSENT, encode(back)))
        await self._life.settle(*changes)
        return True

    # --- the call and after it -----------------------------------------------------------------

    @again_when_lost
    async def release(self, agent: AccountId, call: CallId, why: Release, now: float) -> bool:
        transitions.check_release(why)
        read = await self._get(self._keys.agents, agent)
        after = transitions.released(records.agent(read), call, why, self._rules, now) if read else None
        if after is None:
            return False
        changes = [self._agent_change(read, after)]
        if why is Release.ENDED and after.demand is not None:
            taken_read = await self._get(self._keys.taken, after.demand)
            others = transitions.left(records.taken(taken_read) if taken_read else None, agent)
            left = ABSENT if others is None else encode(others)
            changes.append(Change("", self._keys.taken, after.demand, taken_read, left))
        await self._life.settle(*changes)
        return True

    @again_when_lost
    async def extend(self, agent: AccountId, call: CallId, now: float) -> Agent | None:
        read = await self._get(self._keys.agents, agent)
        after = transitions.extended(records.agent(read), call, self._rules, now) if read else None
        return None if after is None else await self._keep(read, None, after)

    # --- reading -------------------------------------------------------------------------------

    @again_when_lost
    async def changes(self, since: Position | None) -> Changes:
        generation = await self._life.begin()
        told = None
        if since is not None and since.generation == generation:
            told = await redis_changes.since(self._redis, self._keys, since)
        position, stored = told or await redis_changes.everything(self._redis, self._keys)
        changes = redis_changes.as_changes(position, told is None, stored)
        self._reserving.remember(changes, stored)
        return changes

    async def snapshot(self) -> Snapshot:
        return redis_changes.as_snapshot(await redis_changes.records_now(self._redis, self._keys))

    # --- records -------------------------------------------------------------------------------

    async def _get(self, key: str, field: str) -> bytes:
        value = await self._redis.hget(key, field)
        return value if isinstance(value, bytes) else ABSENT

    async def _get_agents(self, held: Held) -> list[tuple[bytes, Agent]]:
        """The agents of a reservation, each as stored and as it is. Raises Lost when one is not there."""
        reads = await self._redis.hmget(self._keys.agents, list(held.agents))
        known = [(read, records.agent(read)) for read in reads if isinstance(read, bytes)]
        if len(known) < len(held.agents):
            raise Lost
        return known

    async def _keep(self, read: bytes, known: Agent | None, after: Agent) -> Agent:
        if after != known:
            await self._life.settle(self._agent_change(read, after))
        return after

    def _agent_change(self, read: bytes, after: Agent) -> Change:
        return Change(AGENT, self._keys.agents, after.id, read, records.encode_agent(after))

    def _waiting_change(self, demand: DemandId, read: bytes, after: bytes) -> Change:
        return Change(WAITING, self._keys.waiting, demand, read, after)

    def _held_change(self, reservation: ReservationId, read: bytes, after: bytes) -> Change:
        return Change(RESERVATION, self._keys.reservations, reservation, read, after)
