"""Finds every fault in a content folder at once, each with its file, its path and a plain sentence.

TOML is read record by record. One broken record hides neither its neighbours' faults nor its own id, so that
what refers to it is not reported as well.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from records.model import Site, SiteId, Tier

T = TypeVar("T", bound=Struct)

ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
ID_RULE = "must be small letters a-z, digits and hyphens, at most 64"
_PARENT_TIER = {Tier.DISTRICT: None, Tier.TOWN: Tier.DISTRICT, Tier.VILLAGE: Tier.TOWN}
_PLAIN_TYPES = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "date": "a date",
    "datetime": "a date",
    "time": "a time",
}


class ContentError(ValueError):
    """A content folder that cannot be loaded. ``problems`` holds one line for each fault found."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Table(Generic[T]):
    """The records of one list in one file.

    ``rows`` holds those that are well formed with their place ("sites.toml: sites[2]"); ``ids`` holds the ids
    of all, the broken ones too. ``known`` is false when the list itself could not be read: then nothing can
    be said of references into it.
    """

    rows: tuple[tuple[str, T], ...] = ()
    ids: tuple[tuple[str, str], ...] = ()
    known: bool = False


def read_toml(folder: Path, name: str, problems: list[str]) -> dict[str, Any] | None:
    """The file's content; None, and a problem noted, when it cannot be read."""
    try:
        return tomllib.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{name}: this file is missing")
    except UnicodeDecodeError:
        problems.append(f"{name}: this file is not UTF-8 text")
    except OSError as error:
        problems.append(f"{name}: this file cannot be read ({error.strerror})")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{name}: this is not TOML: {error}")
    return None


def check_keys(raw: Mapping[str, Any], allowed: Collection[str], where: str) -> Iterator[str]:
    """A problem for each key that nobody reads. ``where`` ends in the separator before the key."""
    for key in raw:
        if key not in allowed:
            yield f"{where}{key}: there is no such key{did_you_mean(key, allowed)}"


def read_table(
    file: str,
    raw: Mapping[str, Any] | None,
    key: str,
    shape: type[T],
    problems: list[str],
    *,
    named_by: str = "id",
) -> Table[T]:
    """The list ``key`` of a file; a record that is not a ``shape`` is noted and left out of ``rows``."""
    if raw is None:
        return Table()
    entries = raw.get(key)
    if not isinstance(entries, list):
        sentence = (
            "is missing" if entries is None else "must be a list; write [[" + key + "]] before each entry"
        )
        problems.append(f"{file}: {key}: {sentence}")
        return Table()
    rows, ids = [], []
    for index, entry in enumerate(entries):
        where = f"{file}: {key}[{index}]"
        faults = list(shape_problems(entry, shape, where))
        problems.extend(faults)
        if not faults:
            rows.append((where, msgspec.convert(entry, shape)))
        if isinstance(entry, dict) and isinstance(entry.get(named_by), str):
            ids.append((where, entry[named_by]))
    return Table(tuple(rows), tuple(ids), known=True)


# --- shapes -----------------------------------------------------------------------------------


def shape_problems(value: object, shape: Any, where: str) -> Iterator[str]:
    """What keeps ``value``, as TOML gave it, from being a ``shape``: all of it, not only the first."""
    origin = get_origin(shape)
    if isinstance(shape, type) and issubclass(shape, Struct) and isinstance(value, dict):
        yield from _struct_problems(value, shape, where)
    elif origin in (Union, UnionType):  # TOML knows no null, so an optional value is there or left out
        yield from shape_problems(value, next(a for a in get_args(shape) if a is not type(None)), where)
    elif origin is tuple and isinstance(value, list):
        for index, element in enumerate(value):
            yield from shape_problems(element, get_args(shape)[0], f"{where}[{index}]")
    elif origin is dict and isinstance(value, dict):
        for key, element in value.items():
            yield from shape_problems(element, get_args(shape)[1], f"{where}.{key}")
    else:
        yield from _leaf_problems(value, shape, where)


