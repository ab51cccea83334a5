"""Every page has the same words in both languages, with the same things to be filled in."""

import json
import re
from pathlib import Path

import pytest

import web

TEXTS = Path(web.__file__).parent / "static" / "text"
PAGES = sorted({file.name.split(".")[0] for file in TEXTS.glob("*.json")})


def read(page: str, language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((TEXTS / f"{page}.{language}.json").read_text("utf-8"))
    return found


def gaps(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


@pytest.mark.parametrize("page", PAGES)
def test_both_languages_say_the_same_things(page: str) -> None:
    zh, en = read(page, "zh"), read(page, "en")
    assert zh.keys() == en.keys()
    assert {key: gaps(text) for key, text in zh.items()} == {key: gaps(text) for key, text in en.items()}
    assert all(text.strip() for text in [*zh.values(), *en.values()])
