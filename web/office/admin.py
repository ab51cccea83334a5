"""The administrator's pages: stations, their enrolment, accounts, their passwords. Every act is audited.

Secrets (enrolment codes, passwords) are shown once, in the answer to the form, and kept only as hashes.
Who is connected while revoked, disabled or given a new password is put out by the socket itself, which looks
its station or session up every few seconds (``web/sockets.py``).
"""

import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import hdrs, web
from msgspec import Struct
from msgspec.structs import replace

from records.accounts import AccountExists
from records.devices import CODE_TTL_S, StationExists
from records.model import (
    Account,
    AccountId,
    AccountRole,
    DepartmentId,
    SiteId,
    SkillId,
    Station,
    StationId,
    Text,
)
from web.forms import form_texts
from web.office.audit import AuditPage
from web.office.page import BackOffice, ManagerDeps

MAX_NAME = 40  # characters
LEVELS = (1, 2, 3, 4, 5)
_STATION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)
_BADGE = re.compile(r"[A-Za-z0-9-]{0,12}", re.ASCII)
_EASY_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another when copied by hand


class Secret(Struct, frozen=True):
    """What is shown once. ``kind`` is "code" or "password", ``whose`` says to whom it belongs."""

    kind: str
    whose: Text
    value: str
    until: float | None = None


class Refused(ValueError):
    """A form that cannot be accepted; the message is a key under ``problem.`` of text/admin.*.json."""


def routes(deps: ManagerDeps) -> list[web.RouteDef]:
    pages = AdminPages(deps)
    return [
        web.get("/admin", pages.home),
        web.get("/admin/stations", pages.stations),
        web.post("/admin/stations", pages.add_station),
        web.post("/admin/stations/{station}/code", pages.make_code),
        web.post("/admin/stations/{station}/revoke", pages.revoke),
        web.get("/admin/audit", AuditPage(deps, "/admin/audit", admin_pages=True).show),
        web.get("/admin/accounts", pages.accounts),
        web.post("/admin/accounts", pages.add_account),
        web.post("/admin/accounts/{account}/disable", pages.disable),
        web.post("/admin/accounts/{account}/enable", pages.enable),
        web.post("/admin/accounts/{account}/password", pages.reset_password),
    ]


