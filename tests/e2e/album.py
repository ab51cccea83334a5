"""The pages of the service as they are photographed for docs/pictures: a station, and a desk in the hall."""

from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect

from tests.e2e.people import Person, sign_in
from tests.e2e.service import Service

QUALITY = 72
SETTLE_MS = 500  # a page that has just changed: pictures and fonts come
LANGUAGES = ("zh", "en")
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
ZONE_OF_HALL = "Asia/Shanghai"
PORTRAIT, LANDSCAPE = (1080, 1920), (1920, 1080)
STATION_SCALE, DESK_SCALE = 0.5, 0.8
PHONE = (390, 844)
ZONE = {"zh": "综合服务", "en": "General services"}
PATIENCE_MS = 40_000  # pictures may be taken on a busy machine


class Album:
    """A row of pictures of one page: each gets the next number."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._count = 0

    async def take(self, page: Page, screen: str) -> None:
        self._count += 1
        path = self._folder / f"{self._name}-{self._count:02}-{screen}.jpg"
        await page.mouse.move(1, 1)  # nothing is pointed at
        await page.wait_for_timeout(SETTLE_MS)
        await page.screenshot(path=path, type="jpeg", quality=QUALITY)
        print(path.name, flush=True)


class Station:
    """A resident's terminal and its album."""

    def __init__(self, person: Person, folder: Path, turn: str) -> None:
        self.page = person.page
        self.person = person
        self._albums = {one: Album(folder, f"station-{turn}-{one}") for one in LANGUAGES}
        self._album = self._albums[LANGUAGES[0]]

    @classmethod
    async def arrive(cls, service: Service, browser: Browser, folder: Path, turn: str) -> "Station":
        width, height = PORTRAIT if turn == "portrait" else LANDSCAPE
        person = await Person.arrive(
            *(service, browser),
            width=width,
            height=height,
            has_touch=True,
            device_scale_factor=STATION_SCALE,
            timezone_id=ZONE_OF_HALL,
        )
        person.context.set_default_timeout(PATIENCE_MS)
        return cls(person, folder, turn)

    def open_album(self, language: str) -> None:
        self._album = self._albums[language]

    async def take(self, screen: str) -> None:
        await self._album.take(self.page, screen)

    async def show_enrolment(self) -> None:
        """The page that asks for a code, in both languages."""
        await self.page.goto("/station")
        await expect(self.page.locator(".enrol")).to_be_visible()
        for language in LANGUAGES:
            self.open_album(language)
            await self.take("enrol")
            await self.other_language()
        await self.page.goto("about:blank")

    async def enrol(self, code: str) -> None:
        await self.page.goto(f"/station#enrol={code}")
        await expect(self.page.locator(".welcome")).to_be_visible()

    async def begin(self, language: str) -> None:
        """A new visit, wherever the last one ended: a terminal left alone goes back to Chinese by itself."""
        await self.page.reload()
        await expect(self.page.locator(".welcome")).to_be_visible()
        if language != LANGUAGES[0]:
            await self.other_language()

    async def other_language(self) -> None:
        await self.page.locator(".ease .button").nth(1).click()

    async def home(self) -> None:
        await self.page.locator(".foot .button").nth(1).click()

    async def look_around(self, language: str) -> None:
        """Every screen before a call, ending at the consent."""
        page, zone = self.page, ZONE[language]
        await self.begin(language)
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
        await self.begin(language)
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
        await page.locator(".mood-5").click()
        await self.take("thanks")
        await page.locator(".act").first.click()
        await expect(page.locator(".welcome")).to_be_visible()

    async def large_type(self, language: str) -> None:
        """The elder mode of the two screens that matter most."""
        page = self.page
        await self.begin(language)
        await page.locator(".ease .button").nth(0).click()
        await self.take("large-welcome")
        await page.locator(".entry").nth(0).click()
        await page.locator(".tile").nth(2).click()
        await page.locator(".row").first.click()
        await self.take("large-item")


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
            *(service, browser),
            width=width,
            height=height,
            device_scale_factor=1 if phone else DESK_SCALE,
            timezone_id=ZONE_OF_HALL,
            locale=LOCALES[language],
        )
        person.context.set_default_timeout(PATIENCE_MS)
        await person.context.grant_permissions(["camera", "microphone", "notifications"])
        await person.context.add_cookies([{"name": "lang", "value": language, "url": service.origin}])
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
