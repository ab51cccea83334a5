"""Pages without the service: a server of the templates and static files under the real CSP, and a browser.

    pytestmark = pytest.mark.asyncio(loop_scope="module")     # one loop, one browser for a test module

    async def test_something(site: Site, browser: Browser) -> None:
        site.json["/api/catalogue"] = {...}
        async with opened(browser, site, width=1080, height=1920) as page: ...

Everything that a page logs as an error or throws fails the test when ``opened`` is left.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jinja2
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

WEB = Path(__file__).resolve().parents[2] / "web"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
CHROMIUM = os.environ.get("CHROMIUM") or "/usr/bin/chromium"
# What Playwright switches off, as Chromium heeds only the last such list, and the address bar's drop-down
# lists (WebUI): nobody sees them here, and they took a third of the processor's time for each new page.
WITHOUT = (
    *("AvoidCorsURLLoaderRestartOnRedirect", "AvoidUnnecessaryBeforeUnloadCheckSync", "AimEnabled"),
    *("DestroyProfileOnBrowserClose", "HttpsFirstBalancedModeAutoEnable", "HttpsUpgrades", "LensOverlay"),
    *("MediaRouter", "NetworkTimeServiceQuerying", "OptimizationHints", "PaintHolding", "PreconnectToSearch"),
    *("ThirdPartyStoragePartitioning", "WebUIOmniboxAimPopup", "WebUIOmniboxPopup"),
)
LEAN = f"--disable-features={','.join(WITHOUT)}"
FLAGS = [
    LEAN,
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--mute-audio",
]


class Site:
    """The test server. ``json`` maps a path to what GET and POST answer with: a value, or (status, value).
    ``posted`` keeps what was sent, as (path, body). ``/blank`` is a page with nothing on it."""

    def __init__(self) -> None:
        self.json: dict[str, Any] = {}
        self.context: dict[str, Any] = {"lang": "zh"}
        self.posted: list[tuple[str, Any]] = []
        self.url = ""
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(WEB / "templates"), autoescape=True
        )

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "POST":
            self.posted.append((request.path, await request.json()))
        if request.path in self.json:
            found = self.json[request.path]
            status, value = found if isinstance(found, tuple) else (200, found)
            return web.json_response(value, status=status)
        if request.path == "/blank":
            text = '<!doctype html><link rel="icon" href="/static/favicon.svg">'
            return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": CSP})
        name = f"{request.path.strip('/')}.html"
        if name not in self._templates.list_templates():
            raise web.HTTPNotFound
        text = self._templates.get_template(name).render(self.context)
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": CSP})


@asynccontextmanager
async def served() -> AsyncIterator[Site]:
    made = Site()
    app = web.Application()
    app.router.add_static("/static", WEB / "static")
    app.router.add_route("*", "/{tail:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture(loop_scope="module")
async def site() -> AsyncIterator[Site]:
    async with served() as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as chromium:
        yield chromium


@asynccontextmanager
async def opened(
    browser: Browser,
    site: Site,
    *,
    width: int,
    height: int,
    media: bool = True,
    scale: float = 1,
    clock: bool = False,
    forgive: tuple[str, ...] = (),
) -> AsyncIterator[Page]:
    """A fresh page with empty storage, not yet navigated. ``media`` grants camera and microphone, ``clock``
    gives the test the page's time. Errors that the page reports fail the test, except those that contain one
    of ``forgive``."""
    context = await browser.new_context(
        base_url=site.url,
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        permissions=["camera", "microphone"] if media else [],
        has_touch=True,
    )
    page = await context.new_page()
    page.set_default_timeout(8_000)
    if clock:
        await page.clock.install()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: _note(faults, message))
    try:
        yield page
    finally:
        await context.close()
    assert [fault for fault in faults if not any(word in fault for word in forgive)] == []


async def evaluated(page: Page, script: str, what: str) -> None:
    """Until the script gives something true."""
    deadline = asyncio.get_running_loop().time() + 20
    while not await page.evaluate(script):
        assert asyncio.get_running_loop().time() < deadline, f"waited too long for {what}"


def _note(faults: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        faults.append(message.text)
