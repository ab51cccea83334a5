"""Real Chromium pages that talk to the node; see peer.js for what a page can do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from media.protocol import Connected
from tests.media.conftest import Control
from tests.web.pages import CHROMIUM

HERE = Path(__file__).parent
KIT = HERE.parents[1] / "web" / "static" / "js" / "kit"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"),
    *("--autoplay-policy=no-user-gesture-required", "--disable-background-timer-throttling"),
    *("--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"),
]


@asynccontextmanager
async def pages(
    count: int, folder: Path | None = None, flags: Sequence[str] = ()
) -> AsyncIterator[list[Page]]:
    """So many pages in one Chromium, each in a context of its own. ``folder`` is served under /files/,
    ``flags`` are more of Chromium's."""
    async with _site(folder) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        try:
            yield [await _page(browser, address) for _ in range(count)]
        finally:
            await browser.close()


async def _page(browser: Browser, address: str) -> Page:
    context = await browser.new_context(permissions=["camera", "microphone"], base_url=address)
    page = await context.new_page()
    await page.goto("/peer.html")
    return page


@asynccontextmanager
async def _site(folder: Path | None) -> AsyncIterator[str]:
    async def own(request: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / f"peer.{request.match_info['kind']}")

    app = web.Application()
    app.router.add_get("/peer.{kind:html|js}", own)
    app.router.add_static("/kit/", KIT)
    if folder is not None:
        app.router.add_static("/files/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def connect(
    control: Control,
    page: Page,
    room: str,
    who: str,
    generation: int = 1,
    kind: str = "camera",
    by: Callable[[str], str] = str,
) -> None:
    """Join, answer, and be connected. ``by`` may change the offer on its way to the page."""
    offered = await control.join(room, who, generation)
    sdp = await page.evaluate("([offer, kind]) => peer.answer(offer, kind)", [by(offered.sdp), kind])
    await control.answer(room, who, sdp, generation)
    connected = await control.next(Connected)
    assert (connected.participant, connected.generation) == (who, generation)


async def stats(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate("() => peer.stats()")
    return found


async def until(
    look: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], within_s: float = 10.0
) -> Any:
    """Look until what is seen holds; the last look is in the error when it never did."""
    seen: Any = None
    try:
        async with asyncio.timeout(within_s):
            while True:
                seen = await look()
                if holds(seen):
                    return seen
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within {within_s} s; last seen: {seen}") from None


def inbound(seen: dict[str, Any], mid: str, what: str) -> float:
    """One number of what arrives on a MID; 0 before anything did."""
    value: float = seen["inbound"].get(mid, {}).get(what, 0)
    return value


async def moves(page: Page, mid: str, frames: int = 30, within_s: float = 10.0) -> dict[str, Any]:
    """So many more frames are decoded."""
    before = inbound(await stats(page), mid, "decoded")
    found: dict[str, Any] = await until(
        lambda: stats(page), lambda seen: inbound(seen, mid, "decoded") >= before + frames, within_s
    )
    return found
