"""Stations and accounts in the administrator's hands: every act works, is audited, shows its secret once."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from records.accounts import MIN_PASSWORD
from records.audit import AuditFilter
from records.devices import CODE_TTL_S
from records.model import AccountId, AccountRole, SkillId, StationId, Text
from tests.web.back_office import NOW, PASSWORD, Office, office

NEW_STATION = {"id": "station-9", "site": "town1", "name_zh": "望湖 9 号终端", "name_en": "Wanghu station 9"}
NEW_ACCOUNT = {
    "login": "sunli",
    "role": "agent",
    "name_zh": "孙丽",
    "name_en": "Sun Li",
    "badge": "0420",
    "department": "hrss",
    "site": "town1",
    "skill-employment": "4",
    "skill-transport": "",
}


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


@pytest.fixture
async def admin(hall: Office) -> AsyncIterator[ClientSession]:
    async with hall.http("admin") as http:
        yield http


async def send(http: ClientSession, path: str, form: dict[str, str] | None = None, status: int = 200) -> str:
    async with http.post(path, data=form or {}) as answer:
        assert answer.status == status
        assert answer.headers["Cache-Control"] == "no-store"
        return html.unescape(await answer.text())


def secret(text: str) -> str:
    found = re.search(r'class="secret-value"><code>([^<]+)</code>', text)
    assert found is not None
    return found[1]


async def trail(hall: Office) -> list[tuple[str | None, str, str]]:
    return [(one.actor, one.action, one.object) for one in await hall.store.audit.page(AuditFilter())]


async def signs_in(hall: Office, login: str, password: str) -> bool:
    roles = tuple(AccountRole)
    return await hall.store.accounts.authenticate(login, password, roles, "10.0.0.9", NOW) is not None


# --- stations ---


async def test_the_list_says_who_is_enrolled_and_online(hall: Office, admin: ClientSession) -> None:
    code = await hall.store.devices.new_enrolment_code(StationId("s1"), NOW)
    await hall.store.devices.enrol(code, b"k" * 32, "10.0.0.5", NOW)
    hall.online.add(StationId("s1"))
    async with admin.get("/admin/stations") as answer:
        text = await answer.text()
    rows = [re.sub(r"<[^>]*>|\s+", " ", row) for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)]
    assert "望湖镇" in text
    assert any("s1" in row and "已登记" in row and "在线" in row for row in rows)
    assert any("s2" in row and "未登记" in row and "撤销" not in row for row in rows)


async def test_a_code_is_shown_once_and_enrols_the_station(hall: Office, admin: ClientSession) -> None:
    text = await send(admin, "/admin/stations/s2/code")
    code = secret(text)
    assert "望湖 2 号终端 的登记码" in text
    assert "19:21:40 前有效" in text
    async with admin.get("/admin/stations") as answer:
        assert code not in await answer.text()
    assert await trail(hall) == [("admin", "station.code", "station:s2")]
    assert code not in str(await hall.store.audit.page(AuditFilter()))
    enrolled = await hall.store.devices.enrol(code, b"k" * 32, "10.0.0.5", NOW + CODE_TTL_S - 1)
    assert enrolled is not None
    assert enrolled.id == "s2"


async def test_revoking_takes_the_key(hall: Office, admin: ClientSession) -> None:
    code = await hall.store.devices.new_enrolment_code(StationId("s1"), NOW)
    await hall.store.devices.enrol(code, b"k" * 32, "10.0.0.5", NOW)
    await send(admin, "/admin/stations/s1/revoke")
    station = await hall.store.devices.station(StationId("s1"))
    assert station is not None
    assert station.public_key is None
    assert await trail(hall) == [("admin", "station.revoke", "station:s1")]


async def test_a_new_station(hall: Office, admin: ClientSession) -> None:
    assert "望湖 9 号终端" in await send(admin, "/admin/stations", NEW_STATION)
    station = await hall.store.devices.station(StationId("station-9"))
    assert station is not None
    assert (station.site, station.name) == ("town1", Text("望湖 9 号终端", "Wanghu station 9"))
    assert await trail(hall) == [("admin", "station.create", "station:station-9")]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"id": "s1"}, "已经有终端在用"),
        ({"id": "../x"}, "编号只能用小写字母"),
        ({"id": ""}, "编号只能用小写字母"),
        ({"site": "moon"}, "请从列表中选择站点"),
        ({"name_zh": " "}, "请填写中文和英文名称"),
        ({"name_en": "x" * 41}, "请填写中文和英文名称"),
    ],
)
async def test_a_station_that_cannot_be(
    hall: Office, admin: ClientSession, changed: dict[str, str], sentence: str
) -> None:
    text = await send(admin, "/admin/stations", NEW_STATION | changed, 422)
    assert sentence in text
    assert 'value="Wanghu station 9"' in text or "name_en" in changed
    assert await trail(hall) == []


# --- accounts ---


async def test_a_new_account_gets_a_password_shown_once(hall: Office, admin: ClientSession) -> None:
    text = await send(admin, "/admin/accounts", NEW_ACCOUNT)
    password = secret(text)
    assert "孙丽（sunli） 的新密码" in text
    assert len(password) >= MIN_PASSWORD
    assert await signs_in(hall, "sunli", password)
    made = next(one for one in await hall.store.accounts.list_accounts() if one.login == "sunli")
    assert (made.role, made.badge, made.skills) == (AccountRole.AGENT, "0420", {SkillId("employment"): 4})
    ((actor, action, what),) = await trail(hall)
    assert (actor, action, what) == ("admin", "account.create", f"account:{made.id}")
    async with admin.get("/admin/accounts") as answer:
        assert password not in await answer.text()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"login": "lihua"}, "这个账号已经存在"),
        ({"login": "S"}, "账号只能用"),
        ({"login": "a b"}, "账号只能用"),
        ({"role": "king"}, "请选择角色"),
        ({"department": "none"}, "请从列表中选择部门"),
        ({"site": "none"}, "请从列表中选择站点"),
        ({"badge": "零"}, "工号只能用"),
        ({"name_zh": ""}, "请填写中文和英文名称"),
        ({"skill-employment": "9"}, "技能等级应为"),
    ],
)
async def test_an_account_that_cannot_be(
    hall: Office, admin: ClientSession, changed: dict[str, str], sentence: str
) -> None:
    before = await hall.store.accounts.list_accounts()
    assert sentence in await send(admin, "/admin/accounts", NEW_ACCOUNT | changed, 422)
    assert await hall.store.accounts.list_accounts() == before
    assert await trail(hall) == []


async def test_disabled_and_enabled_again(hall: Office, admin: ClientSession) -> None:
    await send(admin, "/admin/accounts/lihua/disable")
    assert not await signs_in(hall, "lihua", PASSWORD)
    await send(admin, "/admin/accounts/lihua/enable")
    assert await signs_in(hall, "lihua", PASSWORD)
    acts = [(action, what) for _, action, what in await trail(hall)]
    assert acts == [("account.enable", "account:lihua"), ("account.disable", "account:lihua")]


async def test_nobody_locks_himself_out(hall: Office, admin: ClientSession) -> None:
    assert "不能停用自己的账号" in await send(admin, "/admin/accounts/admin/disable", status=422)
    account = await hall.store.accounts.account(AccountId("admin"))
    assert account is not None
    assert account.active


async def test_a_new_password_takes_the_place_of_the_old(hall: Office, admin: ClientSession) -> None:
    password = secret(await send(admin, "/admin/accounts/lihua/password"))
    assert not await signs_in(hall, "lihua", PASSWORD)
    assert await signs_in(hall, "lihua", password)
    assert await trail(hall) == [("admin", "account.password", "account:lihua")]


@pytest.mark.parametrize(
    "path",
    [
        "stations/x/code",
        "stations/x/revoke",
        "accounts/x/disable",
        "accounts/x/enable",
        "accounts/x/password",
    ],
)
async def test_what_does_not_exist(hall: Office, admin: ClientSession, path: str) -> None:
    await send(admin, f"/admin/{path}", status=404)
    assert await trail(hall) == []


async def test_names_are_text(hall: Office, admin: ClientSession) -> None:
    evil = "<img src=x onerror=alert(1)>"
    async with admin.post("/admin/stations", data=NEW_STATION | {"name_zh": evil}) as answer:
        assert evil not in await answer.text()
    async with admin.post("/admin/accounts", data=NEW_ACCOUNT | {"name_zh": evil}) as answer:
        assert evil not in await answer.text()


async def test_the_administrator_reads_the_trail(hall: Office, admin: ClientSession) -> None:
    await send(admin, "/admin/accounts/lihua/password")
    async with admin.get("/admin/audit?action=account.password") as answer:
        text = await answer.text()
    assert "重置密码</td>" in text
    assert "账号 李华" in text
    assert 'href="/manager' not in text


async def test_managers_are_not_administrators(hall: Office) -> None:
    async with hall.http("wangmin") as http:
        for path in ("/admin", "/admin/stations", "/admin/accounts", "/admin/audit"):
            async with http.get(path) as answer:
                assert answer.status == 403
        async with http.post("/admin/accounts/lihua/password") as answer:
            assert answer.status == 403
    assert await trail(hall) == []


async def test_in_english(hall: Office, admin: ClientSession) -> None:
    async with admin.get("/admin?lang=en") as answer:
        assert answer.url.path == "/admin/stations"
    async with admin.get("/admin/accounts?lang=en") as answer:
        text = await answer.text()
        assert answer.cookies["lang"].value == "en"
    assert "Reset password" in text
    assert not re.search(r"[一-鿿]", text.replace("中文", ""))


# --- a person's skills and hours ---


async def test_skills_and_hours_can_be_changed_and_the_trail_says_what(
    hall: Office, admin: ClientSession
) -> None:
    await send(admin, "/admin/accounts", NEW_ACCOUNT)
    (made,) = [one for one in await hall.store.accounts.list_accounts() if one.login == "sunli"]
    assert "employment" in await send_get(admin, f"/admin/accounts/{made.id}")
    changed = NEW_ACCOUNT | {"skill-employment": "2", "skill-transport": "5", "hours": "mon-fri 09:00-12:00"}
    await send(admin, f"/admin/accounts/{made.id}", changed)
    now = await hall.store.accounts.account(made.id)
    assert now is not None
    assert now.skills == {SkillId("employment"): 2, SkillId("transport"): 5}
    assert [(span.days, span.start, span.end) for span in now.hours.spans] == [((1, 2, 3, 4, 5), 540, 720)]
    (line, *_) = await hall.store.audit.page(AuditFilter(action="account.update"))
    assert line.details["hours"] == "mon-fri 09:00-12:00"
    assert "mon-fri 09:00-12:00" in await send_get(admin, f"/admin/accounts/{made.id}")


async def test_hours_that_cannot_be_read_come_back_with_a_sentence(
    hall: Office, admin: ClientSession
) -> None:
    await send(admin, "/admin/accounts", NEW_ACCOUNT)
    (made,) = [one for one in await hall.store.accounts.list_accounts() if one.login == "sunli"]
    text = await send(admin, f"/admin/accounts/{made.id}", NEW_ACCOUNT | {"hours": "9-5"}, status=422)
    assert "接听时间写得不对" in text
    assert "9-5" in text
    assert await hall.store.accounts.account(made.id) == made


async def test_an_account_that_is_not_there_cannot_be_changed(hall: Office, admin: ClientSession) -> None:
    await send(admin, "/admin/accounts/nobody", NEW_ACCOUNT, status=404)


async def send_get(http: ClientSession, path: str) -> str:
    async with http.get(path) as answer:
        assert answer.status == 200
        return html.unescape(await answer.text())
