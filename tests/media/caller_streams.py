"""What a caller sends and what it receives, packet by packet. Pure: time is an argument, Unix seconds.

Both ends of a call live in one process, so a receiver knows what was sent: it finds the sent packet by its
last bytes once, and from then on by counting. That gives the delay of each packet and shows every gap.
"""

from dataclasses import dataclass, field
from struct import Struct
from typing import NamedTuple

RING = 4096  # sent packets remembered per track; a power of two
_MASK = RING - 1
TAIL = 8  # bytes by which a payload is told from another

NACK_AGAIN_S = 0.05
NACKS = 10

_tail = Struct("!Q").unpack_from


class Clip(NamedTuple):
    """Encoded media that is sent over and over: payloads by frame, ready for RTP. ``interval`` is seconds
    between frames. The first frame of a video clip is its only key frame, so a clip that starts anew can be
    decoded; its payloads begin with a VP8 descriptor of four bytes, the last two a PictureID (RFC 7741)."""

    video: bool
    payload_type: int
    clock_rate: int
    interval: float
    frames: tuple[tuple[bytes, ...], ...]


# A sent packet: when, last bytes, payload, timestamp, second byte of the header, PictureID.
Sent = tuple[float, int, bytes, int, int, int]
NOTHING: Sent = (0.0, 0, b"", 0, 0, 0)


class Outgoing:
    """One track that a caller sends. ``seq`` is extended: it never wraps."""

    def __init__(self, clip: Clip, ssrc: int, rtx_ssrc: int = 0, seq: int = 0, timestamp: int = 0) -> None:
        self.clip = clip
        self.ssrc, self.rtx_ssrc = ssrc, rtx_ssrc
        self.seq, self.timestamp = seq, timestamp  # of the next packet
        self.begun = seq
        self.extension = 0  # id of the transport-wide sequence number; 0: not negotiated
        self.rtx_seq = 0
        self.octets = 0
        self.frame = 0  # number of the frame in the clip that is sent next, or of which ``piece`` are sent
        self.piece = 0
        self._restart = False
        self.picture = 0  # PictureID of the next frame
        self.key_frames = 0
        self.requests = 0  # key frames that were asked for
        self.resent = 0
        self.step = round(clip.clock_rate * clip.interval)
        self.ring = [NOTHING] * RING  # by ``seq & (RING - 1)``

    def next_frame(self) -> tuple[bytes, ...]:
        """All its payloads; those from ``piece`` on are still to be sent."""
        if self.frame == self.piece == 0:
            self.key_frames += 1
        return self.clip.frames[self.frame]

    def advance(self) -> None:
        """The frame has been sent."""
        self.frame = 0 if self._restart else (self.frame + 1) % len(self.clip.frames)
        self.piece, self._restart = 0, False
        self.timestamp = (self.timestamp + self.step) & 0xFFFFFFFF
        self.picture = (self.picture + 1) & 0x7FFF

    def request_key_frame(self) -> None:
        """The next frame is one."""
        self.requests += 1
        if self.piece:
            self._restart = True
        else:
            self.frame = 0

    def remember(self, seq: int, payload: bytes, kind: int, now: float) -> None:
        """``kind`` is the second byte of its RTP header."""
        size = len(payload)
        tail = _tail(payload, size - TAIL)[0]
        self.ring[seq & _MASK] = (now, tail, payload, self.timestamp, kind, self.picture)
        self.octets += size

    def find(self, tail: int) -> int | None:
        """The number of the newest sent packet that ends like this."""
        for seq in range(self.seq - 1, max(self.begun, self.seq - RING) - 1, -1):
            if self.ring[seq & _MASK][1] == tail:
                return seq
        return None


class Seen(NamedTuple):
    """What became of the packets that were sent while somebody looked."""

    sent: int
    lost: int  # never came
    repaired: int  # came only when it was asked for again
    foreign: int  # packets that nobody sent


@dataclass
class Missing:
    asked: int = 0
    due: float = 0.0  # when it is asked for (again)


