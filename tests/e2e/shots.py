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

from playwright.async_api import Browser, Locator, Page, Playwright, async_playwright, expect

from tests.e2e import drawn, evidence, pattern
from tests.e2e.people import AGENT, RESIDENT, Person, camera_browser, sign_in
from tests.e2e.service import Service, running

HERE = Path("docs/pictures")
QUALITY = 72
SETTLE_MS = 500  # a page that has just changed: pictures and fonts come
TALK_MS = 4000  # so that a recording has something to show
LANGUAGES = ("zh", "en")
PORTRAIT, LANDSCAPE = (1080, 1920), (1920, 1080)
STATION_SCALE, DESK_SCALE = 0.5, 0.8
PHONE = (390, 844)
ZONE = {"zh": "综合服务", "en": "General services"}
PLACE = {"resident": ".row"}


class Album:
    """A row of pictures of one page: each gets the next number."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._count = 0

    async def take(self, page: Page, screen: str) -> None:
        self._count += 1
        path = self._folder / f"{self._name}-{self._count:02}-{screen}.jpg"
        await page.wait_for_timeout(SETTLE_MS)
        await page.screenshot(path=path, type="jpeg", quality=QUALITY)
        print(path.name, flush=True)


class Station:
    """A resident's terminal and its album."""

    def __init__(self, person: Person, folder: Path, turn: str) -> None:
        self.page = person.page
        self.person = person
        self._folder = folder
        self._turn = turn
        self._album = Album(folder, "")

    @classmethod
    async def arrive(cls, service: Service, browser: Browser, folder: Path, turn: str) -> "Station":
        width, height = PORTRAIT if turn == "portrait" else LANDSCAPE
        person = await Person.arrive(
            service, browser, width=width, height=height, has_touch=True, device_scale_factor=STATION_SCALE
        )
        return cls(person, folder, turn)

    def open_album(self, language: str) -> None:
        self._album = Album(self._folder, f"station-{self._turn}-{language}")

    async def take(self, screen: str) -> None:
        await self._album.take(self.page, screen)

    async def enrol(self, code: str) -> None:
        """Both languages' pictures of the page that asks for a code; then with the code to the welcome."""
        await self.page.goto("/station")
        await expect(self.page.locator(".enrol")).to_be_visible()
        for language in LANGUAGES:
            self.open_album(language)
            await self.take("enrol")
            await self.other_language()
        await self.page.goto("about:blank")
        await self.page.goto(f"/station#enrol={code}")
        await expect(self.page.locator(".welcome")).to_be_visible()

    async def other_language(self) -> None:
        await self.page.locator(".ease .button").nth(1).click()

    async def home(self) -> None:
        await self.page.locator(".foot .button").nth(1).click()

    async def look_around(self, language: str) -> None:
        """Every screen before a call, ending at the consent."""
        page, zone = self.page, ZONE[language]
        await self.take("welcome")
        await page.locator(".entry").nth(2).click()
        await self.take("progress")
        await self.home()
        await page.locator(".entry").nth(1).click()
        await self.take("help-zones")
        await page.locator(".tile", has_text=zone).click()
        await self.take("help-items")
        await self.home()
        await page.locator(".entry").nth(0).click()
        await self.take("zones")
        await page.locator(".tile.seek").click()
        await page.get_by_role("textbox").fill("sb")
        await self.take("search")
        await page.locator(".foot .button").nth(0).click()
        await page.locator(".tile", has_text=zone).click()
        await self.take("items")
        await page.locator(".row").first.click()
        await self.take("item")
        await page.locator(".summary .button").click()
        film = page.locator(".dialog video")
        await film.evaluate(
            "(film) => new Promise((done) => { film.currentTime = 27; film.onseeked = done; })"
        )
        await self.take("film")
        await page.locator(".dialog .button.primary").click()
        await page.locator(".act").click()
        await self.take("consent")

    async def call(self) -> None:
        await self.page.locator(".choices .primary").click()
        await expect(self.page.locator(".waiting, .stage")).to_be_visible()

    async def to_consent(self, language: str) -> None:
        await self.page.locator(".entry").nth(0).click()
        await self.page.locator(".tile", has_text=ZONE[language]).click()
        await self.page.locator(".row").nth(1).click()
        await self.page.locator(".act").click()

    async def end(self) -> None:
        page = self.page
        await page.locator(".controls .end").click()
        await self.take("end")
        await page.locator(".dialog .end").click()
        await expect(page.locator(".rating")).to_be_visible()
        await self.take("rating")
        await page.locator(".mood-2").click()
        await self.take("reasons")
        await page.locator(".reasons .primary").click()
        await self.take("thanks")
        await page.locator(".act").first.click()
        await expect(page.locator(".welcome")).to_be_visible()

    async def large_type(self) -> None:
        """The elder mode of the two screens that matter most."""
        page = self.page
        await page.locator(".ease .button").nth(0).click()
        await self.take("large-welcome")
        await page.locator(".entry").nth(0).click()
        await page.locator(".tile").nth(2).click()
        await page.locator(".row").first.click()
        await self.take("large-item")
        await self.home()
        await page.locator(".ease .button").nth(0).click()


