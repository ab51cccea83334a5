"""The settings of one installation: one TOML file, then environment variables over it.

``BANGBAN_<SECTION>__<KEY>`` (for example ``BANGBAN_WEB__PORT=8443``) overrides the file; lists are
comma-separated there. A key that nobody knows and a value of the wrong type are refused by their path.
docs/operations.md has a table of every key, tested against this module.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from agents.availability import Rules
from web.addresses import browser_origin, is_network, is_origin

DEFAULT_FILE = "bangban.toml"
FILE_VARIABLE = "BANGBAN_CONFIG"
PREFIX = "BANGBAN_"

Port = Annotated[int, Meta(ge=0, le=65535)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]


class ConfigError(ValueError):
    """The settings cannot be used. ``problems`` has one sentence each, beginning with file and path."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def without_password(url: str) -> str:
    """The address as it may be printed or logged."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}"))


class Section(Struct, frozen=True):
    """A table of the file. Its repr never shows a secret."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_shown(name, getattr(self, name))}" for name in self.__struct_fields__)
        return f"{type(self).__name__}({shown})"


def _shown(name: str, value: object) -> str:
    if name in ("secret", "token") and value is not None:
        return "'***'"
    return repr(without_password(value)) if name == "url" and isinstance(value, str) else repr(value)


class Hall(Section, frozen=True):
    """``content`` is the folder of sites, departments, zones and items; None: the demonstration hall's.
    ``goal_s``: a call answered within this many seconds counts as in goal on the manager's page.
    ``show_supervision``: whether an agent is shown that a supervisor listens."""

    id: Name = "demo"
    content: Path | None = None
    timezone: str = "Asia/Shanghai"
    goal_s: Annotated[int, Meta(ge=1, le=3600)] = 15
    show_supervision: bool = True


class Web(Section, frozen=True):
    """``public_url`` is the address in people's browsers (scheme and host, no path); by default the one
    listened on. ``trusted_proxies`` are the networks whose X-Forwarded-For is believed."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[str, ...] = ()


class Redis(Section, frozen=True):
    """``url`` None: a Valkey of our own is started as a child, its data in ``folder``."""

    url: str | None = None
    folder: Path | None = None


class Database(Section, frozen=True):
    """``url`` None: SQLite in the data folder."""

    url: str | None = None


class Recordings(Section, frozen=True):
    """``url`` is a folder or ``s3://bucket/prefix``; None: a folder in the data folder."""

    url: str | None = None


class Media(Section, frozen=True):
    """``workers`` None: one for each processor but one. ``addresses`` are what the node listens on (empty:
    all of the machine), ``public_address`` what browsers are told when it differs (NAT). Worker by worker
    takes one UDP port from ``port_min`` on; 0: any. ``capacity`` is a limit beside what is measured."""

    workers: Annotated[int, Meta(ge=1, le=256)] | None = None
    addresses: tuple[str, ...] = ()
    public_address: str | None = None
    port_min: Port = 0
    port_max: Port = 0
    capacity: Annotated[int, Meta(ge=1, le=10_000)] = 100


class Callback(Section, frozen=True):
    """Slots that residents may take when nobody can answer now: so many at a time in each queue, on so many
    opening days. ``places`` 0: none are offered."""

    minutes: Annotated[int, Meta(ge=5, le=120)] = 15
    places: Annotated[int, Meta(ge=0, le=100)] = 2
    days: Annotated[int, Meta(ge=1, le=10)] = 3


class Turn(Section, frozen=True):
    """coturn with ``use-auth-secret``; credentials made from ``secret`` live for ``ttl_s``."""

    urls: tuple[str, ...] = ()
    secret: str | None = None
    ttl_s: Annotated[int, Meta(ge=60, le=600)] = 600


class Metrics(Section, frozen=True):
    """``token`` None: only this machine may read ``/metrics``, and nobody through a proxy."""

    token: Annotated[str, Meta(pattern=r"^[!-~]{16,}$")] | None = None


