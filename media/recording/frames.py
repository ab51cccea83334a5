"""From packets in order to pictures that a decoder can use, whatever the codec. Pure."""

from typing import NamedTuple

from media.codecs import BY_PAYLOAD_TYPE, Codec
from media.path.packet import Packet
from media.wire.depacketizers import depacketizer
from media.wire.frame import Depacketizer, Frame
from media.wire.rtp import Malformed


class Picture(NamedTuple):
    """``timestamp`` is extended (90 kHz), ``arrived`` that of its first packet."""

    frame: Frame
    codec: Codec
    timestamp: int
    arrived: float


class Pictures:
    """Any fault drops the picture; ``broken`` then stays set until the next key frame, because everything in
    between would show garbage."""

    def __init__(self) -> None:
        self.broken = True
        self.codec: Codec | None = None  # of the newest packet
        self._payload_type = -1
        self._depacketizer: Depacketizer | None = None
        self._timestamp = -1
        self._arrived = 0.0

    @property
    def needs_key_frame(self) -> bool:
        """Broken, and no key frame is on its way in."""
        return self._depacketizer is None or self._depacketizer.needs_key_frame

    def lost(self) -> None:
        """Packets are missing before the next one."""
        self.broken = True
        if self._depacketizer is not None:
            self._depacketizer.reset()

    def push(self, packet: Packet) -> Picture | None:
        """The picture that this packet completes, when a decoder can use it."""
        if not packet.payload:
            return None  # padding
        if packet.payload_type != self._payload_type:
            self._change(packet.payload_type)
        if self._depacketizer is None:
            return None  # no video codec that is offered
        timestamp = packet.timestamp
        if timestamp != self._timestamp:
            self._timestamp, self._arrived = timestamp, packet.arrived
        try:
            frame = self._depacketizer.push(packet.payload, timestamp, packet.marker)
        except Malformed:
            self.broken = True
            return None
        if frame is None:
            return None
        self.broken = False
        assert self.codec is not None
        return Picture(frame, self.codec, timestamp, self._arrived)

    def _change(self, payload_type: int) -> None:
        made = depacketizer(payload_type)
        self._payload_type, self._depacketizer = payload_type, made
        self.codec = None if made is None else BY_PAYLOAD_TYPE[payload_type]
        self.broken = True
