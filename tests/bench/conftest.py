"""The node as a process of its own, and callers for it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.media.generator import Generator
from bench.media.ours import Ours


@pytest.fixture
async def generator() -> AsyncIterator[Generator]:
    generator = Generator()
    turning = asyncio.create_task(generator.run())
    try:
        yield generator
    finally:
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        generator.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the node."""
    folder = tmp_path / "s"
    folder.mkdir()
    return folder


@pytest.fixture
async def node(folder: Path, generator: Generator) -> AsyncIterator[Ours]:
    """One that counts what it has."""
    core = min(os.sched_getaffinity(0))
    node = Ours(folder, core, core, program="bench.soak.node")
    try:
        await node.start()
        yield node
    finally:
        generator.remove_all()
        await node.stop()
