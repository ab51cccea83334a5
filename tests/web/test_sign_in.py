"""Signing in: right, wrong, too often, and where to afterwards."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec.structs import replace

from records.accounts import MAX_PASSWORD
from records.attempts import FREE_FAILURES
from records.model import AccountId
from tests.web.running import PASSWORD, Service, an_address, running
from web.sign_in import local_path

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, valkey_socket: Path) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("sign-in"), valkey_socket, database=2) as made:
        yield made


async def test_the_right_password_signs_in_and_is_written_down(service: Service) -> None:
    response = await service.sign_in("agent")
    assert (response.status, response.headers["Location"]) == (303, "/agent")
    line = (await service.written_down("signed_in"))[0]
    assert (line.actor, line.object) == ("agent", "sign-in:agent")
    assert line.address.startswith("203.0.")


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("agent", "wrong"),
        ("nobody", PASSWORD),
        ("", ""),
        ("agent", ""),
        ("manager", PASSWORD),
        ("x" * 5000, "y"),
    ],
)
async def test_a_wrong_one_says_only_that_it_was_wrong(service: Service, login: str, password: str) -> None:
    response = await service.sign_in(login, password, to="agent")
    assert response.status == 401
    assert "Set-Cookie" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"
    assert "密码" in await response.text()
    line = (await service.written_down("sign_in_failed"))[0]
    assert (line.actor, line.actor_name) == (None, login[:200])


async def test_the_longest_password_that_can_be_set_signs_in(service: Service) -> None:
    longest = " " + "x" * (MAX_PASSWORD - 2) + " "
    known = await service.store.accounts.account(AccountId("agent"))
    assert known is not None
    careful = replace(known, id=AccountId("careful"), login="careful")
    await service.store.accounts.create_account(careful, longest, 0.0)
    assert (await service.sign_in("careful", longest, to="agent")).status == 303
    assert (await service.sign_in("careful", longest + "x", to="agent")).status == 401


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded; charset=nobodys", b"login=agent"),
        ("application/x-www-form-urlencoded", b"login=\xff"),
        ("multipart/form-data", b"no boundary was named"),
        ("multipart/form-data; boundary=x", b"and it does not come"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="login"\r\n'
            b"Content-Transfer-Encoding: nobodys\r\n\r\nagent\r\n--x--\r\n",
        ),
    ],
)
async def test_a_body_that_is_no_form_is_refused(service: Service, kind: str, body: bytes) -> None:
    assert (await service.post("/agent/login", body, content_type=kind)).status == 400


async def test_a_form_that_does_not_come_is_not_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.forms.ARRIVES_S", 0.05)

    async def never_whole() -> AsyncIterator[bytes]:
        yield b"login="
        await asyncio.Event().wait()

    kind = "application/x-www-form-urlencoded"
    assert (await service.post("/agent/login", never_whole(), content_type=kind)).status == 408


async def test_a_nul_reaches_no_database(service: Service) -> None:
    assert (await service.sign_in("agent\0s", "wrong", to="agent")).status == 401
    assert (await service.written_down("sign_in_failed"))[0].actor_name == "agents"


async def test_guessing_is_stopped_even_with_the_right_password_at_last(service: Service) -> None:
    address = an_address()
    for guess in range(FREE_FAILURES):
        form = {"login": f"guess{guess}", "password": "wrong"}
        assert (await service.post("/admin/login", form, x_forwarded_for=address)).status == 401
    right = {"login": "admin", "password": PASSWORD}
    response = await service.post("/admin/login", right, x_forwarded_for=address)
    assert response.status == 429
    assert "Set-Cookie" not in response.headers
    for _ in range(3):
        assert (await service.post("/admin/login", right, x_forwarded_for=address)).status == 429
    refusals = [line for line in await service.written_down("sign_in_refused") if line.address == address]
    assert len(refusals) == 1, "whoever guesses fills the trail"
    elsewhere = await service.post("/admin/login", right, x_forwarded_for=an_address())
    assert elsewhere.status == 303


async def test_a_login_is_guarded_from_wherever_it_is_guessed(service: Service) -> None:
    for _ in range(FREE_FAILURES):
        assert (await service.sign_in("expert", "wrong", to="agent")).status == 401
    assert (await service.sign_in("expert", to="agent")).status == 429


@pytest.mark.parametrize(
    "next", ["/manager/calls?page=2", "/manager", "/manager/calls?day=2026-11-23&page=2"]
)
async def test_afterwards_one_is_where_one_wanted_to_be(service: Service, next: str) -> None:
    response = await service.sign_in("manager", next=next)
    assert response.headers["Location"] == next


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/manager\r\nSet-Cookie: a=b",
    "http://[",
    "/ /evil.example",
    "/经办",
    "",
]


@pytest.mark.parametrize("next", ELSEWHERE)
async def test_and_never_at_another_site(service: Service, next: str) -> None:
    assert local_path(next, "/manager") == "/manager"
    response = await service.sign_in("manager", next=next)
    assert (response.status, response.headers["Location"]) == (303, "/manager")


async def test_the_form_keeps_where_one_wanted_to_be_but_no_other_site(service: Service) -> None:
    page = await (await service.get("/manager/login?next=/manager/calls")).text()
    assert 'value="/manager/calls"' in page
    page = await (await service.get("/manager/login?next=//evil.example")).text()
    assert "evil" not in page


async def test_what_is_typed_into_the_address_is_never_part_of_the_page(service: Service) -> None:
    page = await (await service.get('/manager/login?next=/"><script>alert(1)</script>')).text()
    assert "<script>alert" not in page


async def test_a_form_that_is_too_large_is_refused(service: Service) -> None:
    response = await service.sign_in("agent", "x" * 70_000)
    assert response.status == 413
    assert "Content-Security-Policy" in response.headers


@pytest.mark.parametrize(("lang", "word"), [("zh", "登录"), ("en", "Sign in")])
async def test_the_page_speaks_both_languages(service: Service, lang: str, word: str) -> None:
    assert word in await (await service.get(f"/agent/login?lang={lang}")).text()


async def test_an_account_that_was_closed_is_signed_out_everywhere(service: Service) -> None:
    cookie = await service.cookie("admin")
    account = next(a for a in await service.store.accounts.list_accounts() if a.login == "admin")
    await service.store.accounts.disable(account.id)
    assert (await service.get("/admin", cookie=cookie)).status == 303
    assert (await service.sign_in("admin")).status == 401
    await service.store.accounts.update_account(account)
