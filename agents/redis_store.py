"""Availability in Redis or Valkey: Python decides by the rules, a Lua script settles the race.

A verb reads the records it needs, asks agents.transitions what they become, and hands both to a script
that writes only if all is still as it was read. Whoever loses reads again and decides again; each
round that somebody loses, somebody else has won, so nobody waits for a lock and no rule exists twice.
"""

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

import msgspec
from redis.asyncio import Redis

from agents import transitions
from agents.agent import Agent, PauseReason, Presence, Release, Reservation, ReservationId, Waiting
from agents.availability import Rules, Snapshot, UnknownAgent
from agents.keys import Keys
from agents.scripts import Scripts
from records.model import AccountId, CallId, HallId, SiteId, SkillId

P = ParamSpec("P")
T = TypeVar("T")


class _Held(msgspec.Struct, frozen=True):
    """What is kept with a reservation; the script draws the fence and writes it in front."""

    agent: AccountId
    until: float
    waiting: Waiting


class _Change(NamedTuple):
    key: str
    field: str
    read: bytes  # empty when absent
    after: bytes  # empty to delete


_encode = msgspec.json.Encoder().encode
_agent = msgspec.json.Decoder(Agent).decode
_waiting = msgspec.json.Decoder(Waiting).decode
_held = msgspec.json.Decoder(_Held).decode

_ABSENT = b""

# Every lost round is another hand's success, and twenty dispatchers after one agent lose a few at most.
# So many in a row mean that the records contradict each other, which no further round would mend.
_MOST_ROUNDS = 100


class _Lost(Exception):
    """Another hand changed a record between reading and settling."""


class Contended(RuntimeError):
    """A verb lost every one of its rounds."""


