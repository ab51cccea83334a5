"""Opus packets (RFC 6716, 3; RFC 7587), as far as one need look into them. Pure."""

SILENCE = b"\xf8\xff\xfe"  # 20 ms of digital silence, full band
MAX_SAMPLES = 5760  # of a packet: 120 ms

_SILK_MS = (10, 20, 40, 60)
_CELT_MS = (2.5, 5, 10, 20)


def _frame_samples(config: int) -> int:
    if config < 12:
        return _SILK_MS[config & 3] * 48
    if config < 16:
        return (10, 20)[config & 1] * 48
    return int(_CELT_MS[config & 3] * 48)


_SAMPLES = tuple(_frame_samples(config) for config in range(32))


def samples(payload: bytes) -> int:
    """How many samples at 48 kHz a packet holds (RFC 6716, 3.1); 0 for what is no Opus packet."""
    if not payload:
        return 0
    first = payload[0]
    code = first & 3
    if code < 3:
        return _SAMPLES[first >> 3] << (code > 0)
    found = _SAMPLES[first >> 3] * (payload[1] & 63) if len(payload) > 1 else 0
    return found if found <= MAX_SAMPLES else 0
