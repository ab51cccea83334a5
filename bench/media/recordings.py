"""Do the recordings decode, and is a frame missing in them?"""

import json
import random
import struct
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import av

JUMP_S = 0.1  # between two frames of one track: more is a hole
SHORTEST_S = 1.0  # a file of less than this says nothing of a call


class Checked(NamedTuple):
    files: int = 0  # that there are
    checked: int = 0
    frames: int = 0  # that were decoded, or packets counted
    faults: tuple[str, ...] = ()


def check(
    paths: Sequence[Path], one: Callable[[Path], tuple[int, str]], sample: int | None, seed: int
) -> Checked:
    """``one`` gives (frames, fault or nothing). ``sample`` None: every file. On two cores."""
    chosen = sorted(paths)
    if sample is not None and len(chosen) > sample:
        chosen = random.Random(seed).sample(chosen, sample)
    if not chosen:
        return Checked(0, 0, 0, ("there are no files",))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_anywhere) as pool:
        results = list(pool.map(one, chosen))
    faults = tuple(f"{path.name}: {fault}" for path, (_, fault) in zip(chosen, results, strict=True) if fault)
    return Checked(len(paths), len(chosen), sum(frames for frames, _ in results), faults)


def _anywhere() -> None:
    """The bench itself is pinned; what it starts when nothing is measured need not be."""
    import os

    os.sched_setaffinity(0, range(os.cpu_count() or 1))


def decode(path: Path) -> tuple[int, str]:
    """Every frame of sound and picture. Errors of the decoder count, also those that it only reports."""
    frames, times = 0, dict[str, list[float]]()
    try:
        with av.open(str(path)) as container:
            for stream in container.streams:
                # An error that is concealed is an error here.
                stream.codec_context.options = {"err_detect": "explode"}
                stream.codec_context.thread_type = "NONE"
            for frame in container.decode():
                kind = type(frame).__name__
                if isinstance(frame, av.VideoFrame) and frame.is_corrupt:
                    return frames, f"a broken picture at {frame.time}"
                times.setdefault(kind, []).append(frame.time or 0.0)
                frames += 1
    except (av.FFmpegError, OSError, ValueError) as error:
        return frames, f"{type(error).__name__}: {error}"
    missing = {"VideoFrame", "AudioFrame"} - times.keys()
    if missing:
        return frames, f"no {' and no '.join(sorted(missing))}"
    for kind, line in times.items():
        if line[-1] - line[0] < SHORTEST_S:
            return frames, f"{kind}: only {line[-1] - line[0]:.2f} s"
        if hole := _hole(line):
            return frames, f"{kind}: {hole}"
    return frames, ""


def _hole(times: Sequence[float]) -> str:
    for before, after in pairwise(times):
        if after - before > JUMP_S:
            return f"nothing from {before:.2f} to {after:.2f} s"
    return ""


def read_mjr(path: Path) -> tuple[int, str]:
    """Packets of one of Janus's files: RTP as it came. A gap in the numbers is a fault."""
    numbers = []
    try:
        for chunk in _mjr_chunks(path.read_bytes()):
            numbers.append(chunk[2] << 8 | chunk[3])
    except (struct.error, IndexError, ValueError) as error:
        return len(numbers), str(error)
    if not numbers:
        return 0, "empty"
    holes = _holes(numbers)
    return len(numbers), f"{holes} packets missing" if holes else ""


def _mjr_chunks(data: bytes) -> Iterable[bytes]:
    """The packets behind the header: magic, size, JSON; then for each magic, time, size, packet."""
    at, described = 0, False
    while at < len(data):
        magic = data[at : at + 4]
        if magic == b"MJR0":
            (size,) = struct.unpack_from("!H", data, at + 8)
            json.loads(data[at + 10 : at + 10 + size])
            at, described = at + 10 + size, True
        elif magic == b"MEET" and described:
            (size,) = struct.unpack_from("!H", data, at + 8)
            yield data[at + 10 : at + 10 + size]
            at += 10 + size
        else:
            raise ValueError(f"not an mjr file at byte {at}")


def _holes(numbers: Sequence[int]) -> int:
    """In numbers of 16 bits that may wrap and come in another order."""
    extended, last = set(), numbers[0]
    for number in numbers:
        last += ((number - last + 0x8000) & 0xFFFF) - 0x8000
        extended.add(last)
    return max(extended) - min(extended) + 1 - len(extended)