def _struct_problems(value: Mapping[str, object], shape: type[Struct], where: str) -> Iterator[str]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    # A file's own keys follow its name ("hall.toml: name"), deeper ones a dot.
    below = where if where.endswith(" ") else f"{where}."
    yield from check_keys(value, fields, below)
    for name, field in fields.items():
        if name in value:
            yield from shape_problems(value[name], field.type, f"{below}{name}")
        elif field.required:
            yield f"{below}{name}: is missing"


def _leaf_problems(value: object, shape: Any, where: str) -> Iterator[str]:
    if isinstance(shape, type) and issubclass(shape, StrEnum) and isinstance(value, str):
        words = [str(word) for word in shape]
        if value not in words:
            yield f"{where}: must be one of {', '.join(words)}; it is '{value}'{did_you_mean(value, words)}"
        return
    try:
        msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        yield f"{where}: {_plainly(str(error))}"
        return
    if isinstance(value, str) and not value.strip():
        yield f"{where}: is empty"


def _plainly(message: str) -> str:
    """msgspec's "Expected `str`, got `int`" in words for somebody who does not program."""
    match = re.fullmatch(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`", message)
    if match is None:
        return message
    wanted, got = (_PLAIN_TYPES.get(word, word) for word in match.groups())
    return f"must be {wanted}, not {got}"


# --- names ------------------------------------------------------------------------------------


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint to append to a sentence; empty when nothing known is near."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""


def unresolved(where: str, kind: str, word: str, table: Table[Any]) -> Iterator[str]:
    """A problem when ``word`` is not an id of ``table``; ``kind`` is what it should have named."""
    known = {identity for _, identity in table.ids}
    if table.known and word not in known:
        yield f"{where}: there is no {kind} '{word}'{did_you_mean(word, known)}"


def id_problems(tables: Iterable[Table[Any]], key: str = "id") -> Iterator[str]:
    """Ids that are misspelt, or used twice anywhere in ``tables``."""
    first: dict[str, str] = {}
    for where, identity in (pair for table in tables for pair in table.ids):
        if identity.strip() and not ID.fullmatch(identity):
            yield f"{where}.{key}: '{identity}' {ID_RULE}"
        if identity in first:
            yield f"{where}.{key}: '{identity}' is already used by {first[identity]}"
        first.setdefault(identity, where)


def repeated(rows: Iterable[tuple[str, str]], key: str) -> Iterator[str]:
    """Values, each with the record it stands in, that must be unique and are not."""
    first: dict[str, str] = {}
    for where, value in rows:
        if value in first:
            yield f"{where}.{key}: '{value}' is already used by {first[value]}"
        first.setdefault(value, where)


# --- the tree of sites ------------------------------------------------------------------------


def tree_problems(file: str, sites: Table[Site]) -> Iterator[str]:
    """The sites must be one tree: district, towns, villages."""
    by_id = {site.id: site for _, site in sites.rows}
    districts = [where for where, site in sites.rows if site.tier is Tier.DISTRICT]
    if sites.known and len(districts) != 1 and len(by_id) == len(sites.ids):
        yield f"{file}: sites: exactly one site must have the tier 'district'; there are {len(districts)}"
    for where, site in sites.rows:
        above = _PARENT_TIER[site.tier]
        if site.parent is None:
            if above is not None:
                yield f"{where}.parent: is missing; a {site.tier} needs the id of its {above}"
            continue
        if above is None:
            yield f"{where}.parent: a district has no parent"
            continue
        yield from unresolved(f"{where}.parent", "site", site.parent, sites)
        parent = by_id.get(site.parent)
        if parent is not None and parent.tier is not above:
            sentence = f"a {site.tier} belongs to a {above}, but '{site.parent}' is a {parent.tier}"
            yield f"{where}.parent: {sentence}"
        yield from _circle(where, site, by_id)


def _circle(where: str, site: Site, by_id: Mapping[SiteId, Site]) -> Iterator[str]:
    way = [site.id]
    above = site.parent
    while above is not None and above not in way:
        way.append(above)
        above = by_id[above].parent if above in by_id else None
    if above == site.id:
        yield f"{where}.parent: the parents go round in a circle: {' -> '.join([*way, above])}"
