"""The sign-in page of agents, managers and administrators, drawn by the service's own renderer's words."""

import json
import re
from urllib.parse import parse_qs

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Request, Route, expect

from tests.web.pages import WEB, Site, opened

in_browser = pytest.mark.asyncio(loop_scope="module")


def text(lang: str, key: str) -> str:
    """``login.wrong`` is the key ``wrong`` of the catalogue ``login``, as in the kit's text.js."""
    catalogue, _, rest = key.partition(".")
    words: dict[str, str] = json.loads((WEB / "static/text" / f"{catalogue}.{lang}.json").read_text("utf-8"))
    return words[rest]


def sign_in(site: Site, audience: str, *, lang: str = "zh", error: str | None = None) -> None:
    site.context = {
        "t": lambda key: text(lang, key),
        "lang": lang,
        "audience": audience,
        "error": error,
        "next": f"/{audience}?a=1",
    }


@in_browser
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("audience", ["agent", "manager", "admin"])
async def test_each_audience_has_its_own_words_and_leads_to_the_others(
    browser: Browser, site: Site, audience: str, lang: str
) -> None:
    sign_in(site, audience, lang=lang)
    async with opened(browser, site, width=1280, height=720) as page:
        await page.goto("/login")
        title = text(lang, f"login.title.{audience}")
        await expect(page.get_by_role("heading", level=1)).to_have_text(title)
        await expect(page.locator("footer a")).to_have_count(2)
        await expect(page.locator("header a")).to_have_text("中文" if lang == "en" else "English")
        await expect(page.locator("#login")).to_be_focused()
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@in_browser
@pytest.mark.parametrize("error", ["login.wrong", "login.too_many"])
async def test_a_refusal_says_what_to_do(browser: Browser, site: Site, error: str) -> None:
    sign_in(site, "manager", error=error)
    async with opened(browser, site, width=1280, height=720) as page:
        await page.goto("/login")
        await expect(page.get_by_role("alert")).to_contain_text(text("zh", error))
        await expect(page.locator("#login")).to_have_attribute("aria-describedby", "error")
        found = await Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@in_browser
async def test_the_form_posts_account_password_and_where_to_go(browser: Browser, site: Site) -> None:
    sign_in(site, "agent")
    posted: list[Request] = []

    async def answer(route: Route) -> None:
        posted.append(route.request)
        await route.fulfill(body="signed in")

    async with opened(browser, site, width=1280, height=720) as page:
        await page.route(re.compile("/agent/login"), answer)
        await page.goto("/login")
        await page.keyboard.type("lin.xiaoyu")
        await page.get_by_label("密码").fill("a long password")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("signed in")).to_be_visible()
    (request,) = posted
    assert request.method == "POST"
    assert request.url.endswith("/agent/login?next=/agent%3Fa%3D1")
    assert parse_qs(request.post_data or "") == {
        "login": ["lin.xiaoyu"],
        "password": ["a long password"],
        "next": ["/agent?a=1"],
    }
