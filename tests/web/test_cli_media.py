"""``bangban media``: workers as an operator starts them, lists them and lets them end."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from media.protocol import NodeInfo
from tests.web.processes import ROOT
from web.cli_media import Nodes


@pytest.fixture
def variables(valkey_socket: Path, redis: Any, tmp_path: Path) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith("BANGBAN_")}
    return {
        **plain,
        "BANGBAN_DATA_DIR": str(tmp_path),
        "BANGBAN_REDIS__URL": f"unix://{valkey_socket}",
        "BANGBAN_MEDIA__ADDRESSES": "127.0.0.1",
        "BANGBAN_MEDIA__PORT_MIN": "42001",
        "BANGBAN_MEDIA__PORT_MAX": "42002",
        "BANGBAN_MEDIA__WORKERS": "1",
    }


async def said(variables: dict[str, str], *words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "web.cli", "media", *words),
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    text, _ = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode or 0, text.decode()


@asynccontextmanager
async def workers(variables: dict[str, str], *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "web.cli", "media", *words),
        cwd=ROOT,
        env=variables,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def up(variables: dict[str, str], count: int) -> list[NodeInfo]:
    nodes = Nodes(variables["BANGBAN_REDIS__URL"])
    async with asyncio.timeout(20):
        while len(found := nodes.alive()) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return sorted(found, key=lambda info: info.port)


async def test_workers_are_listed_drained_one_by_one_and_end_with_the_last(variables: dict[str, str]) -> None:
    async with workers(variables, "--workers", "2") as parent:
        one, two = await up(variables, 2)
        assert (one.port, two.port) == (42001, 42002)
        code, listed = await said(variables, "list")
        heading, *rows = [line.split() for line in listed.splitlines()]
        assert (code, heading) == (0, ["node", "port", "rooms", "cpu", "lag", "full"])
        assert [row[:3] for row in rows] == [[n.node, str(n.port), "0/100"] for n in (one, two)]
        assert await said(variables, "drain", one.node) == (0, f"{one.node} takes no more calls.\n")
        assert (await up(variables, 1))[0].node == two.node
        code, why = await said(variables, "drain", one.node)
        assert (code, f"There is no such node: {one.node}" in why) == (1, True)
        assert (await said(variables, "drain", "--all"))[0] == 0
        assert await asyncio.wait_for(parent.wait(), 10) == 0
        assert await up(variables, 0) == []


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--workers", "3"), 2, "3 workers need 3 UDP ports, one each, but the range has 2"),
        (("--workers", "0"), 2, "0 is not in the range"),
        (("drain",), 2, "Name the nodes, or say --all."),
        (("drain", "--all", "a"), 2, "Name the nodes, or say --all."),
        (("drain", "nobody"), 1, "There is no such node: nobody."),
    ],
)
async def test_what_cannot_be_done_is_said(
    variables: dict[str, str], words: tuple[str, ...], code: int, why: str
) -> None:
    found, text = await said(variables, *words)
    assert (found, why in text) == (code, True), text


async def test_without_redis_the_list_says_so(variables: dict[str, str], tmp_path: Path) -> None:
    variables["BANGBAN_REDIS__URL"] = f"unix://{tmp_path}/nothing"
    code, text = await said(variables, "list")
    assert code == 1
    assert "Redis does not answer" in text
