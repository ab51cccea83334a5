"""The commands about content, people and terminals: ``bangban seed``, ``account …`` and ``station …``.

Each change is written to the audit trail with the name of the system user who made it.
"""

import asyncio
import getpass
import sys
import time
import unicodedata
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from records.model import Account, AccountId, AccountRole, DepartmentId, SiteId, SkillId, StationId, Text
from web.invocation import Invocation

if TYPE_CHECKING:
    from records.store import Store
    from web.config import Config
    from web.seed import Folder


class Refused(click.ClickException):
    """Ends the command with its sentence and exit code 1."""


@asynccontextmanager
async def opened(config: "Config") -> "AsyncIterator[Store]":
    """The records, migrated. Raises Refused with the reason when they cannot be opened."""
    from sqlalchemy.exc import SQLAlchemyError

    from records.database import NewerDatabase, UnsupportedDatabase
    from records.store import Store

    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = await Store.open(config.database_url, config.recordings_url, config.data_dir)
    except (NewerDatabase, UnsupportedDatabase, SQLAlchemyError, OSError) as why:
        raise Refused(f"The records cannot be opened: {str(why).splitlines()[0]}") from None
    try:
        yield store
    finally:
        await store.close()


async def audited(store: "Store", action: str, what: str) -> None:
    """Written after the change: the commands are the operator's own, who could change the database anyway."""
    from records.audit import AuditLine

    await store.audit.write(AuditLine(time.time(), action, what, actor_name=f"bangban ({getpass.getuser()})"))


