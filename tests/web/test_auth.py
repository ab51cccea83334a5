"""The gate: who may see what, from where, and under which headers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, WSServerHandshakeError
from aiohttp.test_utils import make_mocked_request
from yarl import URL

from records.sessions import Audience
from records.store import Store
from signaling.messages import CloseCode
from tests.web.running import ORIGIN, Service, closed, cookie_of, running
from web.auth import SECURITY_HEADERS, Gate, guarded

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, valkey_socket: Path) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("gate"), valkey_socket, database=1) as made:
        yield made


def is_under_our_headers(response: ClientResponse) -> bool:
    return all(response.headers.get(name) == value for name, value in SECURITY_HEADERS.items())


# --- headers ---


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 303),
        ("/station", 200),
        ("/agent/login", 200),
        ("/manager", 303),
        ("/api/catalogue", 200),
        ("/api/catalogue?station=nowhere", 404),
        ("/nowhere", 404),
        ("/static/js/kit/protocol.js", 200),
        ("/static/nowhere.js", 404),
        ("/static/../app.py", 404),
        ("/static/%2e%2e/app.py", 404),
        ("/content/media/nowhere.webm", 404),
        ("/station/enrol", 405),
    ],
)
async def test_every_answer_is_under_the_same_headers(service: Service, path: str, status: int) -> None:
    response = await service.get(path)
    assert response.status == status
    assert is_under_our_headers(response)
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


async def test_an_error_of_ours_is_under_them_too_and_says_nothing_of_itself(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise RuntimeError("a secret of the database")

    monkeypatch.setattr("records.sessions.Sessions.session", fails)
    response = await service.get("/manager", cookie=cookie_of(Audience.MANAGER, "x"))
    assert response.status == 500
    assert is_under_our_headers(response)
    assert "secret" not in await response.text()


async def test_a_method_that_is_not_there_names_those_that_are(service: Service) -> None:
    response = await service.post("/station", {})
    assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")


# --- origin ---


@pytest.mark.parametrize(
    "origin", ["-", "null", "https://evil.example", "http://hall.example", ORIGIN + ":8443", ORIGIN + "/"]
)
@pytest.mark.parametrize("path", ["/agent/login", "/agent/logout", "/station/enrol", "/manager/calls/x"])
async def test_nothing_unsafe_is_done_for_another_origin(service: Service, path: str, origin: str) -> None:
    response = await service.post(path, {"login": "agent"}, origin=origin)
    assert response.status == 403
    assert is_under_our_headers(response)


@pytest.mark.parametrize("path", ["/ws/station", "/ws/agent", "/ws/manager"])
@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://hall.example"])
async def test_no_socket_is_opened_for_another_origin(service: Service, path: str, origin: str) -> None:
    with pytest.raises(WSServerHandshakeError) as refused:
        await service.socket(path, origin=origin, cookie=await service.cookie("agent"))
    assert refused.value.status == 403


async def test_a_socket_without_any_origin_is_not_opened(service: Service) -> None:
    with pytest.raises(WSServerHandshakeError):
        await service.http.ws_connect(service.url + "/ws/station")


# --- roles ---


@pytest.mark.parametrize("audience", ["agent", "manager", "admin"])
async def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(service: Service, audience: str) -> None:
    response = await service.get(f"/{audience}?a=1&b=2")
    assert response.status == 303
    login = URL(response.headers["Location"])
    assert (login.path, login.query["next"]) == (f"/{audience}/login", f"/{audience}?a=1&b=2")
    page = await service.get(response.headers["Location"])
    assert f'value="/{audience}?a=1&amp;b=2"' in await page.text()


async def test_a_form_sent_after_the_session_ended_leads_to_sign_in_and_the_entrance(
    service: Service,
) -> None:
    response = await service.post("/manager/calls/c1/open", {"purpose": "fault"}, accept="text/html")
    assert (response.status, response.headers["Location"]) == (303, "/manager/login?next=/manager")


async def test_what_is_no_page_is_refused_rather_than_sent_to_one(service: Service) -> None:
    for response in (await service.get("/manager", html=False), await service.post("/admin/accounts", {})):
        assert response.status == 401
        assert is_under_our_headers(response)


@pytest.mark.parametrize(
    ("who", "audience"),
    [
        *((who, audience) for who in ("agent", "expert") for audience in ("manager", "admin")),
        *(("manager", audience) for audience in ("agent", "admin")),
        *(("admin", audience) for audience in ("agent", "manager")),
    ],
)
async def test_an_account_of_one_audience_is_nobody_to_the_others(
    service: Service, who: str, audience: str
) -> None:
    token = (await service.cookie(who)).partition("=")[2]
    response = await service.get(f"/{audience}", cookie=cookie_of(Audience(audience), token))
    assert response.status == 303
    assert (await service.sign_in(who, to=audience)).status == 401


@pytest.mark.parametrize(
    ("who", "path"), [("manager", "/ws/agent"), ("agent", "/ws/manager"), (None, "/ws/agent")]
)
async def test_a_socket_of_another_audience_is_closed_by_name(
    service: Service, who: str | None, path: str
) -> None:
    cookies = {} if who is None else {"cookie": await service.cookie(who)}
    socket = await service.socket(path, **cookies)
    assert await closed(socket) == CloseCode.NOT_SIGNED_IN


@pytest.mark.parametrize("who", ["agent", "expert", "manager", "admin"])
async def test_everybody_comes_to_their_own_page(service: Service, who: str) -> None:
    audience = "agent" if who == "expert" else who
    response = await service.get(f"/{audience}", cookie=await service.cookie(who))
    assert response.status in (200, 302, 303)
    assert "login" not in response.headers.get("Location", "")


@pytest.mark.parametrize(
    ("path", "audience"),
    [
        ("/manager", Audience.MANAGER),
        ("/manager/", Audience.MANAGER),
        ("//manager/calls", Audience.MANAGER),
        ("/manager/login/calls", Audience.MANAGER),
        ("/admin/accounts", Audience.ADMIN),
        ("/manager/login", None),
        ("/station", None),
        ("/managers", None),
        ("/", None),
    ],
)
async def test_whose_pages_these_are(path: str, audience: Audience | None) -> None:
    assert guarded(path) is audience


# --- cookies ---


async def test_the_cookie_is_bound_to_this_host_and_out_of_reach_of_scripts(service: Service) -> None:
    response = await service.sign_in("agent")
    cookie = response.headers["Set-Cookie"]
    name, *attributes = [part.strip().lower() for part in cookie.split(";")]
    assert name.startswith("__host-bangban-agent=")
    assert {"httponly", "secure", "samesite=lax", "path=/"} <= set(attributes)
    assert not any(attribute.startswith("domain") for attribute in attributes)


async def test_signing_out_ends_the_session_itself_and_not_only_the_cookie(service: Service) -> None:
    cookie = await service.cookie("manager")
    response = await service.post("/manager/logout", cookie=cookie)
    assert (response.status, response.headers["Location"]) == (303, "/manager/login")
    assert 'bangban-manager=""' in response.headers["Set-Cookie"]
    assert (await service.get("/manager", cookie=cookie)).status == 303
    assert (await service.written_down("signed_out"))[0].actor == "manager"


@pytest.mark.parametrize("token", ["", "x", "../../etc", "é"])
async def test_a_made_up_token_is_nobody(service: Service, token: str) -> None:
    response = await service.get("/manager", cookie=cookie_of(Audience.MANAGER, token))
    assert response.status == 303


# --- addresses ---


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.7"], "198.51.100.7"),  # the first was the asker's own word
        ("10.0.0.1", ["1.2.3.4", "198.51.100.7"], "198.51.100.7"),  # the same, as a line of its own
        ("10.0.0.1", ["198.51.100.7, 10.0.0.2"], "198.51.100.7"),  # two proxies of ours
        ("::ffff:10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("198.51.100.9", ["1.2.3.4"], "198.51.100.9"),  # no proxy of ours
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "nonsense"),
        ("10.0.0.1", ["1.2.3.4, nonsense"], "nonsense"),
    ],
)
async def test_a_proxys_word_counts_only_when_it_is_one_of_ours(
    service: Service, remote: str, forwarded: list[str], address: str
) -> None:
    store: Store = service.store
    gate = Gate(store, ORIGIN, ("10.9.9.9/8",), lambda: 0.0)  # as some people write 10.0.0.0/8
    request = make_mocked_request("GET", "/", headers=[("X-Forwarded-For", line) for line in forwarded])
    assert gate.address_of(request.clone(remote=remote)) == address
