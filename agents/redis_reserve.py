"""Reserving in Redis: many asks in one run of a script, which settles each by itself.

What the last ``changes`` told is remembered as it is stored, so that a dispatcher, who asks for what it has
just seen, need not read again. A record that is out of date costs nothing but a round: the script refuses it.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from redis.asyncio import Redis

from agents import redis_records as records
from agents import transitions
from agents.agent import Agent, DemandId, Reservation, ReservationId, Waiting
from agents.availability import Ask, Changes
from agents.keys import Keys
from agents.redis_changes import Stored
from agents.redis_life import MOST_ROUNDS, Contended, Life, Lost
from agents.redis_records import encode
from agents.scripts import RESERVE, Arg
from agents.transitions import Held, Taken
from records.model import AccountId


class _Read(NamedTuple):
    """What there is under the ids of an ask; agents and demand with their bytes, None when not there."""

    held: tuple[int, Held] | None
    waiting: tuple[bytes, Waiting] | None
    agents: tuple[tuple[bytes, Agent] | None, ...]


class _Attempt(NamedTuple):
    id: ReservationId
    held: Held
    args: list[Arg]


class Reserving:
    def __init__(self, redis: Redis, keys: Keys, life: Life) -> None:
        self._redis = redis
        self._life = life
        self._keys = keys
        self._agents: dict[AccountId, tuple[bytes, Agent]] = {}
        self._waiting: dict[DemandId, tuple[bytes, Waiting]] = {}

    def remember(self, changes: Changes, stored: Stored) -> None:
        """What ``changes`` tells, and how it is stored."""
        if changes.whole:
            self._agents.clear()
            self._waiting.clear()
        for agent in changes.agents:
            self._agents[agent.id] = stored.agents[agent.id], agent
        for waiting in changes.waiting:
            self._waiting[waiting.id] = stored.waiting[waiting.id], waiting
        for gone in changes.gone_waiting:
            self._waiting.pop(gone, None)

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        remembered = (self._remembered(ask) for ask in asks)
        decided = {at: self._decide(*pair, now) for at, pair in enumerate(zip(asks, remembered, strict=True))}
        # Only attempts: a refusal must not stand on what may be out of date.
        answers: dict[int, Reservation | None] = {**await self._settle(decided)}
        for _ in range(MOST_ROUNDS):
            left = {at: ask for at, ask in enumerate(asks) if at not in answers}
            if not left:
                return tuple(answers[at] for at in range(len(asks)))
            read = await self._read(left.values())
            decided = {at: self._decide(ask, read[ask], now) for at, ask in left.items()}
            answers |= {at: known for at, known in decided.items() if not isinstance(known, _Attempt)}
            answers |= await self._settle(decided)
        raise Contended("reserve")

    def _remembered(self, ask: Ask) -> _Read:
        agents = tuple(self._agents.get(agent) for agent in ask.agents)
        return _Read(None, self._waiting.get(ask.demand), agents)

    async def _read(self, asks: Iterable[Ask]) -> dict[Ask, _Read]:
        asks = tuple(asks)
        agents = list({agent for ask in asks for agent in ask.agents}) or [AccountId("")]
        demands, ids = [ask.demand for ask in asks], [ask.reservation for ask in asks]
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(self._keys.agents, agents)
            pipe.hmget(self._keys.waiting, demands)
            pipe.hmget(self._keys.reservations, ids)
            agents_read, waiting_read, held_read = await pipe.execute()
        known = {
            id_: (read, records.agent(read)) for id_, read in zip(agents, agents_read, strict=True) if read
        }
        return {
            ask: _Read(
                records.held(held) if held else None,
                (waiting, records.waiting(waiting)) if waiting else None,
                tuple(known.get(agent) for agent in ask.agents),
            )
            for ask, waiting, held in zip(asks, waiting_read, held_read, strict=True)
        }

    def _decide(self, ask: Ask, read: _Read, now: float) -> Reservation | _Attempt | None:
        if read.held is not None:
            fence, held = read.held
            return held.reservation(ask.reservation, fence) if transitions.is_answer(held, ask) else None
        agents = [known for known in read.agents if known is not None]
        if read.waiting is None or len(agents) < len(ask.agents):
            return None
        waiting_read, waiting = read.waiting
        if not transitions.may_reserve([agent for _, agent in agents], waiting, now):
            return None
        held = Held(ask.agents, ask.until, waiting)
        taken = Taken(ask.reservation, ask.agents)
        args: list[Arg] = [
            len(agents),
            ask.demand,
            waiting_read,
            ask.reservation,
            encode(held),
            encode(taken),
        ]
        for agent_read, agent in agents:
            after = transitions.reserved(agent, waiting, ask.reservation, agent.fence, now)
            args += [agent.id, agent_read, encode(after)]
        return _Attempt(ask.reservation, held, args)

    async def _settle(self, decided: Mapping[int, Reservation | _Attempt | None]) -> dict[int, Reservation]:
        """The reservations that were made; who is missing lost."""
        attempts = {at: attempt for at, attempt in decided.items() if isinstance(attempt, _Attempt)}
        if not attempts:
            return {}
        keys = (self._keys.agents, self._keys.waiting, self._keys.reservations, self._keys.taken)
        args = [arg for attempt in attempts.values() for arg in attempt.args]
        try:
            fences = await self._life.write(RESERVE, keys, args)
        except Lost:
            return {}
        assert isinstance(fences, list)
        self._life.saw(max(fences))
        return {
            at: attempt.held.reservation(attempt.id, fence)
            for (at, attempt), fence in zip(attempts.items(), fences, strict=True)
            if fence
        }
