"""Small real recordings of a known length, made in the test: VP8 in WebM or H.264 in Matroska, and Opus."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

FPS = 10  # enough to see it move, and quick to encode
RATE = 48_000
SAMPLES = 960  # 20 ms


def write_webm(
    path: Path,
    seconds: float,
    *,
    size: tuple[int, int] = (320, 240),
    colour: tuple[int, int, int] = (40, 90, 140),
    sound: float | None = 440.0,
    live: bool = False,
) -> None:
    """A bar that walks from left to right over a plain ground, and a tone (None: no audio track).

    A ``path`` that ends in .mkv is of H.264 in Matroska. ``live`` leaves the file as a recorder does that was
    killed: no duration, no index.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"live": "1", "cluster_time_limit": "1000"} if live else {}
    matroska = path.suffix == ".mkv"
    with av.open(str(path), "w", format="matroska" if matroska else "webm", options=options) as container:
        speed = {"preset": "ultrafast"} if matroska else {"deadline": "realtime", "cpu-used": "8"}
        video = container.add_stream("libx264" if matroska else "libvpx", rate=FPS, options=speed)
        video.width, video.height = size
        video.pix_fmt, video.bit_rate, video.gop_size = "yuv420p", 200_000, FPS
        audio = None if sound is None else container.add_stream("libopus", rate=RATE, layout="mono")
        for number in range(round(seconds * FPS)):
            for packet in video.encode(_frame(number, seconds, size, colour)):
                container.mux(packet)
            if audio is not None and sound is not None:
                for start in range(number * RATE // FPS, (number + 1) * RATE // FPS, SAMPLES):
                    container.mux(audio.encode(_tone(start, sound)))
        for stream in (video, audio):
            if stream is not None:
                container.mux(stream.encode(None))


def _frame(number: int, seconds: float, size: tuple[int, int], colour: tuple[int, int, int]) -> av.VideoFrame:
    picture = np.empty((size[1], size[0], 3), np.uint8)
    picture[:] = colour
    left = int(number / max(1, seconds * FPS) * (size[0] - 16))
    picture[:, left : left + 16] = 255
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, FPS)
    return frame


def _tone(start: int, hertz: float) -> av.AudioFrame:
    times = np.arange(start, start + SAMPLES) / RATE
    samples = (np.sin(2 * np.pi * hertz * times) * 6_000).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(samples[np.newaxis, :], format="s16", layout="mono")
    frame.pts, frame.sample_rate, frame.time_base = start, RATE, Fraction(1, RATE)
    return frame
