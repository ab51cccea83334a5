"""The rooms of this node as they are: carries out what room.py decides, tells what became of it.

Everything runs on one event loop. Whatever takes time is a named task owned by ``LiveRooms``.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from media.disk import Disk
from media.leg import Leg
from media.protocol import (
    Answer,
    AnyCommand,
    AnyEvent,
    CloseRoom,
    Connected,
    Disconnected,
    Join,
    Leave,
    NodeEvent,
    NodeId,
    Offered,
    OpenRoom,
    PartOpened,
    PartSealed,
    RefusalReason,
    Refused,
    RoomClosed,
    RoomId,
)
from media.recorder import OpenPart, Recorder
from media.room import (
    AcceptAnswer,
    CloseLeg,
    Effect,
    Event,
    LegLost,
    OpenLeg,
    Refuse,
    Rerecord,
    Rewire,
    Room,
    SealRoom,
    Tick,
    open_room,
    shown,
    transition,
)
from media.sdp import BadAnswer
from media.transport import Certificate, Network, TransportFailed
from records.model import ParticipantId

logger = logging.getLogger(__name__)

UNANSWERED_S = 120.0  # an offer that nobody answered is withdrawn
TICK_S = 0.025

_E = TypeVar("_E", bound=NodeEvent)


@dataclass
class _Connection:
    generation: int
    leg: Leg
    opened_at: float
    lost: bool = False
    takes: int = 0  # how often recording of it was started


@dataclass(frozen=True)
class _Recording:
    """A recorder, and what its parts' events say of them."""

    recorder: Recorder
    describe: Callable[[OpenPart], dict[str, Any]]


