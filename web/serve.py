"""``bangban serve``: the whole service on one machine, from its engine to its web process."""

import asyncio
import signal
import socket
import ssl
import sys
from pathlib import Path

import redis.asyncio as aioredis
import structlog
from redis.exceptions import RedisError

from media.protocol import NODES, NodeId, node_key, worker_prefix
from web import engine
from web.config import Config, without_password
from web.supervisor import CannotStart, Child, Supervisor

log = structlog.get_logger("serve")

STOPPED, KILLED = 0, 3  # exit codes; 1 is a start that failed, 2 settings or a command line that are wrong
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ANSWER_S = 2.0


async def serve(config: Config, file: Path | None, *, demo: bool) -> int:
    """Run until a signal asks to stop. Returns KILLED when something did not stop by itself in time.

    Raises CannotStart when it never came up; everything is stopped by then.
    """
    asked = asyncio.Event()
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    supervisor = Supervisor()
    stop_asked = asyncio.create_task(asked.wait(), name="stop asked")
    starting = asyncio.create_task(_start(config, file, supervisor, demo=demo), name="start")
    try:
        await asyncio.wait({starting, stop_asked}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await stop_asked
    finally:
        starting.cancel()
        await asyncio.wait({starting})
        clean = await supervisor.stop()
        stop_asked.cancel()
    log.info("stopped", cleanly=clean)
    return STOPPED if clean else KILLED


async def _start(config: Config, file: Path | None, supervisor: Supervisor, *, demo: bool) -> None:
    claim = await engine.Claim.take(config.data_dir, "serve.lock")
    _refuse_taken_port(config)
    await _start_redis(config, supervisor)
    await migrate(config)
    if demo:
        from web import demo as hall

        await hall.prepare(config)
    await supervisor.start([media_child(config, file, claim), web_child(config, file, claim)])
    log.info("ready", address=config.origin)
    if demo:
        await hall.announce(config)


def _refuse_taken_port(config: Config) -> None:
    """Said before anything starts; a page of somebody else's on this port would look like ours answering."""
    try:
        bindable(config.web.host, config.web.port)
    except OSError as why:
        raise CannotStart(
            f"Cannot listen on {config.web.host}, port {config.web.port}: {why.strerror}. "
            "Stop what uses it, or choose another web.port."
        ) from None


def bindable(host: str, port: int) -> None:
    """Raises OSError when nothing can listen there."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
        probe.listen(1)


async def _start_redis(config: Config, supervisor: Supervisor) -> None:
    if config.redis.url is None:
        server = await engine.find_server()
        claim = await engine.Claim.take(config.redis_folder)
        await supervisor.start([engine.child(server, claim)])
        return
    try:
        async with aioredis.from_url(config.redis.url, socket_timeout=ANSWER_S) as client:
            await client.ping()
    except (RedisError, OSError) as why:
        raise CannotStart(f"Redis at {without_password(config.redis.url)} does not answer: {why}") from None


async def migrate(config: Config) -> None:
    """Bring the database to this version's schema."""
    from records.database import Database, NewerDatabase, UnsupportedDatabase

    try:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = Database.open(config.database_url)
    except (UnsupportedDatabase, OSError) as why:
        raise CannotStart(f"The database cannot be opened: {why}") from None
    try:
        await database.migrate()
    except (NewerDatabase, TimeoutError, OSError) as why:
        raise CannotStart(f"The database {database.shown_url} cannot be migrated: {why}") from None
    finally:
        await database.close()


def command(file: Path | None, *words: str) -> tuple[str, ...]:
    """This program again, as a child with the same settings."""
    settings = () if file is None else ("--config", str(file))
    return (sys.executable, "-m", "web.cli", *settings, *words)


def media_child(config: Config, file: Path | None, claim: engine.Claim) -> Child:
    """The parent of all media workers; ready when each of them is. Once drained, it is done."""

    async def registered(pid: int) -> bool:
        return await workers_of(engine.redis_url(config), pid) >= config.workers

    return Child("media", command(file, "media"), registered, pass_fds=(claim.descriptor,), may_finish=True)


async def workers_of(redis_url: str, pid: int) -> int:
    """How many media workers of the parent with this process id hold a lease."""
    try:
        async with aioredis.from_url(redis_url, socket_timeout=ANSWER_S, decode_responses=True) as client:
            names = [NodeId(str(name)) for name in await client.smembers(NODES)]
            mine = [
                node_key(name) for name in names if name.startswith(worker_prefix(socket.gethostname(), pid))
            ]
            return int(await client.exists(*mine)) if mine else 0
    except (RedisError, OSError):
        return 0


def web_child(config: Config, file: Path | None, claim: engine.Claim) -> Child:
    async def answering(_: int) -> bool:
        return await answers_http(config)

    return Child("web", command(file, "web"), answering, pass_fds=(claim.descriptor,))


async def answers_http(config: Config) -> bool:
    """Whether something speaks HTTP where the web process listens."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.web.host, config.web.host)  # noqa: S104
    try:
        async with asyncio.timeout(ANSWER_S):
            reader, writer = await asyncio.open_connection(host, config.web.port, ssl=_unverified(config))
            writer.write(f"HEAD /station HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            first = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return first.startswith(b"HTTP/1.1 ")


def _unverified(config: Config) -> ssl.SSLContext | None:
    """For asking ourselves on loopback, where the certificate's name cannot fit."""
    if config.web.tls_cert is None:
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
