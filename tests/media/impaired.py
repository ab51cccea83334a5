"""A call of two real browsers, each on a bad path of its own, and what became of it.

What was recorded is compared with what was encoded, picture by picture: the camera is put on after the
recording has begun and taken off before the room is closed, so both counts are of the same pictures.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from playwright.async_api import Page

from media.protocol import CloseRoom, PartOpened, PartSealed, RoomClosed
from media.wire.opus import SILENCE
from tests.media.browser import connect, inbound, stats, until
from tests.media.conftest import HALL, Control, all_of
from tests.media.lossy import Lossy

PEOPLE = ("resident", "agent")
CAMERA = """navigator.mediaDevices
    .getUserMedia({ video: { width: 640, height: 480, frameRate: 30 } })
    .then((stream) => stream.getVideoTracks()[0])"""
# Made once for each page and kept: what is stopped may not begin again.
_TAKE = """async (camera) => {
    peer.media ??= new MediaStream([peer.voice()]);
    peer.cameras ??= {};
    peer.camera = peer.cameras[camera] ??= await eval(camera);
}"""
STOPPED_S = 0.5  # for the last picture to leave the encoder
Look = Sequence[dict[str, Any]]  # peer.js's stats of each page


@dataclass(frozen=True)
class Shown:
    """What both viewers saw and heard between two looks, as shares of 1."""

    frozen: float  # of the time; a freeze as libwebrtc counts it
    concealed: float  # of the samples, silence that was made longer left out
    fps: float


@dataclass(frozen=True)
class Kept:
    """One part against what its sender encoded."""

    encoded: int
    recorded: int
    silent: int  # packets of sound that were lost and stand in the file as silence
    sounds: int  # all packets of sound in it
    gaps: tuple[tuple[float, float, str, str], ...]

    @property
    def missing(self) -> int:
        return self.encoded - self.recorded


def shown(before: Look, after: Look, seconds: float) -> Shown:
    def grown(mid: str, what: str) -> float:
        return sum(inbound(b, mid, what) - inbound(a, mid, what) for a, b in zip(before, after, strict=True))

    viewers = len(before)
    return Shown(
        frozen=grown("camera", "frozen") / seconds / viewers,
        concealed=(grown("mic", "concealed") - grown("mic", "silent")) / max(1.0, grown("mic", "samples")),
        fps=grown("camera", "decoded") / seconds / viewers,
    )


class Impaired:
    """One call, from ``begin`` to ``end``; ``began`` is when pictures did. The pages can be used again for
    another one."""

    def __init__(self, control: Control, pages: Sequence[Page], ways: Sequence[Lossy], room: str) -> None:
        self.began = 0.0
        self._control, self._pages, self._ways, self._name = control, pages, ways, room

    async def begin(self, cameras: Sequence[str] = (CAMERA, CAMERA)) -> None:
        """``cameras``: JavaScript that makes each one's video track. Both see and hear each other when it
        returns."""
        control = self._control
        self._room = room = await control.open(self._name)
        for page, way, who, camera in zip(self._pages, self._ways, PEOPLE, cameras, strict=True):
            await page.evaluate(_TAKE, camera)
            await connect(control, page, room, who, by=way.through)
        await control.record(room, *PEOPLE)
        for _ in PEOPLE:
            await control.next(PartOpened)
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        self.began = time.monotonic()
        for page in self._pages:
            await page.evaluate("peer.transceiver('camera').sender.replaceTrack(peer.camera)")
        for page in self._pages:
            await until(lambda page=page: stats(page), lambda seen: inbound(seen, "camera", "decoded") > 15)  # type: ignore[misc]

    async def look(self) -> Look:
        return await asyncio.gather(*(stats(page) for page in self._pages))

    async def end(self) -> list[Kept]:
        """Hang up. To be called on a path that has lost nothing for a moment: nobody asks for the last packet
        of all."""
        for page in self._pages:
            await page.evaluate("peer.transceiver('camera').sender.replaceTrack(null)")
        await asyncio.sleep(STOPPED_S)
        look = await self.look()
        control = self._control
        await control.send(CloseRoom(HALL, self._room))
        await control.next(RoomClosed)
        parts = {
            str(e.participant): e
            for e in control.events
            if isinstance(e, PartSealed) and e.room == self._room
        }
        return [
            await asyncio.to_thread(
                kept, control.recordings / parts[who].path, parts[who], seen["outbound"]["camera"]["encoded"]
            )
            for who, seen in zip(PEOPLE, look, strict=True)
        ]


def kept(path: Path, part: PartSealed, encoded: int) -> Kept:
    """Decodes everything. Raises av.FFmpegError when something in the file is broken."""
    recorded = sounds = silent = 0
    with av.open(str(path)) as container:
        for packet in container.demux():
            if not packet.size:
                continue
            if packet.stream.type == "video":
                frames = packet.decode()
                assert len(frames) == 1, f"a picture at {packet.pts} that decodes to {len(frames)}"
                recorded += 1
            else:
                packet.decode()
                sounds += 1
                silent += bytes(packet) == SILENCE
    gaps = tuple((gap.start, gap.end, gap.track, gap.reason) for gap in part.gaps)
    return Kept(encoded, recorded, silent, sounds, gaps)
