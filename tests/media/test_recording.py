"""What is kept of a call: played back by PyAV frame by frame, and by Chromium."""

import hashlib
import os
import signal
import statistics
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page
from redis.asyncio import Redis

from media.protocol import CloseRoom, PartOpened, PartSealed, RoomClosed
from media.recording.repair import seal_orphan
from records.model import MediaKind
from tests.eventually import eventually
from tests.media.browser import connect, inbound, moves, pages, stats, until
from tests.media.conftest import HALL, Control, StartNode, all_of
from tests.media.parent import started
from tests.media.playback import av_offsets, onsets, play

pytestmark = pytest.mark.e2e


async def in_video_element(page: Page, url: str) -> Any:
    """Play the last half second in a <video> by seeking there; what the element says of the file."""
    return await page.evaluate(
        """async (url) => {
            const video = document.createElement("video");
            video.muted = true;
            video.src = url;
            const event = (name) => new Promise((resolve, reject) => {
                video.addEventListener(name, resolve, { once: true });
                video.addEventListener("error", () => reject(video.error.message), { once: true });
            });
            document.body.append(video);
            await event("loadedmetadata");
            const duration = video.duration;
            if (Number.isFinite(duration)) {
                video.currentTime = duration - 0.5;
                await event("seeked");
            }
            const ended = event("ended");
            await video.play();
            await ended;
            const quality = video.getVideoPlaybackQuality();
            return { duration, end: video.currentTime, frames: quality.totalVideoFrames };
        }""",
        url,
    )


async def test_a_recorded_call_plays_with_sound_and_picture_in_step(control: Control) -> None:
    async with pages(2, control.recordings) as (resident, agent):
        room = await control.open("call-1")
        await connect(control, resident, room, "resident", kind="flash")
        await control.record(room, "resident", "agent")
        await connect(control, agent, room, "agent")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        opened = await control.next(PartOpened)
        assert (opened.participant, opened.kind, opened.generation) == ("resident", MediaKind.CAMERA, 1)
        assert opened.path == "2026-11-23/call-1/resident-g1-camera.webm"
        # The share begins later, and its picture changes size in between.
        await agent.evaluate("peer.share(peer.drawn('#d00000', 640, 360))")
        await until(lambda: stats(resident), lambda seen: inbound(seen, "share", "decoded") > 45)
        await agent.evaluate("peer.canvas.width = 640, peer.canvas.height = 480")
        await until(lambda: stats(resident), lambda seen: _four_to_three(seen["inbound"]["share"]))
        await until(lambda: stats(agent), lambda seen: inbound(seen, "camera", "decoded") > 210)
        await control.send(CloseRoom(HALL, room))
        closed = await control.next(RoomClosed)
        sealed = {(str(e.participant), e.kind): e for e in control.events if isinstance(e, PartSealed)}
        assert set(sealed) == {
            ("resident", MediaKind.CAMERA),
            ("agent", MediaKind.CAMERA),
            ("agent", MediaKind.SHARE),
        }
        for part in sealed.values():
            path = control.recordings / part.path
            data = path.read_bytes()
            assert (len(data), hashlib.sha256(data).hexdigest()) == (part.size, part.sha256)
            assert path.stat().st_mode & 0o777 == 0o600
            assert not part.gaps
            assert part.started_at + part.duration == pytest.approx(closed.at, abs=0.3)
            shown = await in_video_element(resident, f"/files/{part.path}")
            assert shown["duration"] == pytest.approx(part.duration, abs=0.05)
            assert shown["end"] == pytest.approx(part.duration, abs=0.3)

    played = play(control.recordings / sealed["resident", MediaKind.CAMERA].path)
    assert played.first_is_key
    assert played.pictures[0][0] < 0.5
    assert played.sound[0][0] < 0.3
    assert played.duration == pytest.approx(sealed["resident", MediaKind.CAMERA].duration, abs=0.05)
    offsets = av_offsets(played)
    print(f"beep after flash: {[round(o * 1000) for o in offsets]} ms")
    assert len(offsets) >= 5
    assert abs(statistics.median(offsets)) < 0.08
    # One flash may have been drawn late by the browser; more than one is the recording's fault.
    assert sorted(map(abs, offsets))[-2] < 0.08
    gaps = [b - a for a, b in zip(onsets(played.sound, 0.05), onsets(played.sound, 0.05)[1:], strict=False)]
    assert all(g == pytest.approx(1.0, abs=0.1) for g in gaps)

    share = play(control.recordings / sealed["agent", MediaKind.SHARE].path)
    assert share.first_is_key
    assert share.pictures[0][0] < 0.05
    assert len({round(width / height, 1) for width, height in share.sizes}) == 2


