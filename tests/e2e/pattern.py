"""What the fake cameras show and the fake microphones say: pictures that can be read by a machine.

A frame of ``WIDTH`` x ``HEIGHT`` carries a row of black and white cells at its top: a white, a black, two
bits of who it is, and ``COUNTER_BITS`` of its number, most significant first. Below it a bar moves, so
that a person sees movement too. Each camera has a tint of its own; each microphone a tone of its own.
"""

import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 640, 480, 30
CELL = 40  # pixels a side; large enough to survive a low bit rate
COUNTER_BITS = 12
CELLS = 2 + 2 + COUNTER_BITS
FRAMES = 300
TINTS = {1: (90, 130, 110), 2: (90, 110, 140), 3: (90, 140, 140)}  # who -> Y, U, V of the ground
TONES = {1: 440.0, 2: 880.0, 3: 1320.0}  # who -> Hz

# The same reading, in the browser: draws the video and returns [who, number], or null when it is no pattern.
READ_JS = f"""
(video) => {{
  if (!video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = {WIDTH}; canvas.height = {HEIGHT};
  const pen = canvas.getContext("2d", {{ willReadFrequently: true }});
  pen.drawImage(video, 0, 0, canvas.width, canvas.height);
  const bit = (cell) => {{
    const p = pen.getImageData(cell * {CELL} + {CELL} / 2, {CELL} / 2, 1, 1).data;
    return (p[0] + p[1] + p[2]) / 3 > 127 ? 1 : 0;
  }};
  if (bit(0) !== 1 || bit(1) !== 0) return null;
  let number = 0;
  for (let i = 4; i < {CELLS}; i++) number = number * 2 + bit(i);
  return [bit(2) * 2 + bit(3), number];
}}
"""


def write_camera(path: Path, who: int) -> None:
    """A Motion JPEG file for Chromium's --use-file-for-fake-video-capture; Chromium plays it in a loop."""
    with av.open(str(path), "w", format="mjpeg") as file:
        stream = file.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        stream.options = {"qmin": "3", "qmax": "6"}
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(_picture(who, number), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def write_microphone(path: Path, who: int) -> None:
    """One second of a steady tone, which Chromium loops without a seam."""
    rate = 48_000
    samples = (0.3 * 32767 * np.sin(2 * np.pi * TONES[who] * np.arange(rate) / rate)).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())


def read(frame: av.VideoFrame) -> tuple[int, int] | None:
    """Who and which number a decoded frame shows, at whatever size; None when it is no pattern."""
    luma = frame.reformat(WIDTH, HEIGHT, "gray").to_ndarray()
    bits = [int(luma[CELL // 4 : 3 * CELL // 4, x : x + CELL // 2].mean() > 127) for x in _cell_starts()]
    if bits[:2] != [1, 0]:
        return None
    return bits[2] * 2 + bits[3], int("".join(map(str, bits[4:])), 2)


def tone_of(samples: NDArray[np.float32], rate: int) -> float:
    """The strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * rate / len(samples))


def _picture(who: int, number: int) -> NDArray[np.uint8]:
    """Planar 4:2:0, as PyAV takes it: HEIGHT * 3 / 2 rows."""
    y, u, v = TINTS[who]
    picture = np.full((HEIGHT * 3 // 2, WIDTH), y, np.uint8)
    picture[HEIGHT : HEIGHT * 5 // 4], picture[HEIGHT * 5 // 4 :] = u, v
    bits = [1, 0, who >> 1 & 1, who & 1, *(number >> i & 1 for i in reversed(range(COUNTER_BITS)))]
    for bit, x in zip(bits, range(0, CELLS * CELL, CELL), strict=True):
        picture[:CELL, x : x + CELL] = 235 if bit else 16
    x = number * 8 % (WIDTH - 60)
    picture[CELL * 2 : HEIGHT - CELL, x : x + 60] = 210
    return picture


def _cell_starts() -> range:
    return range(CELL // 4, CELLS * CELL, CELL)
