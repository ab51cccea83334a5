"""The command line as a stranger meets it."""

import re
import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from records.devices import CODE_ALPHABET
from web.cli import main
from web.demo import page
from web.seed import DEMO, PASSWORDS, read


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, where the data goes to ./var."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def bangban(*words: str, said: str | None = None) -> Result:
    return CliRunner().invoke(main, words, input=said)


def commands(group: click.Group, *path: str) -> list[tuple[str, ...]]:
    found = [path]
    for name, command in group.commands.items():
        below = (*path, name)
        found += commands(command, *below) if isinstance(command, click.Group) else [below]
    return found


@pytest.mark.parametrize("words", commands(main), ids=" ".join)
def test_every_command_and_option_explains_itself(words: tuple[str, ...]) -> None:
    result = bangban(*words, "--help")
    assert result.exit_code == 0
    assert re.search(r"\n {2}\S.*\.", result.output)
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help


def test_the_commands_are_those_that_are_documented() -> None:
    expected = ["account", "doctor", "media", "migrate", "seed", "serve", "simulate", "station", "web"]
    assert sorted(main.commands) == expected


def test_wrong_settings_end_every_command_with_each_problem(here: Path) -> None:
    (here / "bangban.toml").write_text("[web]\nprot = 1\nhost = 2\n")
    result = bangban("migrate")
    assert result.exit_code == 2
    assert "bangban.toml: web.prot: unknown key; did you mean 'port'?" in result.output
    assert "bangban.toml: web.host: expected str, got int" in result.output


def test_migrate_makes_a_private_database_and_may_be_repeated(here: Path) -> None:
    for _ in range(2):
        result = bangban("migrate")
        assert (result.exit_code, result.output) == (0, "The database is up to date.\n")
    assert stat.S_IMODE((here / "var" / "bangban.sqlite3").stat().st_mode) == 0o600


def test_a_database_that_cannot_be_opened_is_a_sentence(here: Path) -> None:
    (here / "var").write_text("")
    result = bangban("migrate")
    assert result.exit_code == 1
    assert result.output.startswith("The database cannot be opened: ")


def test_seed_twice_is_seed_once(here: Path) -> None:
    first, second = bangban("seed", "--demo-accounts"), bangban("seed", "--demo-accounts")
    assert "3 stations and 13 accounts are new." in first.output
    assert "0 stations and 0 accounts are new." in second.output
    kept = here / "var" / PASSWORDS
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    for login, password in re.findall(r"^ {2}(\S+) +(\S+-\S+-\S+-\d\d)$", first.output, re.MULTILINE):
        assert f'"{login}" = "{password}"' in kept.read_text()


def test_seeding_again_leaves_what_an_administrator_changed(here: Path) -> None:
    bangban("seed", "--demo-accounts")
    assert bangban("account", "disable", "agent1").exit_code == 0
    bangban("seed", "--demo-accounts")
    line = next(one for one in bangban("account", "list").output.splitlines() if one.startswith("agent1 "))
    assert line.endswith(" no")


def test_seed_without_accounts_makes_stations_only(here: Path) -> None:
    assert "3 stations and 0 accounts are new." in bangban("seed").output
    assert not (here / "var" / PASSWORDS).exists()


def test_check_reads_and_changes_nothing(here: Path) -> None:
    result = bangban("seed", "--check")
    assert "7 zones" in result.output
    assert not (here / "var").exists()


def test_a_faulty_folder_is_refused_with_its_faults(here: Path) -> None:
    (here / "hall").mkdir()
    result = bangban("seed", "hall")
    assert result.exit_code == 1
    assert f"{here}/hall cannot be used:\n" in result.output
    assert not (here / "var").exists()


def test_another_folder_is_said_to_need_its_setting(here: Path) -> None:
    (here / "hall").symlink_to(DEMO)
    assert f'set hall.content = "{here}/hall"' in bangban("seed", "hall").output


def test_a_station_is_enrolled_by_code_and_revoked(here: Path) -> None:
    bangban("seed")
    code, address = bangban("station", "enrol", "station-1").output.split()
    assert re.fullmatch(rf"[{CODE_ALPHABET}]{{4}}-[{CODE_ALPHABET}]{{4}}", code)
    assert address == f"http://localhost:8080/station#enrol={code}"
    assert "station-1" in bangban("station", "list").output
    assert bangban("station", "revoke", "station-1").exit_code == 0


@pytest.mark.parametrize("command", ["enrol", "revoke"])
def test_an_unknown_station_is_refused_in_words(here: Path, command: str) -> None:
    result = bangban("station", command, "station-9")
    assert result.exit_code == 1
    assert "There is no station station-9. `bangban station list` shows them." in result.output


def test_an_account_from_first_to_last(here: Path) -> None:
    made = bangban(
        *(
            "account",
            "add",
            "Wang",
            "--role",
            "agent",
            "--name",
            "王敏",
            "--skill",
            "tax=4",
            "--skill",
            "general",
        ),
        said="long enough\nlong enough\n",
    )
    assert (made.exit_code, made.output.splitlines()[-1]) == (0, "wang can sign in.")
    assert "王敏" in bangban("account", "list", "--role", "agent").output
    assert (
        bangban("account", "password", "WANG", "--password-stdin", said="another long one\n").exit_code == 0
    )
    assert "no longer" in bangban("account", "disable", "wang").output


@pytest.mark.parametrize(
    ("words", "said", "expected"),
    [
        (("add", "li", "--role", "admin", "--name", "李"), "short\nshort\n", "8 to 256 characters"),
        (("add", "li", "--role", "king", "--name", "李"), None, "'king' is not one of"),
        (("add", "li", "--role", "agent", "--name", "李", "--skill", "tax=9"), None, "from 1 to 5"),
        (("disable", "nobody"), None, "There is no account nobody."),
        (("password", "nobody", "--password-stdin"), "long enough\n", "There is no account nobody."),
    ],
)
def test_what_cannot_be_done_to_an_account_is_said(
    here: Path, words: tuple[str, ...], said: str | None, expected: str
) -> None:
    result = bangban("account", *words, said=said)
    assert result.exit_code != 0
    assert expected in result.output
    assert "Traceback" not in result.output


def test_a_login_is_given_once(here: Path) -> None:
    words = ("account", "add", "li", "--role", "admin", "--name", "李", "--password-stdin")
    assert bangban(*words, said="long enough\n").exit_code == 0
    again = bangban(*words, said="long enough\n")
    assert (again.exit_code, "already an account" in again.output) == (1, True)


def test_what_the_command_line_does_is_in_the_audit_trail(here: Path) -> None:
    import sqlite3

    bangban("seed")
    bangban("station", "enrol", "station-1")
    bangban(
        "account", "add", "li", "--role", "admin", "--name", "李", "--password-stdin", said="long enough\n"
    )
    with sqlite3.connect(here / "var" / "bangban.sqlite3") as database:
        rows = database.execute("select action, object from audit order by seq").fetchall()
    database.close()
    assert rows == [("station.code", "station:station-1"), ("account.create", "account:li")]


def test_the_demonstration_page_has_all_that_one_needs(here: Path) -> None:
    folder = read(DEMO)
    passwords = {one.login: f"secret-of-{one.login}" for one in folder.people.accounts}
    shown = page("http://localhost:1", folder, [("望湖", "AAAA-CCCC")], passwords)
    assert "http://localhost:1/station#enrol=AAAA-CCCC" in shown
    for path in ("agent", "manager", "admin"):
        assert f"http://localhost:1/{path}\n" in shown
    for login, password in passwords.items():
        assert re.search(rf"{login} +{password} ", shown)
