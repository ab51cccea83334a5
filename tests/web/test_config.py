"""Settings: every mistake is named by its path, and nothing is silently ignored."""

import re
from pathlib import Path

import pytest

from web.config import Config, ConfigError, keys, load, without_password


def written(folder: Path, text: str) -> Path:
    file = folder / "bangban.toml"
    file.write_text(text, "utf-8")
    return file


def problems(folder: Path, text: str = "", **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load(written(folder, text), environ, folder)
    return refused.value.problems


def test_without_a_file_the_defaults_serve_one_machine(tmp_path: Path) -> None:
    config = load(None, {}, tmp_path)
    assert config.origin == "http://localhost:8080"
    assert config.database_url == f"sqlite+aiosqlite:///{tmp_path}/var/bangban.sqlite3"
    assert config.recordings_url == str(tmp_path / "var" / "recordings")
    assert config.recordings_folder == tmp_path / "var" / "recordings"
    assert config.workers >= 1


def test_the_file_in_the_working_folder_is_found(tmp_path: Path) -> None:
    written(tmp_path, "[web]\nport = 9000\n")
    assert load(None, {}, tmp_path).web.port == 9000


def test_the_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[web]\nport = 9001\n")
    assert load(None, {"BANGBAN_CONFIG": "other.toml"}, tmp_path).web.port == 9001


def test_a_named_file_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: there is no such file"):
        load(tmp_path / "nowhere.toml", {}, tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[web]\nprot = 1", "bangban.toml: web.prot: unknown key; did you mean 'port'?"),
        ("[wbe]\nport = 1", "bangban.toml: wbe: unknown key; did you mean 'web'?"),
        ("[routing]\nrings = 5", "bangban.toml: routing.rings: unknown key; did you mean 'ring'?"),
        ("web = 1", "bangban.toml: web: this is a section: write [web] and keys below it"),
        ('[web]\nport = "8080"', "bangban.toml: web.port: expected int, got str"),
        ("[web]\nport = 70000", "bangban.toml: web.port: expected int <= 65535"),
        ("[turn]\nttl_s = 3600", "bangban.toml: turn.ttl_s: expected int <= 600"),
        (
            "[hall]\ntimezone = 'Asia/Atlantis'",
            "bangban.toml: hall.timezone: no such time zone: 'Asia/Atlantis'",
        ),
        ("[hall]\nid = 'a b'", "bangban.toml: hall.id: expected str matching regex"),
        (
            "[web]\ntls_cert = 'a.pem'",
            "web.tls_key: tls_cert and tls_key belong together; this one is missing",
        ),
        ("[web]\npublic_url = 'hall.example.org'", "web.public_url: must be like https://hall.example.org"),
        (
            "[web]\npublic_url = 'https://a.org:99999'",
            "web.public_url: must be like https://hall.example.org",
        ),
        ("[web]\npublic_url = 'https://me@a.org'", "web.public_url: must be like https://hall.example.org"),
        ("[web]\npublic_url = 'https://a.org#b'", "web.public_url: must be like https://hall.example.org"),
        ("[web]\npublic_url = 'https://a.org/b'", "web.public_url: must be like https://hall.example.org"),
        (
            "[web]\ntrusted_proxies = ['proxy']",
            "web.trusted_proxies: 'proxy' is neither an address nor a network",
        ),
        ("[redis]\nurl = 'localhost:6379'", "redis.url: must begin with redis://, rediss:// or unix://"),
        ("[database]\nurl = 'mysql://x/y'", "database.url: must begin with sqlite:/// or postgresql://"),
        ("[media]\naddresses = ['eth0']", "media.addresses: 'eth0' is not an IP address"),
        ("[media]\nport_min = 9\nport_max = 8", "bangban.toml: media.port_max: must not be below port_min"),
        (
            "[media]\nworkers = 3\nport_min = 40000\nport_max = 40001",
            "media.port_max: 3 workers need a UDP port each: widen port_min to port_max, or set fewer",
        ),
        ("[turn]\nurls = ['turn:a']", "turn.secret: is needed when turn.urls is set"),
        ("[turn]\nurls = ['a']\nsecret = 's'", "turn.urls: 'a' is not like turn:turn.example.org:3478"),
        ("[web\n", "bangban.toml: this is not TOML:"),
    ],
)
def test_a_mistake_in_the_file_is_named_by_its_path(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problems(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("BANGBAN_WEB__PROT", "1", "BANGBAN_WEB__PROT: unknown variable; did you mean BANGBAN_WEB__PORT?"),
        ("BANGBAN_WEB__PORT", "many", "BANGBAN_WEB__PORT: expected int, got str"),
        ("BANGBAN_WEB_PORT", "1", "BANGBAN_WEB_PORT: unknown variable; did you mean BANGBAN_WEB__PORT?"),
        ("BANGBAN_ROUTING__RING", "soon", "BANGBAN_ROUTING__RING: expected float, got str"),
        ("BANGBAN_REDIS__URL", "nonsense", "BANGBAN_REDIS__URL: must begin with redis://"),
    ],
)
def test_a_mistake_in_a_variable_is_named(tmp_path: Path, variable: str, value: str, expected: str) -> None:
    assert problems(tmp_path, **{variable: value})[0].startswith(expected)


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, "[web]\nprot = 1\nport = 'x'\n[hall]\ngoal_s = 0", BANGBAN_NONSENSE="1")
    assert len(found) == 4


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "data_dir = 'a'\n[web]\nport = 1\nhost = '0.0.0.0'\n[routing]\nring = 5\n")
    environ = {
        "BANGBAN_WEB__PORT": "2",
        "BANGBAN_DATA_DIR": "b",
        "BANGBAN_TURN__URLS": "turn:a:3478, turns:b:5349?transport=tcp",
        "BANGBAN_TURN__SECRET": "0123",
        "BANGBAN_ROUTING__WRAP_UP": "7.5",
        "BANGBAN_MEDIA__WORKERS": "",  # empty counts as not set
        "HOME": "/",
    }
    config = load(file, environ, tmp_path)
    assert (config.web.port, config.web.host, config.data_dir) == (2, "0.0.0.0", tmp_path / "b")
    assert config.turn.urls == ("turn:a:3478", "turns:b:5349?transport=tcp")
    assert config.turn.secret == "0123"
    assert (config.routing.ring, config.routing.wrap_up, config.media.workers) == (5.0, 7.5, None)