class LiveRooms:
    """``publish`` is called with every event, from the loop, and must not block."""

    def __init__(
        self,
        node: NodeId,
        network: Network,
        recordings: Path,
        capacity: int,
        publish: Callable[[AnyEvent], None],
    ) -> None:
        self._node = node
        self._network = network
        self._recordings = recordings
        self._capacity = capacity
        self._publish = publish
        self._certificate = Certificate()
        self._disk = Disk()
        self._rooms: dict[RoomId, Room] = {}
        self._connections: dict[RoomId, dict[ParticipantId, _Connection]] = {}
        self._recorders: dict[RoomId, dict[tuple[ParticipantId, int], _Recording]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._rooms)

    # --- commands and events in ---

    def command(self, command: AnyCommand) -> None:
        room = self._rooms.get(command.room)
        if room is not None:
            self._feed(room, command)
        elif isinstance(command, OpenRoom):
            self._open_room(command)
        elif isinstance(command, CloseRoom):
            self._tell(RoomClosed, Room(command.room, command.hall, "", None))
        else:
            who = command.participant if isinstance(command, Join | Answer | Leave) else None
            generation = command.generation if isinstance(command, Join | Answer) else 0
            nowhere = Room(command.room, command.hall, "", None)
            self._refuse(nowhere, Refuse(who, generation, RefusalReason.NO_SUCH_ROOM, "no such room here"))

    def _open_room(self, command: OpenRoom) -> None:
        nowhere = Room(command.room, command.hall, "", None)
        if len(self._rooms) >= self._capacity:
            full = f"this node takes {self._capacity} rooms"
            self._refuse(nowhere, Refuse(None, 0, RefusalReason.FULL, full))
            return
        try:
            room = open_room(command, time.monotonic())
        except ValueError as error:
            self._refuse(nowhere, Refuse(None, 0, RefusalReason.NO_SUCH_ROOM, str(error)))
            return
        self._rooms[room.id] = room
        self._connections[room.id] = {}
        self._recorders[room.id] = {}
        logger.info("room %s opened", room.id)

    def _feed(self, room: Room, event: Event) -> None:
        after, effects = transition(room, event, time.monotonic())
        self._rooms[room.id] = after
        for effect in effects:
            self._carry_out(after, effect)

    # --- effects out ---

    def _carry_out(self, room: Room, effect: Effect) -> None:
        match effect:
            case OpenLeg():
                self._open_leg(room, effect)
            case AcceptAnswer():
                self._accept(room, effect)
            case CloseLeg():
                self._close_leg(room, effect)
            case Rewire():
                self._rewire(room)
            case Rerecord():
                self._rerecord(room)
            case SealRoom():
                self._own(self._seal_room(room), f"{room.id}: close")
            case Refuse():
                self._refuse(room, effect)

    def _refuse(self, room: Room, refusal: Refuse) -> None:
        self._tell(
            Refused,
            room,
            participant=refusal.participant,
            generation=refusal.generation,
            reason=refusal.reason,
            detail=refusal.detail,
        )

    def _open_leg(self, room: Room, effect: OpenLeg) -> None:
        known = self._connections[room.id].get(effect.participant)
        if known is not None and known.generation == effect.generation:
            if known.leg.offer:
                self._offered(room, effect.participant, known)
            return
        leg = Leg(
            self._network,
            self._certificate,
            lambda: self._lost(room.id, effect.participant, effect.generation, "closed"),
        )
        connection = _Connection(effect.generation, leg, time.monotonic())
        self._connections[room.id][effect.participant] = connection
        self._own(
            self._gather(room, effect.participant, connection), f"{room.id}: offer {effect.participant}"
        )

    async def _gather(self, room: Room, who: ParticipantId, connection: _Connection) -> None:
        try:
            await connection.leg.open()
        except TransportFailed as error:
            self._lost(room.id, who, connection.generation, str(error))
            return
        except Exception:
            self._lost(room.id, who, connection.generation, "failed")
            raise
        if self._current(room.id, who, connection.generation) is connection:
            self._offered(room, who, connection)

    def _offered(self, room: Room, who: ParticipantId, connection: _Connection) -> None:
        offer = connection.leg.offer
        self._tell(Offered, room, participant=who, generation=connection.generation, sdp=offer)

    def _accept(self, room: Room, effect: AcceptAnswer) -> None:
        connection = self._current(room.id, effect.participant, effect.generation)
        if connection is None or connection.leg.answered or not connection.leg.offer:
            return
        self._own(self._connect(room, effect, connection), f"{room.id}: connect {effect.participant}")

    async def _connect(self, room: Room, effect: AcceptAnswer, connection: _Connection) -> None:
        who, generation = effect.participant, effect.generation
        try:
            await connection.leg.accept(effect.sdp)
        except BadAnswer as error:
            self._refuse(room, Refuse(who, generation, RefusalReason.BAD_ANSWER, str(error)))
        except TransportFailed as error:
            self._lost(room.id, who, generation, str(error))
        except Exception:
            self._lost(room.id, who, generation, "failed")
            raise
        else:
            if self._current(room.id, who, generation) is connection:
                self._tell(Connected, room, participant=who, generation=generation)

    def _current(self, room: RoomId, who: ParticipantId, generation: int) -> _Connection | None:
        connection = self._connections.get(room, {}).get(who)
        return connection if connection is not None and connection.generation == generation else None

    def _lost(self, room_id: RoomId, who: ParticipantId, generation: int, reason: str) -> None:
        room, connection = self._rooms.get(room_id), self._current(room_id, who, generation)
        if room is None or connection is None or connection.lost:
            return
        connection.lost = True
        self._tell(Disconnected, room, participant=who, generation=generation, reason=reason)
        self._feed(room, LegLost(who, generation))

    def _close_leg(self, room: Room, effect: CloseLeg) -> None:
        connection = self._current(room.id, effect.participant, effect.generation)
        if connection is not None:
            del self._connections[room.id][effect.participant]
            self._own(connection.leg.close(), f"{room.id}: close {effect.participant}")

    def _rewire(self, room: Room) -> None:
        now = time.monotonic()
        connections = self._connections[room.id]
        for viewer, connection in connections.items():
            wanted = shown(room, viewer)
            for mid, slot in connection.leg.slots.items():
                ref = wanted.get(mid)
                source = connections.get(ref.participant) if ref is not None else None
                slot.show(
                    source.leg.tracks[ref.source] if source is not None and ref is not None else None, now
                )

    # --- recording ---

    def _rerecord(self, room: Room) -> None:
        running, connections = self._recorders[room.id], self._connections[room.id]
        wanted = {(who, c.generation) for who, c in connections.items() if who in room.recorded}
        for key in [key for key in running if key not in wanted]:
            self._own(self._seal(room, running.pop(key)), f"{room.id}: seal {key[0]}")
        for who, generation in wanted - running.keys():
            running[who, generation] = self._recorder(room, who, connections[who])

    def _recorder(self, room: Room, who: ParticipantId, connection: _Connection) -> _Recording:
        described = {
            "participant": who,
            "role": room.participants[who].role,
            "generation": connection.generation,
        }

        def part(opened: OpenPart) -> dict[str, Any]:
            path = str(opened.path.relative_to(self._recordings))
            return {
                **described,
                "part": opened.part,
                "kind": opened.kind,
                "path": path,
                "started_at": opened.started_at,
            }

        # Recorded, stopped, recorded again: a file of its own each time.
        connection.takes += 1
        take = "" if connection.takes == 1 else f"r{connection.takes}"
        stem = f"{who}-g{connection.generation}{take}"
        recorder = Recorder(
            connection.leg.tracks,
            self._recordings / room.folder,
            f"{room.id}.{stem}",
            stem,
            self._disk,
            lambda opened: self._tell(PartOpened, room, **part(opened)),
        )
        return _Recording(recorder, part)

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

    async def _seal_room(self, room: Room) -> None:
        recorders = self._recorders[room.id]
        for who, generation in list(recorders):
            self._own(self._seal(room, recorders.pop((who, generation))), f"{room.id}: seal {who}")
        # Each task's own failure is logged by _done: none keeps the room from being closed.
        sealing = [t for t in self._tasks if t.get_name().startswith(f"{room.id}: seal ")]
        await asyncio.gather(*sealing, return_exceptions=True)
        for table in (self._rooms, self._connections, self._recorders):
            table.pop(room.id, None)
        self._tell(RoomClosed, room)
        logger.info("room %s closed", room.id)

    # --- time ---

    async def run(self) -> None:
        """Until cancelled: feedback, silence, empty rooms."""
        while True:
            await asyncio.sleep(TICK_S)
            self._tick(time.monotonic())

    def _tick(self, now: float) -> None:
        for room in list(self._rooms.values()):
            try:
                self._tick_room(room, now)
            except Exception:
                # One room's trouble must not end the others.
                logger.exception("room %s", room.id)

    def _tick_room(self, room: Room, now: float) -> None:
        for who, connection in list(self._connections[room.id].items()):
            connection.leg.tick(now)
            if connection.leg.silent(now):
                self._lost(room.id, who, connection.generation, "silent")
            elif not connection.leg.answered and now - connection.opened_at > UNANSWERED_S:
                self._lost(room.id, who, connection.generation, "unanswered")
        for recording in self._recorders[room.id].values():
            recording.recorder.tick(now)
        if room.empty_since is not None:
            self._feed(self._rooms[room.id], Tick())

    async def close(self) -> None:
        """Seal everything, say goodbye to everybody. Well under two seconds unless the disk hangs."""
        for room in list(self._rooms.values()):
            self._feed(room, CloseRoom(room.hall, room.id))
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._disk.close()

    # --- plumbing ---

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("%s failed", task.get_name(), exc_info=error)

    def _tell(self, event: type[_E], room: Room, /, **rest: Any) -> None:
        made: Any = event(hall=room.hall, room=room.id, node=self._node, at=time.time(), **rest)
        logger.info("> %s %s", event.__name__, {k: v for k, v in rest.items() if k != "sdp"})
        self._publish(made)
