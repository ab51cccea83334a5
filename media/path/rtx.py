"""The retransmission stream of a slot (RFC 4588): packets sent once more, and padding to probe with. Pure."""

from typing import Protocol

from media.codecs import BY_PAYLOAD_TYPE
from media.path.packet import Packet
from media.wire.rtp import ELEMENT, HEADER_BYTES, ONE_WORD, PADDED, PLAIN, write

PADDING = 255  # bytes that one packet can have (RFC 3550, 5.1)
_PADDING = bytes(PADDING - 1) + bytes([PADDING])


class Peer(Protocol):
    """The viewer's connection (media/net/peer.py)."""

    def buffer(self) -> memoryview: ...
    def send_rtp(self, size: int) -> None: ...
    def send_rtcp(self, packet: bytes) -> None: ...
    def send_again(self, packet: bytes) -> None: ...


class Path(Protocol):
    """What the viewer's path carries (media/path/downlink.py)."""

    def sent(self, size: int, now: float) -> int: ...
    def video_allowed(self, now: float) -> bool: ...


class Rtx:
    """``timestamp`` is that of the viewer's stream, extended or not. Sizes are bytes of RTP."""

    def __init__(self, ssrc: int, peer: Peer, path: Path, first_seq: int) -> None:
        self.ssrc = ssrc
        self._peer, self._path = peer, path
        self.takes: frozenset[int] = frozenset()  # payload types, by the viewer's answer
        self._seq = first_seq

    def send(self, packet: Packet, number: int, timestamp: int, now: float) -> int:
        """``packet``, which was ``number`` in the viewer's stream. Its size; 0 when its codec has no RTX."""
        codec = BY_PAYLOAD_TYPE.get(packet.payload_type)
        if codec is None or codec.rtx is None or codec.rtx not in self.takes:
            return 0
        head = PLAIN | packet.marker << 7 | codec.rtx
        return self._send(head, timestamp, (number & 0xFFFF).to_bytes(2, "big") + packet.payload, now)

    def pad(self, payload_type: int, timestamp: int, now: float) -> int:
        """A packet of nothing but padding, for a stream of ``payload_type``. Its size; 0 when that has no
        RTX."""
        codec = BY_PAYLOAD_TYPE.get(payload_type)
        if codec is None or codec.rtx is None or codec.rtx not in self.takes:
            return 0
        return self._send(PADDED | codec.rtx, timestamp, _PADDING, now)

    def _send(self, head: int, timestamp: int, payload: bytes, now: float) -> int:
        size = HEADER_BYTES + len(payload)
        self._seq = self._seq + 1 & 0xFFFF
        buffer = self._peer.buffer()
        element = ELEMENT | self._path.sent(size, now) << 8
        write(buffer, 0, head, self._seq, timestamp & 0xFFFFFFFF, self.ssrc, ONE_WORD, element)
        buffer[HEADER_BYTES:size] = payload
        self._peer.send_rtp(size)
        return size
