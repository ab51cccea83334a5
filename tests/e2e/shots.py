"""Pictures of every screen of the running service, in Chinese and English.

    python -m tests.e2e.shots [docs/pictures]

The whole service is started as ``make demo`` starts it, with real browsers and calls between them; only the
people in front of the cameras are drawn. Files are named <page>-<language>-<nn>-<screen>.jpg. At the end
three of them are put side by side for the README.
"""

import asyncio
import base64
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Playwright, async_playwright, expect

from tests.e2e import drawn, evidence, pattern
from tests.e2e.album import LANGUAGES, PATIENCE_MS, SETTLE_MS, Desk, Station
from tests.e2e.people import AGENT, RESIDENT, Person, camera_browser, sign_in
from tests.e2e.service import Service, running

HERE = Path("docs/pictures")
TALK_MS = 4000  # so that a recording has something to show
PAGES = {
    "station-portrait": ("Station, upright", 260),
    "station-landscape": ("Station, lying", 420),
    "console": ("Agent's console", 420),
    "manager-live": ("Manager, during calls", 420),
    "manager": ("Manager", 420),
    "admin": ("Administrator", 420),
    "phone": ("Manager, on a phone", 220),
}
INDEX_HEAD = """# Every screen

Taken from the running service by `make shots`, which also writes this page. The people are drawn."""


async def moving(person: Person, selector: str) -> None:
    """Until this <video> has decoded a picture."""
    video = person.page.locator(selector).first
    await expect(video).to_be_visible()
    await video.evaluate(MOVING_JS)


MOVING_JS = """
(video) => new Promise((done) => {
  const look = () => (video.videoWidth > 0 && video.currentTime > 0.5 ? done() : setTimeout(look, 100));
  look();
})
"""


async def answered_call(station: Station, agent: Desk, *, console: bool) -> None:
    """From the ring to the shared form; with ``console`` seen from both sides."""
    await expect(agent.seen("ring")).to_be_visible()
    if console:
        await agent.take("ring")
    await agent.act("accept")
    await moving(station.person, ".face video")
    await moving(agent.person, "video.main")
    await station.page.wait_for_timeout(TALK_MS)
    await station.take("call")
    if console:
        await agent.take("call")
    form = await agent.person.context.new_page()
    await form.set_viewport_size({"width": 1200, "height": 900})
    await form.set_content(drawn.FORM)
    await agent.page.bring_to_front()
    await agent.act("share")
    await moving(station.person, ".sheet video")
    await agent.page.locator("aside.right textarea").fill(NOTES)
    await agent.act("note")
    await station.page.wait_for_timeout(TALK_MS)
    await station.take("call-with-form")
    if console:
        await agent.take("call-with-form")
    await form.close()


NOTES = "行驶证、道路运输证已核对 Papers checked"


async def calls(
    service: Service, stations: dict[str, Station], agents: Browser, folder: Path, language: str
) -> None:
    """Two calls: one that found nobody at first, and one that waited behind another."""
    upright, lying, third = stations["portrait"], stations["landscape"], stations["third"]
    agent = await Desk.arrive(service, agents, folder, "console", language)
    await agent.sign_in(service, "/agent", "agent1")
    await expect(agent.page.locator("[data-act='checked']")).to_be_enabled()
    await agent.take("check")
    await agent.act("checked")
    await expect(agent.seen("idle")).to_be_visible()
    await agent.take("idle")
    await agent.act("pause-training")
    await agent.take("paused")
    await agent.act("leave")
    await lying.look_around(language)
    await lying.call()
    await lying.take("nobody-on-duty")
    await agent.act("available")
    await answered_call(lying, agent, console=False)
    await third.to_consent(language)
    await third.call()
    await upright.look_around(language)
    await upright.call()
    await upright.take("waiting")
    await live(service, agents, folder, language)
    await third.page.locator(".act").click()
    await lying.end()
    await expect(agent.seen("wrap-up")).to_be_visible()
    await agent.page.keyboard.press("1")
    await agent.act("ready")
    await answered_call(upright, agent, console=True)
    await upright.end()
    await expect(agent.seen("wrap-up")).to_be_visible()
    await agent.page.keyboard.press("1")
    await agent.take("wrap-up")
    await agent.act("ready")
    await expect(agent.seen("idle")).to_be_visible()
    await agent.act("leave")
    await expect(agent.seen("status")).to_have_attribute("data-tone", "off")
    await agent.leave()


async def live(service: Service, browser: Browser, folder: Path, language: str) -> None:
    manager = await Desk.arrive(service, browser, folder, "manager-live", language)
    await manager.page.goto("/manager")
    await sign_in(manager.page, service, "manager")
    await manager.page.wait_for_timeout(TALK_MS)
    await manager.take("live")
    await manager.leave()


