"""From packets to frames: order restored, pictures put together, sound measured.

Pure; time is an argument.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from media.upstream import Packet
from media.vp8 import MalformedVp8, is_key_frame, parse_descriptor

PATIENCE_S = 0.5  # how long a missing packet is waited for
_MAX_PIECES = 2048  # packets of one picture
_MAX_WAITING = 2048  # packets; more than that and the missing one is given up


@dataclass(frozen=True)
class Lost:
    """``count`` packets right before the next one never came."""

    count: int


class Reorder:
    """Gives packets out in order, each once, and says where some are missing for good."""

    def __init__(self, patience: float = PATIENCE_S) -> None:
        self._patience = patience
        self._next: int | None = None
        self._waiting: dict[int, Packet] = {}

    def push(self, packet: Packet) -> None:
        if self._next is None:
            self._next = packet.seq
        if packet.seq >= self._next:
            self._waiting[packet.seq] = packet

    def pop(self, now: float) -> Iterator[Packet | Lost]:
        """What is due at ``now``."""
        while self._waiting and self._next is not None:
            packet = self._waiting.pop(self._next, None)
            if packet is None:
                first = min(self._waiting)
                overdue = now - self._waiting[first].arrived >= self._patience
                if not overdue and len(self._waiting) < _MAX_WAITING:
                    return
                yield Lost(first - self._next)
                self._next = first
            else:
                self._next += 1
                yield packet


@dataclass(frozen=True)
class Frame:
    """One encoded picture. ``timestamp`` is extended (90 kHz), ``arrived`` that of its first packet."""

    timestamp: int
    data: bytes
    key: bool
    arrived: float


class Vp8Frames:
    """Packets in order to whole frames (RFC 7741). Any fault drops the frame; ``broken`` then stays set until
    the next key frame, because everything in between would show garbage."""

    def __init__(self) -> None:
        self.broken = True
        self._pieces: list[bytes] = []
        self._timestamp = 0
        self._arrived = 0.0

    @property
    def needs_key_frame(self) -> bool:
        """Broken, and no key frame is on its way in."""
        return self.broken and not (self._pieces and not self._pieces[0][0] & 1)

    def lost(self) -> None:
        self._pieces = []
        self.broken = True

    def push(self, packet: Packet) -> Frame | None:
        """A frame when this packet completes one that a decoder can use."""
        if not packet.payload:
            return None  # padding
        try:
            descriptor = parse_descriptor(packet.payload)
        except MalformedVp8:
            self.lost()
            return None
        if descriptor.starts_frame:
            if self._pieces:
                self.lost()
            self._timestamp, self._arrived = packet.timestamp, packet.arrived
        elif not 0 < len(self._pieces) < _MAX_PIECES or packet.timestamp != self._timestamp:
            self.lost()
            return None
        self._pieces.append(packet.payload[descriptor.size :])
        return self._complete() if packet.marker else None

    def _complete(self) -> Frame | None:
        data = b"".join(self._pieces)
        self._pieces = []
        key = is_key_frame(data)
        if key:
            self.broken = False
        return None if self.broken else Frame(self._timestamp, data, key, self._arrived)


_SILK_MS = (10, 20, 40, 60)
_CELT_MS = (2.5, 5, 10, 20)


def opus_samples(payload: bytes) -> int:
    """How many samples at 48 kHz a packet holds (RFC 6716, 3.1); 0 for what is no Opus packet."""
    if not payload:
        return 0
    config, code = payload[0] >> 3, payload[0] & 3
    if config < 12:
        size: float = _SILK_MS[config & 3]
    elif config < 16:
        size = (10, 20)[config & 1]
    else:
        size = _CELT_MS[config & 3]
    count = (1, 2, 2, payload[1] & 63 if len(payload) > 1 else 0)[code]
    samples = int(size * 48) * count
    return samples if samples <= 5760 else 0  # 120 ms at most


OPUS_SILENCE = b"\xf8\xff\xfe"  # 20 ms of digital silence, full band
