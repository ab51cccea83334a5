"""The rooms of this node as they are: carries out what room.py decides, tells what became of it.

Everything runs on one event loop, by the pump of the node's UDP port. Whatever takes time is a named task
owned by ``LiveRooms``.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from media.beat import following
from media.leg import Leg
from media.net.dtls import Certificate
from media.net.network import Network
from media.net.port import Port
from media.net.pump import Pump
from media.path.rates import Rates, Viewer
from media.protocol import (
    QUALITY_S,
    Answer,
    AnyCommand,
    AnyEvent,
    CloseRoom,
    Connected,
    Disconnected,
    Join,
    Leave,
    LegQuality,
    NodeEvent,
    NodeId,
    Offered,
    OpenRoom,
    Quality,
    RefusalReason,
    Refused,
    RestartIce,
    RoomClosed,
    RoomId,
)
from media.quality import Gauge
from media.recordings import Recordings
from media.room import (
    AcceptAnswer,
    CloseLeg,
    Effect,
    Event,
    LegLost,
    OpenLeg,
    Refuse,
    Rerecord,
    RestartLeg,
    Rewire,
    Room,
    SealRoom,
    Tick,
    open_room,
    shown,
    transition,
)
from media.sdp import AUDIO, BadAnswer
from media.wire.rtcp import NTP_EPOCH
from records.model import ParticipantId

logger = logging.getLogger(__name__)

UNANSWERED_S = 120.0  # an offer that nobody answered is withdrawn
LATE = 64  # commands kept for a room that is being closed
SLOW_S = 0.1  # between two looks at what is in no hurry: rates, recorders, empty rooms

_E = TypeVar("_E", bound=NodeEvent)


class _Watcher:
    """Says of whom a leg tells how it fares. Does not know the leg, so nothing goes round in a circle: what
    is closed is freed at once."""

    def __init__(self, rooms: "LiveRooms", room: RoomId, who: ParticipantId, generation: int) -> None:
        self._rooms, self._room, self._who, self._generation = rooms, room, who, generation

    def connected(self) -> None:
        self._rooms.leg_connected(self._room, self._who, self._generation)

    def closed(self, reason: str) -> None:
        self._rooms.leg_lost(self._room, self._who, self._generation, reason)


class _Connection:
    """One generation of a participant."""

    def __init__(self, port: Port, watcher: _Watcher, generation: int) -> None:
        now = time.monotonic()
        self.generation = generation
        self.opened_at = now
        self.lost = False
        self.gauge = Gauge(now)
        self.leg = Leg(port, watcher, time.time() + NTP_EPOCH - now, now)


class _LiveRoom:
    """A room's decisions (``room``) and what they are about."""

    def __init__(self, room: Room, now: float) -> None:
        self.room = room
        self.connections: dict[ParticipantId, _Connection] = {}
        self.late: deque[AnyCommand] = deque(maxlen=LATE)
        self.rates: Rates[ParticipantId] = Rates()
        self.slow_at = now + hash(room.id) % 100 / 1000  # rooms take turns
        self.quality_at = now + QUALITY_S * (hash(room.id) % 97) / 97
        self.faults = 0

    def current(self, who: ParticipantId, generation: int) -> _Connection | None:
        found = self.connections.get(who)
        return found if found is not None and found.generation == generation else None


