import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media.recording.disk import Disk
from tests.media.recording.sender import Sender


@pytest.fixture
async def disk() -> AsyncIterator[Disk]:
    made = Disk()
    yield made
    await asyncio.to_thread(made.close)


@pytest.fixture
def sender(tmp_path: Path, disk: Disk) -> Sender:
    return Sender(tmp_path, disk)
