"""The manifest of an ended call: what its recording consists of, signed and chained to the one before.

The signature is Ed25519 (RFC 8032) over the canonical JSON of the body. It stands in SQL and, for whoever
holds only the files, as ``manifest.json`` beside the parts.
"""

import base64
import json
import os
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from records.calls import CallDetail, Calls, part_of
from records.canonical import NO_HASH, canonical, sha256
from records.database import Chain, Database
from records.model import CallId, Part
from records.storage import NoSuchRecording, Storage
from records.tables import calls, manifests, parts, read_as

FORMAT = "bangban-manifest-1"
FILE_NAME = "manifest.json"


class NotEnded(ValueError):
    """The call is unknown, not over, or a part of its recording is still open."""


class Fault(StrEnum):
    """What ``verify_manifest`` may find wrong."""

    NO_MANIFEST = "no_manifest"
    HASH = "hash"  # the stored body is not the one that was hashed
    SIGNATURE = "signature"  # or that was signed, or the key is not this service's
    CHAIN = "chain"  # the one before is missing or another
    PARTS = "parts"  # SQL lists other parts than the manifest
    FILE_MISSING = "file_missing"
    FILE_CHANGED = "file_changed"
    COPY = "copy"  # manifest.json is missing or says something else


class Finding(Struct, frozen=True):
    fault: Fault
    detail: str = ""  # the part's path, where it is about one


class Manifest(Struct, frozen=True):
    """As it is stored. ``body`` is canonical JSON; signature and public key are base64."""

    seq: int
    call: CallId
    at: float
    body: str
    hash: str
    signature: str
    public_key: str


def load_key(path: Path) -> Ed25519PrivateKey:
    """The service's signing key, made 0600 when it is not there; two processes get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


class Manifests:
    def __init__(self, database: Database, storage: Storage, key: Ed25519PrivateKey) -> None:
        self._database = database
        self._storage = storage
        self._calls = Calls(database)
        self._key = key
        self._public = _base64(key.public_key().public_bytes_raw())

    async def seal(self, call: CallId, now: float) -> Manifest:
        """Make the manifest of an ended call whose parts are all sealed; later calls give the same one.

        Raises NotEnded.
        """
        manifest = await self.manifest(call)
        if manifest is None:
            detail = await self._calls.call(call)
            if detail is None or detail.summary.ended_at is None:
                raise NotEnded(f"Call {call} is not over")
            if any(not part.sealed for part in detail.parts):
                raise NotEnded(f"Call {call} has parts that are still open")
            manifest = await self._append(detail, now)
        await self._copy(manifest)
        return manifest

    async def seal_unrepaired(self, part: Part) -> Part:
        """Seal, as it lies there, an open part that a dead node left and nobody can repair; a file that is
        gone has no hash. Gives the part as it is kept, which is another's seal when that was first.

        Only for a call that is over and whose node no longer is: raises NotEnded.
        """
        detail = await self._calls.call(part.call)
        if detail is None or detail.summary.ended_at is None:
            raise NotEnded(f"Call {part.call} is not over")
        try:
            size, digest = await self._storage.digest(part.path)
        except NoSuchRecording:
            size, digest = 0, None
        values = {"sealed": True, "size": size, "sha256": digest}
        async with self._database.write() as connection:
            await connection.execute(
                parts.update().where(parts.c.id == part.id, parts.c.sealed.is_(False)).values(values)
            )
            rows = await connection.execute(sa.select(parts).where(parts.c.id == part.id))
            return part_of(rows.mappings().one())

    async def unsealed(self, ended_before: float, limit: int = 100) -> tuple[CallId, ...]:
        """Calls that ended before then and have no manifest, oldest first: for sweeping up after a crash."""
        query = (
            sa.select(calls.c.id)
            .where(calls.c.ended_at < ended_before, ~sa.exists().where(manifests.c.call == calls.c.id))
            .order_by(calls.c.ended_at)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return tuple(CallId(id) for id in await connection.scalars(query))

    async def manifest(self, call: CallId) -> Manifest | None:
        async with self._database.read() as connection:
            rows = await connection.execute(sa.select(manifests).where(manifests.c.call == call))
            return next((read_as(row, Manifest) for row in rows.mappings()), None)

    async def verify_manifest(self, call: CallId) -> tuple[Finding, ...]:
        """Everything wrong with a call's manifest, its place in the chain and its files; empty when sound."""
        manifest = await self.manifest(call)
        if manifest is None:
            return (Finding(Fault.NO_MANIFEST),)
        findings = self._check_body(manifest)
        if findings:
            return tuple(findings)  # what it says is not to be believed, nor perhaps even JSON
        body = json.loads(manifest.body)
        findings.extend(await self._check_chain(manifest))
        listed = [_described(part, body["origin"]) for part in await self._calls.parts(call)]
        if canonical(body["parts"]) != canonical(listed):
            findings.append(Finding(Fault.PARTS))
        for part in body["parts"]:
            findings.extend(await self._check_file(part))
        return (*findings, *await self._check_copy(manifest))

    async def _append(self, detail: CallDetail, now: float) -> Manifest:
        call = detail.summary.id
        async with self._database.write() as connection:
            await self._database.alone(connection, Chain.MANIFEST)
            seq, previous = await _last(connection)
            body = canonical(_body(detail, seq + 1, previous, now))
            manifest = Manifest(
                seq=seq + 1,
                call=call,
                at=now,
                body=body,
                hash=sha256(body),
                signature=_base64(self._key.sign(body.encode("utf-8"))),
                public_key=self._public,
            )
            insert = self._database.insert(manifests).values(msgspec.structs.asdict(manifest))
            insert = insert.on_conflict_do_nothing(index_elements=["call"])
            if await connection.scalar(insert.returning(manifests.c.seq)) is not None:
                return manifest
        return await self.manifest(call) or manifest  # another process was faster

    async def _copy(self, manifest: Manifest) -> None:
        for path in _copy_paths(manifest):
            await self._storage.write(path, _copy_content(manifest))

    def _check_body(self, manifest: Manifest) -> list[Finding]:
        findings = []
        if sha256(manifest.body) != manifest.hash:
            findings.append(Finding(Fault.HASH))
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(self._public))
        try:
            key.verify(base64.b64decode(manifest.signature), manifest.body.encode("utf-8"))
        except (InvalidSignature, ValueError):
            findings.append(Finding(Fault.SIGNATURE))
        return findings

    async def _check_chain(self, manifest: Manifest) -> list[Finding]:
        body = json.loads(manifest.body)
        query = sa.select(manifests.c.hash).where(manifests.c.seq == manifest.seq - 1)
        async with self._database.read() as connection:
            before = await connection.scalar(query)
        expected = NO_HASH if manifest.seq == 1 else before
        sound = (body["seq"], body["call"], body["previous"]) == (manifest.seq, manifest.call, expected)
        return [] if sound else [Finding(Fault.CHAIN)]

    async def _check_file(self, part: dict[str, Any]) -> list[Finding]:
        try:
            size, digest = await self._storage.digest(part["path"])
        except NoSuchRecording:
            return [Finding(Fault.FILE_MISSING, part["path"])]
        same = (size, digest) == (part["size"], part["sha256"])
        return [] if same else [Finding(Fault.FILE_CHANGED, part["path"])]

    async def _check_copy(self, manifest: Manifest) -> list[Finding]:
        for path in _copy_paths(manifest):
            try:
                copy = await self._storage.read(path)
            except NoSuchRecording:
                copy = b""
            if copy != _copy_content(manifest):
                return [Finding(Fault.COPY, path)]
        return []


