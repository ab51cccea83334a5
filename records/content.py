"""A hall's content as a folder of TOML files: loading it, and what pages ask of it.

    hall.toml           the hall, its zones and departments, and readings for the pinyin search
    sites.toml          the tree of sites
    items/<zone>.toml   the items of one zone
    people.toml         stations and accounts, without passwords
    media/              how-to videos

docs/content.md tells a hall how to write one; records/demo is an example.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict
from pypinyin import lazy_pinyin

from records.content_check import (
    ID,
    ID_RULE,
    ContentError,
    Table,
    check_keys,
    id_problems,
    read_table,
    read_toml,
    repeated,
    shape_problems,
    tree_problems,
    unresolved,
)
from records.hours import parse_hours
from records.model import (
    Account,
    AccountId,
    AccountRole,
    Content,
    Department,
    DepartmentId,
    HallId,
    Item,
    ItemId,
    Material,
    QueueId,
    Site,
    SiteId,
    Skill,
    SkillId,
    Station,
    StationId,
    Text,
    Tier,
    Zone,
    ZoneId,
)

__all__ = [
    "ContentError",
    "People",
    "catalogue_json",
    "items_at",
    "load_content",
    "load_people",
    "warnings_of",
]

HALL, SITES, PEOPLE = "hall.toml", "sites.toml", "people.toml"
EVERYTHING = "*"
_VIDEO = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.webm")
_RUNS = re.compile(r"[\u3400-\u9fff]+|[A-Za-z0-9]+")


class People(Struct, frozen=True):
    """The terminals and the staff that a hall starts with. Nobody has a password or a device key yet."""

    stations: tuple[Station, ...]
    accounts: tuple[Account, ...]


# --- records as they are written in the files ---------------------------------------------------


class _Hall(Struct, frozen=True):
    id: str
    name: Text
    readings: dict[str, str] = {}


class _Item(Struct, frozen=True):
    id: ItemId
    department: DepartmentId
    name: Text
    summary: Text
    duration: Text
    fee: Text
    steps: tuple[Text, ...]
    materials: tuple[Material, ...]
    skill: SkillId | None = None
    level: int = 1
    also: dict[SkillId, int] = {}
    queue: QueueId | None = None
    served_by: tuple[Tier, ...] = tuple(Tier)
    popular: int = 0
    video: str | None = None
    keywords: tuple[str, ...] = ()


class _Station(Struct, frozen=True):
    id: StationId
    site: SiteId
    name: Text


class _Account(Struct, frozen=True):
    login: str
    role: AccountRole
    name: Text
    badge: str
    department: DepartmentId
    site: SiteId
    skills: dict[SkillId, int] = {}
    hours: tuple[str, ...] = ()


# --- loading ------------------------------------------------------------------------------------


def load_content(folder: Path) -> Content:
    """Read and check hall.toml, sites.toml and items/. Raises ContentError with everything that is wrong."""
    problems: list[str] = []
    raw = read_toml(folder, HALL, problems)
    zones = read_table(HALL, raw, "zones", Zone, problems)
    departments = read_table(HALL, raw, "departments", Department, problems)
    skills = read_table(HALL, {"skills": [], **(raw or {})}, "skills", Skill, problems)
    hall = _read_hall(raw, problems)
    raw_sites = read_toml(folder, SITES, problems)
    sites = read_table(SITES, raw_sites, "sites", Site, problems)
    problems.extend(check_keys(raw_sites or {}, ("sites",), f"{SITES}: "))
    items = _read_items(folder, zones, problems)

    for table in (zones, departments, sites, skills):
        problems.extend(id_problems([table]))
    problems.extend(id_problems(items.values()))
    problems.extend(tree_problems(SITES, sites))
    problems.extend(_empowers_problems(sites, zones, items))
    for table_of_items in items.values():
        problems.extend(_item_problems(table_of_items, zones, departments))
    for table_of_items in items.values():
        problems.extend(_also_problems(table_of_items, _skills_of(zones, items, skills)))
    if problems or hall is None:
        raise ContentError(tuple(problems))

    return Content(
        hall=HallId(hall.id),
        name=hall.name,
        sites=tuple(site for _, site in sites.rows),
        departments=tuple(department for _, department in departments.rows),
        zones=tuple(zone for _, zone in zones.rows),
        items=tuple(
            _item(draft, zone.id, hall.readings)
            for _, zone in zones.rows
            if zone.id in items
            for _, draft in items[zone.id].rows
        ),
        skills=tuple(skill for _, skill in skills.rows),
    )


def load_people(folder: Path, content: Content) -> People:
    """Read and check people.toml against the content. Raises ContentError with everything that is wrong."""
    problems: list[str] = []
    raw = read_toml(folder, PEOPLE, problems)
    problems.extend(check_keys(raw or {}, ("stations", "accounts"), f"{PEOPLE}: "))
    stations = read_table(PEOPLE, raw, "stations", _Station, problems)
    accounts = read_table(PEOPLE, raw, "accounts", _Account, problems, named_by="login")
    problems.extend(id_problems([stations]))
    problems.extend(id_problems([accounts], key="login"))
    problems.extend(repeated(((where, account.badge) for where, account in accounts.rows), "badge"))
    sites = _named(str(site.id) for site in content.sites)
    for where, station in stations.rows:
        problems.extend(unresolved(f"{where}.site", "site", station.site, sites))
    departments = _named(str(department.id) for department in content.departments)
    skills = _named(known_skills(content))
    for where, account in accounts.rows:
        problems.extend(unresolved(f"{where}.site", "site", account.site, sites))
        problems.extend(unresolved(f"{where}.department", "department", account.department, departments))
        problems.extend(_skill_problems(where, account, skills))
        problems.extend(_hours_problems(f"{where}.hours", account.hours))
    if problems:
        raise ContentError(tuple(problems))
    return People(
        tuple(Station(id=s.id, site=s.site, name=s.name) for _, s in stations.rows),
        tuple(_account(draft) for _, draft in accounts.rows),
    )


def warnings_of(folder: Path, content: Content, people: People | None = None) -> tuple[str, ...]:
    """What does not keep the folder from being loaded, but is hardly meant: one sentence each."""
    found = [
        f"media/{item.video}: this video, named by the item '{item.id}', is missing"
        for item in content.items
        if item.video is not None and not (folder / "media" / item.video).is_file()
    ]
    used = {item.zone for item in content.items}
    found += [
        f"items/{zone.id}.toml: the zone '{zone.id}' has no items"
        for zone in content.zones
        if zone.id not in used
    ]
    if people is not None:
        staffed = {
            skill
            for account in people.accounts
            if account.role is AccountRole.AGENT
            for skill in account.skills
        }
        missing = sorted({item.skill for item in content.items} - staffed)
        found += [
            f"{PEOPLE}: no agent has the skill '{skill}', so nobody can take its calls" for skill in missing
        ]
        if not any(account.role is AccountRole.ADMIN for account in people.accounts):
            found.append(f"{PEOPLE}: nobody is an administrator")
    return tuple(found)


def _read_hall(raw: Mapping[str, object] | None, problems: list[str]) -> _Hall | None:
    if raw is None:
        return None
    problems.extend(
        check_keys(raw, (*_Hall.__struct_fields__, "zones", "departments", "skills"), f"{HALL}: ")
    )
    own = {key: value for key, value in raw.items() if key in _Hall.__struct_fields__}
    faults = list(shape_problems(own, _Hall, f"{HALL}: "))
    problems.extend(faults)
    if faults:
        return None
    hall = msgspec.convert(own, _Hall)
    if not ID.fullmatch(hall.id):
        problems.append(f"{HALL}: id: '{hall.id}' {ID_RULE}")
    for word, reading in hall.readings.items():
        if len(reading.split()) != len(word) or not re.fullmatch(r"[a-z ]+", reading):
            problems.append(
                f"{HALL}: readings.{word}: must be one syllable in small letters for each character"
            )
    return hall


def _read_items(folder: Path, zones: Table[Zone], problems: list[str]) -> dict[str, Table[_Item]]:
    """The items of each zone, by the zone's id, which is the file's name."""
    found: dict[str, Table[_Item]] = {}
    for path in sorted((folder / "items").glob("*.toml")):
        name = f"items/{path.name}"
        raw = read_toml(folder, name, problems)
        problems.extend(unresolved(name, "zone", path.stem, zones))
        problems.extend(check_keys(raw or {}, ("items",), f"{name}: "))
        found[path.stem] = read_table(name, raw, "items", _Item, problems)
    if not found:
        problems.append(
            "items: there is no file of items; write one for each zone, such as items/general.toml"
        )
    return found


def _item(draft: _Item, zone: ZoneId, readings: Mapping[str, str]) -> Item:
    pinyin, initials = pinyin_of(draft.name.zh, readings)
    written = asdict(draft)
    written["skill"] = draft.skill or zone
    return Item(**written, zone=zone, pinyin=pinyin, initials=initials)


def _account(draft: _Account) -> Account:
    return Account(**{**asdict(draft), "hours": parse_hours(draft.hours)}, id=AccountId(draft.login))


# --- references between records -----------------------------------------------------------------


def _empowers_problems(
    sites: Table[Site], zones: Table[Zone], items: Mapping[str, Table[_Item]]
) -> Iterator[str]:
    complete = zones.known and all(table.known for table in items.values())
    names = Table[Any](
        ids=(*zones.ids, *(pair for table in items.values() for pair in table.ids)), known=complete
    )
    for where, site in sites.rows:
        for index, word in enumerate(site.empowers):
            if word != EVERYTHING:
                yield from unresolved(f"{where}.empowers[{index}]", "zone or item", word, names)


def _item_problems(items: Table[_Item], zones: Table[Zone], departments: Table[Department]) -> Iterator[str]:
    zone_ids = {identity for _, identity in zones.ids}
    for where, item in items.rows:
        yield from unresolved(f"{where}.department", "department", item.department, departments)
        if item.id in zone_ids:
            yield f"{where}.id: '{item.id}' is already the id of a zone, so 'empowers' could mean either"
        if not item.steps:
            yield f"{where}.steps: at least one step is needed"
        if not item.materials:
            yield f"{where}.materials: at least one material is needed"
        if item.skill is not None and not ID.fullmatch(item.skill):
            yield f"{where}.skill: '{item.skill}' {ID_RULE}"
        if item.queue is not None and not ID.fullmatch(item.queue):
            yield f"{where}.queue: '{item.queue}' {ID_RULE}"
        if not item.served_by:
            yield f"{where}.served_by: at least one tier is needed, or nobody could answer"
        yield from _level_problems(f"{where}.level", item.level)
        if item.popular < 0:
            yield f"{where}.popular: must be 0 or more; higher is shown earlier"
        if item.video is not None and not _VIDEO.fullmatch(item.video):
            yield f"{where}.video: must be the name of a .webm file in media/, without a folder"


def _also_problems(items: Table[_Item], skills: Table[Any]) -> Iterator[str]:
    for where, item in items.rows:
        for skill, level in item.also.items():
            yield from unresolved(f"{where}.also.{skill}", "skill", skill, skills)
            yield from _level_problems(f"{where}.also.{skill}", level)


def _skills_of(zones: Table[Zone], items: Mapping[str, Table[_Item]], skills: Table[Skill]) -> Table[Any]:
    own = [str(item.skill) for table in items.values() for _, item in table.rows if item.skill is not None]
    named = [identity for table in (zones, skills) for _, identity in table.ids]
    return Table(ids=tuple(("", identity) for identity in [*named, *own]), known=zones.known and skills.known)


def _level_problems(where: str, level: int) -> Iterator[str]:
    if not 1 <= level <= 5:
        yield f"{where}: the level must be from 1 (can) to 5 (teaches); it is {level}"


def _hours_problems(where: str, lines: tuple[str, ...]) -> Iterator[str]:
    try:
        parse_hours(lines)
    except ValueError as why:
        yield f"{where}: {why}"


def _skill_problems(where: str, account: _Account, skills: Table[Any]) -> Iterator[str]:
    for skill, level in account.skills.items():
        yield from unresolved(f"{where}.skills.{skill}", "zone or item with the skill", skill, skills)
        yield from _level_problems(f"{where}.skills.{skill}", level)
    if account.role is AccountRole.AGENT and not account.skills:
        yield f"{where}.skills: an agent needs at least one skill"


def _named(ids: Iterable[str]) -> Table[Any]:
    return Table(ids=tuple(("", identity) for identity in ids), known=True)


def known_skills(content: Content) -> tuple[str, ...]:
    """Every skill that somebody may have: a zone's, an item's, and those named in hall.toml."""
    return tuple(
        dict.fromkeys(
            [
                *(str(zone.id) for zone in content.zones),
                *(str(skill) for item in content.items for skill in (item.skill, *item.also)),
                *(str(skill.id) for skill in content.skills),
            ]
        )
    )


# --- what pages ask -----------------------------------------------------------------------------


def items_at(content: Content, site: SiteId) -> tuple[Item, ...]:
    """The items that the site is empowered for, in the content's order. KeyError: there is no such site."""
    empowers = next((s.empowers for s in content.sites if s.id == site), None)
    if empowers is None:
        raise KeyError(site)
    if EVERYTHING in empowers:
        return content.items
    return tuple(item for item in content.items if item.zone in empowers or item.id in empowers)


