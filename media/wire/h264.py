"""H264 in RTP (RFC 6184, packetization mode 1) and its parameter sets (ITU-T H.264, 7.3). Pure.

As every codec here: ``starts_key_frame(payload)`` for the packet path, ``Depacketizer`` for the recorder
(see ``frame.py``).
"""

from collections.abc import Iterator

from media.wire import frame
from media.wire.bits import Bits
from media.wire.rtp import Malformed

_IDR, _SPS, _PPS, _DELIMITER, _STAP_A, _FU_A = 5, 7, 8, 9, 24, 28
_HIGH = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)  # profiles that say their chroma


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


class Depacketizer(frame.Depacketizer):
    """NAL units with four bytes of length before each; parameter sets both inside and in ``private`` (avcC).

    A key frame is a picture with an IDR slice and the parameter sets that it needs."""

    def __init__(self) -> None:
        super().__init__()
        self._fragment: bytearray | None = None  # of a NAL unit

    def reset(self) -> None:
        super().reset()
        self._fragment = None

    def _starts_key_frame(self, payload: bytes) -> bool:
        return starts_key_frame(payload)

    def _take(self, payload: bytes) -> None:
        kind = payload[0] & 31
        if kind == _FU_A:
            self._take_fragment(payload)
            return
        if self._fragment is not None or not 0 < kind <= _STAP_A:
            raise Malformed(f"NAL unit type {kind}")
        for unit in _aggregated(payload) if kind == _STAP_A else (payload,):
            self._add(unit)

    def _take_fragment(self, payload: bytes) -> None:
        """RFC 6184, 5.8."""
        if len(payload) < 3:
            raise Malformed("empty fragment")
        starts, ends = payload[1] & 0x80, payload[1] & 0x40
        if bool(starts) == (self._fragment is not None):
            raise Malformed("a fragment begins inside another, or not at its beginning")
        if self._fragment is None:
            self._fragment = bytearray([payload[0] & 0xE0 | payload[1] & 31])
            if not self._pieces:
                self._add(b"")  # the picture has begun
        self._fragment += payload[2:]
        if len(self._fragment) > frame.MAX_FRAME_BYTES:
            raise Malformed("a NAL unit without end")
        if ends:
            self._add(bytes(self._fragment))
            self._fragment = None

    def _complete(self) -> frame.Frame:
        if self._fragment is not None:
            raise Malformed("a picture ends inside a NAL unit")
        units = [unit for unit in self._pieces if unit and unit[0] & 31 != _DELIMITER]
        data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
        kinds = {unit[0] & 31 for unit in units}
        if not {_IDR, _SPS, _PPS} <= kinds:
            return frame.Frame(data, False)
        sets = [unit for unit in units if unit[0] & 31 == _SPS]
        others = [unit for unit in units if unit[0] & 31 == _PPS]
        return frame.Frame(data, True, picture_size(sets[0]), _configuration(sets, others))


def _aggregated(payload: bytes) -> Iterator[bytes]:
    """The NAL units of a STAP-A (RFC 6184, 5.7.1)."""
    at = 1
    while at < len(payload):
        size = int.from_bytes(payload[at : at + 2], "big")
        at += 2
        if not 0 < size <= len(payload) - at:
            raise Malformed("aggregate")
        yield payload[at : at + size]
        at += size


def _configuration(sps: list[bytes], pps: list[bytes]) -> bytes:
    """An AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1) without what only high profiles add."""
    if len(sps[0]) < 4 or len(sps) > 31 or len(pps) > 255:
        raise Malformed("parameter sets")
    out = b"\x01" + sps[0][1:4] + b"\xff" + bytes([0xE0 | len(sps)])
    out += b"".join(len(unit).to_bytes(2, "big") + unit for unit in sps)
    return out + bytes([len(pps)]) + b"".join(len(unit).to_bytes(2, "big") + unit for unit in pps)


def picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height in pixels, cropped, by a sequence parameter set (7.3.2.1.1). Raises Malformed."""
    bits = Bits(sps[1:256].replace(b"\0\0\3", b"\0\0"))
    profile = bits.read(24) >> 16
    bits.exp_golomb()
    chroma = _read_high(bits) if profile in _HIGH else 1
    bits.exp_golomb()  # log2_max_frame_num_minus4
    order = bits.exp_golomb()
    if order == 0:
        bits.exp_golomb()
    elif order == 1:
        bits.flag()
        bits.exp_golomb()
        bits.exp_golomb()
        for _ in range(bits.exp_golomb()):
            bits.exp_golomb()
    bits.exp_golomb()  # max_num_ref_frames
    bits.flag()
    width, height = 16 * (bits.exp_golomb() + 1), 16 * (bits.exp_golomb() + 1)
    fields = 1 if bits.flag() else 2
    bits.read(fields)  # mb_adaptive_frame_field_flag, direct_8x8_inference_flag
    left = right = top = bottom = 0
    if bits.flag():
        left, right, top, bottom = (bits.exp_golomb() for _ in range(4))
    across, down = 2 if chroma in (1, 2) else 1, 2 if chroma == 1 else 1
    width -= across * (left + right)
    height = fields * (height - down * (top + bottom))
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise Malformed("picture size")
    return width, height


def _read_high(bits: Bits) -> int:
    """What a high profile says besides; returns chroma_format_idc."""
    chroma = bits.exp_golomb()
    if chroma == 3:
        bits.flag()
    bits.exp_golomb()
    bits.exp_golomb()
    bits.flag()
    if bits.flag():
        for number in range(8 if chroma != 3 else 12):
            if bits.flag():
                _skip_scaling_list(bits, 16 if number < 6 else 64)
    return chroma


def _skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed_exp_golomb()) % 256
        last = following or last