async def back_office(service: Service, browser: Browser, folder: Path, language: str) -> None:
    """The manager's and the administrator's pages, and what of them fits a phone."""
    call = evidence.latest_call(service)["id"]
    await evidence.until(lambda: len(evidence.sealed_parts(service, call)) == 3, "three sealed parts")
    manager = await Desk.arrive(service, browser, folder, "manager", language)
    page = manager.page
    await manager.sign_in(service, "/manager", "manager")
    await page.goto("/manager/calls")
    await manager.take("calls")
    await page.goto(f"/manager/calls/{call}")
    await manager.take("purpose")
    await page.locator("input[name=purpose]").first.check()
    await page.locator("form[action$='/open'] button").click()
    await page.locator("[data-kind='share_started'] button").click()
    await page.locator("[data-play]").click()
    await page.wait_for_function(PLAYING_JS)
    await page.evaluate("scrollTo(0, 0)")
    await manager.take("player")
    await page.goto("/manager/audit")
    await manager.take("audit")
    await manager.leave()
    admin = await Desk.arrive(service, browser, folder, "admin", language)
    await admin.sign_in(service, "/admin", "admin")
    for screen in ("stations", "accounts", "audit"):
        await admin.page.goto(f"/admin/{screen}")
        await admin.take(screen)
    await admin.leave()
    await on_phone(service, browser, folder, language, call)


async def on_phone(service: Service, browser: Browser, folder: Path, language: str, call: str) -> None:
    phone = await Desk.arrive(service, browser, folder, "phone", language, phone=True)
    await phone.sign_in(service, "/manager", "manager")
    await phone.page.wait_for_timeout(SETTLE_MS)
    await phone.take("live")
    await phone.page.goto("/manager/calls")
    await phone.take("calls")
    await phone.page.goto(f"/manager/calls/{call}")
    await phone.take("player")
    await phone.leave()


PLAYING_JS = """() => {
  const videos = [...document.querySelectorAll("[data-part] video")];
  return videos.filter((video) => video.currentTime > 1 && video.readyState >= 2).length >= 3;
}"""


async def three_screens(browser: Browser, folder: Path) -> None:
    """The station, the console and the player of one call, on one picture."""
    for language in LANGUAGES:
        station = _as_data(folder, f"station-portrait-{language}-*-call-with-form.jpg")
        console = _as_data(folder, f"console-{language}-*-call-with-form.jpg")
        player = _as_data(folder, f"manager-{language}-*-player.jpg")
        page = await browser.new_page(viewport={"width": 1500, "height": 1130})
        column = f"<div><img src='{console}'><img src='{player}'></div>"
        await page.set_content(f"<style>{SIDE_BY_SIDE}</style><img src='{station}'>{column}")
        await page.wait_for_timeout(SETTLE_MS)
        ending = "" if language == "en" else f".{language}"
        await page.screenshot(path=folder / f"three-screens{ending}.jpg", type="jpeg", quality=82)
        await page.close()


SIDE_BY_SIDE = """
body { margin: 0; height: 1130px; padding: 20px; box-sizing: border-box; background: #e4e0d7; display: flex;
  gap: 20px; justify-content: center; }
div { display: grid; gap: 20px; align-content: space-between; }
img { display: block; border: 1px solid #a9a494; } body > img { height: 1090px; } div img { height: 533px; }
"""


def _as_data(folder: Path, name: str) -> str:
    (picture,) = folder.glob(name)
    return "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()


async def cameras(playwright: Playwright, work: Path) -> None:
    """The drawn people, where camera_browser looks for its cameras."""
    async with camera_browser(playwright, RESIDENT, work / "plain") as browser:
        for who in (RESIDENT, AGENT):
            await drawn.write_camera(browser, work / f"camera-{who}.mjpeg", who)
            pattern.write_microphone(work / f"microphone-{who}.wav", who)


def write_index(folder: Path) -> None:
    """A page with all of them, the languages side by side."""
    lines = [INDEX_HEAD]
    for page, (title, width) in PAGES.items():
        lines.append(f"\n## {title}\n\n| | 中文 | English |\n| --- | --- | --- |")
        for picture in sorted(folder.glob(f"{page}-zh-*.jpg")):
            number_and_screen = picture.stem.removeprefix(f"{page}-zh-")
            english = f"{page}-en-{number_and_screen}.jpg"
            screen = number_and_screen[3:].replace("-", " ")
            cells = [
                f'<img src="{name}" width="{width}" alt="{title}: {screen}">'
                for name in (picture.name, english)
            ]
            lines.append(f"| {screen} | {' | '.join(cells)} |")
    (folder / "README.md").write_text("\n".join(lines) + "\n", "utf-8")


def clear(folder: Path) -> None:
    """No picture of a screen that is no more."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()


async def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "plain").mkdir()
        async with async_playwright() as playwright:
            await cameras(playwright, work)
            async with (
                running(work) as service,
                camera_browser(playwright, RESIDENT, work) as residents,
                camera_browser(playwright, AGENT, work) as staff,
            ):
                await all_pictures(service, residents, staff, folder)


async def all_pictures(service: Service, residents: Browser, staff: Browser, folder: Path) -> None:
    stations = {}
    for turn, code in zip(("portrait", "landscape", "third"), service.codes, strict=True):
        stations[turn] = await Station.arrive(service, residents, folder, turn)
        if turn != "third":
            await stations[turn].show_enrolment()
        await stations[turn].enrol(code)
    for language in LANGUAGES:
        for turn in ("portrait", "landscape"):
            stations[turn].open_album(language)
        await calls(service, stations, staff, folder, language)
        await back_office(service, staff, folder, language)
        await stations["portrait"].large_type(language)
    await three_screens(staff, folder)


if __name__ == "__main__":
    expect.set_options(timeout=PATIENCE_MS)
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    clear(chosen)
    asyncio.run(main(chosen))
    write_index(chosen)
