"""Which connections of a node are recorded, and what is told of their parts."""

from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from media.leg import Leg
from media.protocol import PartOpened, PartSealed, RoomId
from media.recording.disk import Disk
from media.recording.part import OpenPart
from media.recording.recorder import Recorder
from media.room import Room
from records.model import ParticipantId

Connection = tuple[ParticipantId, int]  # a participant at a generation
Tell = Callable[..., None]  # (type of event, room, **rest)
Own = Callable[[Coroutine[Any, Any, None], str], None]


class _Recording:
    """A recorder, and what its parts' events say of them."""

    def __init__(self, recorder: Recorder, describe: Callable[[OpenPart], dict[str, Any]]) -> None:
        self.recorder = recorder
        self.describe = describe


class Recordings:
    """``folder`` is the recordings folder. ``tell`` publishes an event, ``own`` runs a task to its end."""

    def __init__(self, folder: Path, tell: Tell, own: Own) -> None:
        self.disk = Disk()
        self._folder = folder
        self._tell = tell
        self._own = own
        self._running: dict[RoomId, dict[Connection, _Recording]] = {}
        self._takes: dict[tuple[RoomId, ParticipantId, int], int] = {}  # how often recording was started

    def align(self, room: Room, legs: Mapping[Connection, Leg]) -> None:
        """Record these connections and no others; idempotent."""
        running = self._running.setdefault(room.id, {})
        for connection in [connection for connection in running if connection not in legs]:
            self._stop(room, running, connection)
        for connection, leg in legs.items():
            if connection not in running:
                running[connection] = self._start(room, connection, leg)

    def finish(self, room: Room) -> None:
        """Seal every part of a room."""
        running = self._running.pop(room.id, {})
        for connection in list(running):
            self._stop(room, running, connection)
        for key in [key for key in self._takes if key[0] == room.id]:
            del self._takes[key]

    def tick(self, room: RoomId, now: float) -> None:
        """Several times a second."""
        for recording in self._running.get(room, {}).values():
            recording.recorder.tick(now)

    def _start(self, room: Room, connection: Connection, leg: Leg) -> _Recording:
        who, generation = connection
        described = {"participant": who, "role": room.participants[who].role, "generation": generation}

        def part(opened: OpenPart) -> dict[str, Any]:
            return {
                **described,
                "part": opened.part,
                "kind": opened.kind,
                "path": str(opened.path.relative_to(self._folder)),
                "started_at": opened.started_at,
            }

        # Recorded, stopped, recorded again: a file of its own each time.
        take = self._takes[room.id, who, generation] = self._takes.get((room.id, who, generation), 0) + 1
        stem = f"{who}-g{generation}" + ("" if take == 1 else f"t{take}")
        recorder = Recorder(
            leg.tracks,
            self._folder / room.folder,
            f"{room.id}.{stem}",
            stem,
            self.disk,
            lambda opened: self._tell(PartOpened, room, **part(opened)),
        )
        return _Recording(recorder, part)

    def _stop(self, room: Room, running: dict[Connection, _Recording], connection: Connection) -> None:
        self._own(self._seal(room, running.pop(connection)), f"{room.id}: seal {connection[0]}")

    async def _seal(self, room: Room, recording: _Recording) -> None:
        for opened, info in await recording.recorder.seal():
            self._tell(
                PartSealed,
                room,
                **recording.describe(opened),
                duration=info.duration,
                size=info.size,
                sha256=info.sha256,
                gaps=info.gaps,
            )
