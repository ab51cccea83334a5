"""Where a viewer can begin: the packets that start a key frame, of any codec. Pure."""

from collections.abc import Callable

from media.codecs import AV1, H264, VP8, VP9
from media.wire import av1, h264, vp8, vp9

_STARTS: dict[int, Callable[[bytes], bool]] = {
    VP8.payload_type: vp8.starts_key_frame,
    H264.payload_type: h264.starts_key_frame,
    VP9.payload_type: vp9.starts_key_frame,
    AV1.payload_type: av1.starts_key_frame,
}


def starts_key_frame(payload_type: int, payload: bytes) -> bool:
    """Whether this payload is the first of a key frame. False for sound, unknown types and padding."""
    look = _STARTS.get(payload_type)
    return look is not None and look(payload)