class Config(Section, frozen=True):
    """Everything, checked. Paths are absolute."""

    data_dir: Path = Path("var")
    hall: Hall = Hall()
    web: Web = Web()
    redis: Redis = Redis()
    database: Database = Database()
    recordings: Recordings = Recordings()
    media: Media = Media()
    turn: Turn = Turn()
    metrics: Metrics = Metrics()
    routing: Rules = Rules()
    callback: Callback = Callback()

    @property
    def origin(self) -> str:
        """Scheme, host and port as a browser writes them in ``Origin``."""
        if self.web.public_url is not None:
            return browser_origin(self.web.public_url)
        scheme, usual = ("https", 443) if self.web.tls_cert is not None else ("http", 80)
        # On plain http a browser gives cameras and Secure cookies to localhost alone.
        host = "localhost" if self.web.host in ("127.0.0.1", "::1", "0.0.0.0", "::") else self.web.host  # noqa: S104
        host = f"[{host}]" if ":" in host else host
        return f"{scheme}://{host}" if self.web.port == usual else f"{scheme}://{host}:{self.web.port}"

    @property
    def database_url(self) -> str:
        """As SQLAlchemy's asyncio engine takes it."""
        if self.database.url is None:
            return f"sqlite+aiosqlite:///{self.data_dir / 'bangban.sqlite3'}"
        scheme, _, rest = self.database.url.partition("://")
        return f"{DATABASE_SCHEMES[scheme]}://{rest}"

    @property
    def redis_folder(self) -> Path:
        return self.redis.folder if self.redis.folder is not None else self.data_dir / "redis"

    @property
    def recordings_url(self) -> str:
        """A folder's absolute path, or an ``s3://`` address."""
        return self.recordings.url if self.recordings.url is not None else str(self.data_dir / "recordings")

    @property
    def recordings_folder(self) -> Path:
        """Where media nodes write; with S3, the folder that parts wait in."""
        url = self.recordings_url
        return self.data_dir / "recordings" if url.startswith("s3://") else Path(url)

    @property
    def workers(self) -> int:
        return self.media.workers or max(1, (os.cpu_count() or 2) - 1)


DATABASE_SCHEMES = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
REDIS_SCHEMES = ("redis", "rediss", "unix")


