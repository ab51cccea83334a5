"""A hall of its own for every story, so that none disturbs the next; the browsers are kept for a module."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.e2e.people import AGENT, RESIDENT, camera_browser
from tests.e2e.service import Service, running


@dataclass(frozen=True)
class Hall:
    """The service, a browser for stations and one for those who work in the hall."""

    service: Service
    stations: Browser
    staff: Browser


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Browser, Browser]]:
    folder = tmp_path_factory.mktemp("cameras")
    async with (
        async_playwright() as playwright,
        camera_browser(playwright, RESIDENT, folder) as stations,
        camera_browser(playwright, AGENT, folder) as staff,
    ):
        yield stations, staff


@pytest_asyncio.fixture(loop_scope="module")
async def hall(browsers: tuple[Browser, Browser], tmp_path: Path) -> AsyncIterator[Hall]:
    async with AsyncExitStack() as leaving:
        yield Hall(await leaving.enter_async_context(running(tmp_path)), *browsers)
        for browser in browsers:
            for context in browser.contexts:
                await context.close()
