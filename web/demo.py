"""``bangban serve --demo``: the demonstration hall, ready to be looked at, and the page that says where."""

import time

import click

from records.content import ContentError
from records.model import Account, AccountRole
from records.store import Store
from web.config import Config
from web.seed import Folder, content_folder, demo_passwords, read, seed
from web.supervisor import CannotStart

CODE_TTL_S = 24 * 3600.0  # a demonstration is left open for a day; a real code is good for minutes
ROLES = {
    AccountRole.AGENT: "坐席 agent",
    AccountRole.EXPERT: "专家 expert",
    AccountRole.MANAGER: "管理 manager",
    AccountRole.ADMIN: "后台 admin",
}


async def prepare(config: Config) -> None:
    """Fill in the stations and accounts that are missing. Raises CannotStart when the content is faulty."""
    folder = _folder(config)
    store = await _open(config)
    try:
        await seed(store, folder, demo_passwords(config.data_dir, folder.people))
    finally:
        await store.close()


async def announce(config: Config) -> None:
    """Print addresses, enrolment codes and accounts; called when everything answers."""
    folder = _folder(config)
    store = await _open(config)
    try:
        codes = [
            (station.name.zh, await store.devices.new_enrolment_code(station.id, time.time(), CODE_TTL_S))
            for station in folder.people.stations
        ]
    finally:
        await store.close()
    click.echo(page(config.origin, folder, codes, demo_passwords(config.data_dir, folder.people)))


def page(origin: str, folder: Folder, codes: list[tuple[str, str]], passwords: dict[str, str]) -> str:
    rule = "─" * 78
    name = folder.content.name
    return "\n".join(
        [
            rule,
            f"  帮办 Bangban · {name.zh} · {name.en}",
            "",
            "  居民终端 Stations (each in a browser profile of its own)",
            *(f"    {origin}/station#enrol={code}   {station}" for station, code in codes),
            "",
            f"  坐席 Agent        {origin}/agent",
            f"  管理 Manager      {origin}/manager",
            f"  后台 Admin        {origin}/admin",
            "",
            "  账号 Accounts",
            *(_account(one, passwords[one.login]) for one in folder.people.accounts),
            "",
            "  Ctrl-C 停止全部 stops everything.",
            rule,
        ]
    )


def _account(account: Account, password: str) -> str:
    return f"    {account.login:9} {password:26} {ROLES[account.role]} · {account.name.zh} {account.name.en}"


def _folder(config: Config) -> Folder:
    try:
        return read(content_folder(config))
    except ContentError as refused:
        raise CannotStart(f"The content in {content_folder(config)} is faulty:\n{refused}") from None


async def _open(config: Config) -> Store:
    return await Store.open(config.database_url, config.recordings_url, config.data_dir)
