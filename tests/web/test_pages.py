"""The public pages and what they fetch: the catalogue of a site, and a terminal that becomes a station."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from records.attempts import FREE_FAILURES
from records.model import StationId
from tests.web.running import Device, Service, an_address, running
from web.app import runner_of
from web.pages import ENROLMENT_ERRORS, MAX_ENROLMENT
from web.seed import DEMO

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, valkey_socket: Path) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("pages"), valkey_socket, database=4) as made:
        yield made


async def a_code(service: Service, station: str = "s1", ttl: float = 4e9) -> str:
    return await service.store.devices.new_enrolment_code(StationId(station), 0.0, ttl)


async def enrols(service: Service, body: Any, address: str | None = None) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = await service.post("/station/enrol", data, x_forwarded_for=address or an_address())
    return response.status, await response.json()


async def test_a_code_makes_a_terminal_a_station_once(service: Service) -> None:
    code, device = await a_code(service), Device()
    assert await enrols(service, {"code": code, "public_key": device.public}) == (
        200,
        {"station": "s1", "name": {"zh": "终端 s1", "en": "Station s1"}},
    )
    assert (await service.written_down("station_enrolled"))[0].object == "station:s1"
    status, said = await enrols(service, {"code": code, "public_key": Device().public})
    assert (status, said["code"]) == (403, "wrong_code")
    assert set(said["text"]) == {"zh", "en"}


async def test_a_code_is_good_however_it_is_typed(service: Service) -> None:
    code = (await a_code(service)).replace("-", " ").lower()
    assert (await enrols(service, {"code": code, "public_key": Device().public}))[0] == 200


async def test_a_wrong_or_an_old_code_is_refused(service: Service) -> None:
    old = await a_code(service, ttl=1.0)
    for code in ("AAAA-AAAA", old, "' OR 1=1 --", "登记码"):
        status, said = await enrols(service, {"code": code, "public_key": Device().public})
        assert (status, said["code"]) == (403, "wrong_code")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        {},
        {"code": "A"},
        {"code": "", "public_key": "A" * 43},
        {"code": "A" * 41, "public_key": "A" * 43},
        {"code": "AAAA-AAAA", "public_key": "A" * 42},  # 31 bytes
        {"code": "AAAA-AAAA", "public_key": "A" * 44},  # 33 bytes
        {"code": "AAAA-AAAA", "public_key": "A"},
        {"code": "AAAA-AAAA", "public_key": "公" * 43},
        {"code": "AAAA-AAAA", "public_key": 5},
        {"code": "AAAA-AAAA", "public_key": "A" * 43, "station": "s2"},
    ],
)
async def test_what_is_no_enrolment_is_malformed_and_uses_up_nothing(service: Service, body: Any) -> None:
    code = await a_code(service)
    if isinstance(body, dict) and body.get("code") == "AAAA-AAAA":
        body = body | {"code": code}
    status, said = await enrols(service, body)
    assert (status, said["code"]) == (400, "malformed")
    assert (await enrols(service, {"code": code, "public_key": Device().public}))[0] == 200


async def test_codes_are_not_guessed(service: Service) -> None:
    address, code = an_address(), await a_code(service)
    for _ in range(FREE_FAILURES):
        status, _said = await enrols(service, {"code": "AAAA-AAAA", "public_key": Device().public}, address)
        assert status == 403
    right = {"code": code, "public_key": Device().public}
    status, said = await enrols(service, right, address)
    assert (status, said["code"]) == (429, "too_many")
    assert (await enrols(service, right))[0] == 200, "from elsewhere the code is still good"


@pytest.mark.parametrize("size", [MAX_ENROLMENT + 1, 70_000])
async def test_an_enrolment_that_is_too_large_is_refused(service: Service, size: int) -> None:
    response = await service.post("/station/enrol", b" " * size, x_forwarded_for=an_address())
    assert response.status == 413
    assert "Content-Security-Policy" in response.headers


async def test_an_enrolment_that_comes_in_pieces_is_read_to_its_end(service: Service) -> None:
    whole = json.dumps({"code": await a_code(service), "public_key": Device().public}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for byte in whole:
            yield bytes([byte])

    response = await service.post("/station/enrol", pieces(), x_forwarded_for=an_address())
    assert response.status == 200


async def test_every_refusal_is_said_in_both_languages() -> None:
    assert all(text.zh and text.en for text in ENROLMENT_ERRORS.values())


async def test_a_station_is_shown_what_its_site_may_handle(service: Service) -> None:
    async def zones(query: str) -> set[str]:
        response = await service.get(f"/api/catalogue{query}")
        assert response.content_type == "application/json"
        return {item["zone"] for item in (await response.json())["items"]}

    everything, here, there = await zones(""), await zones("?station=s1"), await zones("?station=s2")
    assert here == everything
    assert there < everything, "this town may not handle construction"


async def test_a_station_that_is_not_there_has_no_catalogue(service: Service) -> None:
    assert (await service.get("/api/catalogue?station=nowhere")).status == 404


async def test_the_front_door_is_the_stations(service: Service) -> None:
    response = await service.get("/")
    assert (response.status, response.headers["Location"]) == (303, "/station")
    page = await (await service.get("/station")).text()
    assert "<script>" not in page
    assert " style=" not in page


async def test_a_film_is_sent_and_can_be_sought_in(service: Service) -> None:
    film = next(DEMO.glob("media/*.webm"))
    whole = await service.get(f"/content/media/{film.name}")
    assert (whole.status, whole.headers["Content-Type"]) == (200, "video/webm")
    assert await whole.read() == film.read_bytes()
    part = await service.get(f"/content/media/{film.name}", range="bytes=4-7")
    assert (part.status, await part.read()) == (206, film.read_bytes()[4:8])


@pytest.mark.parametrize("name", ["../hall.toml", "..%2fhall.toml", "a.webm%00", "A.webm", "x.mp4"])
async def test_only_videos_are_served_from_the_content(service: Service, name: str) -> None:
    assert (await service.get(f"/content/media/{name}")).status == 404


async def test_the_consoles_page_is_for_those_who_signed_in(service: Service) -> None:
    response = await service.get("/agent", cookie=await service.cookie("agent"))
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "back"), [("/nope", "/station"), ("/stations/x", "/station"), ("/agent/nope", "/agent")]
)
async def test_an_address_that_leads_nowhere_is_said_in_words(service: Service, path: str, back: str) -> None:
    cookie = await service.cookie("agent")
    response = await service.get(path, cookie=cookie)
    text = await response.text()
    assert response.status == 404
    assert "没有这个页面" in text
    assert f'href="{back}"' in text
    bare = await service.get(path, html=False, cookie=cookie)
    assert (bare.status, "没有这个页面" in await bare.text()) == (404, False)


async def test_a_connection_that_asks_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.app.IDLE_S", 0.1)
    runner = runner_of(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"GET / HTTP/1.1\r\nHost: hall.example\r\n")  # and never the empty line
    async with asyncio.timeout(10):
        assert await reader.read() == b""
    writer.close()
    await runner.cleanup()
