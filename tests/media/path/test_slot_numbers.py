"""SRTP's first rule, where a viewer's numbers are made: under one number of one SSRC always the same bytes.

The same number twice with other bytes gives the key stream away (RFC 3711, 9.1; RFC 7714, 8.4). libsrtp is
told to let repetitions through, as sound is sent again bit by bit, so it does not watch over this.
"""

from random import Random

import pytest

from media.codecs import OPUS, RED, VP8
from media.path.upstream import Upstream
from media.protocol import Source
from media.wire import red
from tests.media.path.tracks import DELTA, KEY, Asked, Shown

STEPS = 3000


class Once(Shown):
    """A viewer that counts as SRTP does (RFC 3711, 3.3.1)."""

    def __init__(self, video: bool, first_seq: int) -> None:
        super().__init__(video, first_seq)
        self.sent_as: dict[tuple[int, int], bytes] = {}
        self.newest: dict[int, int] = {}

    def send_rtp(self, size: int) -> None:
        self.note(bytes(self._memory[:size]))

    def send_again(self, packet: bytes) -> None:
        self.note(packet)

    def note(self, data: bytes) -> None:
        ssrc, seq = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
        newest = self.newest.get(ssrc, seq)
        index = newest + (seq - newest + 0x8000 & 0xFFFF) - 0x8000
        self.newest[ssrc] = max(newest, index)
        assert self.sent_as.setdefault((ssrc, index), data) == data


class Sender:
    """Sends with faults: what is held back comes late or never, numbers jump, RED and plain sound change."""

    def __init__(self, source: Source, random: Random) -> None:
        self.upstream = Upstream(source, Asked())
        self.upstream.bind(77)
        self._random = random
        self._seq, self._timestamp = random.randrange(1 << 16), random.randrange(1 << 32)
        self._held: list[tuple[int, int, bool, int, bytes]] = []

    def turn(self, now: float) -> None:
        random, upstream = self._random, self.upstream
        if self._held and random.random() < 0.1:
            held = self._held.pop(random.randrange(len(self._held)))
            (upstream.repaired if upstream.video and random.random() < 0.5 else upstream.receive)(*held, now)
            return
        self._seq += 1
        self._timestamp += 3000 if not upstream.video or random.random() < 0.3 else 0
        packet = (self._seq & 0xFFFF, self._timestamp & 0xFFFFFFFF, True, *self._payload())
        fate = random.random()
        if fate < 0.12:
            self._held.append(packet)
        elif fate < 0.125:
            self._seq += random.choice((300, 2000, 40_000, -20))
        else:
            upstream.receive(*packet, now)

    def _payload(self) -> tuple[int, bytes]:
        random = self._random
        if self.upstream.video:
            return VP8.payload_type, (KEY if random.random() < 0.05 else DELTA) + random.randbytes(3)
        plain = random.randbytes(5)
        if random.random() < 0.5:
            return OPUS.payload_type, plain
        block = red.Redundant(OPUS.payload_type, 3000, random.randbytes(4))
        return RED.payload_type, red.build(red.Red(OPUS.payload_type, plain, (block,)))


@pytest.mark.parametrize("source", [Source.MIC, Source.CAMERA])
@pytest.mark.parametrize("seed", range(6))
def test_no_number_is_used_for_two_packets(source: Source, seed: int) -> None:
    random = Random(seed)
    senders = [Sender(source, random) for _ in range(2)]
    viewer = Once(source is not Source.MIC, random.choice((65_000, random.randrange(1 << 15))))
    slot, now = viewer.slot, 1.0
    for _ in range(STEPS):
        now += random.choice((0.003, 0.01, 0.02))
        random.choice(senders).turn(now)
        fate = random.random()
        if fate < 0.02:
            slot.show(random.choice([*(sender.upstream for sender in senders), None]), now)
        elif fate < 0.03:
            slot.restart(now)
        elif fate < 0.04:
            viewer.allowed = not viewer.allowed
        elif fate < 0.05:
            slot.pause(now)
        elif fate < 0.10:
            slot.resume(now)
        elif fate < 0.20:
            newest = viewer.newest.get(1000, 0)
            slot.nacked([newest - random.randrange(200) & 0xFFFF for _ in range(30)], now)
        elif fate < 0.25:
            slot.pad(3000, now)
        for sender in senders:
            sender.upstream.tick(now)
    assert len(viewer.sent_as) > STEPS / 10
