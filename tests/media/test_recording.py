"""What is kept of a call: played back by PyAV frame by frame, and by Chromium."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest

from media.protocol import CloseRoom, PartOpened, PartSealed, RoomClosed
from records.model import MediaKind
from tests.media.browser import connect, inbound, pages, stats, until
from tests.media.conftest import HALL, Control, StartNode, all_of

pytestmark = pytest.mark.e2e


async def test_a_recorded_call(control: Control) -> None:
    async with pages(2) as (resident, agent):
        room = await control.open("call-1")
        await connect(control, resident, room, "resident", kind="flash")
        await control.record(room, "resident", "agent")
        await connect(control, agent, room, "agent", kind="flash")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        await until(lambda: stats(agent), lambda seen: inbound(seen, "camera", "decoded") > 150)
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)
    for e in control.events:
        print(e)
    for path in control.recordings.rglob("*.webm"):
        print(path, path.stat().st_size)
        with av.open(str(path)) as c:
            print(c.duration, c.streams)
            n = 0
            last = None
            for f in c.decode(video=0):
                n += 1
                last = f
                if n == 1:
                    print("first", f.time, f.key_frame, f.width, f.height)
            print(n, last.time)
