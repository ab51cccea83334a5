"""The media of a call: real VP8 and Opus, encoded once and sent over and over."""

from fractions import Fraction
from functools import cache

import av
import numpy as np

from tests.media.caller_streams import Clip

SECONDS = 4
WIDTH, HEIGHT, FPS = 640, 480, 30
VIDEO_RATE = 1_100_000  # bit/s
PAYLOAD = 1_190  # bytes at most: about 130 packets a second
SOUND_RATE = 32_000
SOUND_INTERVAL = 0.02
DESCRIPTOR = 4  # bytes: X and S, I, PictureID of 15 bits (RFC 7741, 4.2)


@cache
def video_clip() -> Clip:
    frames = tuple(tuple(_payloads(frame)) for frame in encoded_video())
    return Clip(True, 96, 90_000, 1 / FPS, frames)


@cache
def sound_clip() -> Clip:
    return Clip(False, 111, 48_000, SOUND_INTERVAL, tuple((packet,) for packet in encoded_sound()))


def _payloads(frame: bytes) -> list[bytes]:
    """Pieces of equal length, as browsers make them; the PictureID is filled in when a piece is sent."""
    count = -(-len(frame) // (PAYLOAD - DESCRIPTOR))
    edges = [len(frame) * n // count for n in range(count + 1)]
    return [
        bytes([0x90 if n == 0 else 0x80, 0x80, 0x80, 0]) + frame[edges[n] : edges[n + 1]]
        for n in range(count)
    ]


def encoded_video() -> list[bytes]:
    """A pattern that moves over noise; one key frame, the first."""
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, FPS), Fraction(FPS, 1)
    codec.bit_rate = VIDEO_RATE
    codec.options = {
        "deadline": "realtime",
        "cpu-used": "8",
        "lag-in-frames": "0",
        "g": "9999",
        "minrate": str(VIDEO_RATE),
        "maxrate": str(VIDEO_RATE),
        "bufsize": str(VIDEO_RATE // 2),
        "max-intra-rate": "300",
    }
    noise = np.random.default_rng(3).integers(0, 256, (160, WIDTH), np.uint8)
    columns, rows = np.arange(WIDTH), np.arange(HEIGHT)[:, None]
    planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)  # luminance; two of colour at a quarter each
    out: list[bytes] = []
    for number in range(SECONDS * FPS):
        wave = 60 * np.sin((columns + 5 * number) / 23) + 50 * np.cos((rows - 3 * number) / 31)
        planes[:HEIGHT] = 128 + wave
        at = 8 * number % (WIDTH - 160)
        planes[160:320, at : at + 160] = np.roll(noise, 3 * number, axis=1)[:, at : at + 160]
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        out += [bytes(packet) for packet in codec.encode(frame)]
    return out + [bytes(packet) for packet in codec.encode(None)]


def encoded_sound() -> list[bytes]:
    """80 bytes each: a voice-like mixture of a tone that glides and noise, no two packets alike."""
    codec = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "stereo", "s16"
    codec.bit_rate = SOUND_RATE
    codec.options = {"vbr": "off", "application": "voip", "frame_duration": "20"}
    count = int(48_000 * SECONDS)
    time = np.arange(count) / 48_000
    noise = np.random.default_rng(5).normal(0, 1200, count)
    wave = 7000 * np.sin(2 * np.pi * (220 * time + 60 * np.sin(2 * time))) + noise
    samples = np.repeat(wave.clip(-32_000, 32_000).astype(np.int16), 2)
    out: list[bytes] = []
    for at in range(0, len(samples), 1920):
        frame = av.AudioFrame.from_ndarray(
            samples[at : at + 1920].reshape(1, -1), format="s16", layout="stereo"
        )
        frame.sample_rate, frame.pts = 48_000, at // 2
        out += [bytes(packet) for packet in codec.encode(frame)]
    return out[: round(SECONDS / SOUND_INTERVAL)]
