"""The administrator's pages of the people who sign in: accounts, passwords, skills and hours. All audited."""

import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import web
from msgspec.structs import replace

from records.accounts import AccountExists
from records.audit import Details
from records.content import known_skills
from records.hours import hours_text, parse_hours
from records.model import Account, AccountId, AccountRole, DepartmentId, Hours, SiteId, SkillId, Text
from web.forms import form_texts
from web.office.admin_form import Refused, Secret, name_in, new_password, see, trimmed
from web.office.page import BackOffice, ManagerDeps

LEVELS = (1, 2, 3, 4, 5)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}", re.ASCII)
_BADGE = re.compile(r"[A-Za-z0-9-]{0,12}", re.ASCII)


def routes(deps: ManagerDeps) -> list[web.RouteDef]:
    pages = AccountPages(deps)
    return [
        web.get("/admin/accounts", pages.accounts),
        web.post("/admin/accounts", pages.add_account),
        web.get("/admin/accounts/{account}", pages.one),
        web.post("/admin/accounts/{account}", pages.change),
        web.post("/admin/accounts/{account}/disable", pages.disable),
        web.post("/admin/accounts/{account}/enable", pages.enable),
        web.post("/admin/accounts/{account}/password", pages.reset_password),
    ]


class AccountPages(BackOffice):
    def __init__(self, deps: ManagerDeps) -> None:
        super().__init__(deps, admin_pages=True)

    async def accounts(self, request: web.Request) -> web.Response:
        return await self._accounts_page(request)

    async def add_account(self, request: web.Request) -> web.Response:
        form = trimmed(await form_texts(request))
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

    async def one(self, request: web.Request) -> web.Response:
        account = await self._known_account(request)
        if account is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.account")
        return self._account_page(request, account, _written(account))

    async def change(self, request: web.Request) -> web.Response:
        """Everything but login, role and password. Calls are routed by it from the next sign-in on."""
        account = await self._known_account(request)
        if account is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.account")
        form = trimmed(await form_texts(request))
        try:
            changed = self._described(form, account)
        except Refused as why:
            return self._account_page(request, account, form, problem=str(why))
        await self.store.accounts.update_account(changed)
        await self.write_down(request, "account.update", f"account:{account.id}", details=_details(changed))
        return see("/admin/accounts")

    async def disable(self, request: web.Request) -> web.Response:
        account = await self._known_account(request)
        if account is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.account")
        if account.id == self.deps.account_of(request).id:
            return await self._accounts_page(request, problem="not_yourself")
        await self.store.accounts.disable(account.id)
        await self.write_down(request, "account.disable", f"account:{account.id}")
        return see("/admin/accounts")

    async def enable(self, request: web.Request) -> web.Response:
        account = await self._known_account(request)
        if account is None:
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.account")
        await self.store.accounts.update_account(replace(account, active=True))
        await self.write_down(request, "account.enable", f"account:{account.id}")
        return see("/admin/accounts")

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
        if _LOGIN.fullmatch(form.get("login", "")) is None:
            raise Refused("login")
        if form.get("role") not in {role.value for role in AccountRole}:
            raise Refused("role")
        nobody = Account(
            id=AccountId(f"a-{secrets.token_hex(6)}"),
            login=form["login"],
            role=AccountRole(form["role"]),
            name=Text("", ""),
            badge="",
            department=DepartmentId(""),
            site=SiteId(""),
        )
        return self._described(form, nobody)

    def _described(self, form: Mapping[str, str], account: Account) -> Account:
        """The account as the form describes the person. Raises Refused."""
        content = self.deps.content()
        if form.get("department") not in {department.id for department in content.departments}:
            raise Refused("department")
        if form.get("site") not in {site.id for site in content.sites}:
            raise Refused("site")
        if _BADGE.fullmatch(form.get("badge", "")) is None:
            raise Refused("badge")
        return replace(
            account,
            name=name_in(form),
            badge=form.get("badge", ""),
            department=DepartmentId(form["department"]),
            site=SiteId(form["site"]),
            skills=self._skills(form),
            hours=_hours(form),
        )

    def _skills(self, form: Mapping[str, str]) -> dict[SkillId, int]:
        levels = {str(level): level for level in LEVELS}
        given = {skill: form.get(f"skill-{skill}", "") for skill, _ in self._known_skills()}
        if any(level and level not in levels for level in given.values()):
            raise Refused("skill")
        return {skill: levels[level] for skill, level in given.items() if level}

    def _known_skills(self) -> list[tuple[SkillId, Text]]:
        """Every skill that somebody may have; most are a zone's and go by its name."""
        content = self.deps.content()
        names = {str(zone.id): zone.name for zone in content.zones}
        names |= {str(skill.id): skill.name for skill in content.skills}
        return [(SkillId(skill), names.get(skill, Text(skill, skill))) for skill in known_skills(content)]

    async def _accounts_page(
        self,
        request: web.Request,
        *,
        problem: str | None = None,
        given: Mapping[str, str] | None = None,
        secret: Secret | None = None,
    ) -> web.Response:
        return self.page(
            request,
            "admin/accounts.html",
            "accounts",
            HTTPStatus.OK if problem is None else HTTPStatus.UNPROCESSABLE_ENTITY,
            back="/admin/accounts",
            accounts=await self.store.accounts.list_accounts(),
            names=await self.names(),
            skill_names=dict(self._known_skills()),
            problem=problem,
            given=given or {},
            secret=secret,
            **self._choices(),
        )

    def _account_page(
        self, request: web.Request, account: Account, given: Mapping[str, str], problem: str | None = None
    ) -> web.Response:
        return self.page(
            request,
            "admin/account.html",
            "accounts",
            HTTPStatus.OK if problem is None else HTTPStatus.UNPROCESSABLE_ENTITY,
            back=f"/admin/accounts/{quote(account.id)}",
            one=account,
            problem=problem,
            given=given,
            **self._choices(),
        )

    def _choices(self) -> dict[str, Any]:
        content = self.deps.content()
        return {
            "roles": tuple(AccountRole),
            "departments": content.departments,
            "sites": content.sites,
            "skills": self._known_skills(),
            "levels": LEVELS,
        }


def _hours(form: Mapping[str, str]) -> Hours:
    """One line of the field each; nothing means always. Raises Refused."""
    lines = [line.strip() for line in form.get("hours", "").replace(";", "\n").splitlines() if line.strip()]
    try:
        return parse_hours(lines)
    except ValueError:
        raise Refused("hours") from None


def _written(account: Account) -> dict[str, str]:
    """The account as the form's fields have it."""
    return {
        "name_zh": account.name.zh,
        "name_en": account.name.en,
        "badge": account.badge,
        "department": account.department,
        "site": account.site,
        "hours": "\n".join(hours_text(account.hours)),
        **{f"skill-{skill}": str(level) for skill, level in account.skills.items()},
    }


def _details(account: Account) -> Details:
    skills = ", ".join(f"{skill} {level}" for skill, level in sorted(account.skills.items()))
    return {"skills": skills, "hours": "; ".join(hours_text(account.hours)), "site": account.site}


def _who(account: Account) -> Text:
    return Text(f"{account.name.zh}（{account.login}）", f"{account.name.en} ({account.login})")
