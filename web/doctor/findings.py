"""What ``bangban doctor`` finds: a level, a plain sentence, and what to do, in both languages."""

from enum import StrEnum

from msgspec import Struct

from records.model import Text


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Finding(Struct, frozen=True):
    """``about`` is a short English name, for scripts and tests; ``advice`` is there unless all is well."""

    about: str
    level: Level
    text: Text
    advice: Text | None = None


def fine(about: str, zh: str, en: str) -> Finding:
    return Finding(about, Level.OK, Text(zh, en))


def warn(about: str, text: Text, advice: Text) -> Finding:
    return Finding(about, Level.WARN, text, advice)


def bad(about: str, text: Text, advice: Text) -> Finding:
    return Finding(about, Level.BAD, text, advice)
