"""The codecs that a call may use, with the payload types that the node's offer fixes. Pure.

Payload types are equal on every connection, so packets are forwarded with the type they came with. The
node does not decode: of a codec it knows how a packet shows the start of a key frame, and how a file
names it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Codec:
    """``rtx`` is the payload type of its retransmissions (RFC 4588); None when it has none."""

    name: str  # as in a=rtpmap
    payload_type: int
    clock_rate: int
    matroska: str  # CodecID (RFC 9559, codec specifications)
    rtx: int | None = None
    parameters: str = ""  # a=fmtp


OPUS = Codec("opus", 111, 48_000, "A_OPUS", parameters="minptime=10;useinbandfec=1;usedtx=1")
RED = Codec("red", 63, 48_000, "", parameters="111/111")  # RFC 2198: Opus with the packet before it
VP8 = Codec("VP8", 96, 90_000, "V_VP8", rtx=97)
H264 = Codec(
    "H264",
    102,
    90_000,
    "V_MPEG4/ISO/AVC",
    rtx=103,
    parameters="level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
)
VP9 = Codec("VP9", 98, 90_000, "V_VP9", rtx=99, parameters="profile-id=0")
AV1 = Codec("AV1", 45, 90_000, "V_AV1", rtx=46)

# In the order in which the offer prefers them.
AUDIO = (RED, OPUS)
VIDEO = (VP8, H264, VP9, AV1)
BY_PAYLOAD_TYPE = {codec.payload_type: codec for codec in AUDIO + VIDEO}
MEDIA_OF_RTX = {codec.rtx: codec for codec in VIDEO if codec.rtx is not None}