def _again_when_lost(verb: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @wraps(verb)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(_MOST_ROUNDS):
            with suppress(_Lost):
                return await verb(*args, **kwargs)
        raise Contended(verb.__name__)

    return again


class RedisAvailability:
    """``redis`` answers in bytes (``decode_responses=False``). Errors of the connection are the caller's."""

    def __init__(self, redis: Redis, hall: HallId, rules: Rules) -> None:
        self._redis = redis
        self._keys = Keys(hall)
        self._rules = rules
        self._scripts = Scripts(redis)

    @_again_when_lost
    async def sign_in(self, agent: AccountId, skills: dict[SkillId, int], site: SiteId, now: float) -> Agent:
        read = await self._get(self._keys.agents, agent)
        known = _agent(read) if read else None
        after = transitions.signed_in(known, agent, skills, site, now)
        await self._settle(self._agent_change(read, after))
        return after

    @_again_when_lost
    async def declare(
        self, agent: AccountId, presence: Presence, reason: PauseReason | None, now: float
    ) -> Agent:
        read = await self._get(self._keys.agents, agent)
        if not read:
            raise UnknownAgent(agent)
        after = transitions.declared(_agent(read), presence, reason, now)
        await self._settle(self._agent_change(read, after))
        return after

    async def agent(self, agent: AccountId) -> Agent | None:
        read = await self._get(self._keys.agents, agent)
        return _agent(read) if read else None

    async def enqueue(self, waiting: Waiting) -> None:
        # Losing says that the call already waits, or that somebody has it: nothing to do in either case.
        with suppress(_Lost):
            await self._settle(
                _Change(self._keys.taken, waiting.call, _ABSENT, _ABSENT),
                _Change(self._keys.waiting, waiting.call, _ABSENT, _encode(waiting)),
            )

    async def withdraw(self, call: CallId) -> None:
        await self._redis.hdel(self._keys.waiting, call)

    @_again_when_lost
    async def reserve(
        self, agent: AccountId, call: CallId, reservation: ReservationId, until: float, now: float
    ) -> Reservation | None:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(self._keys.reservations, reservation)
            pipe.hget(self._keys.agents, agent)
            pipe.hget(self._keys.waiting, call)
            held_read, agent_read, waiting_read = await pipe.execute()
        if held_read:
            known = _reservation(reservation, held_read)
            return known if (known.agent, known.call) == (agent, call) else None
        if not agent_read or not waiting_read:
            return None
        before, waiting = _agent(agent_read), _waiting(waiting_read)
        if not transitions.may_reserve(before, waiting, now):
            return None
        after = transitions.reserved(before, call, reservation, now)
        held = _encode(_Held(agent, until, waiting))
        fence = await self._scripts.reserve(
            keys=(
                self._keys.agents,
                self._keys.waiting,
                self._keys.reservations,
                self._keys.taken,
                self._keys.fence,
            ),
            args=(agent, agent_read, _encode(after), call, waiting_read, reservation, held),
        )
        if not fence:
            raise _Lost
        return Reservation(reservation, call, agent, until, int(fence))

    @_again_when_lost
    async def accept(self, reservation: ReservationId, now: float) -> bool:
        held_read, held, agent_read = await self._get_held(reservation)
        if held is None:
            return await self._is_in_call_by(reservation)
        if held.until <= now:
            return False
        after = transitions.accepted(_agent(agent_read), now)
        await self._settle(
            _Change(self._keys.reservations, reservation, held_read, _ABSENT),
            self._agent_change(agent_read, after),
        )
        return True

    @_again_when_lost
    async def give_back(self, reservation: ReservationId, why: Release, now: float) -> bool:
        transitions.check_give_back(why)
        held_read, held, agent_read = await self._get_held(reservation)
        if held is None:
            return False
        after = transitions.given_back(_agent(agent_read), why, self._rules, now)
        changes = [
            _Change(self._keys.reservations, reservation, held_read, _ABSENT),
            _Change(self._keys.taken, held.waiting.call, held.agent.encode(), _ABSENT),
            self._agent_change(agent_read, after),
        ]
        back = transitions.put_back(held.waiting, held.agent, why, self._rules, now)
        if back is not None:
            changes.append(_Change(self._keys.waiting, back.call, _ABSENT, _encode(back)))
        await self._settle(*changes)
        return True

    @_again_when_lost
    async def release(self, agent: AccountId, call: CallId, why: Release, now: float) -> bool:
        transitions.check_release(why)
        read = await self._get(self._keys.agents, agent)
        after = transitions.released(_agent(read), call, why, self._rules, now) if read else None
        if after is None:
            return False
        changes = [self._agent_change(read, after)]
        if why is Release.ENDED:
            changes.append(_Change(self._keys.taken, call, agent.encode(), _ABSENT))
        await self._settle(*changes)
        return True

    async def overdue(self, now: float) -> tuple[tuple[Reservation, ...], tuple[Agent, ...]]:
        return transitions.overdue(await self.snapshot(), now)

    async def snapshot(self) -> Snapshot:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hvals(self._keys.agents)
            pipe.hvals(self._keys.waiting)
            pipe.hgetall(self._keys.reservations)
            agents, waiting, reservations = await pipe.execute()
        held = (_reservation(ReservationId(id_.decode()), read) for id_, read in reservations.items())
        return Snapshot(
            agents=tuple(sorted(map(_agent, agents), key=lambda a: a.id)),
            waiting=transitions.in_order(map(_waiting, waiting)),
            reservations=tuple(sorted(held, key=lambda r: r.fence)),
        )

    async def _get(self, key: str, field: str) -> bytes:
        value = await self._redis.hget(key, field)
        return value if isinstance(value, bytes) else _ABSENT

    async def _get_held(self, reservation: ReservationId) -> tuple[bytes, _Held | None, bytes]:
        """The reservation as stored, what it holds, and its agent as stored."""
        read = await self._get(self._keys.reservations, reservation)
        if not read:
            return _ABSENT, None, _ABSENT
        held = _held(read.partition(b":")[2])
        return read, held, await self._get(self._keys.agents, held.agent)

    async def _is_in_call_by(self, reservation: ReservationId) -> bool:
        agents = (await self.snapshot()).agents
        return any(transitions.is_in_call_by(agent, reservation) for agent in agents)

    def _agent_change(self, read: bytes, after: Agent) -> _Change:
        return _Change(self._keys.agents, after.id, read, _encode(after))

    async def _settle(self, *changes: _Change) -> None:
        """All is now as decided; or _Lost, and nothing was changed, because something was not as read."""
        keys = [change.key for change in changes]
        args = [value for change in changes for value in change[1:]]
        if not await self._scripts.settle(keys=keys, args=args):
            raise _Lost


def _reservation(reservation: ReservationId, read: bytes) -> Reservation:
    fence, _, held_read = read.partition(b":")
    held = _held(held_read)
    return Reservation(reservation, held.waiting.call, held.agent, held.until, int(fence))
