"""Two people in real browsers, forwarded by the real node."""

import pytest

from media.protocol import CloseRoom, RoomClosed
from tests.media.browser import connect, inbound, pages, stats, until
from tests.media.conftest import HALL, Control, all_of

pytestmark = pytest.mark.e2e


async def test_two_people_see_and_hear_each_other(control: Control) -> None:
    async with pages(2) as (resident, agent):
        room = await control.open("call-1")
        await connect(control, resident, room, "resident")
        await connect(control, agent, room, "agent")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        for page in (resident, agent):
            await until(
                lambda page=page: stats(page),
                lambda seen: (
                    inbound(seen, "camera", "decoded") > 60 and inbound(seen, "mic", "energy") > 0.001
                ),
            )
        print(await stats(resident))
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
