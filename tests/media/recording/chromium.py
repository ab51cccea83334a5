"""A real browser that plays what was recorded, and says what it saw and heard."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Page, async_playwright

_FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--autoplay-policy=no-user-gesture-required", "--disable-background-timer-throttling"),
    *("--disable-renderer-backgrounding", "--disable-component-update"),
]
_PAGE = """<!doctype html><title>player</title><script>
const event = (video, name) => new Promise((resolve, reject) => {
  video.addEventListener(name, resolve, { once: true });
  video.addEventListener("error", () => reject(new Error(video.error.message)), { once: true });
});
async function open(url) {
  const video = document.createElement("video");
  video.src = url;
  document.body.append(video);
  await event(video, "loadedmetadata");
  return video;
}
// To the end or `until`. Times of flashes are of the media and of the clock, of beeps of the clock.
async function play(url, from, until) {
  const video = await open(url);
  const found = { duration: video.duration, flashes: [], beeps: [], sizes: [], shown: 0, seeked: null };
  if (from > 0) {
    video.currentTime = from;
    await event(video, "seeked");
    found.seeked = video.currentTime;
  }
  const audio = new AudioContext({ latencyHint: "interactive" });
  const analyser = new AnalyserNode(audio, { fftSize: 256 });
  audio.createMediaElementSource(video).connect(analyser).connect(audio.destination);
  const samples = new Float32Array(256);
  let loud = false, bright = false, stop = false;
  const listen = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const level = samples.reduce((most, s) => Math.max(most, Math.abs(s)), 0);
    if (level > 0.05 && !loud) found.beeps.push(performance.now());
    loud = level > 0.05;
  }, 4);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 4;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const look = (now, meta) => {
    found.shown++;
    const size = `${video.videoWidth}x${video.videoHeight}`;
    if (found.sizes.at(-1) !== size) found.sizes.push(size);
    pen.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 2, 0, 0, 4, 4);
    const white = pen.getImageData(1, 1, 1, 1).data[0] > 128;
    if (white && !bright) found.flashes.push([meta.mediaTime, meta.expectedDisplayTime]);
    bright = white;
    if (!stop) video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  const ended = event(video, "ended");
  await video.play();
  if (until) while (video.currentTime < until) await new Promise((done) => setTimeout(done, 20));
  else await ended;
  stop = true;
  clearInterval(listen);
  found.end = video.currentTime;
  found.frames = video.getVideoPlaybackQuality().totalVideoFrames;
  video.remove();
  await audio.close();
  return found;
}
</script>"""


@dataclass
class Seen:
    duration: float | None  # None: not known, as of a file that is still written
    end: float
    frames: int
    sizes: list[str]
    seeked: float | None
    flashes: list[float]  # by media time, seconds
    apart: list[float]  # seconds that the beep of each flash came after it, by the clock


class Player:
    def __init__(self, page: Page) -> None:
        self._page = page

    async def play(self, name: str, start: float = 0.0, until: float = 0.0) -> Seen:
        """A file of the folder. Raises when the browser says that it is broken."""
        found: dict[str, Any] = await self._page.evaluate(
            "([url, from, until]) => play(url, from, until)", [f"/files/{name}", start, until]
        )
        beeps = [beep / 1000 for beep in found["beeps"]]
        shown = [when / 1000 for _, when in found["flashes"]]
        apart = [min((beep - when for beep in beeps), key=abs) for when in shown if beeps]
        duration = found["duration"]
        return Seen(
            duration if isinstance(duration, float | int) and duration < 1e9 else None,
            found["end"],
            found["frames"],
            found["sizes"],
            found["seeked"],
            [at for at, _ in found["flashes"]],
            apart,
        )


@asynccontextmanager
async def player(folder: Path) -> AsyncIterator[Player]:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text=_PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_static("/files/", folder)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_FLAGS)
            try:
                opened = await browser.new_page()
                await opened.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
                yield Player(opened)
            finally:
                await browser.close()
    finally:
        await runner.cleanup()
