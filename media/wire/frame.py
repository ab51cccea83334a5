"""What a codec's depacketizer gives: whole encoded pictures. Pure.

Each video codec's module has a class ``Depacketizer``, made without arguments. It is pushed the packets of
one track in the order of their sequence numbers, without gaps: whoever pushes says ``reset()`` where one
is missing. Of all that goes wrong it says Malformed, and has then forgotten the picture it was at; the
pictures that follow come out whole again, but nobody can decode them before the next key frame.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol, TypeVar

from media.wire.rtp import Malformed

MAX_FRAME_BYTES = 8 << 20
MAX_PIECES = 8192  # packets, or units of a bit stream, of one picture

Result = TypeVar("Result")


class Frame(NamedTuple):
    """One encoded picture (with all its spatial layers)."""

    data: bytes  # as a Matroska block holds it
    key: bool
    size: tuple[int, int] | None = None  # of a key frame: width and height in pixels
    private: bytes = b""  # of a key frame: Matroska's CodecPrivate, where the codec has one


class Depacketizer(Protocol):
    @property
    def key_pending(self) -> bool:
        """The beginning of a key frame is in, its end not yet."""

    def push(self, payload: bytes, timestamp: int, marker: bool) -> Frame | None:
        """The next packet (no padding: a payload has bytes); a frame when it completes one.

        Raises Malformed: the packet is no packet of this codec, or not one that can follow."""

    def reset(self) -> None:
        """Packets are missing before the next one: forget the picture that was begun."""


class Pieces:
    """What the depacketizers share: the picture that was begun."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._timestamp = 0
        self._key = False

    @property
    def key_pending(self) -> bool:
        return self._key

    def reset(self) -> None:
        self._pieces, self._bytes, self._key = [], 0, False

    def _checked(self, parse: Callable[[bytes], Result], payload: bytes) -> Result:
        """What ``parse`` makes of the payload; Malformed resets."""
        try:
            return parse(payload)
        except Malformed:
            self.reset()
            raise

    def _fail(self, why: str) -> Malformed:
        self.reset()
        return Malformed(why)

    def _follow(self, timestamp: int, starts: bool, key: bool = False) -> None:
        """A packet that ``starts`` a picture comes after a whole one, others inside one. ``key``: it is of
        a key frame."""
        if starts:
            if self._pieces:
                self.reset()
                raise Malformed("a picture did not end")
            self._timestamp, self._key = timestamp, key
        elif not self._pieces or timestamp != self._timestamp:
            raise self._fail("a piece of a picture that did not begin")

    def _add(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._bytes += len(piece)
        if self._bytes > MAX_FRAME_BYTES or len(self._pieces) > MAX_PIECES:
            raise self._fail("a picture without end")

    def _take(self) -> bytes:
        data = b"".join(self._pieces)
        self.reset()
        return data