def load(
    path: Path | None = None, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> Config:
    """Read ``path``, else $BANGBAN_CONFIG, else bangban.toml in ``folder`` (the working one) if it is there.

    Paths in the file are relative to the file, those in variables to ``folder``. Raises ConfigError with
    every problem found, not only the first.
    """
    environ = os.environ if environ is None else environ
    folder = Path.cwd() if folder is None else folder
    file = _find(path, environ, folder)
    problems: list[str] = []
    values = {} if file is None else dict(_flatten(Config, _read(file), (), file.name, problems))
    sources = dict.fromkeys(values, "" if file is None else file.name)
    bases = dict.fromkeys(values, folder if file is None else file.parent)
    for keys, variable, text in _variables(environ, problems):
        values[keys], sources[keys], bases[keys] = text, variable, folder
    config = _build(Config, (), values, _Origin(sources, bases, folder), problems)
    if not problems:
        problems += [f"{_where(keys, sources)}: {sentence}" for keys, sentence in _inconsistent(config)]
    if problems:
        raise ConfigError(problems)
    return config


def keys() -> Iterator[tuple[str, object]]:
    """Every key as ``section.key`` with its default."""
    for path, field in _fields(Config, ()):
        yield ".".join(path), field.default


Keys = tuple[str, ...]


class _Origin(Struct, frozen=True):
    sources: dict[Keys, str]
    bases: dict[Keys, Path]
    folder: Path


def _find(path: Path | None, environ: Mapping[str, str], folder: Path) -> Path | None:
    if path is None and environ.get(FILE_VARIABLE):
        path = Path(environ[FILE_VARIABLE])
    if path is not None:
        return folder / path
    usual = folder / DEFAULT_FILE
    return usual if usual.exists() else None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError([f"{file}: there is no such file"]) from None
    except (OSError, UnicodeDecodeError) as why:
        raise ConfigError([f"{file}: cannot be read: {why}"]) from None
    except tomllib.TOMLDecodeError as why:
        raise ConfigError([f"{file.name}: this is not TOML: {why}"]) from None


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _fields(kind: type[Struct], path: Keys) -> Iterator[tuple[Keys, msgspec.structs.FieldInfo]]:
    for field in msgspec.structs.fields(kind):
        here = (*path, field.name)
        if _is_section(field.type):
            yield from _fields(field.type, here)
        else:
            yield here, field


def _flatten(
    kind: type[Struct], table: dict[str, Any], path: Keys, file: str, problems: list[str]
) -> Iterator[tuple[Keys, Any]]:
    known = {field.name: field for field in msgspec.structs.fields(kind)}
    for key, value in table.items():
        here = (*path, key)
        if key not in known:
            problems.append(f"{file}: {'.'.join(here)}: unknown key{_meant(key, known)}")
        elif not _is_section(known[key].type):
            yield here, value
        elif isinstance(value, dict):
            yield from _flatten(known[key].type, value, here, file, problems)
        else:
            problems.append(
                f"{file}: {'.'.join(here)}: this is a section: write [{'.'.join(here)}] and keys below it"
            )


def _meant(word: str, known: Any) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{near[0]}'?" if near else f"; known here: {', '.join(sorted(known))}"


def _variables(environ: Mapping[str, str], problems: list[str]) -> Iterator[tuple[Keys, str, str]]:
    known = {PREFIX + "__".join(path).upper(): path for path, _ in _fields(Config, ())}
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE or not text:
            continue
        if variable in known:
            yield known[variable], variable, text
        else:
            near = difflib.get_close_matches(variable, known, n=1, cutoff=0.6)
            meant = f"; did you mean {near[0]}?" if near else ""
            problems.append(f"{variable}: unknown variable{meant}")


S = TypeVar("S", bound=Struct)


def _build(kind: type[S], path: Keys, values: dict[Keys, Any], origin: _Origin, problems: list[str]) -> S:
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        here = (*path, field.name)
        if _is_section(field.type):
            made[field.name] = _build(field.type, here, values, origin, problems)
            continue
        value = values.get(here, field.default)
        try:
            made[field.name] = _leaf(field.type, here, value, origin)
        except msgspec.ValidationError as why:
            problems.append(f"{_where(here, origin.sources)}: {_plain(str(why))}")
    return kind(**made) if made.keys() == set(kind.__struct_fields__) else kind()


def _leaf(kind: Any, path: Keys, value: Any, origin: _Origin) -> Any:
    from_variable = origin.sources.get(path, "").startswith(PREFIX)
    if _takes_path(kind):
        text = msgspec.convert(str(value) if isinstance(value, Path) else value, str | None)
        return (
            None
            if text is None
            else (origin.bases.get(path, origin.folder) / Path(text).expanduser()).absolute()
        )
    if from_variable and get_origin(kind) is tuple:
        value = [part.strip() for part in value.split(",") if part.strip()]
    made = msgspec.convert(value, kind, strict=not from_variable)
    if path == ("recordings", "url") and made is not None and not made.startswith("s3://"):
        made = str((origin.bases.get(path, origin.folder) / Path(made).expanduser()).absolute())
    return made


def _takes_path(kind: Any) -> bool:
    return kind is Path or Path in get_args(kind)


def _plain(error: str) -> str:
    """msgspec's sentence without its own path and its back-ticks."""
    text = re.sub(r" - at `[^`]*`$", "", error).replace("`", "")
    return text[:1].lower() + text[1:]


def _where(path: Keys, sources: dict[Keys, str]) -> str:
    source = sources.get(path, "")
    return source if source.startswith(PREFIX) else f"{source or 'settings'}: {'.'.join(path)}"


def _inconsistent(config: Config) -> Iterator[tuple[Keys, str]]:
    """What is well typed and still cannot be meant."""
    yield from _bad_addresses(config)
    try:
        ZoneInfo(config.hall.timezone)
    except (KeyError, ValueError, OSError):
        yield (
            ("hall", "timezone"),
            f"no such time zone: {config.hall.timezone!r}; for example 'Asia/Shanghai'",
        )
    if (config.web.tls_cert is None) != (config.web.tls_key is None):
        missing = "tls_key" if config.web.tls_key is None else "tls_cert"
        yield ("web", missing), "tls_cert and tls_key belong together; this one is missing"
    if config.media.port_min > config.media.port_max:
        yield ("media", "port_max"), "must not be below port_min"
    elif config.media.port_min and config.media.port_max - config.media.port_min + 1 < config.workers:
        needed = f"{config.workers} workers need a UDP port each"
        yield ("media", "port_max"), f"{needed}: widen port_min to port_max, or set fewer workers"
    if config.turn.urls and not config.turn.secret:
        yield ("turn", "secret"), "is needed when turn.urls is set (static-auth-secret of coturn)"


def _bad_addresses(config: Config) -> Iterator[tuple[Keys, str]]:
    if config.web.public_url is not None and not is_origin(config.web.public_url):
        yield ("web", "public_url"), "must be like https://hall.example.org, without a path"
    if config.redis.url is not None and urlsplit(config.redis.url).scheme not in REDIS_SCHEMES:
        yield ("redis", "url"), "must begin with redis://, rediss:// or unix://"
    if config.database.url is not None and config.database.url.partition("://")[0] not in DATABASE_SCHEMES:
        yield ("database", "url"), "must begin with sqlite:/// or postgresql://"
    for url in config.turn.urls:
        if not re.match(r"^turns?:[^/?]+(\?transport=(udp|tcp))?$", url):
            yield ("turn", "urls"), f"{url!r} is not like turn:turn.example.org:3478?transport=udp"
    for network in config.web.trusted_proxies:
        if not is_network(network):
            yield (
                ("web", "trusted_proxies"),
                f"{network!r} is neither an address nor a network like 10.0.0.0/8",
            )
    for name, address in [("addresses", one) for one in config.media.addresses] + [
        ("public_address", one) for one in [config.media.public_address] if one is not None
    ]:
        if not is_network(address) or "/" in address:
            yield ("media", name), f"{address!r} is not an IP address"
