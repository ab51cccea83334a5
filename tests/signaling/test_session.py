"""One session: what is sent again, what is done once, and what is refused by name."""

from typing import Any

import msgspec
import pytest

from agents.agent import Presence
from signaling import messages as m
from signaling.messages import CloseCode, ErrorCode
from signaling.session import (
    BAD_MESSAGES,
    BURST,
    FORGIVEN,
    KEPT_ANSWERS,
    KEPT_BYTES,
    KEPT_FRAMES,
    RATE,
    Session,
    SessionEnded,
)
from tests.signaling.world import Clock


class Desk:
    """Remembers what it was asked; ``fault`` is raised instead."""

    who = identity = "agent:lin"
    decoder: msgspec.json.Decoder[Any] = m.agent_decoder

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.fault: Exception | None = None

    async def receive(self, message: Any) -> None:
        if self.fault is not None:
            raise self.fault
        self.asked.append(message)

    def concerns(self, topic: str) -> bool:
        return False

    async def opened(self, resumed: bool) -> None: ...

    async def refresh(self) -> None: ...

    async def lost(self) -> None: ...

    async def over(self) -> None: ...


class Line:
    def __init__(self) -> None:
        self.clock, self.desk = Clock(), Desk()
        self.session = Session("id", "token", self.clock)
        self.session.desk = self.desk

    def sent(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(frame) for frame in self.session.take_frames()]

    async def asks(self, ref: int, presence: str = "available") -> dict[str, Any]:
        await self.session.receive(_presence(ref, presence))
        return self.sent()[-1]


def _presence(ref: int, presence: str = "available") -> bytes:
    return msgspec.json.encode({"type": "set_presence", "ref": ref, "presence": presence})


@pytest.fixture
def line() -> Line:
    return Line()


async def test_everything_but_the_heartbeat_is_numbered(line: Line) -> None:
    for message in (m.Ack(1), m.ServerPing(), m.Ack(2), m.ServerPong()):
        line.session.send(message)
    assert [(f["type"], f.get("seq")) for f in line.sent()] == [
        ("ack", 1),
        ("ping", None),
        ("ack", 2),
        ("pong", None),
    ]


async def test_a_resumed_session_is_sent_exactly_what_was_missed_in_order(line: Line) -> None:
    for ref in range(1, 6):
        line.session.send(m.Ack(ref))
    line.sent()
    line.session.send(m.ServerPing())  # a heartbeat that was never sent is of no use later
    assert line.session.can_resume(2)
    line.session.resume(2)
    line.session.send(m.Ack(6))
    assert [f["seq"] for f in line.sent()] == [3, 4, 5, 6]


@pytest.mark.parametrize("seen", [-1, 6, 2**40])
async def test_a_peer_that_saw_what_was_never_sent_is_not_resumed(line: Line, seen: int) -> None:
    for ref in range(1, 6):
        line.session.send(m.Ack(ref))
    assert not line.session.can_resume(seen)


async def test_what_is_no_longer_kept_cannot_be_resumed(line: Line) -> None:
    for ref in range(1, KEPT_FRAMES + 11):
        line.session.send(m.Ack(ref))
    assert line.session.can_resume(10)
    assert not line.session.can_resume(9)


async def test_what_is_kept_is_bounded_in_bytes_too(line: Line) -> None:
    offer = m.Offer(call="c", generation=1, restart=0, sdp="x" * 30_000, ice_servers=())  # type: ignore[arg-type]
    for _ in range(100):
        line.session.send(offer)
    kept = sum(len(frame) for _, frame in line.session._sent)
    assert kept <= KEPT_BYTES
    assert not line.session.can_resume(0)


async def test_an_ended_session_is_not_resumed(line: Line) -> None:
    line.session.end(CloseCode.SIGNED_OUT)
    assert not line.session.can_resume(0)


async def test_a_request_is_done_once_however_often_it_is_asked(line: Line) -> None:
    assert await line.asks(1) == {"type": "ack", "ref": 1, "seq": 1}
    assert await line.asks(1) == {"type": "ack", "ref": 1, "seq": 2}
    assert [type(a) for a in line.desk.asked] == [m.SetPresence]
    assert line.desk.asked[0].presence is Presence.AVAILABLE


