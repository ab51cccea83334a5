"""Children are kept alive, and all of them are gone within three seconds of being asked."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.eventually import eventually
from tests.web.processes import gone, kill, line, python
from web.supervisor import Child, ChildFailed, Supervisor

# Each writes a file named by itself once it is up, and ends its own way on SIGTERM.
POLITE = """
import pathlib, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
pathlib.Path(sys.argv[1]).touch()
signal.sigwait([signal.SIGTERM])
with open(sys.argv[2], "a") as ended: ended.write(sys.argv[1].rpartition("/")[2] + " ")
"""
DEAF = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path(sys.argv[1]).touch()
signal.pause()
"""
SLOW = POLITE + "import time; time.sleep(0.6)"
PARENT = f"""
import asyncio, signal, sys
from pathlib import Path
from web.supervisor import Child, Supervisor

async def main():
    async def ready(_): return Path(sys.argv[1], "child").exists()
    supervisor = Supervisor()
    command = (sys.executable, "-c", {POLITE!r}, sys.argv[1] + "/child", "/dev/null")
    await supervisor.start([Child("child", command, ready)])
    print(supervisor.pids()["child"], flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def child(folder: Path, name: str, code: str, *, stage: int = 1, ready_s: float = 10.0) -> Child:
    up = folder / name

    async def ready(_: int) -> bool:
        return up.exists()

    command = (sys.executable, "-c", code, str(up), str(folder / "ended"))
    return Child(name, command, ready, stage=stage, ready_s=ready_s)


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    made = Supervisor(first_delay=0.01)
    yield made
    await made.stop()


async def test_a_killed_child_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start([child(tmp_path, "web", POLITE)])
    first = supervisor.pids()["web"]
    (tmp_path / "web").unlink()
    kill(first)
    await eventually((tmp_path / "web").exists)
    assert supervisor.pids()["web"] != first


async def test_a_child_that_has_finished_is_left_in_peace(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start(
        [replace(child(tmp_path, name, POLITE), may_finish=True) for name in ("one", "two")]
    )
    one, two = supervisor.pids()["one"], supervisor.pids()["two"]
    (tmp_path / "two").unlink()
    os.kill(one, signal.SIGTERM)
    kill(two)
    await eventually((tmp_path / "two").exists)
    assert supervisor.pids().keys() == {"two"}, "what died was started again, what had finished was not"


async def test_stages_stop_in_reverse_and_all_is_gone(supervisor: Supervisor, tmp_path: Path) -> None:
    await supervisor.start([child(tmp_path, "redis", POLITE, stage=0)])
    await supervisor.start([child(tmp_path, "web", POLITE)])
    pids = supervisor.pids()
    began = time.monotonic()
    assert await supervisor.stop()
    assert time.monotonic() - began < 3.0
    assert (tmp_path / "ended").read_text() == "web redis "
    assert all(map(gone, pids.values()))
    assert supervisor.pids() == {}


async def test_an_engine_has_the_time_that_the_others_did_not_need(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start([child(tmp_path, "redis", SLOW, stage=0)])
    await supervisor.start([child(tmp_path, "web", POLITE)])
    assert await supervisor.stop(), "it was killed while it wrote its file"


async def test_who_does_not_listen_is_killed_within_three_seconds(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start([child(tmp_path, "redis", DEAF, stage=0)])
    await supervisor.start([child(tmp_path, name, DEAF) for name in ("web", "media")])
    pids = supervisor.pids()
    began = time.monotonic()
    assert not await supervisor.stop()
    assert time.monotonic() - began < 3.0
    assert all(map(gone, pids.values()))


async def test_a_child_that_ends_before_it_answers_is_told(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(ChildFailed, match=r"web ended at once \(exit code 7\)"):
        await supervisor.start([child(tmp_path, "web", "raise SystemExit(7)")])


async def test_its_last_words_are_told_too(supervisor: Supervisor, tmp_path: Path) -> None:
    async def never(_: int) -> bool:
        return False

    log = tmp_path / "log"
    command = (sys.executable, "-c", "raise SystemExit('no licence')")
    with pytest.raises(ChildFailed, match=r"(?s)exit code 1\); the end of .*log:\n  no licence"):
        await supervisor.start([Child("redis", command, never, output=log)])


async def test_a_child_that_never_answers_is_given_up(supervisor: Supervisor, tmp_path: Path) -> None:
    silent = "import signal; signal.pause()"
    with pytest.raises(ChildFailed, match="web did not answer within 0 s"):
        await supervisor.start([child(tmp_path, "web", silent, ready_s=0.05)])


async def test_a_killed_parent_takes_its_children_along(tmp_path: Path) -> None:
    with python(PARENT, str(tmp_path)) as parent:
        pid = int(await line(parent))
        assert not gone(pid)
        parent.kill()
        await eventually(lambda: gone(pid))


async def test_an_interrupt_from_the_terminal_does_not_reach_the_children(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    """Ctrl-C signals the terminal's foreground group; the parent alone decides when children stop."""
    await supervisor.start([child(tmp_path, "web", POLITE)])
    pid = supervisor.pids()["web"]
    assert os.getpgid(pid) == pid != os.getpgid(0)
    assert os.getsid(pid) == pid


async def test_stopping_in_the_middle_of_a_start_leaves_nothing(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    silent = child(tmp_path, "web", "import signal; signal.pause()")
    starting = asyncio.create_task(supervisor.start([silent]), name="start")
    await eventually(lambda: "web" in supervisor.pids())
    pid = supervisor.pids()["web"]
    starting.cancel()
    await asyncio.wait([starting])
    assert await supervisor.stop()
    assert gone(pid)
    assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL
