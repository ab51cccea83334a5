"""H264 in RTP (RFC 6184, packetization mode 1). Pure.

As every codec here: ``starts_key_frame(payload)`` for the packet path, ``Depacketizer`` for the recorder
(see ``frame.py``).
"""

_SPS, _STAP_A = 7, 24


def starts_key_frame(payload: bytes) -> bool:
    """Whether this packet has a sequence parameter set: browsers begin every key frame with one, alone or
    aggregated with what follows. The IDR slices behind it are not the start. False for what is no H264."""
    if not payload:
        return False
    kind = payload[0] & 31
    if kind != _STAP_A:
        return kind == _SPS
    at = 1
    while at + 2 < len(payload):
        if payload[at + 2] & 31 == _SPS:
            return True
        at += 2 + (payload[at] << 8 | payload[at + 1])
    return False
