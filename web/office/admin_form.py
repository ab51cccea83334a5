"""What the administrator's forms share: what is shown once, what is refused, names, where to go next."""

import secrets
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import hdrs, web
from msgspec import Struct

from records.model import Text

MAX_NAME = 40  # characters
_EASY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when copied by hand


class Secret(Struct, frozen=True):
    """What is shown once. ``kind`` is "code" or "password", ``whose`` says to whom it belongs."""

    kind: str
    whose: Text
    value: str
    until: float | None = None


class Refused(ValueError):
    """A form that cannot be accepted; the message is a key under ``problem.`` of text/admin.*.json."""


def new_password() -> str:
    """Four groups of four: 79 bits, easy to read aloud."""
    groups = ("".join(secrets.choice(_EASY_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def trimmed(form: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in form.items()}


def name_in(form: Mapping[str, str]) -> Text:
    """Raises Refused."""
    zh, en = form.get("name_zh", ""), form.get("name_en", "")
    if not 1 <= len(zh) <= MAX_NAME or not 1 <= len(en) <= MAX_NAME:
        raise Refused("name")
    return Text(zh, en)


def see(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: path})
