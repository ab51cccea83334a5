"""What the cameras see in the pictures of the screens: plain drawn people instead of anybody's photograph."""

import io
from fractions import Fraction
from pathlib import Path

import av
from av.video.reformatter import ColorRange
from playwright.async_api import Browser

from tests.e2e.people import AGENT, RESIDENT

WIDTH, HEIGHT, FPS, FRAMES = 1280, 720, 15, 60
DRAWINGS = Path(__file__).parent / "drawings"
PEOPLE = {AGENT: "agent.svg", RESIDENT: "resident.svg"}
FORM = (DRAWINGS / "form.html").read_text("utf-8")
NODS = (0, 2, 4, 2)  # pixels: a picture that never changes would look frozen to the pages
NOD_JS = "(person, by) => person.setAttribute('transform', `translate(0 ${by})`)"


async def write_camera(browser: Browser, path: Path, who: int) -> None:
    """A Motion JPEG film for Chromium's --use-file-for-fake-video-capture."""
    page = await browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
    await page.set_content("<style>body { margin: 0 }</style>" + (DRAWINGS / PEOPLE[who]).read_text("utf-8"))
    stills = []
    for nod in NODS:
        await page.locator("#person").evaluate(NOD_JS, nod)
        stills.append(_decoded(await page.screenshot(type="png")))
    await page.close()
    _write(path, stills)


def _decoded(png: bytes) -> av.VideoFrame:
    with av.open(io.BytesIO(png), "r") as file:
        drawn = next(file.decode(video=0))
    # Chromium takes a camera's numbers as they are, for video levels; a JPEG would mean full ones.
    still = drawn.reformat(format="yuv420p", src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG)
    return av.VideoFrame.from_ndarray(still.to_ndarray(), format="yuvj420p")


def _write(path: Path, stills: list[av.VideoFrame]) -> None:
    with av.open(str(path), "w", format="mjpeg") as file:
        stream = file.add_stream("mjpeg", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        stream.options = {"qmin": "2", "qmax": "4"}
        for number in range(FRAMES):
            still = stills[number * len(stills) // FRAMES]
            still.pts, still.time_base = number, Fraction(1, FPS)
            file.mux(stream.encode(still))
        file.mux(stream.encode())
