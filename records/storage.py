"""Where recordings lie: a folder of this machine or an S3 bucket, by the same code.

Names are relative, ``/`` between their parts, exactly as the media node reports them.
"""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

CHUNK = 256 * 1024  # bytes


class NoSuchRecording(LookupError):
    """Nothing is kept under this name, or the name is not one: the two are not told apart."""


class Storage:
    def __init__(self, store: ObjectStore, folder: Path | None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def open(cls, place: str | Path) -> "Storage":
        """``s3://bucket/prefix`` (credentials from the environment, as AWS names them) or a folder, which is
        made when it is missing."""
        if isinstance(place, str) and place.startswith("s3://"):
            return cls(from_url(place), None)
        folder = Path(place)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return cls(LocalStore(folder), folder.resolve())

    async def size(self, path: str) -> int:
        """Bytes there are now; a file being written has more the next time. Raises NoSuchRecording."""
        self._refuse_escape(path)
        try:
            return int((await obstore.head_async(self._store, path))["size"])
        except FileNotFoundError:
            raise NoSuchRecording(path) from None

    async def stream(self, path: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from ``start`` up to and without ``end`` (None: what there is now), in chunks.

        Give an ``end`` that ``size`` has told of: a file that grows meanwhile is then cut exactly there.
        Raises NoSuchRecording, ValueError for a range that is not inside the file.
        """
        size = await self.size(path)
        end = size if end is None else end
        if not 0 <= start <= end <= size:
            raise ValueError(f"Bytes {start} to {end} are not inside {size}")
        if start == end:
            return
        try:
            found = await obstore.get_async(self._store, path, options={"range": (start, end)})
        except FileNotFoundError:
            raise NoSuchRecording(path) from None
        async for chunk in found.stream(min_chunk_size=CHUNK):
            yield bytes(chunk)

    async def digest(self, path: str) -> tuple[int, str]:
        """Size in bytes and SHA-256 (hex) of what lies there. Raises NoSuchRecording."""
        size, digest = 0, hashlib.sha256()
        async for chunk in self.stream(path):
            size += len(chunk)
            digest.update(chunk)
        return size, digest.hexdigest()

    async def read(self, path: str) -> bytes:
        """A small file whole. Raises NoSuchRecording."""
        return b"".join([chunk async for chunk in self.stream(path)])

    async def write(self, path: str, content: bytes) -> None:
        """Put a small file in place, whole or not at all. Raises NoSuchRecording for a bad name."""
        self._refuse_escape(path)
        await obstore.put_async(self._store, path, content)

    def _refuse_escape(self, path: str) -> None:
        """Only plain relative names; and in a folder, no link that leads out of it."""
        if any(part in ("", ".", "..") for part in path.split("/")) or "\x00" in path or "\\" in path:
            raise NoSuchRecording(path)
        if self._folder is not None and not (self._folder / path).resolve().is_relative_to(self._folder):
            raise NoSuchRecording(path)
