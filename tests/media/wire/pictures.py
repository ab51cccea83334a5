"""Real pictures of every codec, and the packets that a browser would make of them: for tests only."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder

from media.codecs import AV1, H264, VP8, VP9
from media.codecs import Codec as Offered

KEY_EVERY, COUNT, PIECE = 8, 20, 500
SIZE = (322, 242)  # no multiple of a macroblock
_REALTIME = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}


class Codec(NamedTuple):
    offered: Offered
    encoder: str
    options: dict[str, str]
    packets: Callable[[bytes, int], list[bytes]]  # of a picture and its number: payloads


class Picture(NamedTuple):
    data: bytes  # as the encoder gave it
    key: bool
    payloads: list[bytes]
    timestamp: int


def _vp8(data: bytes, number: int) -> list[bytes]:
    packer = Vp8Encoder()
    packer.picture_id = number
    return _pack(packer, data)


def _h264(data: bytes, number: int) -> list[bytes]:
    return _pack(H264Encoder(), data)


def _pack(packer: Vp8Encoder | H264Encoder, data: bytes) -> list[bytes]:
    packet = av.Packet(data)
    packet.pts, packet.time_base = 0, Fraction(1, 90_000)
    return packer.pack(packet)[0]


def _vp9(data: bytes, number: int) -> list[bytes]:
    """Non-flexible mode with 15 bits of picture id, and the structure with key frames."""
    key = number % KEY_EVERY == 0
    pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
    out = []
    for n, piece in enumerate(pieces):
        head = 0x80 | (0 if key else 0x40) | 0x08 * (n == 0) | 0x04 * (n == len(pieces) - 1)
        structure = b""
        if key and n == 0:
            head |= 0x02
            structure = b"\x18" + b"".join(side.to_bytes(2, "big") for side in SIZE) + b"\x01\x04\x01"
        out.append(bytes([head]) + (0x8000 | number).to_bytes(2, "big") + structure + piece)
    return out


def obus(unit: bytes) -> Iterator[bytes]:
    """Those of a temporal unit, each with its header and size; sizes here take two bytes at most."""
    at = 0
    while at < len(unit):
        body = at + (2 if unit[at] & 4 else 1)
        size = unit[body] & 127
        if unit[body] & 128:
            size |= unit[body + 1] << 7
            body += 1
        yield unit[at : body + 1 + size]
        at = body + 1 + size


def _av1(data: bytes, number: int) -> list[bytes]:
    """As browsers do it: no delimiter, no sizes inside, elements cut anywhere, W=1, 2 or 3 where it fits."""
    bare = [_bare(obu) for obu in obus(data) if obu[0] >> 3 & 15 != 2]
    packets: list[list[bytes]] = [[]]
    continues = [False]
    room = PIECE
    for obu in bare:
        rest = obu
        while rest:
            packets[-1].append(rest[:room])
            rest, room = rest[room:], room - len(rest[:room])
            if room == 0:
                packets.append([])
                continues.append(bool(rest))
                room = PIECE
    if not packets[-1]:
        packets.pop()
        continues.pop()
    continues.append(False)
    out = []
    for n, elements in enumerate(packets):
        w = len(elements) if len(elements) <= 3 else 0
        head = 0x80 * continues[n] | 0x40 * continues[n + 1] | w << 4
        head |= 0x08 * (n == 0 and number % KEY_EVERY == 0)
        sized = [
            element if w and at == w - 1 else leb128(len(element)) + element
            for at, element in enumerate(elements)
        ]
        out.append(bytes([head]) + b"".join(sized))
    return out


def _bare(obu: bytes) -> bytes:
    start = 2 if obu[0] & 4 else 1
    body = start + (2 if obu[start] & 128 else 1)
    return bytes([obu[0] & ~2]) + obu[1:start] + obu[body:]


def leb128(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


CODECS = {
    codec.offered.name: codec
    for codec in (
        Codec(VP8, "libvpx", _REALTIME | {"g": str(KEY_EVERY), "keyint_min": str(KEY_EVERY)}, _vp8),
        Codec(
            H264,
            "libx264",
            {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(KEY_EVERY)},
            _h264,
        ),
        Codec(VP9, "libvpx-vp9", _REALTIME | {"g": str(KEY_EVERY), "keyint_min": str(KEY_EVERY)}, _vp9),
        Codec(
            AV1,
            "libsvtav1",
            {"preset": "13", "svtav1-params": f"pred-struct=1:keyint={KEY_EVERY}:lp=1"},
            _av1,
        ),
    )
}


@cache
def pictures(name: str) -> tuple[Picture, ...]:
    codec = CODECS[name]
    return tuple(
        Picture(data, number % KEY_EVERY == 0, codec.packets(data, number), number * 3000)
        for number, data in enumerate(_encode(codec))
    )


@contextmanager
def unhurried() -> Iterator[None]:
    """Run as root, SVT-AV1 makes the thread that opens it a real-time one (SCHED_FIFO, 99), and with it
    whatever that starts: a browser then leaves the machine to nobody else. Here the thread is what it was
    afterwards."""
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def _encode(codec: Codec) -> list[bytes]:
    with unhurried():
        return _encoded(codec)


def _encoded(codec: Codec) -> list[bytes]:
    width, height = SIZE
    encoder = av.CodecContext.create(codec.encoder, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 30), Fraction(30, 1)
    encoder.options = codec.options
    random = np.random.default_rng(1)
    out: list[bytes] = []
    for number in range(COUNT):
        squares = random.integers(0, 255, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
        pixels = np.kron(squares, np.ones((16, 16, 1), np.uint8))[:height, :width]
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        picture.pts, picture.time_base = number, Fraction(1, 30)
        out += [bytes(packet) for packet in encoder.encode(picture)]
    return out + [bytes(packet) for packet in encoder.encode(None)]
