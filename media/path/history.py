"""The last packets of a track, for whoever missed one. One for all viewers, bounded in number and bytes.
Pure."""

from media.path.packet import Packet

VIDEO_PACKETS, VIDEO_BYTES = 512, 400_000  # 1.4 s at 2.5 Mbit/s, 3 s at 1.1
SOUND_PACKETS, SOUND_BYTES = 64, 32_000


class History:
    """``packets`` is a power of two. What is older than that many numbers, or more than ``limit`` bytes of
    payload back, is gone."""

    def __init__(self, packets: int, limit: int) -> None:
        self.bytes = 0
        self._limit = limit
        self._mask = packets - 1
        self._ring: list[Packet | None] = [None] * packets
        self._newest = self._oldest = 0  # numbers; what is kept lies between, but for leftovers of a jump

    def put(self, packet: Packet) -> None:
        """Any order; each number once."""
        seq = packet.seq
        if seq < self._oldest:
            return
        at = seq & self._mask
        there = self._ring[at]
        if there is not None:
            if there.seq > seq:
                return
            self.bytes -= len(there.payload)
        self._ring[at] = packet
        self.bytes += len(packet.payload)
        if seq > self._newest:
            self._newest = seq
        if self.bytes > self._limit:
            self._shrink()

    def fetch(self, seq: int) -> Packet | None:
        packet = self._ring[seq & self._mask]
        return packet if packet is not None and packet.seq == seq else None

    def _shrink(self) -> None:
        """Oldest first. A whole turn of the ring meets everything, so it ends."""
        at = max(self._oldest, self._newest - self._mask)
        while self.bytes > self._limit and at < self._newest:
            packet = self._ring[at & self._mask]
            if packet is not None and packet.seq <= at:
                self._ring[at & self._mask] = None
                self.bytes -= len(packet.payload)
            at += 1
        self._oldest = at
