"""What the node's process has, counted now and again; how it grew; the verdict."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MB = 1e6
_PAGE = os.sysconf("SC_PAGE_SIZE")
COLUMNS = ("RSS MB", "fds", "threads", "tasks", "objects")
LOST = 0.02  # of the packets, at most: pictures make way on a machine that is busy with other things
SPARE_FDS = 2  # connections to Redis that are made when two things are to be said at once, and kept


@dataclass(frozen=True)
class Sample:
    """``at`` is calls made or minutes passed; ``rss`` in bytes; ``objects`` those of ``node.KINDS``; ``sent``
    and ``lost`` are packets since the sample before."""

    at: float
    rss: int
    fds: int
    threads: int
    tasks: int
    objects: int
    sent: int = 0
    lost: int = 0

    @property
    def kept(self) -> tuple[int, int, int, int]:
        """What has to be the same each time: no allocator rounds it."""
        return self.fds, self.threads, self.tasks, self.objects


def taken(at: float, pid: int, counts: str, sent: int = 0, lost: int = 0) -> Sample:
    """``counts`` as the node wrote them."""
    found = json.loads(counts)
    tasks = found.pop("tasks")
    process = Path(f"/proc/{pid}")
    return Sample(
        at,
        int((process / "statm").read_text().split()[1]) * _PAGE,
        len(list((process / "fd").iterdir())),
        len(list((process / "task").iterdir())),
        tasks,
        sum(found.values()),
        sent,
        lost,
    )


def rss_slope(samples: Sequence[Sample]) -> float:
    """Bytes for each call, or minute: the line of least squares through the later half, as what is allocated
    once is allocated early. 0 when there are fewer than two samples."""
    late = samples[len(samples) // 2 :] if len(samples) > 3 else samples
    mean_at = sum(s.at for s in late) / max(len(late), 1)
    mean_rss = sum(s.rss for s in late) / max(len(late), 1)
    spread = sum((s.at - mean_at) ** 2 for s in late)
    return sum((s.at - mean_at) * (s.rss - mean_rss) for s in late) / spread if spread else 0.0


def head(unit: str) -> str:
    return "".join(word.rjust(9) for word in (unit, *COLUMNS, "lost"))


def row(sample: Sample) -> str:
    numbers = (f"{sample.at:.0f}", f"{sample.rss / MB:.1f}", *map(str, sample.kept))
    return "".join(word.rjust(9) for word in (*numbers, f"{sample.lost}/{sample.sent}".rjust(12)))


def grown(samples: Sequence[Sample], per: float, unit: str) -> str:
    """The last line of a table."""
    first, last = samples[0], samples[-1]
    steps = (last.at - first.at) / per or 1.0
    others = [
        f"{name} {(b - a) / steps:+.2f}"
        for name, a, b in zip(COLUMNS[1:], first.kept, last.kept, strict=True)
    ]
    rss = f"RSS {per * rss_slope(samples) / MB:+.3f} MB"
    return f"growth per {per:.0f} {unit}: {', '.join([rss, *others])}"


def faults(samples: Sequence[Sample], per: float, bound: float) -> list[str]:
    """What grew that may not: anything counted, or the RSS by more than ``bound`` bytes a ``per``."""
    first, last = samples[0], samples[-1]
    found = [
        f"{name} {a} -> {b}"
        for name, a, b in zip(COLUMNS[1:], first.kept, last.kept, strict=True)
        if b > a + (SPARE_FDS if name == "fds" else 0)
    ]
    slope = per * rss_slope(samples)
    if slope > bound:
        found.append(f"RSS grows by {slope / MB:.2f} MB per {per:.0f}")
    sent, lost = sum(sample.sent for sample in samples), sum(sample.lost for sample in samples)
    if lost > LOST * sent:
        found.append(f"{lost} of {sent} packets lost")
    return found
