"""Disks that stall, fill up and refuse: real files, real errors."""

import asyncio
import hashlib
import itertools
import json
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from media.protocol import Source
from media.recording.disk import Disk, PartFile
from media.recording.repair import seal_orphan
from media.recording.webm import Write
from records.model import MediaKind
from tests.media.playback import play
from tests.media.recording.sender import Sender


async def test_a_disk_that_stalls_is_seen_by_no_packet_and_costs_nothing(sender: Sender) -> None:
    stalled = threading.Event()
    sender.disk.submit(stalled.wait, 0)
    for number in range(150):
        sender.picture(number, number / 30)
        sender.sound(number, number / 30, stamp=round(number * 5 / 3))
    assert list(sender.folder.iterdir()) == []
    assert sender.disk.lag_ms(time.monotonic() + 5.0) > 5000
    stalled.set()
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert info.gaps == ()
    assert len(play(path).pictures) == 150
    await sender.disk.drained()
    assert sender.disk.lag_ms(time.monotonic()) < 1000


async def test_an_fsync_that_hangs_does_not_hold_up_what_is_written(sender: Sender) -> None:
    hangs = threading.Event()
    sender.disk.submit_slow(hangs.wait)
    for number in range(60):
        sender.picture(number, number / 30)
    await sender.disk.drained()
    (path,) = sender.folder.iterdir()
    assert len(play(path).pictures) > 30
    hangs.set()
    await sender.seal()


async def test_a_backlog_without_end_is_cut_off_and_listed(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.recording.disk.MAX_BACKLOG", 20_000)
    stalled = threading.Event()
    for number in range(240):
        if number == 30:
            sender.disk.submit(stalled.wait, 0)
        if number == 150:
            stalled.set()
        if number >= 150:
            await sender.disk.drained()
        sender.picture(number, number / 30)
        sender.sound(number, number / 30, stamp=round(number * 5 / 3))
    path, info = (await sender.seal())[MediaKind.CAMERA]
    assert {(gap.track, gap.reason) for gap in info.gaps} == {("audio", "disk"), ("video", "disk")}
    first, second = (gap.start for gap in info.gaps)
    assert 1.0 < first < 4.5  # a backlog of two seconds after the disk stalled, and a flush
    assert second == pytest.approx(first, abs=0.15)
    assert sorted(gap.end for gap in info.gaps) == pytest.approx([5.0, 6.0], abs=0.15)
    played = play(path)
    assert played.pictures[-1][0] == pytest.approx(239 / 30, abs=0.05)
    assert info.duration == pytest.approx(8.0, abs=0.05)


async def test_files_are_not_flushed_all_at_once(disk: Disk) -> None:
    phases = sorted(disk.phase() for _ in range(120))
    assert max(b - a for a, b in itertools.pairwise(phases)) < 3 / 120


async def test_a_folder_that_cannot_be_made_costs_the_part_and_nothing_else(
    sender: Sender, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    broken = Sender(tmp_path / "file" / "call", sender.disk)
    for number in range(300):
        for one in (sender, broken):
            one.sound(number, 0.02 * number)
        await sender.disk.drained()
    assert await broken.seal() == {}
    assert broken.opened == []
    assert [r.levelno for r in caplog.records if "stops" in r.message] == [logging.ERROR]
    _, info = (await sender.seal())[MediaKind.CAMERA]
    assert (info.gaps, round(info.duration)) == ((), 6)


_FULL = """
import asyncio, json, resource, signal, sys, time
from pathlib import Path
from media.protocol import Source
from media.recording.disk import Disk
from tests.media.recording.sender import Sender

async def main(folder, limit, later):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    disk = Disk()
    sender = Sender(Path(folder), disk)
    for number in range(900):
        if number == 60:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        if number == 400:
            resource.setrlimit(resource.RLIMIT_FSIZE, (later, resource.RLIM_INFINITY))
        sender.sound(number, number / 30, stamp=round(number * 5 / 3))
        sender.picture(number, number / 30)
        await disk.drained()
    sealed = await sender.recorder.seal()
    print(json.dumps([
        [o.path.name, i.duration, i.size, i.sha256, [[g.start, g.end, g.track, g.reason] for g in i.gaps]]
        for o, i in sealed
    ]))
    print(json.dumps([[o.path.name, o.started_at - sender.opened[0].started_at] for o in sender.opened]))
    disk.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


async def test_a_disk_that_is_full_ends_the_part_cleanly_and_another_follows(tmp_path: Path) -> None:
    """RLIMIT_FSIZE: real errors from the real write, in the middle of it."""
    found = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _FULL, str(tmp_path), "50000", "100000000"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    sealed, opened = map(json.loads, found.stdout.splitlines())
    assert [name for name, *_ in sealed] == ["p-g1-camera.webm", "p-g1-camera-r2.webm"]
    assert [name for name, _ in opened] == [name for name, *_ in sealed]
    assert found.stderr.count("File too large") == 1
    (_, duration, size, digest, gaps), (_, longer, *_) = sealed
    data = (tmp_path / "p-g1-camera.webm").read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (size, digest)
    assert size <= 50_000
    assert [gap[3] for gap in gaps] == ["disk"]
    assert gaps[0][0] == pytest.approx(duration, abs=0.001)
    played = play(tmp_path / "p-g1-camera.webm")
    assert played.duration == pytest.approx(duration, abs=0.01)
    assert len(played.pictures) == pytest.approx(duration * 30, abs=3)
    # Tried again ten seconds later, when there was room, on the same time line.
    assert opened[1][1] == pytest.approx(duration + 10, abs=1.5)
    assert opened[1][1] + longer == pytest.approx(30.0, abs=0.1)
    again = play(tmp_path / "p-g1-camera-r2.webm")
    assert again.first_is_key


async def test_a_disk_that_stays_full_leaves_no_crumbs(tmp_path: Path) -> None:
    found = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _FULL, str(tmp_path), "1000", "1000"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 0, found.stderr
    sealed, _ = map(json.loads, found.stdout.splitlines())
    assert os.listdir(tmp_path) == [name for name, *_ in sealed]
    assert found.stderr.count("File too large") == 1


async def test_whatever_goes_wrong_in_sealing_is_said_and_hides_no_other_part(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(60):
        sender.sound(number, number / 30, stamp=round(number * 5 / 3))
        sender.picture(number, number / 30, source=Source.SHARE)
    await sender.disk.drained()
    file = sender.recorder._takes[MediaKind.CAMERA].parts._current.file  # type: ignore[union-attr]
    assert file is not None
    os.close(file._fd)  # as if the descriptor had been lost: EBADF
    file._fd = os.open(os.devnull, os.O_RDONLY)
    parts = await sender.seal()
    assert list(parts) == [MediaKind.SHARE]
    assert len(sender.opened) == 2
    assert "is left as it is, to be repaired" in caplog.text
    assert seal_orphan(sender.folder / "p-g1-camera.webm").duration > 1.0


async def test_the_descriptor_is_closed_whatever_happens(disk: Disk, tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))

    def fails(fd: int, failed: Exception | None) -> None:
        raise RuntimeError("no such luck")

    file = PartFile(disk, tmp_path / "x.webm")
    file.write([Write(0, b"bytes")])
    with pytest.raises(RuntimeError):
        await asyncio.wrap_future(file.seal(fails))
    assert len(os.listdir("/proc/self/fd")) == before
