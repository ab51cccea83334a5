"""What a call left behind, read without the service: its row, its journal, its files, the audit trail."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np

from tests.e2e import pattern
from tests.e2e.service import Service

T = TypeVar("T")


async def until(look: Callable[[], T | None], what: str, within_s: float = 15.0) -> T:
    """What ``look`` finds as soon as it is neither None nor empty."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited too long for {what}"
        await asyncio.sleep(0.1)
    return found


def rows(service: Service, query: str, *values: Any) -> list[dict[str, Any]]:
    with sqlite3.connect(f"file:{service.database}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query, values)]


def latest_call(service: Service) -> dict[str, Any]:
    return rows(service, "SELECT * FROM calls ORDER BY requested_at DESC LIMIT 1")[0]


def journal(service: Service, call: str) -> list[str]:
    found = rows(service, "SELECT kind FROM journal WHERE call = ? ORDER BY at, rowid", call)
    return [row["kind"] for row in found]


def parts(service: Service, call: str) -> list[dict[str, Any]]:
    return rows(service, "SELECT * FROM parts WHERE call = ? ORDER BY started_at", call)


def sealed_parts(service: Service, call: str) -> list[dict[str, Any]]:
    """All of them, or nothing while one is still open."""
    found = parts(service, call)
    return found if all(part["sealed"] for part in found) else []


@dataclass(frozen=True)
class Watched:
    """A recording decoded frame by frame. ``numbers``: (time, number) of each frame that shows ``who``."""

    duration: float
    frames: int
    first_is_key: bool
    numbers: list[tuple[float, int]]
    tone: float
    sound_from: float


def watch(path: Path, who: int) -> Watched:
    with av.open(str(path)) as file:
        packets = [p for p in file.demux(video=0) if p.size]
        first_is_key = packets[0].is_keyframe
    with av.open(str(path)) as file:
        frames = [(float(f.time or 0.0), pattern.read(f)) for f in file.decode(video=0)]
    numbers = [(at, seen[1]) for at, seen in frames if seen is not None and seen[0] == who]
    tone, sound_from, sound_until = _listen(path)
    end = max(frames[-1][0] + 1 / pattern.FPS, sound_until)
    return Watched(end, len(frames), first_is_key, numbers, tone, sound_from)


def codec(path: Path) -> str:
    """Of a recording's pictures, by FFmpeg's name."""
    with av.open(str(path)) as file:
        return file.streams.video[0].codec_context.codec.canonical_name


def colours(path: Path) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Of a recording's last frame: near the top, near the bottom (R, G, B)."""
    with av.open(str(path)) as file:
        last = list(file.decode(video=0))[-1].to_ndarray(format="rgb24")
    height, width = last.shape[:2]
    top, bottom = last[height // 4, width // 2], last[height * 3 // 4, width // 2]
    return tuple(int(v) for v in top), tuple(int(v) for v in bottom)  # type: ignore[return-value]


def _listen(path: Path) -> tuple[float, float, float]:
    with av.open(str(path)) as file:
        stream = file.streams.audio[0]
        chunks = [(float(f.time or 0.0), f.to_ndarray()) for f in file.decode(stream)]
        rate = stream.rate
    mono = [(at, chunk[0] if chunk.shape[0] <= 2 else chunk) for at, chunk in chunks]
    loud = [at for at, samples in mono if np.abs(samples.astype(np.float32)).max() > 0.02 * _full(samples)]
    middle = np.concatenate([samples for _, samples in mono]).astype(np.float32)
    middle = middle[len(middle) // 4 : len(middle) // 4 + rate]
    return pattern.tone_of(middle, rate), loud[0], chunks[-1][0] + chunks[-1][1].shape[-1] / rate


def _full(samples: Any) -> float:
    return 1.0 if np.issubdtype(samples.dtype, np.floating) else float(np.iinfo(samples.dtype).max)
