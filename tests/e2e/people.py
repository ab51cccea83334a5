"""Resident, agent and manager, each in a browser with a camera and a microphone that can be told apart."""

import asyncio
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, Playwright, expect

from tests.e2e import pattern
from tests.e2e.service import Service
from tests.web.pages import CHROMIUM, FLAGS

RESIDENT, AGENT, THIRD = 1, 2, 3  # who the patterns are
WITHIN_MS = 20_000  # a deadline for a busy machine, not a measure of speed
expect.set_options(timeout=WITHIN_MS)
FORM_TITLE = "Registration form"  # as Chromium is told on its command line
FORM = f"""<!doctype html><meta charset="utf-8"><title>{FORM_TITLE}</title>
<style>body{{margin:0;background:#c22;height:100vh}}div{{height:50vh;background:#2c2}}</style>
<div></div>"""


@asynccontextmanager
async def camera_browser(playwright: Playwright, who: int, folder: Path) -> AsyncIterator[Browser]:
    """A Chromium whose camera and microphone are this person's."""
    camera, microphone = folder / f"camera-{who}.mjpeg", folder / f"microphone-{who}.wav"
    if not camera.exists():
        pattern.write_camera(camera, who)
        pattern.write_microphone(microphone, who)
    # With the fake prompt a shared tab would be a fake screen too; contexts grant the camera instead.
    flags = [f for f in FLAGS if f != "--use-fake-ui-for-media-stream"]
    browser = await playwright.chromium.launch(
        executable_path=CHROMIUM,
        args=[
            *flags,
            f"--use-file-for-fake-video-capture={camera}",
            f"--use-file-for-fake-audio-capture={microphone}",
            f"--auto-select-tab-capture-source-by-title={FORM_TITLE}",
        ],
    )
    yield browser
    await browser.close()


def kill_browser(folder: Path) -> None:
    """SIGKILL for every process of the browser whose camera is in this folder."""
    killed = 0
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if f"={folder}/camera-" in line.read_text():
                os.kill(int(line.parent.name), signal.SIGKILL)
                killed += 1
    assert killed > 1, "a browser is several processes"


class Person:
    """One person's page in a context of its own. ``faults`` collects what the page reports as errors."""

    def __init__(self, service: Service, context: BrowserContext, page: Page) -> None:
        self.service = service
        self.context = context
        self.page = page
        self.faults: list[str] = []
        self._watch(page)

    @classmethod
    async def arrive(cls, service: Service, browser: Browser, *, width: int, height: int, **more: Any) -> Any:
        context = await browser.new_context(
            base_url=service.origin,
            viewport={"width": width, "height": height},
            permissions=["camera", "microphone"],
            **more,
        )
        context.set_default_timeout(WITHIN_MS)
        return cls(service, context, await context.new_page())

    def _watch(self, page: Page) -> None:
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)

    async def reads(self, video: str, who: int) -> int:
        """The number of the frame that a <video> shows, as soon as it shows this person's pattern."""
        deadline = time.monotonic() + WITHIN_MS / 1000
        seen = None
        while time.monotonic() < deadline:
            for handle in await self.page.query_selector_all(video):
                seen = await handle.evaluate(pattern.READ_JS)
                if seen is not None and seen[0] == who:
                    return int(seen[1])
            await asyncio.sleep(0.05)
        raise AssertionError(f"{video} does not show {who}; last seen {seen}")

    async def sees_moving(self, video: str, who: int) -> None:
        """Different frames of this person's pattern, one after the other."""
        first = await self.reads(video, who)
        deadline = time.monotonic() + WITHIN_MS / 1000
        while await self.reads(video, who) == first:
            assert time.monotonic() < deadline, "the picture stands still"
            await asyncio.sleep(0.05)

    async def level_of(self, who: int) -> float:
        """How loud this person's tone is in everything that the page plays, in dBFS; -200: silence."""
        return float(await self.page.evaluate(LEVEL_JS, pattern.TONES[who]))

    async def comes_to_hear(self, who: int) -> None:
        deadline = time.monotonic() + WITHIN_MS / 1000
        while (level := await self.level_of(who)) < HEARD_DB:
            assert time.monotonic() < deadline, f"does not hear {who}: {level} dB"

    async def hears(self) -> float:
        """The strongest frequency (Hz) in what the page's connection receives, measured by the browser."""
        return float(await self.page.evaluate(LISTEN_JS))


