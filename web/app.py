"""The composition root of the web process: every real part is made here and plugged into the others."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from records.content import load_content
from records.model import Content, StationId
from records.store import Store
from signaling.hall import Hall
from signaling.holders import station_identity
from web.appointments import HallAppointments
from web.auth import Gate, account_of
from web.config import Config
from web.directory import HallDirectory, HallStatistics, keep_renewed
from web.hall_time import HallTime
from web.live import Records, live
from web.lost import lost_page
from web.metrics import Metrics
from web.office import admin, manager
from web.office.page import ManagerDeps
from web.orphans import Orphans
from web.pages import PublicPages
from web.plan import load_plan
from web.render import STATIC, environment, renderer
from web.sealing import HallLedger
from web.seed import content_folder
from web.sign_in import SignIn
from web.sockets import SocketDoors
from web.supervision import HallAuditTrail

log = structlog.get_logger(__name__)

MAX_BODY = 64 * 1024  # bytes of a request; nobody uploads anything
SHUTDOWN_S = 0.5
IDLE_S = 75.0  # a connection on which no whole request comes for so long is closed


async def serve_web(config: Config) -> None:
    """Run until cancelled."""
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(application(config))
        runner = runner_of(app)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, config.web.host, config.web.port, ssl_context=_tls(config)).start()
        log.info("listening", address=config.origin)
        await asyncio.Event().wait()


def runner_of(app: web.Application) -> web.AppRunner:
    """aiohttp itself would keep an idle connection for an hour, so that a stranger could hold them all."""
    return web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=IDLE_S,
    )


@asynccontextmanager
async def application(config: Config) -> AsyncIterator[web.Application]:
    """The web process's application, with everything behind it connected and running."""
    folder = content_folder(config)
    content = load_content(folder)
    days = HallTime(ZoneInfo(config.hall.timezone))
    store = await Store.open(config.database_url, config.recordings_url, config.data_dir)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(store.close)
        directory = HallDirectory(store, content)
        plan = load_plan(folder, content, config.hall.timezone, config.hall.goal_s)
        statistics = HallStatistics(store, content, plan, days, config.hall.goal_s, time.time)
        await directory.renew()
        await statistics.renew()
        records = Records(
            directory=directory,
            statistics=statistics,
            ledger=HallLedger(store, time.time),
            qualities=store.quality,
            appointments=HallAppointments(store, lambda: plan, config.callback),
            audit=HallAuditTrail(store),
        )
        running = await stack.enter_async_context(live(config, records, plan, days))
        renewing = asyncio.create_task(keep_renewed(directory, statistics), name="renew names and figures")
        stack.push_async_callback(_cancelled, renewing)
        orphans = Orphans(store, config.recordings_folder, time.time)
        sweeping = asyncio.create_task(orphans.run(), name="sweep orphans")
        stack.push_async_callback(_cancelled, sweeping)
        gate = Gate(store, config.origin, config.web.trusted_proxies, time.time)
        app = web.Application(
            middlewares=[*gate.middlewares(), lost_page(renderer(environment(), "common"))],
            client_max_size=MAX_BODY,
        )
        app.add_routes(_pages(config, store, gate, directory, folder))
        app.add_routes(_back_office(store, gate, content, running.hall, days))
        app.add_routes(SocketDoors(running.hall, running.sockets, store, gate, directory).routes())
        app.add_routes(Metrics(running.hall, config.metrics.token, running.tally).routes())
        app.router.add_static("/static", STATIC)
        app.on_shutdown.append(lambda _: running.sockets.close())
        yield app


def _pages(
    config: Config, store: Store, gate: Gate, directory: HallDirectory, folder: Path
) -> list[web.RouteDef]:
    pages = environment()
    public = PublicPages(store, directory, gate, renderer(pages, "common"), folder, time.time)
    sign_in = SignIn(store, gate, renderer(pages, "login", "common"), time.time)
    return [*public.routes(), *sign_in.routes()]


def _back_office(
    store: Store, gate: Gate, content: Content, hall: Hall, days: HallTime
) -> list[web.RouteDef]:
    async def online() -> Collection[StationId]:
        ids = tuple(s.id for s in hall.directory.stations())
        held = await hall.holders.held(tuple(map(station_identity, ids)))
        return {id for id in ids if station_identity(id) in held}

    def shared(sign_out: str, *catalogues: str) -> dict[str, Any]:
        return {
            "store": store,
            "content": lambda: content,
            "render": renderer(environment(), *catalogues, "common"),
            "account_of": account_of,
            "address_of": gate.address_of,
            "now": time.time,
            "online": online,
            "zone": days.zone,
            "sign_out": sign_out,
        }

    return [
        *manager.routes(ManagerDeps(**shared("/manager/logout", "manager"))),
        *admin.routes(ManagerDeps(**shared("/admin/logout", "admin", "manager"))),
    ]


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])


def _tls(config: Config) -> ssl.SSLContext | None:
    if config.web.tls_cert is None or config.web.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(config.web.tls_cert, config.web.tls_key)
    return context
