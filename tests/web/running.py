"""The web process as it is, on loopback: real routes and middlewares, a real Valkey, a real SQLite."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import (
    ClientResponse,
    ClientSession,
    ClientWebSocketResponse,
    DummyCookieJar,
    WSMsgType,
    web,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from records.audit import AuditEntry, AuditFilter
from records.model import (
    Account,
    AccountId,
    AccountRole,
    DepartmentId,
    SiteId,
    Station,
    StationId,
    Text,
)
from records.sessions import Audience
from records.store import Store
from web.app import application, runner_of
from web.auth import cookie_name
from web.config import Config, Redis, Web

ORIGIN = "https://hall.example"
PASSWORD = "correct horse"
ROLES = {
    "agent": AccountRole.AGENT,
    "expert": AccountRole.EXPERT,
    "manager": AccountRole.MANAGER,
    "admin": AccountRole.ADMIN,
}
_numbers = count(1)


@dataclass
class Service:
    """``store`` is a second door to the same database: what an administrator does meanwhile."""

    url: str
    store: Store
    http: ClientSession

    async def get(self, path: str, *, html: bool = True, **headers: str) -> ClientResponse:
        given = {"Accept": "text/html"} if html else {}
        return await self.http.get(self.url + path, headers=given | _headers(headers), allow_redirects=False)

    async def post(self, path: str, data: Any = None, **headers: str) -> ClientResponse:
        given = {"Origin": ORIGIN} | _headers(headers)
        given = {name: value for name, value in given.items() if value != "-"}
        return await self.http.post(self.url + path, data=data, headers=given, allow_redirects=False)

    async def sign_in(self, who: str, password: str = PASSWORD, *, to: str | None = None, **form: str) -> Any:
        form = {"login": who, "password": password, **form}
        return await self.post(f"/{to or who}/login", form, x_forwarded_for=an_address())

    async def cookie(self, who: str) -> str:
        """The Cookie header of somebody who signed in."""
        response = await self.sign_in(who, to="agent" if who == "expert" else who)
        assert response.status == 303, await response.text()
        return str(response.headers["Set-Cookie"]).partition(";")[0]

    async def socket(self, path: str, **headers: str) -> ClientWebSocketResponse:
        given = {"Origin": ORIGIN} | _headers(headers)
        return await self.http.ws_connect(self.url + path, headers=given, autoclose=False)

    async def written_down(self, action: str) -> list[AuditEntry]:
        return list(await self.store.audit.page(AuditFilter(action=action)))


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-").title(): value for name, value in given.items()}


def an_address() -> str:
    """One that nobody had before: guesses are counted by address."""
    number = next(_numbers)
    return f"203.0.{number // 250}.{number % 250 + 1}"


def cookie_of(audience: Audience, token: str) -> str:
    return f"{cookie_name(audience)}={token}"


async def closed(socket: ClientWebSocketResponse) -> int | None:
    """The code of the close frame; what came before it is passed over."""
    while (message := await socket.receive(timeout=15)).type in (WSMsgType.TEXT, WSMsgType.PING):
        pass
    # Read from the frame: aiohttp's close_code is 1006 when our half of the handshake comes too late.
    code = message.data if message.type is WSMsgType.CLOSE else socket.close_code
    await socket.close()
    return code


class Device:
    """A station's key, as its browser keeps it."""

    def __init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()

    @property
    def public(self) -> str:
        return _base64(self.key.public_key().public_bytes_raw())

    def signs(self, nonce: str, *, station: str, origin: str = ORIGIN) -> str:
        return _base64(self.key.sign(f"bangban-station-1\n{origin}\n{station}\n{nonce}".encode()))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@asynccontextmanager
async def running(folder: Path, valkey: Path, database: int = 1) -> AsyncIterator[Service]:
    config = Config(
        data_dir=folder,
        web=Web(host="127.0.0.1", port=0, public_url=ORIGIN, trusted_proxies=("127.0.0.0/8",)),
        redis=Redis(url=f"unix://{valkey}?db={database}"),
    )
    store = await Store.open(config.database_url, config.recordings_url, config.data_dir)
    await _people(store)
    async with application(config) as app:
        runner = runner_of(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with ClientSession(cookie_jar=DummyCookieJar()) as http:
            yield Service(url, store, http)
        await runner.cleanup()
    await store.close()


async def _people(store: Store) -> None:
    for login, role in ROLES.items():
        name = Text(f"某{login}", login)
        account = Account(AccountId(login), login, role, name, "0317", DepartmentId("hrss"), SiteId("hall"))
        await store.accounts.create_account(account, PASSWORD, 0.0)
    for id, site in (("s1", "district"), ("s2", "liuan")):
        station = Station(StationId(id), SiteId(site), Text(f"终端 {id}", f"Station {id}"))
        await store.devices.create_station(station, 0.0)