def _run(work: Coroutine[Any, Any, None]) -> None:
    """A refusal by records/ ends the command with its sentence."""
    from records.accounts import AccountExists, PasswordRefused

    try:
        asyncio.run(work)
    except (AccountExists, PasswordRefused, ValueError) as why:
        raise Refused(str(why)) from None


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns in line; a Chinese character counts for two."""
    widths = [max(map(_width, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in (heads, *rows)
    ]
    return "\n".join(lines)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


# --- content ----------------------------------------------------------------------------------


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option(
    "--check", is_flag=True, help="Only read the folder and say what is wrong with it; change nothing."
)
@click.option(
    "--demo-accounts", is_flag=True, help="Also make the folder's accounts, and print their passwords."
)
@click.pass_obj
def seed(invocation: Invocation, folder: Path | None, check: bool, demo_accounts: bool) -> None:
    """Fill the records with the stations of a content FOLDER.

    Without FOLDER: hall.content of the settings, or the demonstration hall. What is there already stays as
    it is, so that this may be repeated. The passwords of --demo-accounts are kept in the data folder.
    """
    from records.content import ContentError
    from web import seed as seeding

    config = invocation.config()
    path = (folder if folder is not None else seeding.content_folder(config)).absolute()
    try:
        read = seeding.read(path)
    except ContentError as refused:
        raise Refused(f"{path} cannot be used:\n{refused}") from None
    for warning in read.warnings:
        click.echo(f"warning: {warning}", err=True)
    if check:
        click.echo(
            f"{path} is in order: {len(read.content.zones)} zones, {len(read.content.items)} items, "
            f"{len(read.content.departments)} departments, {len(read.content.sites)} sites, "
            f"{len(read.people.stations)} stations, {len(read.people.accounts)} accounts."
        )
        return
    _run(_seed(config, read, demo_accounts))
    if folder is not None and path != seeding.content_folder(config):
        click.echo(f'The pages show {seeding.content_folder(config)}: set hall.content = "{path}".')


async def _seed(config: "Config", folder: "Folder", demo_accounts: bool) -> None:
    from web import seed as seeding

    passwords = seeding.demo_passwords(config.data_dir, folder.people) if demo_accounts else None
    async with opened(config) as store:
        new = await seeding.seed(store, folder, passwords)
    click.echo(f"{len(new.stations)} stations and {len(new.accounts)} accounts are new.")
    for login in new.accounts:
        click.echo(f"  {login:16} {(passwords or {})[login]}")


# --- stations ----------------------------------------------------------------------------------


@click.group()
def station() -> None:
    """The unattended terminals: list them, enrol one, take one out."""


@station.command("list")
@click.pass_obj
def list_stations(invocation: Invocation) -> None:
    """Show every station, and whether it is enrolled."""

    async def run() -> None:
        async with opened(invocation.config()) as store:
            rows = [
                (one.id, one.name.zh, one.name.en, one.site, "yes" if one.public_key is not None else "no")
                for one in await store.devices.stations()
            ]
        click.echo(table(("STATION", "名称", "NAME", "SITE", "ENROLLED"), rows))

    _run(run())


@station.command()
@click.argument("station_id", metavar="STATION")
@click.pass_obj
def enrol(invocation: Invocation, station_id: str) -> None:
    """Print a code and an address that make a terminal this STATION.

    Open the address in the terminal's browser, or type the code there. It works once and for 15 minutes;
    a terminal that was this station before is then no longer.
    """
    from records.devices import UnknownStation

    async def run() -> None:
        config = invocation.config()
        async with opened(config) as store:
            try:
                code = await store.devices.new_enrolment_code(StationId(station_id), time.time())
            except UnknownStation:
                raise _no_station(station_id) from None
            await audited(store, "station.code", f"station:{station_id}")
        click.echo(f"{code}\n{config.origin}/station#enrol={code}")

    _run(run())


@station.command()
@click.argument("station_id", metavar="STATION")
@click.pass_obj
def revoke(invocation: Invocation, station_id: str) -> None:
    """Refuse the terminal that is this STATION now; it may be enrolled again."""
    from records.devices import UnknownStation

    async def run() -> None:
        async with opened(invocation.config()) as store:
            try:
                await store.devices.revoke(StationId(station_id))
            except UnknownStation:
                raise _no_station(station_id) from None
            await audited(store, "station.revoke", f"station:{station_id}")
        click.echo(f"{station_id}: its terminal is refused from now on.")

    _run(run())


def _no_station(station_id: str) -> Refused:
    return Refused(f"There is no station {station_id}. `bangban station list` shows them.")


# --- accounts ----------------------------------------------------------------------------------


@click.group()
def account() -> None:
    """The people who sign in: list them, add one, disable one, set a password."""


@account.command("list")
@click.option("--role", type=click.Choice([role.value for role in AccountRole]), help="Only these.")
@click.pass_obj
def list_accounts(invocation: Invocation, role: str | None) -> None:
    """Show the accounts, disabled ones too; never a password."""

    async def run() -> None:
        async with opened(invocation.config()) as store:
            found = await store.accounts.list_accounts(None if role is None else AccountRole(role))
        rows = [
            (one.login, one.role.value, one.name.zh, one.name.en, one.site, "yes" if one.active else "no")
            for one in found
        ]
        click.echo(table(("LOGIN", "ROLE", "姓名", "NAME", "SITE", "ACTIVE"), rows))

    _run(run())


@account.command()
@click.argument("login")
@click.option(
    "--role",
    type=click.Choice([role.value for role in AccountRole]),
    required=True,
    help="Whose pages this person may see.",
)
@click.option("--name", required=True, help="As the resident sees it (中文).")
@click.option("--name-en", help="The same in English; otherwise --name.")
@click.option("--badge", default="", help="Number shown to the resident, e.g. 0317.")
@click.option("--department", default="", metavar="ID", help="Shown to the resident by its name.")
@click.option("--site", default="", metavar="ID", help="Where this person works.")
@click.option(
    "--skill", "skills", multiple=True, metavar="ID[=LEVEL]", help="May be repeated; level 1 to 5, else 3."
)
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
@click.pass_obj
def add(
    invocation: Invocation,
    login: str,
    role: str,
    name: str,
    name_en: str | None,
    badge: str,
    department: str,
    site: str,
    skills: tuple[str, ...],
    password_stdin: bool,
) -> None:
    """Add the person who signs in as LOGIN. Asks for the password, twice.

    For example the first administrator:

    \b
        bangban account add wang --role admin --name 王敏
    """
    made = Account(
        id=AccountId(login.strip().casefold()),
        login=login,
        role=AccountRole(role),
        name=Text(zh=name, en=name_en or name),
        badge=badge,
        department=DepartmentId(department),
        site=SiteId(site),
        skills=dict(map(_skill, skills)),
    )
    password = _password(password_stdin)

    async def run() -> None:
        async with opened(invocation.config()) as store:
            await store.accounts.create_account(made, password, time.time())
            await audited(store, "account.create", f"account:{made.id}")
        click.echo(f"{made.id} can sign in.")

    _run(run())


@account.command()
@click.argument("login")
@click.pass_obj
def disable(invocation: Invocation, login: str) -> None:
    """Sign LOGIN out everywhere and refuse further sign-ins. What the account did stays on record."""

    async def run() -> None:
        async with opened(invocation.config()) as store:
            found = await _find(store, login)
            await store.accounts.disable(found.id)
            await audited(store, "account.disable", f"account:{found.id}")
        click.echo(f"{login} can no longer sign in.")

    _run(run())


@account.command()
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from the first line of stdin.")
@click.pass_obj
def password(invocation: Invocation, login: str, password_stdin: bool) -> None:
    """Set a new password for LOGIN, and sign out whoever uses the old one."""
    chosen = _password(password_stdin)

    async def run() -> None:
        async with opened(invocation.config()) as store:
            found = await _find(store, login)
            await store.accounts.set_password(found.id, chosen)
            await audited(store, "account.password", f"account:{found.id}")
        click.echo(f"{login} has a new password.")

    _run(run())


async def _find(store: "Store", login: str) -> Account:
    from records.accounts import folded

    for one in await store.accounts.list_accounts():
        if one.login == folded(login):
            return one
    raise Refused(f"There is no account {login}. `bangban account list` shows them.")


def _skill(text: str) -> tuple[SkillId, int]:
    name, _, level = text.partition("=")
    if level not in ("", "1", "2", "3", "4", "5"):
        raise click.BadParameter(f"{text!r}: the level is a number from 1 to 5", param_hint="--skill")
    return SkillId(name), int(level or 3)


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