@dataclass
class Incoming:
    """One SSRC that a caller receives. ``delays`` (seconds) is filled while ``watching``."""

    ssrc: int
    video: bool
    rtx_ssrc: int = 0
    source: Outgoing | None = None
    watching: bool = False
    received: int = 0
    repaired: int = 0
    duplicates: int = 0
    foreign: int = 0
    skipped: int = 0  # packets that were sent, and left out without a hole in the numbers
    next: int = -1  # extended sequence number expected; -1: nothing came yet
    offset: int | None = None  # what was sent as n comes as n + offset
    missing: dict[int, Missing] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    last_report: int = 0  # middle 32 bits of the last sender report
    reported_at: float = 0.0
    reports: int = 0  # sender reports received
    first: int = 0
    _from: int = 0
    _until: int | None = None

    def receive(self, seq: int, tail: int, arrived: float, now: float) -> None:
        """``seq`` as on the wire, ``tail`` the payload's last eight bytes as a number."""
        expected = self.next
        if seq == expected & 0xFFFF and expected >= 0:
            self.next = expected + 1
        else:
            late = self._out_of_order(seq, now)
            if late is None:
                return
            expected = late
        self.received += 1
        source, offset = self.source, self.offset
        if source is None:
            return
        if offset is None or source.ring[(expected - offset) & _MASK][1] != tail:
            offset = self._match(source, expected, tail)
            if offset is None:
                return
        if self.watching:
            self.delays.append(arrived - source.ring[(expected - offset) & _MASK][0])

    def _out_of_order(self, seq: int, now: float) -> int | None:
        """Its extended number; None when it was here before."""
        if self.next < 0:
            self.first = seq + (1 << 16)  # so that what comes late before it is not negative
            self.next = self.first + 1
            return self.first
        number = self.next + ((seq - self.next + 0x8000) & 0xFFFF) - 0x8000
        if number < self.next:
            if self.missing.pop(number, None) is None:
                self.duplicates += 1
                return None
            return number
        for lost in range(max(self.next, number - 1000), number):
            self.missing[lost] = Missing(due=now)
        self.next = number + 1
        return number

    def _match(self, source: Outgoing, number: int, tail: int) -> int | None:
        sent = source.find(tail)
        if sent is None:
            self.foreign += 1
            return None
        offset = number - sent
        if self.offset is not None and self.offset > offset:
            self.skipped += self.offset - offset
        self.offset = offset
        return offset

    def repair(self, seq: int, tail: int, arrived: float, now: float) -> None:
        """It came by way of RTX."""
        number = self.next + ((seq - self.next + 0x8000) & 0xFFFF) - 0x8000
        if number in self.missing:
            self.repaired += 1
        watching, self.watching = self.watching, False
        self.receive(seq, tail, arrived, now)
        self.watching = watching

    def wanted(self, now: float) -> list[int]:
        """Numbers to ask for again now."""
        due = []
        for number, entry in self.missing.items():
            if entry.due <= now and entry.asked < NACKS:
                entry.asked += 1
                entry.due = now + NACK_AGAIN_S
                due.append(number)
        return due

    # --- an interval that is looked at ---

    def watch(self) -> None:
        """From the next packet that its source sends."""
        self.delays.clear()
        self.repaired = self.foreign = self.skipped = 0
        self.watching = True
        self._from = self.source.seq if self.source is not None else 0
        self._until = None

    def mark(self) -> None:
        """Up to the last packet that its source has sent; those on their way still count."""
        self._until = self.source.seq if self.source is not None else 0

    def seen(self) -> Seen:
        """To be asked when what was on its way had time to come."""
        self.watching = False
        assert self.source is not None
        end = self._until if self._until is not None else self.source.seq
        sent = end - self._from
        if self.offset is None:
            return Seen(sent, sent, 0, self.foreign)
        low, high = self._from + self.offset, end + self.offset
        lost = sum(low <= number < high for number in self.missing) + self.skipped
        lost += max(0, high - max(self.next, low))
        return Seen(sent, lost, self.repaired, self.foreign)
