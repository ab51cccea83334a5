"""The manager's and the administrator's pages on a real server over a real SQLite, without the live parts.

Who is signed in is said by the cookie ``account``; roles are refused as the service's middleware does it.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import ClientSession, CookieJar, WSMsgType, web
from argon2 import PasswordHasher

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
    Site,
    SiteId,
    SkillId,
    Station,
    StationId,
    Text,
    Tier,
    Zone,
    ZoneId,
)
from records.storage import Storage
from records.store import Store
from signaling.messages import (
    HEARTBEAT_S,
    Ack,
    ManagerIn,
    ManagerState,
    Request,
    Welcome,
    manager_decoder,
)
from tests.records.migrated import migrated
from tests.web.pages import CSP, WEB
from web.office import admin, manager
from web.office.page import ManagerDeps
from web.render import catalogue, environment, renderer

NOW = 1_795_000_000.0  # 2026-11-18 19:06:40 in Shanghai
PASSWORD = "correct horse"
ALLOWED = {
    "/manager": (AccountRole.MANAGER, AccountRole.ADMIN),
    "/admin": (AccountRole.ADMIN,),
    "/ws": (AccountRole.MANAGER, AccountRole.ADMIN),
}

ACCOUNT = web.RequestKey("account", Account)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def content() -> Content:
    zones = (
        Zone(ZoneId("transport"), Text("综合服务", "General services"), Text("综合", "General"), "building"),
        Zone(ZoneId("employment"), Text("就业人才", "Employment"), Text("就业", "Employment"), "briefcase"),
    )
    return Content(
        HallId("demo"),
        Text("示范大厅", "Demonstration hall"),
        (
            Site(
                SiteId("hall"),
                Tier.DISTRICT,
                Text("区政务大厅", "District hall"),
                Text("市心路 1 号", "1 Main St"),
            ),
            Site(
                SiteId("town1"),
                Tier.TOWN,
                Text("望湖镇", "Wanghu Town"),
                Text("湖滨路 8 号", "8 Lake Rd"),
                SiteId("hall"),
            ),
        ),
        (Department(DepartmentId("hrss"), Text("人力社保局", "Human Resources and Social Security")),),
        zones,
        (
            _item(
                "truck-check", "transport", "道路普通货物运输车辆年度审验", "Annual check of a goods vehicle"
            ),
            _item("social-proof", "employment", "社保缴费证明打印", "Proof of social insurance payments"),
        ),
    )


def _item(id: str, zone: str, zh: str, en: str) -> Item:
    words = Text(zh, en)
    return Item(
        ItemId(id), ZoneId(zone), DepartmentId("hrss"), words, words, words, words, (), (), SkillId(zone)
    )


def person(login: str, role: AccountRole, zh: str, en: str, **rest: Any) -> Account:
    return Account(
        AccountId(login), login, role, Text(zh, en), "0317", DepartmentId("hrss"), SiteId("hall"), **rest
    )


PEOPLE = (
    person("wangmin", AccountRole.MANAGER, "王敏", "Wang Min"),
    person("zhaolei", AccountRole.MANAGER, "赵磊", "Zhao Lei"),
    person("admin", AccountRole.ADMIN, "管理员", "Administrator"),
    person("lihua", AccountRole.AGENT, "李华", "Li Hua", skills={SkillId("employment"): 3}),
    person("chenjie", AccountRole.AGENT, "陈洁", "Chen Jie", skills={SkillId("transport"): 5}),
)


@dataclass
class Office:
    """``clock`` is the time that the pages see, ``state`` what the live page is told."""

    store: Store
    recordings: Path
    url: str = ""
    clock: float = NOW
    content: Content = field(default_factory=content)
    online: set[StationId] = field(default_factory=set)
    state: ManagerState | None = None
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    said: list[ManagerIn] = field(default_factory=list)  # every request that a live page made

    def http(self, account: str | None = "wangmin", **cookies: str) -> ClientSession:
        """A browser signed in as this account; redirects are for the caller to follow."""
        given = cookies if account is None else {"account": account, **cookies}
        return ClientSession(self.url, cookies=given, cookie_jar=CookieJar(unsafe=True))


@asynccontextmanager
async def office(
    folder: Path, hall: Content | None = None, storage: type[Storage] = Storage
) -> AsyncIterator[Office]:
    recordings = folder / "recordings"
    database = await migrated(folder / "bangban.db")
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    store = Store(database, storage.open(recordings), folder / "data", weak)
    made = Office(store, recordings, content=hall or content())
    await _people(made)
    runner = web.AppRunner(_app(made), shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
        await store.close()


async def _people(made: Office) -> None:
    for account in PEOPLE:
        await made.store.accounts.create_account(account, PASSWORD, NOW - 1000)
    for id, zh, en in (
        ("s1", "望湖 1 号终端", "Wanghu station 1"),
        ("s2", "望湖 2 号终端", "Wanghu station 2"),
    ):
        station = Station(StationId(id), SiteId("town1"), Text(zh, en))
        await made.store.devices.create_station(station, NOW - 1000)


def _app(made: Office) -> web.Application:
    deps: dict[str, Any] = {
        "store": made.store,
        "content": lambda: made.content,
        "render": renderer(environment(), "manager", "admin"),
        "account_of": lambda request: request[ACCOUNT],
        "address_of": lambda request: request.remote or "",
        "now": lambda: made.clock,
        "online": partial(_answer, made.online),
    }
    app = web.Application(middlewares=[sign_in(made)])
    app.router.add_static("/static", WEB / "static")
    app.add_routes(manager.routes(ManagerDeps(**deps)))
    app.add_routes(admin.routes(ManagerDeps(**deps)))
    app.router.add_get("/ws/manager", partial(_live, made))
    return app


async def _answer(value: Any) -> Any:
    return value


def sign_in(made: Office) -> Any:
    @web.middleware
    async def signed_in(request: web.Request, handler: Answer) -> web.StreamResponse:
        if request.path.startswith("/static"):
            return await handler(request)
        account = await made.store.accounts.account(AccountId(request.cookies.get("account", "")))
        audience = "/" + request.path.split("/")[1]
        if account is None or account.role not in ALLOWED.get(audience, ()):
            raise web.HTTPForbidden(text="not yours")
        request[ACCOUNT] = account
        response = await handler(request)
        if not response.prepared:
            response.headers["Content-Security-Policy"] = CSP
        return response

    return signed_in


def sentences(lang: str) -> dict[str, dict[str, str]]:
    return {name: catalogue(name, lang) for name in ("manager", "admin")}


async def _live(made: Office, request: web.Request) -> web.WebSocketResponse:
    """Greets and sends one state, then listens."""
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    made.sockets.add(socket)
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        said = manager_decoder.decode(message.data)
        if type(said).__name__ == "Hello":
            await _send(
                socket, Welcome("s", "token", False, int(made.clock * 1000), int(HEARTBEAT_S * 1000)), 1
            )
            if made.state is not None:
                await _send(socket, made.state, 2)
        elif isinstance(said, Request):
            made.said.append(said)
            await _send(socket, Ack(said.ref), 2 + len(made.said))
    made.sockets.discard(socket)
    return socket


async def _send(socket: web.WebSocketResponse, message: msgspec.Struct, seq: int) -> None:
    await socket.send_str(json.dumps(msgspec.to_builtins(message) | {"seq": seq}))
