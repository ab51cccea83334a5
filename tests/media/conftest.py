"""The real node process on a real Valkey, and a way to talk to it as signaling would."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from redis.asyncio import Redis

from media.protocol import (
    NODES,
    Answer,
    AnyCommand,
    AnyEvent,
    Join,
    Mid,
    NodeEvent,
    NodeId,
    NodeInfo,
    Offered,
    OpenRoom,
    Record,
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

HALL = "test-hall"
_RUN = """
import logging, sys
from pathlib import Path
from media.node import NodeSettings, main
logging.basicConfig(level=logging.INFO)
url, recordings, capacity = sys.argv[1:]
main(NodeSettings(
    redis_url=url, recordings=Path(recordings), addresses=("127.0.0.1",), capacity=int(capacity)
))
"""

_E = TypeVar("_E", bound=NodeEvent)


@dataclass
class Control:
    """Signaling's side: commands in, events out. Every event is kept in ``events``."""

    redis: Redis
    node: NodeId
    process: Any  # subprocess.Popen, None when the node runs in the test's own process
    recordings: Path
    events: list[AnyEvent] = field(default_factory=list)
    _last: str = "0-0"
    _seen: dict[type[Any], int] = field(default_factory=dict)

    async def send(self, *commands: AnyCommand) -> None:
        for command in commands:
            await self.redis.xadd(command_stream(self.node), {"m": encode(command)})

    async def next(self, kind: type[_E], within_s: float = 10.0) -> _E:
        """The next event of this kind that ``next`` has not returned before."""
        async with asyncio.timeout(within_s):
            while True:
                found = [e for e in self.events if isinstance(e, kind)]
                taken = self._seen.get(kind, 0)
                if len(found) > taken:
                    self._seen[kind] = taken + 1
                    return found[taken]
                await self._read()

    async def _read(self) -> None:
        answer: Any = await self.redis.xread({event_stream(HALL): self._last}, block=200)
        streams = answer.items() if isinstance(answer, dict) else answer or ()
        for _, messages in streams:
            for number, fields in messages:
                self._last = number
                self.events.append(event_decoder.decode(fields[b"m"]))

    async def open(self, room: str) -> RoomId:
        await self.send(OpenRoom(HALL, RoomId(room), folder=f"2026-11-23/{room}"))
        return RoomId(room)

    async def join(self, room: str, who: str, generation: int = 1) -> Offered:
        role = ParticipantRole.RESIDENT if who == "resident" else ParticipantRole.AGENT
        await self.send(Join(HALL, RoomId(room), ParticipantId(who), role, generation))
        return await self.next(Offered)

    async def answer(self, room: str, who: str, sdp: str, generation: int = 1) -> None:
        await self.send(Answer(HALL, RoomId(room), ParticipantId(who), generation, sdp))

    async def slots(self, room: str, revision: int, **viewers: dict[Mid, tuple[str, Source]]) -> None:
        slots = {
            ParticipantId(viewer): {
                mid: TrackRef(ParticipantId(who), source) for mid, (who, source) in shown.items()
            }
            for viewer, shown in viewers.items()
        }
        await self.send(SetSlots(HALL, RoomId(room), revision, slots))

    async def record(self, room: str, *who: str) -> None:
        await self.send(Record(HALL, RoomId(room), tuple(ParticipantId(w) for w in who)))

    async def info(self) -> NodeInfo | None:
        text = await self.redis.get(node_key(self.node))
        return None if text is None else info_decoder.decode(text)


def all_of(who: str) -> dict[Mid, tuple[str, Source]]:
    """The usual view: the other one's microphone, camera and share."""
    return {Mid.MIC: (who, Source.MIC), Mid.CAMERA: (who, Source.CAMERA), Mid.SHARE: (who, Source.SHARE)}


StartNode = Callable[..., Any]


@pytest.fixture
def node_program() -> str:
    return _RUN


@pytest.fixture
async def start_node(redis: Redis, valkey_socket: Path, tmp_path: Path) -> AsyncIterator[StartNode]:
    """Starts nodes; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []
    recordings = tmp_path / "recordings"
    recordings.mkdir()

    async def start(capacity: int = 4, program: str = _RUN) -> Control:
        process = _spawn(program, f"unix://{valkey_socket}", str(recordings), str(capacity))
        started.append(process)
        node = await _registered(redis, process.pid)
        return Control(redis, node, process, recordings)

    yield start
    for process in started:
        process.kill()
        process.wait()


def _spawn(program: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", program, *arguments])


async def _registered(redis: Redis, pid: int) -> NodeId:
    async with asyncio.timeout(10):
        while True:
            names: Any = await redis.smembers(NODES)
            for name in names:
                node = NodeId(name.decode())
                text = await redis.get(node_key(node))
                if text is not None and info_decoder.decode(text).pid == pid:
                    return node
            await asyncio.sleep(0.01)


@pytest.fixture
async def control(start_node: StartNode) -> Control:
    found: Control = await start_node()
    return found