HEARD_DB, SILENT_DB = -60.0, -80.0
# The loudest moment of a tone within a second, in what the page plays. Another tone leaks -89 dB into it.
LEVEL_JS = """
async (hz) => {
  const media = [...document.querySelectorAll("audio, video")]
    .filter((m) => m.srcObject && m.srcObject.getAudioTracks().length && !m.muted);
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 8192;
  analyser.smoothingTimeConstant = 0;
  for (const m of media) {
    audio.createMediaStreamSource(new MediaStream(m.srcObject.getAudioTracks())).connect(analyser);
  }
  await audio.resume();
  const bins = new Float32Array(analyser.frequencyBinCount);
  const at = Math.round((hz * analyser.fftSize) / audio.sampleRate);
  let loudest = -200;
  for (let tries = 0; tries < 20; tries++) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getFloatFrequencyData(bins);
    loudest = Math.max(loudest, ...bins.slice(at - 2, at + 3));
  }
  await audio.close();
  return Math.max(loudest, -200);
}
"""
LISTEN_JS = """
async () => {
  const media = [...document.querySelectorAll("audio, video")]
    .filter((m) => m.srcObject && m.srcObject.getAudioTracks().length && !m.muted);
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 8192;
  for (const m of media) {
    audio.createMediaStreamSource(new MediaStream(m.srcObject.getAudioTracks())).connect(analyser);
  }
  await audio.resume();
  const bins = new Float32Array(analyser.frequencyBinCount);
  for (let tries = 0; tries < 100; tries++) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getFloatFrequencyData(bins);
    const strongest = bins.indexOf(Math.max(...bins));
    if (bins[strongest] > -60) {
      await audio.close();
      return (strongest * audio.sampleRate) / analyser.fftSize;
    }
  }
  await audio.close();
  return 0;
}
"""


class Resident(Person):
    PICTURE = ".face video"
    SHEET = ".sheet video"

    @classmethod
    async def at_station(
        cls, service: Service, browser: Browser, station: str = "station-1", **size: int
    ) -> "Resident":
        """A terminal that was just enrolled as this station, on its welcome screen."""
        arrived: Resident = await cls.arrive(
            service, browser, width=size.get("width", 1080), height=size.get("height", 1920), has_touch=True
        )
        await arrived.page.goto(f"/station#enrol={await service.new_code(station)}")
        await expect(arrived.page.locator(".welcome")).to_be_visible()
        return arrived

    async def calls_about(self, letters: str, name: str) -> None:
        """From the welcome screen through search and guide to the consent, and on to waiting."""
        page = self.page
        await page.locator(".entry.first").click()
        await page.get_by_role("button", name="搜一搜").first.click()
        await page.locator("input").fill(letters)
        await page.get_by_role("button", name=name).first.click()
        await page.get_by_role("button", name="视频求助工作人员").click()
        await page.get_by_role("button", name="同意并呼叫").click()
        await expect(page.locator(".waiting, .stage")).to_be_visible()

    async def goes_home(self) -> None:
        await self.page.locator("button.act", has_text="回首页").click()
        await expect(self.page.locator(".welcome")).to_be_visible()

    async def is_in_call(self) -> None:
        await expect(self.page.locator(".stage")).to_be_visible()


class AgentAtConsole(Person):
    PICTURE = "video.main"

    @classmethod
    async def signed_in(cls, service: Service, browser: Browser, login: str) -> "AgentAtConsole":
        agent: AgentAtConsole = await cls.arrive(service, browser, width=1440, height=900)
        await agent.page.goto("/agent")
        await sign_in(agent.page, service, login)
        check, ring = agent.page.locator("[data-act='checked']"), agent.page.get_by_test_id("ring")
        await expect(check.or_(ring).first).to_be_visible()
        if await check.is_visible():  # an agent who was here a moment ago may be rung at once
            await check.click()
            await expect(agent.page.get_by_test_id("status")).to_contain_text(re.compile("可接听|正在响铃"))
        return agent

    async def act(self, name: str) -> None:
        await self.page.locator(f"[data-act='{name}']").click()

    async def notes(self, text: str) -> None:
        await self.page.locator("aside.right textarea").fill(text)
        await self.act("note")


async def hang_up(resident: Resident) -> None:
    """Ends the call and goes without a rating."""
    await end_call(resident)
    await resident.goes_home()


async def end_call(resident: Resident) -> None:
    """Ending asks once: a stray touch must not end a call."""
    await resident.page.locator(".controls .end").click()
    await resident.page.get_by_role("dialog").get_by_role("button", name="结束通话").click()


async def wrap_up(agent: AgentAtConsole, key: str) -> None:
    """The outcome by its key, then ready for the next."""
    await agent.page.keyboard.press(key)
    await agent.act("ready")
    await expect(agent.page.get_by_test_id("status")).to_contain_text("可接听")


class ManagerAtDesk(Person):
    @classmethod
    async def signed_in(cls, service: Service, browser: Browser) -> "ManagerAtDesk":
        manager: ManagerAtDesk = await cls.arrive(service, browser, width=1440, height=900)
        await manager.page.goto("/manager")
        await sign_in(manager.page, service, "manager")
        return manager


async def sign_in(page: Page, service: Service, login: str) -> None:
    await page.locator("input[name=login]").fill(login)
    await page.locator("input[name=password]").fill(service.passwords[login])
    await page.locator("input[name=password]").press("Enter")
