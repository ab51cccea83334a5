"""AV1 in RTP (AOM, "RTP Payload Format For AV1", 1.0). Pure.

As every codec here: ``starts_key_frame(payload)`` for the packet path, ``Depacketizer`` for the recorder
(see ``frame.py``).
"""

from media.wire import av1_sequence, frame
from media.wire.rtp import Malformed

_Z, _Y, _N = 0x80, 0x40, 0x08  # of the aggregation header (4.4)
_HAS_SIZE, _EXTENSION = 0x02, 0x04  # of an OBU header
_SEQUENCE_HEADER, _DELIMITER, _TILE_LIST, _PADDING = 1, 2, 8, 15


def starts_key_frame(payload: bytes) -> bool:
    """Whether a coded video sequence begins with this packet, by N of the aggregation header."""
    return len(payload) > 1 and payload[0] & (_Z | _N) == _N


class Depacketizer(frame.Depacketizer):
    """A temporal unit without its delimiter, every OBU with its size; ``private`` is av1C."""

    def __init__(self) -> None:
        super().__init__()
        self._fragment: bytearray | None = None  # of an OBU
        self._key = False

    def reset(self) -> None:
        super().reset()
        self._fragment, self._key = None, False

    def _starts_key_frame(self, payload: bytes) -> bool:
        return starts_key_frame(payload)

    def _take(self, payload: bytes) -> None:
        head = payload[0]
        elements = _elements(payload)
        if bool(head & _Z) == (self._fragment is None):
            raise Malformed("an OBU goes on that did not begin, or does not go on")
        self._key = self._key or (head & _N > 0 and not self._pieces)
        for number, element in enumerate(elements):
            if self._fragment is None:
                self._fragment = bytearray()
            self._fragment += element
            if len(self._fragment) > frame.MAX_FRAME_BYTES:
                raise Malformed("an OBU without end")
            if number < len(elements) - 1 or not head & _Y:
                self._add(with_size(bytes(self._fragment)))
                self._fragment = None
        if not self._pieces:
            self._add(b"")  # the picture has begun

    def _complete(self) -> frame.Frame:
        if self._fragment is not None:
            raise Malformed("a picture ends inside an OBU")
        data = b"".join(self._pieces)
        headers = [obu for obu in self._pieces if obu and obu[0] >> 3 & 15 == _SEQUENCE_HEADER]
        if not self._key or not headers:
            return frame.Frame(data, False)
        sequence = av1_sequence.parse(_body(headers[0]))
        return frame.Frame(data, True, (sequence.width, sequence.height), sequence.av1c + headers[0])


def _elements(payload: bytes) -> list[bytes]:
    """The OBU elements (4.3): with W the last has no size before it, without all have."""
    count, at = payload[0] >> 4 & 3, 1
    found: list[bytes] = []
    while at < len(payload):
        size = len(payload) - at
        if len(found) + 1 != count:
            size, at = leb128(payload, at)
        if not 0 < size <= len(payload) - at:
            raise Malformed("OBU element")
        found.append(payload[at : at + size])
        at += size
    if not found or (count and len(found) != count):
        raise Malformed("number of OBU elements")
    return found


def with_size(obu: bytes) -> bytes:
    """The OBU with an obu_size (AV1 specification, 5.3); nothing for those that a file does not keep."""
    start = 2 if obu[0] & _EXTENSION else 1
    if obu[0] & 0x80 or len(obu) < start:
        raise Malformed("OBU header")
    if obu[0] >> 3 & 15 in (_DELIMITER, _TILE_LIST, _PADDING):
        return b""
    body = _body(obu)
    return bytes([obu[0] | _HAS_SIZE]) + obu[1:start] + _leb128(len(body)) + body


def _body(obu: bytes) -> bytes:
    start = 2 if obu[0] & _EXTENSION else 1
    if not obu[0] & _HAS_SIZE:
        return obu[start:]
    size, start = leb128(obu, start)
    if size > len(obu) - start:
        raise Malformed("OBU size")
    return obu[start : start + size]


def leb128(data: bytes, at: int) -> tuple[int, int]:
    """A number of up to eight bytes (AV1 specification, 4.10.5) and where it ends. Raises Malformed."""
    value = 0
    for number, byte in enumerate(data[at : at + 8]):
        value |= (byte & 127) << 7 * number
        if byte < 128:
            return value, at + number + 1
    raise Malformed("leb128")


def _leb128(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
