"""What sealing a file ends in: its last bytes, all of it on the disk for good, and its hash. Blocks."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

from media.recording.disk import write_at
from media.recording.webm import Write
from records.model import Gap

_PIECE = 1 << 22  # the interpreter's lock is asked for twice a piece; others run meanwhile


@dataclass(frozen=True)
class SealedInfo:
    duration: float  # seconds
    size: int  # bytes
    sha256: str  # hex
    gaps: tuple[Gap, ...]


def seal_file(fd: int, writes: Iterable[Write], duration: float, gaps: tuple[Gap, ...]) -> SealedInfo:
    """Raises OSError."""
    for offset, data in writes:
        write_at(fd, data, offset)
    os.fsync(fd)
    size, digest = _hash(fd)
    return SealedInfo(duration, size, digest, gaps)


def _hash(fd: int) -> tuple[int, str]:
    # At the end, not on the way: the head is filled in last and hashed first. An hour takes 0.3 s.
    digest, at, piece = hashlib.sha256(), 0, memoryview(bytearray(_PIECE))
    while size := os.preadv(fd, [piece], at):
        digest.update(piece[:size])
        at += size
    return at, digest.hexdigest()
