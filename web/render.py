"""Pages from templates, in the reader's language: Chinese unless English was asked for."""

import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
from aiohttp import web

from records.model import Text

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGES = ("zh", "en")
LANG_COOKIE = "lang"


@cache
def catalogue(name: str, lang: str) -> dict[str, str]:
    """The texts of static/text/<name>.<lang>.json; the pages' scripts read the same files."""
    texts: dict[str, str] = json.loads((STATIC / "text" / f"{name}.{lang}.json").read_text("utf-8"))
    return texts


def translate(names: tuple[str, ...], lang: str, key: str, **words: object) -> str:
    """``key`` with ``{words}`` filled in: ``<catalogue>.<key>`` as the scripts write it, or a key of the
    first catalogue that has it. Raises KeyError."""
    for name in names:
        texts = catalogue(name, lang)
        text = texts.get(key.removeprefix(f"{name}."), texts.get(key))
        if text is not None:
            return text.format(**words) if words else text
    raise KeyError(f"no text '{key}' in {', '.join(names)} ({lang})")


def language(request: web.Request) -> str:
    asked = request.query.get("lang") or request.cookies.get(LANG_COOKIE)
    return asked if asked in LANGUAGES else "zh"


def environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def renderer(pages: jinja2.Environment, *catalogues: str) -> Callable[..., web.Response]:
    """``render(request, template, **context)`` with the texts of these catalogues."""

    def render(request: web.Request, template: str, /, **context: Any) -> web.Response:
        lang = language(request)

        def pick(text: Text) -> str:
            return text.en if lang == "en" else text.zh

        html = pages.get_template(template).render(
            t=partial(translate, catalogues, lang), lang=lang, pick=pick, **context
        )
        response = web.Response(text=html, content_type="text/html")
        if request.query.get("lang") in LANGUAGES:
            response.set_cookie(LANG_COOKIE, lang, max_age=365 * 86400, samesite="Lax", httponly=True)
        return response

    return render