def _four_to_three(shown: dict[str, int]) -> bool:
    return shown["height"] > 0 and round(shown["width"] / shown["height"], 2) == 1.33


async def test_a_killed_node_leaves_a_file_that_plays_and_can_be_sealed(control: Control) -> None:
    async with pages(1, control.recordings) as (resident,):
        room = await control.open("call-1")
        await connect(control, resident, room, "resident", kind="flash")
        await control.record(room, "resident")
        opened = await control.next(PartOpened)
        path = control.recordings / opened.path
        await until(lambda: stats(resident), lambda seen: seen["outbound"]["camera"]["encoded"] > 150)
        control.process.send_signal(signal.SIGKILL)
        control.process.wait()
        killed = await resident.evaluate("Date.now() / 1000")
        lasted = killed - opened.started_at

        played = play(path)
        assert played.first_is_key
        assert played.pictures[-1][0] > lasted - 1.0
        assert played.sound[-1][0] > lasted - 1.0
        shown = await in_video_element(resident, f"/files/{opened.path}")
        assert shown["frames"] > 100
        assert shown["end"] > lasted - 1.2

        info = seal_orphan(path)
        assert info.duration > lasted - 1.0
        assert [gap.reason for gap in info.gaps] == ["node_died"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == info.sha256
        shown = await in_video_element(resident, f"/files/{opened.path}?sealed")
        assert shown["duration"] == pytest.approx(info.duration, abs=0.05)
    again = seal_orphan(path)
    assert (again.sha256, again.duration) == (info.sha256, info.duration)


async def test_what_a_worker_that_hangs_was_writing_is_whole_and_its_successor_writes_the_next_part(
    redis: Redis, valkey_socket: Path, tmp_path: Path
) -> None:
    async with started(redis, valkey_socket, tmp_path, 0) as parent, pages(1) as (resident,):
        (hangs,) = await parent.up(1)
        control = parent.control(hangs.node)
        room = await control.open("call-1")
        await connect(control, resident, room, "resident")
        await control.record(room, "resident")
        first = tmp_path / (await control.next(PartOpened)).path
        await eventually(lambda: first.exists() and first.stat().st_size > 100_000, within_s=10)
        os.kill(hangs.pid, signal.SIGSTOP)
        await parent.down(hangs.node, within_s=5)
        (successor,) = await parent.up(1, without=frozenset({hangs.node}))
        written = first.read_bytes()

        control.node = successor.node
        await control.open("call-1")
        await connect(control, resident, room, "resident", generation=2)
        await control.record(room, "resident")
        opened = await control.next(PartOpened)
        second = tmp_path / opened.path
        assert (opened.generation, second != first) == (2, True)
        await eventually(lambda: second.exists() and second.stat().st_size > 50_000, within_s=10)
        assert first.read_bytes() == written, "nobody writes to it any more"
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
    info = seal_orphan(first)
    assert [gap.reason for gap in info.gaps] == ["node_died"]
    assert len(play(first).pictures) > 20
    assert len(play(second).pictures) > 10


# Stands in for PyAV and aiortc's codecs: whatever is done with them ends the process.
_POISONED = """
import importlib.abc, importlib.machinery, os, sys, types

class Never:
    def __init__(self, *a, **k): sys.stderr.write("a codec was used\\n"); os._exit(3)
    def __init_subclass__(cls, **k): pass
    def __class_getitem__(cls, item): return cls

class Poison(types.ModuleType):
    __path__ = []
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Never

class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name == "av" or name.startswith("av.") or name.startswith("aiortc.codecs."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
    def create_module(self, spec): return Poison(spec.name)
    def exec_module(self, module): pass

sys.meta_path.insert(0, Finder())
"""


async def test_nothing_is_decoded_or_encoded(start_node: StartNode, node_program: str) -> None:
    control: Control = await start_node(program=_POISONED + node_program)
    async with pages(2) as (resident, agent):
        room = await control.open("call-1")
        await control.record(room, "resident", "agent")
        await connect(control, resident, room, "resident")
        await connect(control, agent, room, "agent")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        for page in (resident, agent):
            seen = await moves(page, "camera", 45)
            assert inbound(seen, "mic", "energy") > 0
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
    assert control.process.poll() is None
    parts = [control.recordings / e.path for e in control.events if isinstance(e, PartSealed)]
    assert len(parts) == 2
    assert all(len(play(path).pictures) > 40 for path in parts)