def test_paths_in_the_file_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    file = written(tmp_path / "etc", "data_dir = 'data'\n[recordings]\nurl = 'kept'\n[hall]\ncontent = '/c'")
    config = load(file, {}, tmp_path)
    assert config.data_dir == tmp_path / "etc" / "data"
    assert config.recordings_folder == tmp_path / "etc" / "kept"
    assert config.hall.content == Path("/c")


def test_recordings_in_a_bucket_still_need_a_folder_to_be_written_in(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[recordings]\nurl = 's3://bucket/hall'"), {}, tmp_path)
    assert config.recordings_url == "s3://bucket/hall"
    assert config.recordings_folder == tmp_path / "var" / "recordings"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("", "http://localhost:8080"),
        ("host = '0.0.0.0'\nport = 80", "http://localhost"),
        ("host = 'fd00::1'", "http://[fd00::1]:8080"),
        ("tls_cert = 'c'\ntls_key = 'k'\nport = 443\nhost = 'hall.example.org'", "https://hall.example.org"),
        ("public_url = 'https://hall.example.org/'", "https://hall.example.org"),
        ("public_url = 'HTTPS://Hall.Example.org:443'", "https://hall.example.org"),
        ("public_url = 'https://hall.example.org:8443/'", "https://hall.example.org:8443"),
        ("public_url = 'http://[::1]:80'", "http://[::1]"),
        ("public_url = 'https://帮办.example.org'", "https://xn--wfrx2y.example.org"),
    ],
)
def test_the_origin_is_what_a_browser_would_send(tmp_path: Path, text: str, origin: str) -> None:
    assert load(written(tmp_path, f"[web]\n{text}"), {}, tmp_path).origin == origin


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_is_reached_by_its_asyncio_driver(tmp_path: Path, scheme: str) -> None:
    config = load(written(tmp_path, f"[database]\nurl = '{scheme}://u:p@db/hall'"), {}, tmp_path)
    assert config.database_url == "postgresql+asyncpg://u:p@db/hall"


def test_secrets_are_never_in_the_repr(tmp_path: Path) -> None:
    text = (
        "[turn]\nurls = ['turn:t:3478']\nsecret = 'geheim'\n"
        "[redis]\nurl = 'redis://:geheim@r:6379/0'\n[database]\nurl = 'postgresql://u:geheim@db/hall'"
    )
    shown = repr(load(written(tmp_path, text), {}, tmp_path))
    assert "geheim" not in shown
    assert "postgresql://u:***@db/hall" in shown


def test_an_address_without_a_password_is_shown_as_it_is() -> None:
    assert without_password("redis://r:6379/0") == "redis://r:6379/0"


def test_every_key_is_listed_with_its_default() -> None:
    listed = dict(keys())
    assert listed["web.port"] == 8080
    assert listed["routing.ring"] == 20.0
    assert {path.partition(".")[0] for path in listed} == set(Config.__struct_fields__)


OPERATIONS = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
EXAMPLE = OPERATIONS.parents[1] / "deploy" / "examples" / "bangban.toml"


def test_the_manual_lists_every_key_with_its_default() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (?:`(.*?)`|–) \|", OPERATIONS.read_text("utf-8"), re.MULTILINE)
    expected = [(key, "" if default in (None, ()) else str(default)) for key, default in keys()]
    assert sorted(rows) == sorted(expected)


def test_the_example_is_accepted(tmp_path: Path) -> None:
    config = load(EXAMPLE, {}, tmp_path)
    assert config.origin == "https://hall.example.org"
    assert config.turn.secret is not None
