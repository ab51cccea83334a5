"""Pictures of every screen of the station's page, for docs/screens/.

    python -m tests.web.station_pictures docs/screens

Both languages and large type, upright and lying; scaled down, as <turn>-<mode>-<nn>-<screen>.png.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
from playwright.async_api import Browser

from signaling import messages
from tests.web.pages import Site, launched, served
from tests.web.resident import SHARED_SLOTS, Resident, active_call, at_station, ended_call, waiting_call

SCALE = 0.4
SETTLE_MS = 400  # a picture of moving pictures: let them come
TURNS = {"portrait": (1080, 1920), "landscape": (1920, 1080)}
SETS = (("portrait", "zh"), ("portrait", "en"), ("landscape", "large"))
Shot = Callable[[str], Awaitable[None]]


async def before_the_call(resident: Resident, shot: Shot) -> None:
    page = resident.page
    await shot("01-welcome")
    await page.locator(".entry").nth(2).click()
    await shot("02-progress")
    await page.locator(".foot .button").nth(1).click()
    await page.locator(".entry").nth(0).click()
    await shot("03-zones")
    await page.locator(".tile.seek").click()
    await page.get_by_role("textbox").fill("sb")
    await shot("04-search")
    await page.locator(".foot .button").nth(0).click()
    await page.locator(".tile").nth(2).click()
    await shot("05-items")
    await page.locator(".row").first.click()
    await shot("06-item")
    await page.locator(".act").click()
    await shot("07-consent")
    await page.locator(".choices .button").first.click()


async def the_call(resident: Resident, shot: Shot) -> None:
    page = resident.page
    item = (await resident.server.asked(messages.Call)).item
    resident.told(waiting_call(item))
    await shot("08-waiting")
    resident.told({**waiting_call(item), "on_duty": 0})
    await shot("09-nobody-on-duty")
    await resident.offered_media()
    resident.told(active_call(item))
    await page.wait_for_timeout(2 * SETTLE_MS)
    await shot("10-call")
    resident.told(active_call(item, sharing=True, slots=msgspec.to_builtins(SHARED_SLOTS)))
    await page.wait_for_timeout(2 * SETTLE_MS)
    await shot("11-shared-form")
    await page.locator(".controls .end").click()
    await shot("12-end")
    await page.locator(".dialog .end").click()
    resident.told(ended_call(item))
    await shot("13-rating")
    await page.locator(".mood-2").click()
    await shot("14-reasons")
    await page.locator(".reasons .primary").click()
    await shot("15-thanks")


async def visit(browser: Browser, site: Site, folder: Path, turn: str, mode: str) -> None:
    width, height = TURNS[turn]
    async with at_station(browser, site, width=width, height=height, scale=SCALE) as resident:

        async def shot(name: str) -> None:
            await resident.page.wait_for_timeout(SETTLE_MS)
            await resident.page.screenshot(path=folder / f"station-{turn}-{mode}-{name}.png")

        if mode != "zh":
            await resident.page.locator(".ease .button").nth(int(mode == "en")).click()
        await before_the_call(resident, shot)
        await the_call(resident, shot)


async def main(folder: Path) -> None:
    async with served() as site, launched() as browser:
        for turn, mode in SETS:
            await visit(browser, site, folder, turn, mode)


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1])))
