"""Read a part as a player would."""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np


@dataclass
class Played:
    """Times in seconds. ``sound`` is (time, loudness) per 5 ms; ``pictures`` (time, brightness) per frame."""

    duration: float | None
    first_is_key: bool
    pictures: list[tuple[float, float]]
    sizes: list[tuple[int, int]]
    sound: list[tuple[float, float]]


def play(path: Path) -> Played:
    """Decode every frame. Raises av.FFmpegError when the file is broken."""
    with av.open(str(path)) as container:
        duration = None if container.duration is None else container.duration / 1e6
        pictures, sizes, keys = [], [], []
        for frame in container.decode(video=0):
            luma = frame.to_ndarray(format="gray")
            pictures.append((frame.time or 0.0, float(luma[: frame.height // 2].mean())))
            sizes.append((frame.width, frame.height))
            keys.append(frame.key_frame)
    return Played(duration, bool(keys and keys[0]), pictures, sizes, loudness(path))


def loudness(path: Path) -> list[tuple[float, float]]:
    levels = []
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        for frame in container.decode(audio=0):
            samples = frame.to_ndarray().astype(np.float32)
            samples = samples.reshape(len(frame.layout.channels), -1) if frame.format.is_planar else samples
            flat = (
                samples[0]
                if frame.format.is_planar
                else samples.reshape(-1, len(frame.layout.channels))[:, 0]
            )
            for at in range(0, len(flat) - 239, 240):
                levels.append(
                    ((frame.time or 0.0) + at / frame.rate, float(np.abs(flat[at : at + 240]).max()))
                )
    return levels


def onsets(line: list[tuple[float, float]], threshold: float, quiet_s: float = 0.3) -> list[float]:
    """When the line rises above the threshold after having been below it for a while."""
    found, below_since = [], None
    for time, value in line:
        if value < threshold:
            below_since = time if below_since is None else below_since
        else:
            if below_since is not None and time - below_since >= quiet_s:
                found.append(time)
            below_since = None
    return found


def av_offsets(played: Played) -> list[float]:
    """For each flash, how much later its beep is (seconds)."""
    flashes, beeps = onsets(played.pictures, 128), onsets(played.sound, 0.05)
    return [
        min((b - f for b in beeps), key=abs)
        for f in flashes
        if beeps and min(abs(b - f) for b in beeps) < 0.5
    ]