def catalogue_json(content: Content, site: SiteId | None = None) -> bytes:
    """The document that pages fetch: ``{"hall": {"name"}, "zones", "departments", "items"}``, UTF-8 JSON.

    With a site, only the items that it is empowered for and the zones that have any of them.
    """
    items = content.items if site is None else items_at(content, site)
    used = {item.zone for item in items}
    return msgspec.json.encode(
        {
            "hall": {"name": content.name},
            "zones": [zone for zone in content.zones if zone.id in used],
            "departments": content.departments,
            "items": items,
        }
    )


def pinyin_of(text: str, readings: Mapping[str, str] | None = None) -> tuple[str, str]:
    """The text's pinyin, without tones and in small letters, and its initials: ("she bao", "sb").

    Latin letters and digits are kept whole in both; punctuation is left out. ``readings`` gives the syllables
    of words that the dictionary would read otherwise; the longest that fits wins.
    """
    readings = readings or {}
    words = "|".join(re.escape(word) for word in sorted(readings, key=len, reverse=True))
    full: list[str] = []
    initials: list[str] = []
    for piece in re.split(f"({words})", text) if words else [text]:
        if piece in readings:
            full += readings[piece].split()
            initials += [syllable[0] for syllable in readings[piece].split()]
            continue
        for run in _RUNS.findall(piece):
            if run.isascii():
                full.append(run.lower())
                initials.append(run.lower())
            else:
                syllables = lazy_pinyin(run)
                full += syllables
                initials += [syllable[0] for syllable in syllables]
    return " ".join(full), "".join(initials)
