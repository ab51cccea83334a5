"""A film that flashes and beeps at every full second, encoded and packed as a browser does: for tests."""

from fractions import Fraction
from functools import cache

import av
import numpy as np

from media.protocol import Source
from tests.media.recording.sender import Sender
from tests.media.wire.pictures import CODECS, Codec, unhurried

FPS = 30


@cache
def pictures(name: str, count: int, width: int = 320, height: int = 240) -> tuple[tuple[bytes, ...], ...]:
    """The packets of each picture: white for the first 100 ms of a second, else black."""
    with unhurried():
        encoded = _encoded(CODECS[name], count, width, height)
    return tuple(tuple(CODECS[name].packets(data, number)) for number, data in enumerate(encoded))


def _encoded(codec: Codec, count: int, width: int, height: int) -> list[bytes]:
    encoder = av.CodecContext.create(codec.encoder, "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS, 1)
    encoder.options = codec.options
    encoded: list[bytes] = []
    for number in range(count):
        pixels = np.full((height, width, 3), 255 if number % FPS < 3 else 0, np.uint8)
        left = number * 8 % (width - 32)
        pixels[height - 32 :, left : left + 32] = 128
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        encoded += [bytes(packet) for packet in encoder.encode(frame)]
    return encoded + [bytes(packet) for packet in encoder.encode(None)]


@cache
def sound(count: int) -> tuple[bytes, ...]:
    """20 ms each: a beep of 100 ms at every full second."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
    out: list[bytes] = []
    wave = (np.sin(np.arange(960) * 2 * np.pi * 1000 / 48_000) * 9000).astype(np.int16)
    for number in range(count):
        samples = wave if number % 50 < 5 else np.zeros(960, np.int16)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48_000, number * 960
        out += [bytes(packet) for packet in encoder.encode(frame)]
    return tuple(out)


def show(
    sender: Sender,
    name: str,
    seconds: int,
    dtx: bool = False,
    sizes: tuple[tuple[int, int], ...] = ((320, 240),),
    began: int = 0,
    muted: float = 0.0,
    source: Source = Source.CAMERA,
) -> None:
    """The film into the recorder, its picture in each size for an equal time. ``dtx``: most of the silence
    is not sent. ``began``: seconds of earlier films. ``muted``: no sound before that."""
    beeps, each = sound(50 * seconds), FPS * seconds // len(sizes)
    frames = [packets for size in sizes for packets in pictures(name, each, *size)]
    events = [(n * 0.02, "sound", n) for n in range(len(beeps))]
    events += [(n / FPS, "picture", n) for n in range(len(frames))]
    for at, kind, number in sorted(events):
        if kind == "picture":
            stamp = sender.camera_base + 3000 * (number + FPS * began)
            sender.frame(list(frames[number]), stamp, at + began, source=source, codec=CODECS[name].offered)
        elif source is Source.CAMERA:
            sent = not dtx or number % 50 < 8 or number % 20 == 0
            if sent and at >= muted:
                sender.sound(number + 50 * began, at + began, payload=beeps[number])
            else:  # not sent, not missing
                sender.recorder.tick(sender.start + at + began)
