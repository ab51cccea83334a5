"""Pictures in other codecs than VP8: shown to the other one, and recorded."""

from pathlib import Path

import av
import pytest
from playwright.async_api import Page

from media.protocol import CloseRoom, Connected, PartSealed, RoomClosed, RoomId, VideoCodec
from records.model import MediaKind
from tests.media.browser import connect, inbound, moves, pages, stats, until
from tests.media.conftest import HALL, Control, all_of
from tests.media.playback import play
from tests.media.test_recording import in_video_element

pytestmark = pytest.mark.e2e

SEND_IN = """async ([mid, name]) => {
  const { sender } = peer.transceiver(mid);
  const parameters = sender.getParameters();
  parameters.encodings[0].codec = parameters.codecs.find(({ mimeType }) => mimeType === `video/${name}`);
  await sender.setParameters(parameters);
}"""
SHARE = "peer.share(peer.drawn('#d00000', 640, 360))"
SEEN_IN = """async (mid) => {
  const stats = await peer.pc.getStats();
  const seen = [...stats.values()].find((entry) => entry.type === "inbound-rtp" && entry.mid === mid);
  return stats.get(seen?.codecId)?.mimeType;
}"""


async def seen_in(page: Page, mid: str, codec: str) -> None:
    """More pictures are decoded, and they are in this codec."""
    await until(lambda: page.evaluate(SEEN_IN, mid), lambda seen: seen == f"video/{codec}")
    await moves(page, mid, 20)


def codec_of(path: Path) -> str:
    with av.open(str(path)) as file:
        return file.streams.video[0].codec_context.codec.canonical_name


async def over(control: Control, room: RoomId) -> list[PartSealed]:
    await control.send(CloseRoom(HALL, room))
    await control.next(RoomClosed)
    return [event for event in control.events if isinstance(event, PartSealed)]


async def test_a_screen_in_av1_and_vp9_is_seen_and_recorded_each_as_a_part(control: Control) -> None:
    async with pages(2, control.recordings) as (resident, agent):
        room = await control.open("call-1")
        await connect(control, resident, room, "resident", kind="none")
        await connect(control, agent, room, "agent", kind="none")
        takes = [event.takes for event in control.events if isinstance(event, Connected)]
        assert takes == [tuple(VideoCodec)] * 2
        await control.record(room, "agent")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        await agent.evaluate(SHARE)
        for codec in ("AV1", "VP9", "VP8"):
            await agent.evaluate(SEND_IN, ["share", codec])
            await seen_in(resident, "share", codec)
        assert inbound(await stats(resident), "share", "freezes") <= 1
        shares = [part for part in await over(control, room) if part.kind is MediaKind.SHARE]
        for part in shares:
            shown = await in_video_element(resident, f"/files/{part.path}")
            assert shown["duration"] == pytest.approx(part.duration, abs=0.05)
    played = [play(control.recordings / part.path) for part in shares]
    assert [codec_of(control.recordings / part.path) for part in shares] == ["av1", "vp9", "vp8"]
    for each, part in zip(played, shares, strict=True):
        assert each.first_is_key
        assert not part.gaps
        assert len(each.pictures) >= 15


async def test_a_camera_in_h264_is_seen_and_recorded(control: Control) -> None:
    async with pages(2, control.recordings) as (resident, agent):
        room = await control.open("call-1")
        await control.record(room, "resident")
        await connect(control, resident, room, "resident")
        await resident.evaluate(SEND_IN, ["camera", "H264"])
        await connect(control, agent, room, "agent", kind="none")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        await seen_in(agent, "camera", "H264")
        (*_, part) = await over(control, room)
        assert Path(part.path).suffix == ".mkv"
        shown = await in_video_element(agent, f"/files/{part.path}")
        assert shown["duration"] == pytest.approx(part.duration, abs=0.05)
        assert shown["frames"] > 5
    played = play(control.recordings / part.path)
    assert codec_of(control.recordings / part.path) == "h264"
    assert played.first_is_key
    assert len(played.pictures) >= 20
    assert max(loud for _, loud in played.sound) > 0.01
