"""No byte without a purpose on record; with one, byte ranges as RFC 9110, section 14, has them."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from records.audit import AuditFilter
from records.model import AccountId, CallId
from records.storage import Storage
from tests.eventually import eventually
from tests.web.back_office import Office, office
from tests.web.sample_call import CALL, part, seal, summary
from web.office.recordings import NotSatisfiable, Span, requested_span

BODY = bytes(range(256)) * 12_000  # 3 MB: more than one read
PART = "/manager/recordings/p1"
OPEN = f"/manager/calls/{CALL}/open"
TAG = f'"{hashlib.sha256(BODY).hexdigest()}"'


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Office]:
    """One call with one sealed part, another call with another."""
    async with office(tmp_path, storage=Watched) as made:
        await made.store.ledger.write([], summary())
        await made.store.ledger.write([], summary("c-other"))
        for id, call in (("p1", CALL), ("p2", CallId("c-other"))):
            opened = part(id, 0.0, call=call)
            file = made.recordings / opened.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(BODY)
            await made.store.ledger.part_opened(opened)
            await seal(made.store, made.recordings, opened, 9.0)
        yield made


class Watched(Storage):
    """Tells whoever asks how many bytes were read, and what happens before the first."""

    async def stream(self, path: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        self.reads = [*getattr(self, "reads", []), (start, end)]
        await getattr(self, "before_first", _nothing)()
        try:
            async for chunk in super().stream(path, start, end):
                yield chunk
        finally:
            self.finished = getattr(self, "finished", 0) + 1


async def _nothing() -> None: ...


async def grant(http: ClientSession, purpose: str = "quality") -> None:
    async with http.post(OPEN, data={"purpose": purpose}, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"] == f"/manager/calls/{CALL}#player"


SIZE = 1000
SPANS = {
    "bytes=0-": Span(0, 1000),
    "bytes=0-0": Span(0, 1),
    "bytes=10-19": Span(10, 20),
    "bytes=999-": Span(999, 1000),
    "bytes=990-5000": Span(990, 1000),
    "bytes=-1": Span(999, 1000),
    "bytes=-5000": Span(0, 1000),
    "BYTES=1-2": Span(1, 3),
    # what is malformed, of another unit or several ranges counts as absent
    "bytes=": None,
    "bytes=-": None,
    "bytes=5-4": None,
    "bytes=a-b": None,
    "bytes=1-2,5-6": None,
    "bytes=--5": None,
    "bytes=1-2-3": None,
    "bytes=٣-٤": None,
    f"bytes={'9' * 40}-": None,
    "items=0-1": None,
    "0-1": None,
    "": None,
    None: None,
}


@pytest.mark.parametrize("header", SPANS)
def test_the_range_that_is_meant(header: str | None) -> None:
    assert requested_span(header, SIZE) == SPANS[header]


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=1000-", SIZE), ("bytes=-0", SIZE), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_a_range_without_a_byte(header: str, size: int) -> None:
    with pytest.raises(NotSatisfiable):
        requested_span(header, size)


async def test_no_byte_before_a_purpose(hall: Office) -> None:
    async with hall.http() as http:
        for headers in ({}, {"Range": "bytes=0-0"}, {"Range": "bytes=-1"}):
            async with http.get(PART, headers=headers) as answer:
                assert answer.status == 403
                assert "请先在通话页面说明查看目的" in await answer.text()
                assert "no-store" in answer.headers["Cache-Control"]
        async with http.head(PART) as answer:
            assert answer.status == 403
            assert "ETag" not in answer.headers
    assert not hasattr(hall.store.storage, "reads")


async def test_the_audit_entry_is_there_before_the_first_byte_is_read(hall: Office) -> None:
    seen: list[list[str]] = []

    async def look() -> None:
        entries = await hall.store.audit.page(AuditFilter(object=f"call:{CALL}"))
        seen.append([f"{entry.actor} {entry.action} {entry.purpose}" for entry in entries])

    hall.store.storage.before_first = look  # type: ignore[attr-defined]
    async with hall.http() as http:
        await grant(http, "complaint")
        assert seen == []
        async with http.get(PART) as answer:
            assert await answer.read() == BODY
    assert seen[0] == ["wangmin recording.open complaint"]
    assert await hall.store.audit.verify() is None


async def test_a_purpose_is_for_one_call_one_person_and_half_an_hour(hall: Office) -> None:
    async with hall.http() as http, hall.http("zhaolei") as colleague:
        await grant(http)
        async with http.get(PART) as answer:
            assert answer.status == 200
        async with http.get("/manager/recordings/p2") as answer:
            assert answer.status == 403
        async with colleague.get(PART) as answer:
            assert answer.status == 403
        hall.clock += 30 * 60
        async with http.get(PART) as answer:
            assert answer.status == 403


async def test_a_disabled_account_sees_no_more(hall: Office) -> None:
    async with hall.http() as http:
        await grant(http)
        await hall.store.accounts.disable(AccountId("wangmin"))
        async with http.get(PART) as answer:
            assert answer.status == 403


@pytest.mark.parametrize("who", ["lihua", "nobody", None])
async def test_other_roles_are_refused(hall: Office, who: str | None) -> None:
    async with hall.http(who) as http:
        for path in (
            PART,
            "/manager",
            "/manager/calls",
            f"/manager/calls/{CALL}",
            "/manager/audit",
            "/admin/accounts",
        ):
            async with http.get(path) as answer:
                assert answer.status == 403, path


ANSWERS = [
    ("bytes=0-", 206, "bytes 0-3071999/3072000", BODY),
    ("bytes=0-99", 206, "bytes 0-99/3072000", BODY[:100]),
    ("bytes=1048570-1048579", 206, "bytes 1048570-1048579/3072000", BODY[1048570:1048580]),
    ("bytes=3071999-", 206, "bytes 3071999-3071999/3072000", BODY[-1:]),
    ("bytes=-300", 206, "bytes 3071700-3071999/3072000", BODY[-300:]),
    ("bytes=3072000-", 416, "bytes */3072000", b""),
    ("bytes=-0", 416, "bytes */3072000", b""),
    ("bytes=0-1,5-6", 200, None, BODY),
    ("bytes=9-1", 200, None, BODY),
    ("lines=1-2", 200, None, BODY),
]


@pytest.mark.parametrize(
    ("header", "status", "content_range", "body"), ANSWERS, ids=[row[0] for row in ANSWERS]
)
async def test_ranges(hall: Office, header: str, status: int, content_range: str | None, body: bytes) -> None:
    async with hall.http() as http:
        await grant(http)
        async with http.get(PART, headers={"Range": header}) as answer:
            assert answer.status == status
            assert answer.headers.get("Content-Range") == content_range
            assert await answer.read() == body
            assert answer.headers["Accept-Ranges"] == "bytes"
            assert answer.headers["Cache-Control"] == "no-store"
            if status != 416:
                assert answer.headers["Content-Type"] == "video/webm"
                assert answer.headers["Content-Length"] == str(len(body))
                assert answer.headers["ETag"] == TAG


@pytest.mark.parametrize(
    ("condition", "status"),
    [(TAG, 206), (f"W/{TAG}", 200), ('"another"', 200), ("Wed, 18 Nov 2026 10:00:00 GMT", 200)],
)
async def test_if_range(hall: Office, condition: str, status: int) -> None:
    async with hall.http() as http:
        await grant(http)
        async with http.get(PART, headers={"Range": "bytes=0-9", "If-Range": condition}) as answer:
            assert answer.status == status


async def test_head_tells_the_whole_length_and_reads_nothing(hall: Office) -> None:
    async with hall.http() as http:
        await grant(http)
        async with http.head(PART, headers={"Range": "bytes=0-9"}) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Length"] == str(len(BODY))
            assert answer.headers["Accept-Ranges"] == "bytes"
    assert not hasattr(hall.store.storage, "reads")


async def test_what_the_browser_has_is_not_sent_again(hall: Office) -> None:
    async with hall.http() as http:
        await grant(http)
        async with http.get(PART, headers={"If-None-Match": TAG}) as answer:
            assert answer.status == 304
            assert await answer.read() == b""


async def test_reads_are_small(hall: Office) -> None:
    async with hall.http() as http:
        await grant(http)
        async with http.get(PART) as answer:
            await answer.read()
    reads = hall.store.storage.reads  # type: ignore[attr-defined]
    assert max(end - start for start, end in reads) <= 1024 * 1024
    assert (reads[0][0], reads[-1][1]) == (0, len(BODY))


async def test_a_viewer_who_goes_away_is_no_error(hall: Office, caplog: pytest.LogCaptureFixture) -> None:
    """Seeking in a browser aborts requests all the time."""
    large = part("p-large", 0.0)
    with (hall.recordings / large.path).open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    await hall.store.ledger.part_opened(large)
    async with hall.http() as http:
        await grant(http)
        async with http.get("/manager/recordings/p-large") as answer:
            await answer.content.readexactly(1000)
            answer.close()
    storage = hall.store.storage
    await eventually(lambda: getattr(storage, "finished", 0) == len(storage.reads))  # type: ignore[attr-defined]
    assert sum(end - start for start, end in storage.reads) < 64 * 1024 * 1024  # type: ignore[attr-defined]
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_an_open_part_grows_and_has_no_tag(hall: Office) -> None:
    opened = part("p-open", 0.0)
    file = hall.recordings / opened.path
    file.write_bytes(b"0123456789")
    await hall.store.ledger.part_opened(opened)
    async with hall.http() as http:
        await grant(http)
        async with http.get("/manager/recordings/p-open", headers={"Range": "bytes=4-"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"456789")
            assert answer.headers["Content-Range"] == "bytes 4-9/10"
            assert "ETag" not in answer.headers
        with file.open("ab") as more:
            more.write(b"abc")
        async with http.get("/manager/recordings/p-open", headers={"Range": "bytes=10-"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"abc")
        # Nothing to match: with If-Range the whole is sent, as it is now.
        async with http.get(
            "/manager/recordings/p-open", headers={"Range": "bytes=0-1", "If-Range": TAG}
        ) as answer:
            assert (answer.status, await answer.read()) == (200, b"0123456789abc")


@pytest.mark.parametrize(
    "path", ["../../bangban.db", "/etc/hostname", "2026/../../bangban.db", "link/bangban.db", "gone.webm"]
)
async def test_nothing_outside_the_recordings_folder(hall: Office, path: str) -> None:
    (hall.recordings / "link").symlink_to(hall.recordings.parent)
    await hall.store.ledger.part_opened(part("p-odd", 0.0, path=path))
    async with hall.http() as http:
        await grant(http)
        async with http.get("/manager/recordings/p-odd") as answer:
            assert answer.status == 404
            assert "SQLite" not in await answer.text()


async def test_an_unknown_part(hall: Office) -> None:
    async with hall.http(lang="en") as http:
        for path in ("/manager/recordings/none", "/manager/recordings/..%2Fp1"):
            async with http.get(path) as answer:
                assert answer.status == 404
                assert "There is no such recording" in await answer.text()
