"""``bangban seed``: the stations, and if asked the people, of a content folder into the records.

What is there already is left as it is, so that seeding again never undoes what an administrator changed.
"""

import os
import secrets
import time
import tomllib
from pathlib import Path

from msgspec import Struct

import records
from records.content import People, load_content, load_people, warnings_of
from records.devices import StationExists
from records.model import Account, Content
from records.store import Store
from web.config import Config

DEMO = Path(records.__file__).parent / "demo"
PASSWORDS = "demo-accounts.toml"

# Short and easily typed. Three of them and two digits are 24 bits, behind a limit on attempts.
WORDS = (  # noqa: SIM905 - sixty words in a column would hide the module
    "amber apple arrow autumn bamboo basket bell bicycle bridge butter candle canal carpet cherry cloud "
    "copper cotton desk dragon drum eagle ember falcon fern field flute forest garden ginger harbor honey "
    "island jade kettle lake lamp lantern lemon lotus maple market meadow mirror mountain needle ocean olive "
    "orange paper peach pepper pine plum river saddle silver spring stone summer tea tiger valley willow "
    "winter"
).split()


class Folder(Struct, frozen=True):
    """A content folder that was read and found good. ``warnings`` are sentences."""

    path: Path
    content: Content
    people: People
    warnings: tuple[str, ...]


class Seeded(Struct, frozen=True):
    """What was new: ids of stations, logins of accounts."""

    stations: tuple[str, ...]
    accounts: tuple[str, ...]


def content_folder(config: Config) -> Path:
    """The folder of what this hall publishes: the configured one, or the demonstration's."""
    return config.hall.content if config.hall.content is not None else DEMO


def read(path: Path) -> Folder:
    """Raises ContentError with everything that is wrong."""
    content = load_content(path)
    people = load_people(path, content)
    return Folder(path, content, people, warnings_of(path, content, people))


async def seed(store: Store, folder: Folder, passwords: dict[str, str] | None) -> Seeded:
    """Make the stations that are missing; with ``passwords`` by login, the accounts too."""
    stations = []
    for station in folder.people.stations:
        try:
            await store.devices.create_station(station, time.time())
        except StationExists:
            continue
        stations.append(str(station.id))
    accounts = [] if passwords is None else await _make_accounts(store, folder.people.accounts, passwords)
    return Seeded(tuple(stations), tuple(accounts))


async def _make_accounts(store: Store, wanted: tuple[Account, ...], passwords: dict[str, str]) -> list[str]:
    known = {account.login for account in await store.accounts.list_accounts()}
    missing = [account for account in wanted if account.login.casefold() not in known]
    for account in missing:
        await store.accounts.create_account(account, passwords[account.login], time.time())
    return [account.login for account in missing]


def demo_passwords(data_dir: Path, people: People) -> dict[str, str]:
    """A memorable password for each account, made once and kept, for us alone, in the data folder."""
    file = data_dir / PASSWORDS
    known: dict[str, str] = tomllib.loads(file.read_text("utf-8")) if file.exists() else {}
    wanted = {account.login: known.get(account.login) or memorable() for account in people.accounts}
    if wanted.keys() - known.keys():
        _write_private(file, known | wanted)
    return wanted


def memorable() -> str:
    return "-".join([*(secrets.choice(WORDS) for _ in range(3)), str(secrets.randbelow(90) + 10)])


def _write_private(file: Path, passwords: dict[str, str]) -> None:
    """0600 from the first moment, and whole or not at all."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    lines = ["# Passwords of the demonstration accounts, as they were first made.\n"]
    lines += [f'"{login}" = "{password}"\n' for login, password in sorted(passwords.items())]
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        out.writelines(lines)
    draft.replace(file)
