"""The one way to the bytes of a recording: a granted account, a part of the granted call, byte ranges.

The purpose and its audit entry are written when the grant is given (``manager.py``), so they are there
before this route has a grant to find. Range requests follow RFC 9110, section 14: one range is served as
206; several in one request are answered with the whole file (a server may ignore ``Range``, section 14.2),
because no browser's media player asks for more than one.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import PurePosixPath
from typing import Protocol

from aiohttp import hdrs, web
from msgspec import Struct

from records.model import Account, CallId, Part, PartId

READ_SIZE = 1024 * 1024  # bytes asked of the storage at a time; the socket's back-pressure paces the rest
# By the file's name: H.264 is no codec of WebM. Types of RFC 9559, 27.3, and of the WebM project.
_TYPES = {".webm": "video/webm", ".mkv": "video/matroska"}
_SPEC = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class Span(Struct, frozen=True):
    """Bytes ``start`` to ``stop`` of a file, ``stop`` not included."""

    start: int
    stop: int


class NotSatisfiable(ValueError):
    """A well-formed range that has no byte of the file (RFC 9110, section 15.5.17)."""


class Files(Protocol):
    """The recordings folder. Paths are relative to it; one that leads outside of it raises LookupError."""

    async def size(self, path: str) -> int:
        """Bytes at this moment (an open part grows). Raises LookupError when there is no such file."""
        ...

    def stream(self, path: str, start: int, stop: int) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True)
class RecordingDeps:
    """``granted`` says whether this account gave a purpose for this call, and it was written down."""

    part: Callable[[PartId], Awaitable[Part | None]]
    granted: Callable[[Account, CallId], Awaitable[bool]]
    files: Files
    account_of: Callable[[web.Request], Account]
    refuse: Callable[[web.Request, HTTPStatus, str], web.Response]


def requested_span(header: str | None, size: int) -> Span | None:
    """The one range asked for, cut to the file; None when the whole file is to be sent.

    A header that is malformed, of another unit, or names several ranges counts as absent (RFC 9110, 14.2).
    Raises NotSatisfiable.
    """
    match = _SPEC.fullmatch(header or "")
    if match is None:
        return None
    first, last = match[1], match[2]
    if not first:
        if not last:
            return None
        return _suffix(int(last), size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise NotSatisfiable(header)
    return Span(int(first), min(int(last) + 1, size) if last else size)


def _suffix(length: int, size: int) -> Span:
    if length == 0 or size == 0:
        raise NotSatisfiable(f"the last {length} of {size} bytes")
    return Span(max(0, size - length), size)


def entity_tag(part: Part) -> str | None:
    """A sealed part never changes, so its checksum names it. An open part grows: it has no strong tag."""
    return f'"{part.sha256}"' if part.sealed and part.sha256 else None


def range_applies(if_range: str | None, etag: str | None) -> bool:
    """RFC 9110, 13.1.5: with If-Range the range counts only when the tag matches strongly.

    We send no Last-Modified, so a date never matches."""
    return if_range is None or (etag is not None and if_range.strip() == etag)


def routes(deps: RecordingDeps) -> list[web.RouteDef]:
    async def recording(request: web.Request) -> web.StreamResponse:
        part = await deps.part(PartId(request.match_info["part"]))
        if part is None:
            return deps.refuse(request, HTTPStatus.NOT_FOUND, "recording.unknown")
        if not await deps.granted(deps.account_of(request), part.call):
            return deps.refuse(request, HTTPStatus.FORBIDDEN, "recording.no_purpose")
        try:
            size = await deps.files.size(part.path)
        except (LookupError, OSError):
            return deps.refuse(request, HTTPStatus.NOT_FOUND, "recording.missing")
        return await _send(request, deps.files, part, size)

    return [web.get("/manager/recordings/{part}", recording)]  # aiohttp adds HEAD to a GET route


async def _send(request: web.Request, files: Files, part: Part, size: int) -> web.StreamResponse:
    etag = entity_tag(part)
    if etag is not None and request.headers.get(hdrs.IF_NONE_MATCH, "").strip() == etag:
        return _headed(web.StreamResponse(status=HTTPStatus.NOT_MODIFIED), etag)
    # Range is defined for GET alone (RFC 9110, 14.2); HEAD tells the whole length.
    ranged = request.method == hdrs.METH_GET and range_applies(request.headers.get(hdrs.IF_RANGE), etag)
    try:
        span = requested_span(request.headers.get(hdrs.RANGE), size) if ranged else None
    except NotSatisfiable:
        refusal = web.Response(status=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        refusal.headers[hdrs.CONTENT_RANGE] = f"bytes */{size}"
        return _headed(refusal, etag)
    response = web.StreamResponse(status=HTTPStatus.OK if span is None else HTTPStatus.PARTIAL_CONTENT)
    if span is not None:
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {span.start}-{span.stop - 1}/{size}"
    span = span or Span(0, size)
    response.content_type = _TYPES.get(PurePosixPath(part.path).suffix, "application/octet-stream")
    response.content_length = span.stop - span.start
    await _headed(response, etag).prepare(request)
    # A browser that seeks drops the request it has and makes another: that is no error.
    with suppress(ConnectionResetError):
        if request.method == hdrs.METH_GET:
            await _copy(files, part.path, span, response)
        await response.write_eof()
    return response


async def _copy(files: Files, path: str, span: Span, response: web.StreamResponse) -> None:
    for start in range(span.start, span.stop, READ_SIZE):
        async for chunk in files.stream(path, start, min(start + READ_SIZE, span.stop)):
            await response.write(chunk)


def _headed(response: web.StreamResponse, etag: str | None) -> web.StreamResponse:
    response.headers[hdrs.ACCEPT_RANGES] = "bytes"
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if etag is not None:
        response.headers[hdrs.ETAG] = etag
    return response
