"""Who holds whose socket: one session an identity, known to every process, gone when its process is."""

from typing import Any, Protocol

from redis.asyncio import Redis

from records.model import AccountId, StationId
from signaling.keys import Keys
from signaling.redis_calls import script

# A holder that says nothing for so long is gone. Timers look twice before they believe it, so that what a
# process held that died is free after about SILENCE_S.
HOLD_S = 4.0
KEEP_S = 1.0  # and says so this often


def station_identity(station: StationId) -> str:
    return f"station:{station}"


def agent_identity(agent: AccountId) -> str:
    return f"agent:{agent}"


def supervisor_identity(account: AccountId) -> str:
    """Of the one page with which a manager supervises a call."""
    return f"supervisor:{account}"


class Holders(Protocol):
    async def take(self, identity: str, session: str) -> None:
        """This session holds the identity now, whoever did before."""
        ...

    async def keep(self, identity: str, session: str) -> bool:
        """False when another session took over."""
        ...

    async def drop(self, identity: str, session: str) -> bool:
        """True when it was held by this session until now."""
        ...

    async def held(self, identities: tuple[str, ...]) -> frozenset[str]: ...


class MemoryHolders:
    def __init__(self) -> None:
        self._held: dict[str, str] = {}

    async def take(self, identity: str, session: str) -> None:
        self._held[identity] = session

    async def keep(self, identity: str, session: str) -> bool:
        return self._held.setdefault(identity, session) == session

    async def drop(self, identity: str, session: str) -> bool:
        if self._held.get(identity) != session:
            return False
        del self._held[identity]
        return True

    async def held(self, identities: tuple[str, ...]) -> frozenset[str]:
        return frozenset(i for i in identities if i in self._held)


class RedisHolders:
    def __init__(self, redis: Redis, hall: str) -> None:
        self._redis: Any = redis
        self._keys = Keys(hall)
        self._keep = redis.register_script(script("keep_holder"))
        self._drop = redis.register_script(script("drop_holder"))

    async def take(self, identity: str, session: str) -> None:
        await self._redis.set(self._keys.holder(identity), session, px=int(HOLD_S * 1000))

    async def keep(self, identity: str, session: str) -> bool:
        key = self._keys.holder(identity)
        return bool(await self._keep(keys=[key], args=[session, int(HOLD_S * 1000)]))

    async def drop(self, identity: str, session: str) -> bool:
        return bool(await self._drop(keys=[self._keys.holder(identity)], args=[session]))

    async def held(self, identities: tuple[str, ...]) -> frozenset[str]:
        if not identities:
            return frozenset()
        found = await self._redis.mget([self._keys.holder(i) for i in identities])
        return frozenset(i for i, holder in zip(identities, found, strict=True) if holder is not None)
