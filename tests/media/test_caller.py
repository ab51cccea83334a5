"""The tests' own WebRTC client: against itself over simulated lines, and through the real node."""

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from media.net.batch import Batch, address_of
from media.net.udp import Udp
from media.protocol import Connected, Mid, Source
from tests.eventually import eventually
from tests.media.caller import Caller, Identity
from tests.media.caller_streams import Clip, Incoming, Outgoing
from tests.media.conftest import Control

STEP_S = 0.001


@cache
def identity() -> Identity:
    return Identity()


def clip(video: bool) -> Clip:
    """Payloads that are noise: a second and a half of it, four packets to a picture."""
    noise = random.Random(7)
    if not video:
        return Clip(False, 111, 48_000, 0.02, tuple((noise.randbytes(80),) for _ in range(75)))
    descriptor = b"\x90\x80\x80\x00"
    frames = tuple(tuple(descriptor + noise.randbytes(500) for _ in range(4)) for _ in range(45))
    return Clip(True, 96, 90_000, 1 / 30, frames)


def sound(seq: int = 0) -> Outgoing:
    return Outgoing(clip(video=False), 0xA, 0, seq)


def video(seq: int = 0) -> Outgoing:
    return Outgoing(clip(video=True), 0xB, 0xC, seq)


@dataclass
class Line:
    """One end of a simulated network: what is sent is at the other end at once, unless ``loses`` says so."""

    port: int
    host: str = "127.0.0.1"
    loses: Callable[[bytes], bool] = lambda _: False
    waiting: deque[bytes] = field(default_factory=deque)
    other: "Line | None" = None

    def receive(self, batch: Batch) -> int:
        assert self.other is not None
        batch.prepare()
        while self.waiting and batch.count < 64:
            batch.incoming(self.waiting.popleft(), address_of(self.other.host, self.other.port))
        return batch.count

    def send(self, batch: Batch) -> None:
        assert self.other is not None
        for slot in range(batch.count):
            datagram, _ = batch.outgoing(slot)
            if not self.loses(datagram):
                self.other.waiting.append(datagram)
        batch.count = 0


class Pair:
    """A caller that offers to send, and one that answers; a clock that is stepped."""

    def __init__(self, seq: int = 0) -> None:
        self.now = 1_000_000.0
        self.lines = Line(1000), Line(1001)
        self.lines[0].other, self.lines[1].other = self.lines[1], self.lines[0]
        inbox, outbox = Batch(receives=True), Batch(receives=False)
        self.sender, self.viewer = (Caller(identity(), line, inbox, outbox) for line in self.lines)
        self.sound, self.video = sound(seq), video(seq)
        self.viewer.sources = {False: self.sound, True: self.video}
        offer = self.sender.offer(self.sound, self.video)
        self.sender.answered(self.viewer.answer(offer, {}, self.now), self.now)
        self._due = dict.fromkeys((self.sound, self.video), self.now)
        self._sending = False

    def connect(self) -> None:
        self.run(1.0, until=lambda: self.sender.connected and self.viewer.connected)
        assert self.sender.connected
        assert self.viewer.connected

    def run(self, seconds: float, until: Callable[[], bool] = lambda: False, media: bool = True) -> None:
        for step in range(round(seconds / STEP_S)):
            self.now += STEP_S
            for caller in (self.sender, self.viewer):
                caller.receive(self.now)
                if step % 20 == 0:
                    caller.tick(self.now)
            for track in self._due if media and self.sender.connected else ():
                if self._due[track] <= self.now:
                    self.sender.send_frame(track, self.now)
                    self._due[track] = self.now + track.clip.interval
            if until():
                return

    def incoming(self) -> list[Incoming]:
        return list(self.viewer.incoming.values())


def test_two_callers_exchange_media() -> None:
    pair = Pair(seq=65_500)  # wraps on the way
    pair.connect()
    for stream in pair.incoming():
        stream.watch()
    pair.run(3.0)
    for stream in pair.incoming():
        stream.mark()
    pair.run(0.1, media=False)
    sent = {stream.video: stream.seen() for stream in pair.incoming()}
    assert sent[False].sent in (149, 150, 151)
    assert 350 <= sent[True].sent <= 364
    assert [(seen.lost, seen.repaired, seen.foreign) for seen in sent.values()] == [(0, 0, 0)] * 2
    assert all(0 <= delay <= 2 * STEP_S for stream in pair.incoming() for delay in stream.delays)
    assert all(stream.reports >= 2 for stream in pair.incoming())
    assert pair.sender.feedbacks >= 25
    assert (pair.viewer.unauthentic, pair.viewer.unknown) == (0, 0)


