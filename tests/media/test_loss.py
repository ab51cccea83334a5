"""Packets are lost on both ways of both people; the picture goes on and the recording is whole."""

import pytest

from media.protocol import CloseRoom, PartSealed, RoomClosed
from tests.media.browser import connect, inbound, pages, stats, until
from tests.media.conftest import HALL, Control, all_of
from tests.media.lossy import lossy
from tests.media.playback import play

pytestmark = pytest.mark.e2e


async def test_five_percent_lost_each_way_is_repaired(control: Control) -> None:
    async with pages(2) as (resident, agent), lossy(1) as one, lossy(2) as two:
        room = await control.open("call-1")
        await connect(control, resident, room, "resident", by=one.through)
        await connect(control, agent, room, "agent", by=two.through)
        await control.record(room, "resident", "agent")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        await until(lambda: stats(agent), lambda seen: inbound(seen, "camera", "decoded") > 15)
        for way in (one, two):
            way.up = way.down = 0.05
        seen = await until(lambda: stats(agent), lambda seen: inbound(seen, "camera", "decoded") > 150, 15)
        sent = await stats(resident)
        assert one.lost > 10
        assert sent["outbound"]["camera"]["retransmitted"] > 0  # the node asked, the browser sent again
        assert inbound(seen, "camera", "repaired") > 0  # the browser asked, the node sent again
        assert inbound(seen, "camera", "freezes") <= 4
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
    for part in (e for e in control.events if isinstance(e, PartSealed)):
        assert sum(gap.end - gap.start for gap in part.gaps if gap.track == "video") < 0.5
        played = play(control.recordings / part.path)
        assert len(played.pictures) > 120