class LiveRooms:
    """``publish`` is called with every event and ``say`` with every room's quality, from the loop; they must
    not block. Needs a running loop. Raises OSError when the network cannot be listened on."""

    def __init__(
        self,
        node: NodeId,
        network: Network,
        recordings: Path,
        publish: Callable[[AnyEvent], None],
        say: Callable[[Quality], None],
    ) -> None:
        self._node = node
        self._publish = publish
        self._say = say
        self._wires = network.bind()
        self.port = Port(self._wires, Certificate(), network.candidates(self._wires))
        self._pump = Pump(self.port, self._wires, self._tick)
        self._rooms: dict[RoomId, _LiveRoom] = {}
        self._recordings = Recordings(recordings, self._tell, self._own)
        self._tasks: set[asyncio.Task[None]] = set()
        self._pump.start()

    def __len__(self) -> int:
        return len(self._rooms)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those that it listens on."""
        return tuple(wire.host for wire in self._wires)

    @property
    def port_number(self) -> int:
        return self._wires[0].port

    # --- commands and events in ---

    def command(self, command: AnyCommand) -> None:
        live = self._rooms.get(command.room)
        if live is not None and live.room.closing:
            live.late.append(command)  # a call that comes back while its parts are sealed is made anew then
        elif live is not None:
            self._feed(live, command)
        elif isinstance(command, OpenRoom):
            self._open_room(command)
        elif isinstance(command, CloseRoom):
            self._tell(RoomClosed, Room(command.room, command.hall, "", None))
        else:
            who = command.participant if isinstance(command, Join | Answer | RestartIce | Leave) else None
            generation = command.generation if isinstance(command, Join | Answer | RestartIce) else 0
            nowhere = Room(command.room, command.hall, "", None)
            self._refuse(nowhere, Refuse(who, generation, RefusalReason.NO_SUCH_ROOM, "no such room here"))
        self._pump.flush()

    def _open_room(self, command: OpenRoom) -> None:
        now = time.monotonic()
        try:
            room = open_room(command, now)
        except ValueError as error:
            nowhere = Room(command.room, command.hall, "", None)
            self._refuse(nowhere, Refuse(None, 0, RefusalReason.NO_SUCH_ROOM, str(error)))
            return
        self._rooms[room.id] = _LiveRoom(room, now)
        logger.info("room %s opened", room.id)

    def _feed(self, live: _LiveRoom, event: Event) -> None:
        """Raises what an effect raised, once all were tried: a room whose leg cannot be closed is sealed all
        the same."""
        live.room, effects = transition(live.room, event, time.monotonic())
        failed: Exception | None = None
        for effect in effects:
            try:
                self._carry_out(live, effect)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def leg_connected(self, room_id: RoomId, who: ParticipantId, generation: int) -> None:
        live = self._rooms.get(room_id)
        connection = live.current(who, generation) if live is not None else None
        if live is None or connection is None:
            return
        self._rewire(live)
        takes = connection.leg.takes
        self._tell(Connected, live.room, participant=who, generation=generation, takes=takes)

    def leg_lost(self, room_id: RoomId, who: ParticipantId, generation: int, reason: str) -> None:
        live = self._rooms.get(room_id)
        connection = live.current(who, generation) if live is not None else None
        if live is None or connection is None or connection.lost:
            return
        connection.lost = True
        self._tell(Disconnected, live.room, participant=who, generation=generation, reason=reason)
        self._feed(live, LegLost(who, generation))

    # --- effects out ---

    def _carry_out(self, live: _LiveRoom, effect: Effect) -> None:
        match effect:
            case OpenLeg():
                self._open_leg(live, effect)
            case AcceptAnswer():
                self._accept(live, effect)
            case RestartLeg():
                self._restart(live, effect)
            case CloseLeg():
                self._close_leg(live, effect)
            case Rewire():
                self._rewire(live)
            case Rerecord():
                self._rerecord(live)
            case SealRoom():
                self._recordings.finish(live.room)
                self._own(self._close_room(live), f"{live.room.id}: close")
            case Refuse():
                self._refuse(live.room, effect)

    def _refuse(self, room: Room, refusal: Refuse) -> None:
        self._tell(
            Refused,
            room,
            participant=refusal.participant,
            generation=refusal.generation,
            reason=refusal.reason,
            detail=refusal.detail,
        )

    def _open_leg(self, live: _LiveRoom, effect: OpenLeg) -> None:
        who, generation = effect.participant, effect.generation
        connection = live.current(who, generation)
        if connection is None:
            watcher = _Watcher(self, live.room.id, who, generation)
            connection = live.connections[who] = _Connection(self.port, watcher, generation)
        self._offered(live, who, connection)

    def _offered(self, live: _LiveRoom, who: ParticipantId, connection: _Connection) -> None:
        leg = connection.leg
        self._tell(
            Offered,
            live.room,
            participant=who,
            generation=connection.generation,
            sdp=leg.offer,
            restart=leg.restarts,
        )

    def _accept(self, live: _LiveRoom, effect: AcceptAnswer) -> None:
        who, generation = effect.participant, effect.generation
        connection = live.current(who, generation)
        if connection is None:
            return
        try:
            connection.leg.accept(effect.sdp, effect.restart, time.monotonic())
        except BadAnswer as error:
            self._refuse(live.room, Refuse(who, generation, RefusalReason.BAD_ANSWER, str(error)))
        except Exception:
            self.leg_lost(live.room.id, who, generation, "failed")
            raise

    def _restart(self, live: _LiveRoom, effect: RestartLeg) -> None:
        connection = live.current(effect.participant, effect.generation)
        if connection is not None:
            connection.leg.restart(effect.restart, time.monotonic())
            self._offered(live, effect.participant, connection)

    def _close_leg(self, live: _LiveRoom, effect: CloseLeg) -> None:
        connection = live.current(effect.participant, effect.generation)
        if connection is not None:
            del live.connections[effect.participant]
            connection.leg.close()

    def _rewire(self, live: _LiveRoom) -> None:
        """Who is not connected yet is shown nothing: no packet is made for nobody, no key frame asked for."""
        now = time.monotonic()
        for viewer, connection in live.connections.items():
            wanted = shown(live.room, viewer) if connection.leg.peer.connected else {}
            for mid, slot in connection.leg.slots.items():
                ref = wanted.get(mid)
                source = live.connections.get(ref.participant) if ref is not None else None
                slot.show(
                    source.leg.tracks[ref.source] if source is not None and ref is not None else None, now
                )

    def _rerecord(self, live: _LiveRoom) -> None:
        recorded = {
            (who, connection.generation): connection.leg
            for who, connection in live.connections.items()
            if who in live.room.recorded
        }
        self._recordings.align(live.room, recorded)

    async def _close_room(self, live: _LiveRoom) -> None:
        room = live.room
        # Each task's own failure is logged by _done: none keeps the room from being closed.
        sealing = [t for t in self._tasks if t.get_name().startswith(f"{room.id}: seal ")]
        await asyncio.gather(*sealing, return_exceptions=True)
        self._rooms.pop(room.id, None)
        self._tell(RoomClosed, room)
        logger.info("room %s closed", room.id)
        for command in live.late:
            self.command(command)

    # --- time ---

    def _tick(self, now: float) -> None:
        for live in list(self._rooms.values()):
            try:
                self._tick_room(live, now)
            except Exception:
                # One room's trouble must not end the others. Named once: a hundred a second are a flood.
                live.faults += 1
                logger.log(
                    logging.ERROR if live.faults == 1 else logging.DEBUG,
                    "room %s",
                    live.room.id,
                    exc_info=True,
                )

    def _tick_room(self, live: _LiveRoom, now: float) -> None:
        for connection in live.connections.values():
            connection.leg.tick(now)
        if now >= live.slow_at:
            live.slow_at = following(live.slow_at, now, SLOW_S)
            self._tick_slowly(live, now)
        if now >= live.quality_at:
            live.quality_at = following(live.quality_at, now, QUALITY_S)
            self._tell_quality(live, now)

    def _tick_slowly(self, live: _LiveRoom, now: float) -> None:
        self._recordings.tick(live.room.id, now)
        self._limit(live, now)
        for who, connection in list(live.connections.items()):
            if not connection.leg.answered and now - connection.opened_at > UNANSWERED_S:
                self.leg_lost(live.room.id, who, connection.generation, "unanswered")
        if live.room.empty_since is not None:
            self._feed(live, Tick())

    def _limit(self, live: _LiveRoom, now: float) -> None:
        """Tell the senders what the narrowest of their viewers' paths carries."""
        senders = {
            who: began
            for who, connection in live.connections.items()
            if (began := connection.leg.sending_since(now)) is not None
        }
        viewers = [_viewer(live, who, now) for who in live.connections]
        for who, bitrate in live.rates.tick(senders, viewers, now):
            live.connections[who].leg.cap(bitrate)

    def _tell_quality(self, live: _LiveRoom, now: float) -> None:
        lag = self._recordings.disk.lag_ms(now)
        legs: list[LegQuality] = [
            c.gauge.read(c.leg, who, c.generation, lag, now)
            for who, c in live.connections.items()
            if c.leg.peer.connected
        ]
        room = live.room
        self._say(Quality(hall=room.hall, room=room.id, node=self._node, at=time.time(), legs=tuple(legs)))

    async def close(self) -> None:
        """Seal everything, say goodbye to everybody. Well under two seconds unless the disk hangs."""
        for live in list(self._rooms.values()):
            try:
                self._feed(live, CloseRoom(live.room.hall, live.room.id))
            except Exception:
                logger.exception("room %s", live.room.id)
        self._pump.flush()
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._pump.close()
        for wire in self._wires:
            wire.close()
        self._recordings.disk.close()

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


def _viewer(live: _LiveRoom, who: ParticipantId, now: float) -> Viewer[ParticipantId]:
    """What one viewer is shown, as the rates want to know it."""
    pictures: dict[ParticipantId, int] = {}
    sounds = 0
    for mid, ref in shown(live.room, who).items():
        source = live.connections.get(ref.participant)
        if source is None or not source.leg.flows(ref.source, now):
            continue
        if mid in AUDIO:
            sounds += 1
        else:
            pictures[ref.participant] = pictures.get(ref.participant, 0) + 1
    return Viewer(live.connections[who].leg.downlink.limit, sounds, pictures)