def test_what_is_lost_is_asked_for_and_comes_again() -> None:
    pair = Pair()
    pair.connect()
    chance = random.Random(5)
    pair.lines[0].loses = lambda datagram: 127 < datagram[0] < 192 and chance.random() < 0.1
    for stream in pair.incoming():
        stream.watch()
    pair.run(3.0)
    for stream in pair.incoming():
        stream.mark()
    pair.lines[0].loses = lambda _: False
    pair.run(0.3)
    for stream in pair.incoming():
        seen = stream.seen()
        assert seen.lost == 0
        assert seen.foreign == 0
        assert stream.video is False or seen.repaired > 20
    assert pair.video.resent > 20


def test_what_never_came_is_counted() -> None:
    pair = Pair()
    pair.connect()
    pair.run(0.5)
    for stream in pair.incoming():
        stream.watch()
    pair.lines[0].loses = lambda datagram: 127 < datagram[0] < 192
    pair.run(0.5)
    for stream in pair.incoming():
        stream.mark()
    assert all(stream.seen().lost == stream.seen().sent > 20 for stream in pair.incoming())


def test_packets_left_out_without_a_hole_in_the_numbers_are_seen() -> None:
    """As a server does that renumbers: what it leaves out does not show in the numbers."""
    track = sound()
    stream = Incoming(1, False, source=track)
    stream.watch()
    for number in range(10):
        payload = track.next_frame()[0]
        track.remember(track.seq, payload, 111, 0.0)
        track.seq += 1
        track.advance()
        if number < 4:
            stream.receive(number, int.from_bytes(payload[-8:], "big"), 0.0, 0.0)
        elif number >= 7:
            stream.receive(number - 3, int.from_bytes(payload[-8:], "big"), 0.0, 0.0)
    stream.mark()
    seen = stream.seen()
    assert (seen.sent, seen.lost) == (10, 3)
    stream.receive(7, 12345, 0.0, 0.0)
    assert stream.foreign == 1


def test_a_key_frame_that_is_asked_for_comes_next_unless_there_was_one_just_now() -> None:
    pair = Pair()
    pair.connect()
    pair.run(1.0)
    assert pair.video.key_frames == 1
    [watched] = [stream for stream in pair.incoming() if stream.video]
    for _ in range(2):
        pair.viewer.request_key_frame(watched)
        pair.run(0.1)
    assert (pair.video.key_frames, pair.video.requests) == (2, 2)


def test_a_goodbye_is_heard() -> None:
    pair = Pair()
    pair.connect()
    pair.viewer.close()
    pair.run(0.1)
    assert pair.sender.closed


def test_a_certificate_that_was_not_described_is_refused() -> None:
    pair = Pair()
    pair.viewer._dtls._fingerprint = "00:11"  # type: ignore[union-attr]
    pair.run(0.5)
    assert pair.viewer.failed
    assert not pair.viewer.connected


# --- through the node --------------------------------------------------------------------------


@contextmanager
def callers(count: int) -> Iterator[list[Caller]]:
    wires = [Udp("127.0.0.1") for _ in range(count)]
    inbox, outbox = Batch(receives=True), Batch(receives=False)
    try:
        yield [Caller(identity(), wire, inbox, outbox) for wire in wires]
    finally:
        for wire in wires:
            wire.close()


async def turning(people: dict[Caller, tuple[Outgoing, Outgoing]]) -> None:
    due = {track: 0.0 for tracks in people.values() for track in tracks}
    while True:
        now = time.time()
        for caller, tracks in people.items():
            caller.receive(now)
            caller.tick(now)
            for track in tracks if caller.connected else ():
                if due[track] <= now:
                    caller.send_frame(track, now)
                    due[track] = now + track.clip.interval
        await asyncio.sleep(0.002)


async def test_two_callers_see_and_hear_each_other_through_the_node(control: Control) -> None:
    room = await control.open("call-1")
    names = ("resident", "agent")
    with callers(2) as (first, second):
        people = {first: (sound(), video()), second: (sound(), video())}
        for caller, tracks in zip((second, first), people.values(), strict=True):
            caller.sources = {False: tracks[0], True: tracks[1]}
        turn = asyncio.create_task(turning(people))
        try:
            for name, caller in zip(names, people, strict=True):
                offered = await control.join(room, name)
                tracks = people[caller]
                sends = {Mid.MIC.value: tracks[0], Mid.CAMERA.value: tracks[1]}
                await control.answer(room, name, caller.answer(offered.sdp, sends, time.time()))
                await control.next(Connected)
            shown = {
                viewer: {Mid.MIC: (other, Source.MIC), Mid.CAMERA: (other, Source.CAMERA)}
                for viewer, other in (names, names[::-1])
            }
            await control.slots(room, 1, **shown)
            streams = [s for c in people for s in c.incoming.values()]
            await eventually(lambda: sum(s.received > 30 for s in streams) == 4, 10.0)
        finally:
            turn.cancel()
            await asyncio.gather(turn, return_exceptions=True)
    received = [stream for stream in streams if stream.received]
    assert sorted(stream.video for stream in received) == [False, False, True, True]
    assert all(stream.foreign == 0 and stream.offset is not None for stream in received)
    assert first.feedbacks > 0
