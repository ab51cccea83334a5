"""Real encoded frames, made with PyAV: for tests only, the node never does this."""

from fractions import Fraction
from functools import cache

import av
import numpy as np


@cache
def vp8_frames(count: int = 60, width: int = 320, height: int = 240) -> tuple[bytes, ...]:
    """30 frames a second, a key frame first and then every 30th."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.time_base = codec.framerate = Fraction(1, 30)
    codec.framerate = Fraction(30, 1)
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "lag-in-frames": "0",
        "g": "30",
        "keyint_min": "30",
    }
    frames = []
    for number in range(count):
        picture = av.VideoFrame.from_ndarray(
            np.full((height, width, 3), number * 4 % 256, np.uint8), format="rgb24"
        )
        picture.pts, picture.time_base = number, Fraction(1, 30)
        frames += [bytes(packet) for packet in codec.encode(picture)]
    frames += [bytes(packet) for packet in codec.encode(None)]
    return tuple(frames)


@cache
def opus_packets(count: int = 100) -> tuple[bytes, ...]:
    """20 ms each, a tone."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "stereo", "s16"
    packets: list[bytes] = []
    wave = (np.sin(np.arange(960) * 2 * np.pi * 1000 / 48_000) * 9000).astype(np.int16)
    for number in range(count):
        frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2).reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, number * 960
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return tuple(packets)


def vp8_payloads(frame: bytes, size: int = 1000) -> list[bytes]:
    """RFC 7741: the smallest descriptor, S on the first piece."""
    pieces = [frame[at : at + size] for at in range(0, len(frame), size)]
    return [(b"\x10" if number == 0 else b"\x00") + piece for number, piece in enumerate(pieces)]
