"""Writing to one life of the store: the generation that every script is told, and what it says about it."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from redis.asyncio import Redis

from agents.keys import Keys
from agents.scripts import BEGIN, SETTLE, Answer, Arg, Script, run

P = ParamSpec("P")
T = TypeVar("T")

KEEP = 8192  # changes in the stream: more than a second of the busiest hall
LOST, OTHER_LIFE = 0, -1  # what a script answers when it wrote nothing

# Every lost round is another hand's success, and twenty dispatchers after one agent lose a few at most.
# So many in a row mean that the records contradict each other, which no further round would mend.
MOST_ROUNDS = 100


class Lost(Exception):
    """Another hand changed a record between reading and settling, or the store began another life."""


class Contended(RuntimeError):
    """A verb lost every one of its rounds."""


def again_when_lost(verb: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @wraps(verb)
    async def again(*args: P.args, **kwargs: P.kwargs) -> T:
        for _ in range(MOST_ROUNDS):
            with suppress(Lost):
                return await verb(*args, **kwargs)
        raise Contended(verb.__name__)

    return again


class Change(NamedTuple):
    """``kind``: under which the stream of changes tells it (agents.redis_changes), empty for not at all."""

    kind: str
    key: str
    field: str
    read: bytes  # empty when absent
    after: bytes  # empty to delete


class Life:
    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = (keys.generation, keys.changes)
        self._generation = 0  # unknown as yet
        self._newest = 0  # of all generations and fences that we ever saw

    async def begin(self) -> int:
        """The store's generation; it begins a new one when it was emptied, restarted or replaced."""
        answer = await run(self._redis, BEGIN, self._keys, (self._newest, KEEP))
        assert isinstance(answer, bytes)
        self._generation = int(answer)
        self._newest = max(self._newest, self._generation)
        return self._generation

    async def settle(self, *changes: Change) -> None:
        """All is now as decided; or Lost, and nothing was changed, because something was not as read."""
        keys = [change.key for change in changes]
        args = [value for c in changes for value in (c.kind, c.field, c.read, c.after)]
        if await self.write(SETTLE, keys, args) == LOST:
            raise Lost

    async def write(self, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> Answer:
        """Run it with the generation's keys and arguments in front. Raises Lost when the store's generation
        is another than it was told."""
        if not self._generation:
            await self.begin()
        answer = await run(self._redis, script, (*self._keys, *keys), (self._generation, KEEP, *args))
        if answer == OTHER_LIFE:
            await self.begin()
            raise Lost
        return answer

    def saw(self, fence: int) -> None:
        """A fence that the store drew: those of its next life must be larger."""
        self._newest = max(self._newest, fence)
