"""The depacketizer of a payload type. Pure."""

from media.codecs import AV1, H264, VP8, VP9
from media.wire import av1, h264, vp8, vp9
from media.wire.frame import Depacketizer

_OF: dict[int, type[Depacketizer]] = {
    VP8.payload_type: vp8.Depacketizer,
    H264.payload_type: h264.Depacketizer,
    VP9.payload_type: vp9.Depacketizer,
    AV1.payload_type: av1.Depacketizer,
}


def depacketizer(payload_type: int) -> Depacketizer | None:
    """A new one; None for what is no video codec of the offer."""
    made = _OF.get(payload_type)
    return made() if made is not None else None
