from pathlib import Path

import pytest
from obstore.store import MemoryStore

from records.storage import CHUNK, NoSuchRecording, Storage

NAME = "2026-11-23/c1/p1.webm"


@pytest.fixture
def storage(recordings: Path) -> Storage:
    (recordings / NAME).parent.mkdir(parents=True)
    (recordings / NAME).write_bytes(b"0123456789")
    return Storage.open(recordings)


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (0, None, b"0123456789"),
        (0, 10, b"0123456789"),
        (3, 7, b"3456"),
        (9, 10, b"9"),
        (4, 4, b""),
        (10, None, b""),
    ],
)
async def test_a_range_is_exact(storage: Storage, start: int, end: int | None, found: bytes) -> None:
    assert await _bytes(storage, NAME, start, end) == found


async def test_a_bucket_is_read_by_the_same_code() -> None:
    bucket = Storage(MemoryStore(), None)
    await bucket.write(NAME, b"0123456789")
    assert await bucket.size(NAME) == 10
    assert await _bytes(bucket, NAME, 3, 7) == b"3456"
    with pytest.raises(NoSuchRecording):
        await bucket.size("none")
    with pytest.raises(NoSuchRecording):
        await bucket.write("../x", b"")


@pytest.mark.parametrize(("start", "end"), [(-1, 4), (5, 4), (0, 11), (11, None), (11, 12)])
async def test_a_range_outside_the_file_is_refused(storage: Storage, start: int, end: int | None) -> None:
    with pytest.raises(ValueError, match="not inside"):
        await _bytes(storage, NAME, start, end)


async def test_a_file_that_still_grows_is_read_as_far_as_its_size_was(
    storage: Storage, recordings: Path
) -> None:
    size = await storage.size(NAME)
    with (recordings / NAME).open("ab") as file:
        file.write(b"abcde")
    assert await _bytes(storage, NAME, 0, size) == b"0123456789"
    assert await storage.size(NAME) == 15
    assert await _bytes(storage, NAME, size, 15) == b"abcde"


async def test_a_file_that_grows_while_it_is_streamed_is_cut_at_the_end_asked_for(
    storage: Storage, recordings: Path
) -> None:
    content = bytes(range(256)) * (4 * CHUNK // 256)
    (recordings / NAME).write_bytes(content)
    received = bytearray()
    async for chunk in storage.stream(NAME, 0, len(content)):
        received += chunk
        with (recordings / NAME).open("ab") as file:
            file.write(b"more")
    assert received == content


async def test_a_large_file_comes_in_chunks(storage: Storage, recordings: Path) -> None:
    content = bytes(range(256)) * (5 * CHUNK // 256)
    (recordings / NAME).write_bytes(content)
    chunks = [chunk async for chunk in storage.stream(NAME)]
    assert len(chunks) > 1
    assert b"".join(chunks) == content


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "..",
        "../secret",
        "a/../../secret",
        "2026-11-23/../../secret",
        "./x",
        "a//b",
        "/etc/passwd",
        "..\\secret",
        "a\x00b",
        "%2e%2e/secret",
        "outside",
        "folder/secret",
        "2026-11-23/c1",
        "none",
        NAME + "/",
    ],
)
async def test_what_is_not_a_recording_is_not_told_apart(
    storage: Storage, recordings: Path, path: str
) -> None:
    (recordings.parent / "secret").write_bytes(b"secret")
    (recordings / "outside").symlink_to(recordings.parent / "secret")
    (recordings / "folder").symlink_to(recordings.parent)
    with pytest.raises(NoSuchRecording):
        await storage.size(path)
    with pytest.raises(NoSuchRecording):
        await _bytes(storage, path)


async def test_writing_puts_a_file_in_place_but_never_outside(storage: Storage, recordings: Path) -> None:
    await storage.write("2026-11-23/c1/manifest.json", b"{}")
    await storage.write("2026-11-23/c1/manifest.json", b"[]")
    assert await storage.read("2026-11-23/c1/manifest.json") == b"[]"
    with pytest.raises(NoSuchRecording):
        await storage.write("../manifest.json", b"{}")
    assert not (recordings.parent / "manifest.json").exists()


async def test_the_digest_is_that_of_the_bytes(storage: Storage) -> None:
    digest = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
    assert await storage.digest(NAME) == (10, digest)


async def _bytes(storage: Storage, path: str, start: int = 0, end: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in storage.stream(path, start, end)])
