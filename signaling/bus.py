"""Word that something changed, to every web process: a topic, never the truth; who hears it reads again.

At most once (Redis pub/sub); sessions therefore also look by themselves every few seconds.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Protocol

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from records.model import AccountId, CallId
from signaling.keys import Keys

log = structlog.get_logger(__name__)

Listener = Callable[[str], None]

QUEUE = "queue"  # who waits or who is free changed
GENERATION = "generation"  # the live store began a new life: whoever holds a socket tells it what it knows


def call_topic(call: CallId) -> str:
    return f"call:{call}"


def agent_topic(agent: AccountId) -> str:
    return f"agent:{agent}"


def holder_topic(identity: str) -> str:
    return f"holder:{identity}"


def quality_topic(call: CallId) -> str:
    """Told within a process only: every process hears of quality by itself."""
    return f"quality:{call}"


class Bus(Protocol):
    def listen(self, listener: Listener) -> Callable[[], None]:
        """Have every topic told to ``listener``; returns how to stop."""
        ...

    async def tell(self, *topics: str) -> None: ...


class LocalBus:
    """Within one process; also what each process uses inside."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    async def tell(self, *topics: str) -> None:
        self.tell_here(*topics)

    def tell_here(self, *topics: str) -> None:
        for topic in topics:
            for listener in tuple(self._listeners):
                listener(topic)


class RedisBus:
    """Over Redis pub/sub. ``run`` must be running for topics of other processes to arrive."""

    def __init__(self, redis: Redis, hall: str) -> None:
        self._redis: Any = redis
        self._channel = Keys(hall).bus
        self._local = LocalBus()

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._local.listen(listener)

    async def tell(self, *topics: str) -> None:
        """Told here at once, elsewhere through Redis; a Redis that is away costs nobody here anything."""
        self._local.tell_here(*topics)
        with contextlib.suppress(RedisError, OSError):
            await self._redis.publish(self._channel, "\n".join(topics))

    def tell_here(self, *topics: str) -> None:
        """Only within this process."""
        self._local.tell_here(*topics)

    async def run(self) -> None:
        while True:
            try:
                await self._listen_until_lost()
            except (RedisError, OSError) as lost:
                log.warning("bus lost", error=str(lost))
                await asyncio.sleep(0.5)

    async def _listen_until_lost(self) -> None:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(self._channel)
            while True:
                message = await subscription.get_message(timeout=2.0)
                if message is not None:
                    self._local.tell_here(*message["data"].decode().split("\n"))
