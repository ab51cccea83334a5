"""Rooms whose parts fail in ways that nobody foresaw: the trouble is named, and the room still ends."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.leg import Leg
from media.live import LiveRooms
from media.net.network import Network
from media.protocol import (
    Answer,
    AnyEvent,
    CloseRoom,
    Disconnected,
    Join,
    Leave,
    Mid,
    NodeId,
    Offered,
    OpenRoom,
    Quality,
    Record,
    RoomClosed,
    RoomId,
    SetSlots,
    Source,
    TrackRef,
)
from media.recording.part import Sealed
from media.recording.recorder import Recorder
from records.model import ParticipantId, ParticipantRole
from tests.eventually import eventually
from tests.media.test_sdp import answer

HALL, ROOM, WHO = "hall", RoomId("call-1"), ParticipantId("agent-1")


class Rooms(LiveRooms):
    """A node's rooms without the node; ``told`` are its events."""

    def __init__(self, recordings: Path) -> None:
        self.told: list[AnyEvent] = []
        self.said: list[Quality] = []
        super().__init__(NodeId("n"), Network(("127.0.0.1",)), recordings, self.told.append, self.said.append)

    async def has_told(self, kind: type[AnyEvent]) -> None:
        await eventually(lambda: any(isinstance(event, kind) for event in self.told))


@pytest.fixture
async def rooms(tmp_path: Path) -> AsyncIterator[Rooms]:
    rooms = Rooms(tmp_path)
    rooms.command(OpenRoom(HALL, ROOM, "2026-11-23"))
    rooms.command(Join(HALL, ROOM, WHO, ParticipantRole.AGENT, 1))
    await rooms.has_told(Offered)
    yield rooms
    await rooms.close()


async def _fails(*_: object) -> None:
    raise RuntimeError("nobody foresaw this")


def _fails_at_once(*_: object) -> None:
    raise RuntimeError("nobody foresaw this")


async def test_a_connection_that_fails_in_an_unknown_way_is_told_as_lost(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Leg, "accept", _fails_at_once)
    with pytest.raises(RuntimeError):
        rooms.command(Answer(HALL, ROOM, WHO, 1, answer()))
    (lost,) = [event for event in rooms.told if isinstance(event, Disconnected)]
    assert (lost.participant, lost.generation, lost.reason) == (WHO, 1, "failed")


async def test_a_room_that_fails_does_not_keep_the_others_from_their_time(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = RoomId("call-2")
    rooms.command(OpenRoom(HALL, other, "2026-11-23"))
    monkeypatch.setattr(Leg, "tick", _fails_at_once)
    await eventually(lambda: any(quality.room == other for quality in rooms.said))
    assert caplog.text.count("RuntimeError: nobody foresaw this") == 1


async def test_a_room_is_closed_although_a_part_of_it_cannot_be_sealed(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(Recorder, "seal", _fails)
    rooms.command(Record(HALL, ROOM, (WHO,)))
    rooms.command(CloseRoom(HALL, ROOM))
    await rooms.has_told(RoomClosed)
    assert len(rooms) == 0
    assert "nobody foresaw this" in caplog.text


async def test_a_room_is_closed_although_a_connection_of_it_cannot_be(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Leg, "close", _fails_at_once)
    with pytest.raises(RuntimeError):
        rooms.command(CloseRoom(HALL, ROOM))
    await rooms.has_told(RoomClosed)
    assert len(rooms) == 0


async def test_the_node_closes_every_room_although_one_makes_trouble(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = RoomId("call-2")
    rooms.command(OpenRoom(HALL, other, "2026-11-23"))
    monkeypatch.setattr(Leg, "close", _fails_at_once)
    await rooms.close()
    assert {event.room for event in rooms.told if isinstance(event, RoomClosed)} == {ROOM, other}
    assert "nobody foresaw this" in caplog.text


async def test_what_belonged_to_a_room_is_freed_with_it(rooms: Rooms) -> None:
    rooms.command(Join(HALL, ROOM, ParticipantId("resident-1"), ParticipantRole.RESIDENT, 1))
    rooms.command(Record(HALL, ROOM, (WHO,)))
    rooms.command(Answer(HALL, ROOM, WHO, 1, answer()))
    legs = [weakref.ref(peer._receiver) for peer in rooms.port.peers]
    assert len(legs) == 2
    gc.disable()  # what takes the garbage collector is not freed during calls
    try:
        rooms.command(CloseRoom(HALL, ROOM))
        await rooms.has_told(RoomClosed)
        await eventually(lambda: not any(leg() for leg in legs))
    finally:
        gc.enable()
    assert not rooms.port.peers


async def test_who_is_not_connected_yet_costs_nobody_anything(rooms: Rooms) -> None:
    sender = ParticipantId("resident-1")
    rooms.command(Join(HALL, ROOM, sender, ParticipantRole.RESIDENT, 1))
    rooms.command(SetSlots(HALL, ROOM, 1, {WHO: {Mid.CAMERA: TrackRef(sender, Source.CAMERA)}}))
    legs = {who: connection.leg for who, connection in rooms._rooms[ROOM].connections.items()}
    slot, track = legs[WHO].slots[Mid.CAMERA], legs[sender].tracks[Source.CAMERA]
    assert slot not in track.sinks
    legs[WHO].peer.connected = True
    legs[WHO].connected()
    assert slot in track.sinks
    rooms.command(Leave(HALL, ROOM, sender))
    assert slot not in track.sinks


async def test_a_call_that_comes_back_while_its_parts_are_sealed_is_made_anew(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed, seal = asyncio.Event(), Recorder.seal

    async def slowly(self: Recorder) -> list[Sealed]:
        await sealed.wait()
        return await seal(self)

    monkeypatch.setattr(Recorder, "seal", slowly)
    rooms.command(Record(HALL, ROOM, (WHO,)))
    rooms.command(CloseRoom(HALL, ROOM))
    rooms.command(OpenRoom(HALL, ROOM, "2026-11-23"))
    rooms.command(Join(HALL, ROOM, WHO, ParticipantRole.AGENT, 2))
    assert not any(isinstance(event, RoomClosed) for event in rooms.told)
    sealed.set()
    await rooms.has_told(RoomClosed)
    await eventually(lambda: [e.generation for e in rooms.told if isinstance(e, Offered)] == [1, 2])
    kinds = [type(event) for event in rooms.told]
    assert kinds.index(RoomClosed) < len(kinds) - 1 - kinds[::-1].index(Offered)


async def test_a_page_that_comes_back_is_seen_where_it_was_and_nothing_of_before_is_left(
    rooms: Rooms,
) -> None:
    sender = ParticipantId("resident-1")
    rooms.command(Join(HALL, ROOM, sender, ParticipantRole.RESIDENT, 1))
    rooms.command(SetSlots(HALL, ROOM, 1, {WHO: {Mid.CAMERA: TrackRef(sender, Source.CAMERA)}}))
    connections = rooms._rooms[ROOM].connections
    viewer = connections[WHO].leg
    viewer.peer.connected = True
    viewer.connected()
    before = weakref.ref(connections[sender].leg)
    gc.disable()
    try:
        for _ in range(2):  # every command may come twice
            rooms.command(Join(HALL, ROOM, sender, ParticipantRole.RESIDENT, 2))
        assert viewer.slots[Mid.CAMERA].source is connections[sender].leg.tracks[Source.CAMERA]
        assert before() is None
    finally:
        gc.enable()
    assert len(rooms.port.peers) == 2
