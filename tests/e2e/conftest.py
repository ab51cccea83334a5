"""One service and two browsers for all the calls of a run: they start slowly, and calls disturb no others."""

from collections.abc import AsyncIterator
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


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    folder: Path = tmp_path_factory.mktemp("hall")
    async with (
        running(folder) as service,
        async_playwright() as playwright,
        camera_browser(playwright, RESIDENT, folder) as stations,
        camera_browser(playwright, AGENT, folder) as staff,
    ):
        yield Hall(service, stations, staff)
