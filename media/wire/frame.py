"""What a codec's depacketizer gives: whole encoded pictures. Pure.

Each video codec's module has a class ``Depacketizer``, made without arguments. It is pushed the packets of
one track in the order of their sequence numbers; where one is missing for good, it is told so by ``reset()``.
What comes out can be decoded: at first, after ``reset()`` and after Malformed nothing does before a whole key
frame.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

from media.wire.rtp import Malformed

MAX_FRAME_BYTES = 8 << 20
MAX_PIECES = 8192  # packets, or units of a bit stream, of one picture


class Frame(NamedTuple):
    """One encoded picture, with all its spatial layers."""

    data: bytes  # as a Matroska block holds it
    key: bool
    size: tuple[int, int] = (0, 0)  # of a key frame: width and height in pixels
    private: bytes = b""  # of a key frame: Matroska's CodecPrivate, where the codec has one


class Depacketizer(ABC):
    """What the codecs share: the picture that was begun, and whether it is of use."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._timestamp = 0
        self._waiting = True  # for a key frame

    @property
    def needs_key_frame(self) -> bool:
        """Nothing will come out before a key frame, and none is on its way in."""
        return self._waiting and not self._pieces

    def push(self, payload: bytes, timestamp: int, marker: bool) -> Frame | None:
        """The next packet; a frame when it completes one. Padding (no bytes) is passed over.

        Raises Malformed: the packet is none of this codec, or none that can follow. Then the picture that was
        begun is forgotten.
        """
        if not payload or (self.needs_key_frame and not self._starts_key_frame(payload)):
            return None
        try:
            if self._pieces and timestamp != self._timestamp:
                if not self._starts_key_frame(payload):
                    raise Malformed("a picture did not end")
                # libwebrtc drops what waits to be sent when a key frame comes, without a gap in the numbers.
                self.reset()
            self._timestamp = timestamp
            self._take(payload)
            if not marker:
                return None
            frame = self._complete()
            if not frame.data:
                raise Malformed("an empty picture")
            if self._waiting and not frame.key:
                raise Malformed("what began as a key frame is none")
        except Malformed:
            self.reset()
            raise
        self.reset()
        self._waiting = False
        return frame

    def reset(self) -> None:
        """A packet before the next one is missing: forget the picture that was begun."""
        self._pieces, self._bytes, self._waiting = [], 0, True

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._bytes += len(piece)
        if self._bytes > MAX_FRAME_BYTES or len(self._pieces) > MAX_PIECES:
            raise Malformed("a picture without end")

    @abstractmethod
    def _starts_key_frame(self, payload: bytes) -> bool: ...

    @abstractmethod
    def _take(self, payload: bytes) -> None:
        """Add what the packet brings to the picture. Raises Malformed."""

    @abstractmethod
    def _complete(self) -> Frame:
        """The picture, of which the last packet is in. Raises Malformed."""