class Desk:
    """A page of those who work in the hall, and its album."""

    def __init__(self, person: Person, album: Album) -> None:
        self.person = person
        self.page = person.page
        self._album = album

    @classmethod
    async def arrive(
        cls,
        service: Service,
        browser: Browser,
        folder: Path,
        name: str,
        language: str,
        *,
        phone: bool = False,
    ) -> "Desk":
        width, height = PHONE if phone else (1440, 900)
        person = await Person.arrive(
            service, browser, width=width, height=height, device_scale_factor=1 if phone else DESK_SCALE
        )
        await person.page.request.get(f"/agent?lang={language}")
        return cls(person, Album(folder, f"{name}-{language}"))

    async def take(self, screen: str) -> None:
        await self._album.take(self.page, screen)

    async def sign_in(self, service: Service, path: str, login: str) -> None:
        await self.page.goto(path)
        await self.take("login")
        await sign_in(self.page, service, login)

    async def act(self, name: str) -> None:
        await self.page.locator(f"[data-act='{name}']").click()

    def seen(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    async def leave(self) -> None:
        await self.person.context.close()


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


async def answered_call(station: Station, agent: Desk) -> None:
    """From the ring to the shared form, seen from both sides."""
    await expect(agent.seen("ring")).to_be_visible()
    await agent.take("ring")
    await agent.act("accept")
    await moving(station.person, ".face video")
    await moving(agent.person, "video.main")
    await station.page.wait_for_timeout(TALK_MS)
    await station.take("call")
    await agent.take("call")
    form = await agent.person.context.new_page()
    await form.set_content(drawn.FORM)
    await agent.page.bring_to_front()
    await agent.act("share")
    await moving(station.person, ".sheet video")
    await agent.page.locator("aside.right textarea").fill(NOTES)
    await agent.act("note")
    await station.page.wait_for_timeout(TALK_MS)
    await station.take("call-with-form")
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
    await answered_call(lying, agent)
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
    await agent.take("wrap-up")
    await agent.act("ready")
    await answered_call(upright, agent)
    await upright.end()
    await agent.page.keyboard.press("1")
    await agent.act("ready")
    await expect(agent.seen("idle")).to_be_visible()
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
    await page.locator("[data-play]").click()
    await page.wait_for_function(PLAYING_JS)
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
    await phone.take("purpose")
    await phone.leave()


PLAYING_JS = """() => {
  const videos = [...document.querySelectorAll("[data-part] video")];
  return videos.filter((video) => video.currentTime > 8 && video.readyState >= 2).length >= 3;
}"""


async def three_screens(browser: Browser, folder: Path) -> None:
    """The station, the console and the player of one call, on one picture."""
    for language in LANGUAGES:
        names = (
            f"station-portrait-{language}-*-call-with-form.jpg",
            f"console-{language}-*-call-with-form.jpg",
            f"manager-{language}-*-player.jpg",
        )
        station, console, player = (_as_data(sorted(folder.glob(name))[-1]) for name in names)
        page = await browser.new_page(viewport={"width": 1500, "height": 1130})
        await page.set_content(
            f"<style>{SIDE_BY_SIDE}</style><img src='{station}'><div><img src='{console}'><img src='{player}'></div>"
        )
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


def _as_data(picture: Path) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(picture.read_bytes()).decode()


async def cameras(playwright: Playwright, work: Path) -> None:
    """The drawn people, where camera_browser looks for its cameras."""
    async with camera_browser(playwright, RESIDENT, work / "plain") as browser:
        for who in (RESIDENT, AGENT):
            await drawn.write_camera(browser, work / f"camera-{who}.mjpeg", who)
            pattern.write_microphone(work / f"microphone-{who}.wav", who)


async def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
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
        await stations[turn].enrol(code)
    for language in LANGUAGES:
        for turn in ("portrait", "landscape"):
            stations[turn].open_album(language)
        await calls(service, stations, staff, folder, language)
        await back_office(service, staff, folder, language)
        await stations["portrait"].large_type()
        for station in stations.values():
            await station.other_language()
    await three_screens(staff, folder)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