async def test_a_refused_request_is_refused_again_the_same_way(line: Line) -> None:
    line.desk.fault = RuntimeError("Redis is away")
    assert (await line.asks(1))["code"] == ErrorCode.INTERNAL
    line.desk.fault = None
    assert (await line.asks(1))["code"] == ErrorCode.INTERNAL
    assert line.desk.asked == []


async def test_answers_are_kept_for_the_latest_requests_only_whatever_numbers_they_have(line: Line) -> None:
    for n in range(KEPT_ANSWERS * 3):
        line.clock.now += 1
        await line.asks(1 + n * 1000)
    assert len(line.session._answers) == KEPT_ANSWERS
    assert (await line.asks(1))["code"] == ErrorCode.OUT_OF_ORDER
    assert len(line.desk.asked) == KEPT_ANSWERS * 3


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"type":"nothing_known","ref":7}',
        b'{"type":"rate","ref":7,"call":"c","stars":5}',  # a station's word
        b'{"type":"ready","ref":7}',
        b'{"type":"ready","ref":7,"call":"c","extra":1}',
        b'{"type":"ready","ref":7,"call":5}',
        b'{"type":"ready","ref":"7","call":"c"}',
        b'{"type":"ready","ref":0,"call":"c"}',
        b'{"type":"ready","ref":99999999999,"call":"c"}',
        b'{"type":"set_presence","ref":7,"presence":"asleep"}',
        b'{"type":"add_note","ref":7,"call":"c","text":""}',
        b'{"type":"add_note","ref":7,"call":"c","text":"' + b"x" * 2001 + b'"}',
        b"[" * 60_000,
    ],
)
async def test_what_cannot_be_read_is_malformed_and_its_number_is_told_if_it_has_one(
    line: Line, frame: bytes
) -> None:
    assert not await line.session.receive(frame)
    (answer,) = line.sent()
    assert answer["code"] == ErrorCode.MALFORMED
    assert answer["ref"] == (7 if b'"ref":7' in frame else None)
    assert line.desk.asked == []
    assert set(answer["text"]) == {"zh", "en"}


async def test_a_frame_that_is_too_large_is_refused_by_name(line: Line) -> None:
    note = msgspec.json.encode({"type": "add_note", "ref": 3, "call": "c", "text": "x" * m.MAX_FRAME})
    await line.session.receive(note)
    (answer,) = line.sent()
    assert (answer["code"], answer["ref"]) == (ErrorCode.TOO_LARGE, 3)


async def test_a_second_hello_is_out_of_order(line: Line) -> None:
    await line.session.receive(b'{"type":"hello","protocol":1}')
    assert line.sent()[0]["code"] == ErrorCode.OUT_OF_ORDER


async def test_a_ping_is_answered_and_a_pong_is_not_and_neither_means_news(line: Line) -> None:
    assert not await line.session.receive(b'{"type":"ping"}')
    assert not await line.session.receive(b'{"type":"pong"}')
    assert [f["type"] for f in line.sent()] == ["pong"]


async def test_a_burst_passes_and_what_is_faster_is_refused_until_it_slows_down(line: Line) -> None:
    for ref in range(1, int(BURST) + 1):
        assert (await line.asks(ref))["type"] == "ack"
    assert (await line.asks(41))["code"] == ErrorCode.TOO_FAST
    assert (await line.asks(41))["code"] == ErrorCode.TOO_FAST, "the answer to a number never changes"
    line.clock.now += 1 / RATE
    assert (await line.asks(42))["type"] == "ack"
    line.clock.now += 1 / RATE
    assert (await line.asks(41))["code"] == ErrorCode.TOO_FAST
    assert len(line.desk.asked) == BURST + 1


@pytest.mark.parametrize("frame", [b"{", b'{"type":"ping"}', b'{"type":"hello","protocol":1}'])
async def test_a_flood_of_any_kind_ends_the_session(line: Line, frame: bytes) -> None:
    async def flood() -> None:
        for _ in range(int(BURST + BAD_MESSAGES) + 1):
            await line.session.receive(frame)

    with pytest.raises(SessionEnded) as ended:
        await flood()
    assert ended.value.code is CloseCode.TOO_MANY


async def test_a_mistake_now_and_then_is_forgiven(line: Line) -> None:
    for _ in range(100):
        line.clock.now += 1.01 / FORGIVEN
        await line.session.receive(b"{")
    assert len(line.sent()) == 100
