"""What a call is for the bench, and what was seen of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bench.media.clip import sound_clip, video_clip
from bench.media.generator import Generator
from bench.media.process import Usage
from bench.media.recordings import Checked
from tests.media.caller import Caller
from tests.media.caller_streams import Incoming, Outgoing

CONNECT_S = 15.0


class Failed(RuntimeError):
    """A server would not, or could not, do what a call needs; the text says what."""


class Full(Failed):
    """The server takes no more calls for now."""


@dataclass
class Person:
    """What one participant sends, and the connections it has to do so: one, or one for each way."""

    sound: Outgoing
    video: Outgoing
    callers: list[Caller] = field(default_factory=list)

    @property
    def tracks(self) -> tuple[Outgoing, Outgoing]:
        return self.sound, self.video


@dataclass
class Call:
    """``people`` are two. ``handle`` is what the server needs to close it."""

    name: str
    people: tuple[Person, Person]
    handle: object = None

    def incoming(self) -> list[Incoming]:
        """The streams that ought to come: each person's sound and video at the other's."""
        found = []
        for person, other in (self.people, self.people[::-1]):
            streams = [stream for caller in person.callers for stream in caller.incoming.values()]
            for track in other.tracks:
                mine = [s for s in streams if s.source is track]
                # Of the m-lines that could carry it, the one that does.
                found.append(max(mine, key=lambda stream: stream.received))
        return found

    def callers(self) -> list[Caller]:
        return [caller for person in self.people for caller in person.callers]


class Server(Protocol):
    """What is measured. Everything it starts it also ends, in ``stop``."""

    name: str

    async def start(self) -> None: ...
    async def stop(self) -> None: ...

    async def open_call(self, name: str, generator: Generator) -> Call:
        """Both connected, each shown the other, both recorded, media running. Raises Failed."""

    async def close_call(self, call: Call, generator: Generator) -> None: ...

    async def join_and_leave(self, name: str, generator: Generator) -> None:
        """One participant connects, sends nothing and goes: what a join costs. Raises Failed."""

    def usage(self) -> Usage: ...
    def check_recordings(self, sample: int | None, seed: int) -> Checked: ...


def person(generator: Generator) -> Person:
    """With numbers that are the person's own, as RTP wants them: random."""
    numbers = generator.random
    ssrcs = [numbers.randrange(1, 1 << 32) for _ in range(3)]
    sound = Outgoing(sound_clip(), ssrcs[0], 0, numbers.randrange(1 << 16), numbers.randrange(1 << 32))
    video = Outgoing(video_clip(), ssrcs[1], ssrcs[2], numbers.randrange(1 << 16), numbers.randrange(1 << 32))
    return Person(sound, video)


async def until(condition: Callable[[], bool], what: str, within_s: float = CONNECT_S) -> None:
    """Raises Failed when it does not come to be."""
    try:
        async with asyncio.timeout(within_s):
            while not condition():  # noqa: ASYNC110 - the generator sets it, from its own turn
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise Failed(what) from None


async def connected(*callers: Caller) -> None:
    try:
        await until(lambda: all(c.connected or c.failed for c in callers), "")
    except Failed:
        raise Failed("no connection: " + "; ".join(caller.progress for caller in callers)) from None
    for caller in callers:
        if caller.failed:
            raise Failed(caller.failed)


async def media_runs(call: Call) -> None:
    """Every stream of the call has come."""
    await until(lambda: all(stream.received for stream in call.incoming()), "a stream never came")
