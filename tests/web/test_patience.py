"""How long pictures wait for what is sent again: the kit's rule, in a real browser."""

import pytest
from playwright.async_api import Browser

from tests.web.pages import Site, opened

in_browser = pytest.mark.asyncio(loop_scope="module")

LOOKS = """async (looks) => {
  const { Patience } = await import("/static/js/kit/patience.js");
  const patience = new Patience();
  const sum = { packets: 0, repaired: 0, freezes: 0 };
  return looks.map(([packets, repaired, freezes]) => {
    sum.packets += packets;
    sum.repaired += repaired;
    sum.freezes += freezes;
    return patience.look({ ...sum });
  });
}"""


async def waits(browser: Browser, site: Site, looks: list[tuple[int, int, int]]) -> list[int]:
    """What a track waits after each look: packets, of which sent again, and freezes since the last one."""
    async with opened(browser, site, width=400, height=300) as page:
        await page.goto("/blank")
        found: list[int] = await page.evaluate(LOOKS, [list(look) for look in looks])
        return found


@in_browser
async def test_nothing_waits_on_a_good_path(browser: Browser, site: Site) -> None:
    assert set(await waits(browser, site, [(130, 0, 0), (130, 1, 0), (0, 0, 0)] * 10)) == {0}


@in_browser
async def test_the_more_is_lost_the_longer_pictures_wait(browser: Browser, site: Site) -> None:
    assert await waits(browser, site, [(100, 2, 0), (100, 6, 0), (100, 20, 0)]) == [180, 330, 420]


@in_browser
async def test_a_freeze_means_more_though_nothing_is_lost_here(browser: Browser, site: Site) -> None:
    looks = [(100, 0, 0), (100, 0, 1), (100, 0, 1), (100, 0, 1), (100, 0, 1)]
    assert await waits(browser, site, looks) == [0, 150, 300, 450, 450]


@in_browser
async def test_after_a_while_without_loss_pictures_come_sooner_again(browser: Browser, site: Site) -> None:
    found = await waits(browser, site, [(100, 20, 0)] + [(100, 0, 0)] * 60)
    assert found[:21] == [420] * 21
    assert found[21:24] == [400, 380, 360]
    assert found[-1] == 0
