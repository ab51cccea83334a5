"""AV1 in RTP (AOM's RTP payload format, 1.0). Pure.

As every codec here: ``starts_key_frame(payload)`` for the packet path, ``Depacketizer`` for the recorder
(see ``frame.py``).
"""

_Z, _N = 0x80, 0x08


def starts_key_frame(payload: bytes) -> bool:
    """Whether a coded video sequence begins with this packet, by N of the aggregation header (4.4)."""
    return len(payload) > 1 and payload[0] & (_Z | _N) == _N
