"""A sender's rate follows what the path of the one who looks on carries, and is found again afterwards."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from tests.media.browser import pages, stats, until
from tests.media.conftest import Control
from tests.media.impaired import CAMERA, Impaired
from tests.media.lossy import lossy

pytestmark = pytest.mark.e2e

NOISE = "peer.noise(1280, 720)"
CAP = 500_000  # bit/s
WIDE = 1_200_000  # on a quiet machine it is 2.5 Mbit/s, on a busy one delays look like congestion
MOST = 2_500_000
QUEUE = 31_250  # bytes: half a second of it
NARROW_S = 8.0


def target(seen: dict[str, Any]) -> float:
    """Bit/s that the sender's encoder is to make."""
    found: float = seen["outbound"]["camera"]["target"]
    return found


async def aims(page: Page, low: float, high: float, within_s: float = 30.0) -> None:
    await until(lambda: stats(page), lambda seen: low <= target(seen) <= high, within_s)


async def test_a_sender_follows_its_viewers_path_down_and_up_again(control: Control) -> None:
    async with pages(2) as (resident, agent):
        with lossy(3, delay=0.025) as one, lossy(4, delay=0.025) as two:
            call = Impaired(control, (resident, agent), (one, two), "call-1")
            await call.begin((NOISE, CAMERA))
            await aims(resident, WIDE, MOST)
            two.down.queue, two.down.rate = QUEUE, CAP
            await aims(resident, 0, CAP)
            await asyncio.sleep(NARROW_S)
            await aims(resident, 0, CAP)
            two.down.rate = None
            await aims(resident, WIDE, MOST)
            await call.end()


async def test_a_sender_whose_own_path_was_narrow_soon_finds_that_it_is_no_more(control: Control) -> None:
    """By kit/nudge.js in some 4 s; by itself Chromium takes 16."""
    async with pages(2) as (resident, agent):
        with lossy(5, delay=0.025) as one, lossy(6, delay=0.025) as two:
            one.up.queue, one.up.rate = QUEUE, CAP
            call = Impaired(control, (resident, agent), (one, two), "call-1")
            await call.begin((NOISE, CAMERA))
            await asyncio.sleep(NARROW_S)
            await aims(resident, 0, CAP)
            one.up.rate = None
            await aims(resident, WIDE, MOST, within_s=12.0)
            await call.end()
