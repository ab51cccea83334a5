"""Packets are lost on both ways of both people: picture and sound go on, and the recording is whole."""

import asyncio
import time

import pytest

from tests.media.browser import inbound, pages
from tests.media.conftest import Control
from tests.media.impaired import Impaired, shown
from tests.media.link import Uniform
from tests.media.lossy import lossy

pytestmark = pytest.mark.e2e

LOST = 0.1
SECONDS = 12.0
QUIET_S = 1.5  # afterwards, so that what was lost last is repaired


async def test_ten_percent_lost_each_way_is_repaired(control: Control) -> None:
    async with pages(2) as both:
        with lossy(1, delay=0.025) as one, lossy(2, delay=0.025) as two:
            call = Impaired(control, both, (one, two), "call-1")
            await call.begin()
            before, began = await call.look(), time.monotonic()
            links = [one.up, one.down, two.up, two.down]
            for link in links:
                link.loss = Uniform(LOST)
            await asyncio.sleep(SECONDS)
            for link in links:
                link.loss = None
            took = time.monotonic() - began
            await asyncio.sleep(QUIET_S)
            after = await call.look()
            parts = await call.end()
    for seen in after:
        assert seen["outbound"]["camera"]["retransmitted"] > 10  # the node asked, the browser sent again
        assert inbound(seen, "camera", "repaired") > 10  # the browser asked, the node sent again
    for link in links:
        assert 0.05 < link.dropped / (SECONDS * 50) < 1.0  # fifty packets of sound a second are the least
    # On a good day it is 1 %, 1 % and none; without repair most of it all.
    viewers = shown(before, after, took)
    print(viewers, parts)
    assert viewers.fps > 10
    assert viewers.frozen < 0.25
    assert viewers.concealed < 0.08
    for part in parts:
        assert part.missing <= 0.05 * part.encoded
        assert part.silent <= 0.02 * part.sounds
