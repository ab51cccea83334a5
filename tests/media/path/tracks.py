"""Made-up packets for tests without a network."""

import itertools
from dataclasses import dataclass, field

from media.codecs import OPUS, VP8
from media.path.slot import Slot
from media.path.upstream import Upstream
from media.protocol import Source
from media.wire import rtcp, rtp
from tests.media.path.simulated import DELTA, KEY, REST, Got, Kept, view

OPUS_TYPE, VP8_TYPE = OPUS.payload_type, VP8.payload_type
__all__ = ["DELTA", "KEY", "REST", "Asked", "Shown", "picture", "sound", "track"]


@dataclass
class Asked:
    """A ``Feedback`` that remembers."""

    nacks: list[list[int]] = field(default_factory=list)
    plis: int = 0

    def send_nack(self, ssrc: int, lost: list[int]) -> None:
        self.nacks.append([seq % 65536 for seq in lost])

    def send_pli(self, ssrc: int) -> None:
        self.plis += 1


def track(source: Source = Source.CAMERA) -> tuple[Upstream, Asked, Kept]:
    asked, kept = Asked(), Kept()
    upstream = Upstream(source, asked)
    upstream.bind(77)
    upstream.sinks.append(kept)
    return upstream, asked, kept


def picture(upstream: Upstream, seq: int, payload: bytes, at: float, timestamp: int | None = None) -> None:
    """A picture of one packet; its timestamp is by the time when none is said."""
    timestamp = round(at * 90_000) if timestamp is None else timestamp
    upstream.receive(seq % 2**16, timestamp % 2**32, True, VP8_TYPE, payload, at)


def sound(upstream: Upstream, seq: int, at: float, payload: bytes = b"\xf8") -> None:
    upstream.receive(seq % 2**16, round(at * 48_000) % 2**32, False, OPUS_TYPE, payload, at)


class Shown:
    """A slot with its ``Peer`` and ``Path``: what is sent is kept, parsed."""

    def __init__(self, video: bool = True, first_seq: int = 65_530) -> None:
        self.got: list[Got] = []
        self.rtx: list[tuple[int, Got]] = []  # with the number it had
        self.padding = 0  # bytes
        self.again: list[bytes] = []
        self.raw: list[bytes] = []
        self.reports: list[rtcp.SenderReport] = []
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.allowed = True
        self._memory = memoryview(bytearray(2048))
        self.slot = Slot(video, 1000, 1001 if video else None, self, self, first_seq)

    def buffer(self) -> memoryview:
        return self._memory

    def send_rtp(self, size: int) -> None:
        data = bytes(self._memory[:size])
        kind, marker, seq, timestamp, ssrc, start, stop, number, _ = rtp.parse(view(data), size)
        assert number == self.numbers[-1]
        got = Got(seq, timestamp, kind, marker, data[start:stop])
        if ssrc == 1000:
            self.raw.append(data)
            self.got.append(got)
        elif start == stop:
            self.padding += size
        else:
            got.payload = data[start + 2 : stop]
            self.rtx.append((int.from_bytes(data[start : start + 2], "big"), got))

    def send_rtcp(self, packet: bytes) -> None:
        self.reports += [m for m in rtcp.parse(view(packet), len(packet)) if isinstance(m, rtcp.SenderReport)]

    def send_again(self, packet: bytes) -> None:
        self.again.append(packet)

    def sent(self, size: int, now: float) -> int:
        self.numbers.append(len(self.numbers) % 2**16)
        self.times.append(now)
        return self.numbers[-1]

    def video_allowed(self, now: float) -> bool:
        return self.allowed

    def steps(self) -> set[int]:
        """What sequence numbers advance by."""
        return {(b.seq - a.seq) % 2**16 for a, b in itertools.pairwise(self.got)}