def _body(detail: CallDetail, seq: int, previous: str, now: float) -> dict[str, Any]:
    """The call's clock begins when it was requested: ``offset`` of a part is seconds after ``origin``."""
    call = detail.summary
    return {
        "format": FORMAT,
        "seq": seq,
        "previous": previous,
        "call": call.id,
        "origin": call.requested_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "end_reason": call.end_reason,
        "sealed_at": now,
        "parts": [_described(part, call.requested_at) for part in detail.parts],
    }


def _described(part: Part, origin: float) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(part)
    return {
        name: found[name]
        for name in (
            "id",
            "participant",
            "role",
            "kind",
            "generation",
            "path",
            "duration",
            "size",
            "sha256",
            "gaps",
        )
    } | {"offset": round(part.started_at - origin, 6)}


def _copy_paths(manifest: Manifest) -> list[str]:
    """Beside the parts; a call without any has its manifest in SQL only."""
    folders = {str(PurePosixPath(part["path"]).parent) for part in json.loads(manifest.body)["parts"]}
    return [f"{folder}/{FILE_NAME}" for folder in sorted(folders - {"."})]


def _copy_content(manifest: Manifest) -> bytes:
    copy = {
        "manifest": json.loads(manifest.body),
        "hash": manifest.hash,
        "signature": manifest.signature,
        "public_key": manifest.public_key,
    }
    return canonical(copy).encode("utf-8")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


async def _last(connection: AsyncConnection) -> tuple[int, str]:
    query = sa.select(manifests.c.seq, manifests.c.hash).order_by(manifests.c.seq.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return (0, NO_HASH) if row is None else (row.seq, row.hash)