class AdminPages(BackOffice):
    def __init__(self, deps: ManagerDeps) -> None:
        super().__init__(deps, admin_pages=True)

    async def home(self, request: web.Request) -> web.Response:
        return _see("/admin/stations")

    # --- stations ---

    async def stations(self, request: web.Request) -> web.Response:
        return await self._stations_page(request)

    async def add_station(self, request: web.Request) -> web.Response:
        form = _trimmed(await form_texts(request))
        try:
            station = self._station(form)
            await self.store.devices.create_station(station, self.deps.now())
        except StationExists:
            return await self._stations_page(request, problem="station_exists", given=form)
        except Refused as why:
            return await self._stations_page(request, problem=str(why), given=form)
        await self.write_down(request, "station.create", f"station:{station.id}")
        return _see("/admin/stations")

    async def make_code(self, request: web.Request) -> web.Response:
        station = await self._known_station(request)
        if station is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.station")
        now = self.deps.now()
        code = await self.store.devices.new_enrolment_code(station.id, now)
        await self.write_down(
            request, "station.code", f"station:{station.id}", details={"until": now + CODE_TTL_S}
        )
        return await self._stations_page(request, secret=Secret("code", station.name, code, now + CODE_TTL_S))

    async def revoke(self, request: web.Request) -> web.Response:
        station = await self._known_station(request)
        if station is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.station")
        await self.store.devices.revoke(station.id)
        await self.write_down(request, "station.revoke", f"station:{station.id}")
        return _see("/admin/stations")

    async def _known_station(self, request: web.Request) -> Station | None:
        return await self.store.devices.station(StationId(request.match_info["station"]))

    def _station(self, form: Mapping[str, str]) -> Station:
        if _STATION_ID.fullmatch(form.get("id", "")) is None:
            raise Refused("station_id")
        if form.get("site") not in {site.id for site in self.deps.content().sites}:
            raise Refused("site")
        return Station(StationId(form["id"]), SiteId(form["site"]), _name(form))

    async def _stations_page(
        self,
        request: web.Request,
        *,
        problem: str | None = None,
        given: Mapping[str, str] | None = None,
        secret: Secret | None = None,
    ) -> web.Response:
        stations = await self.store.devices.stations()
        sites = self.deps.content().sites
        by_site = [(site, [one for one in stations if one.site == site.id]) for site in sites]
        known = {site.id for site in sites}
        return self.page(
            request,
            "admin/stations.html",
            "stations",
            HTTPStatus.OK if problem is None else HTTPStatus.UNPROCESSABLE_ENTITY,
            back="/admin/stations",
            by_site=[(site, found) for site, found in by_site if found],
            elsewhere=[one for one in stations if one.site not in known],
            sites=sites,
            online=await self.deps.online(),
            problem=problem,
            given=given or {},
            secret=secret,
        )

    # --- accounts ---

    async def accounts(self, request: web.Request) -> web.Response:
        return await self._accounts_page(request)

    async def add_account(self, request: web.Request) -> web.Response:
        form = _trimmed(await form_texts(request))
        password = new_password()
        try:
            account = self._account(form)
            await self.store.accounts.create_account(account, password, self.deps.now())
        except AccountExists:
            return await self._accounts_page(request, problem="account_exists", given=form)
        except Refused as why:
            return await self._accounts_page(request, problem=str(why), given=form)
        details = {"login": account.login, "role": account.role.value}
        await self.write_down(request, "account.create", f"account:{account.id}", details={**details})
        return await self._accounts_page(request, secret=Secret("password", _who(account), password))

    async def disable(self, request: web.Request) -> web.Response:
        account = await self._known_account(request)
        if account is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.account")
        if account.id == self.deps.account_of(request).id:
            return await self._accounts_page(request, problem="not_yourself")
        await self.store.accounts.disable(account.id)
        await self.write_down(request, "account.disable", f"account:{account.id}")
        return _see("/admin/accounts")

    async def enable(self, request: web.Request) -> web.Response:
        account = await self._known_account(request)
        if account is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.account")
        await self.store.accounts.update_account(replace(account, active=True))
        await self.write_down(request, "account.enable", f"account:{account.id}")
        return _see("/admin/accounts")

    async def reset_password(self, request: web.Request) -> web.Response:
        account = await self._known_account(request)
        if account is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.account")
        password = new_password()
        await self.store.accounts.set_password(account.id, password)
        await self.write_down(request, "account.password", f"account:{account.id}")
        return await self._accounts_page(request, secret=Secret("password", _who(account), password))

    async def _known_account(self, request: web.Request) -> Account | None:
        return await self.store.accounts.account(AccountId(request.match_info["account"]))

    def _account(self, form: Mapping[str, str]) -> Account:
        content = self.deps.content()
        if _LOGIN.fullmatch(form.get("login", "")) is None:
            raise Refused("login")
        if form.get("role") not in {role.value for role in AccountRole}:
            raise Refused("role")
        if form.get("department") not in {department.id for department in content.departments}:
            raise Refused("department")
        if form.get("site") not in {site.id for site in content.sites}:
            raise Refused("site")
        if _BADGE.fullmatch(form.get("badge", "")) is None:
            raise Refused("badge")
        return Account(
            id=AccountId(f"a-{secrets.token_hex(6)}"),
            login=form["login"],
            role=AccountRole(form["role"]),
            name=_name(form),
            badge=form.get("badge", ""),
            department=DepartmentId(form["department"]),
            site=SiteId(form["site"]),
            skills=self._skills(form),
        )

    def _skills(self, form: Mapping[str, str]) -> dict[SkillId, int]:
        levels = {str(level): level for level in LEVELS}
        given = {skill: form.get(f"skill-{skill}", "") for skill, _ in self._known_skills()}
        if any(level and level not in levels for level in given.values()):
            raise Refused("skill")
        return {skill: levels[level] for skill, level in given.items() if level}

    def _known_skills(self) -> list[tuple[SkillId, Text]]:
        """Every skill that an item asks for; most are a zone's and go by its name."""
        content = self.deps.content()
        zones = {str(zone.id): zone.name for zone in content.zones}
        skills = dict.fromkeys(item.skill for item in content.items)
        return [(skill, zones.get(str(skill), Text(str(skill), str(skill)))) for skill in skills]

    async def _accounts_page(
        self,
        request: web.Request,
        *,
        problem: str | None = None,
        given: Mapping[str, str] | None = None,
        secret: Secret | None = None,
    ) -> web.Response:
        content = self.deps.content()
        return self.page(
            request,
            "admin/accounts.html",
            "accounts",
            HTTPStatus.OK if problem is None else HTTPStatus.UNPROCESSABLE_ENTITY,
            back="/admin/accounts",
            accounts=await self.store.accounts.list_accounts(),
            names=await self.names(),
            roles=tuple(AccountRole),
            departments=content.departments,
            sites=content.sites,
            skills=self._known_skills(),
            skill_names=dict(self._known_skills()),
            levels=LEVELS,
            problem=problem,
            given=given or {},
            secret=secret,
        )


def new_password() -> str:
    """Four groups of four: 79 bits, easy to read aloud."""
    groups = ("".join(secrets.choice(_EASY_LETTERS) for _ in range(4)) for _ in range(4))
    return "-".join(groups)


def _who(account: Account) -> Text:
    return Text(f"{account.name.zh}（{account.login}）", f"{account.name.en} ({account.login})")


def _trimmed(form: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in form.items()}


def _name(form: Mapping[str, str]) -> Text:
    zh, en = form.get("name_zh", ""), form.get("name_en", "")
    if not 1 <= len(zh) <= MAX_NAME or not 1 <= len(en) <= MAX_NAME:
        raise Refused("name")
    return Text(zh, en)


def _see(path: str) -> web.Response:
    return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: path})
