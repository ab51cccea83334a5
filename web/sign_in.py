"""Signing in and out, the same for the three audiences that have accounts."""

from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

from records.accounts import Accounts
from records.attempts import TooManyAttempts, by_address
from records.audit import AuditLine
from records.model import Account
from records.sessions import ROLES, Audience
from records.store import Store
from web.auth import Gate
from web.forms import form_texts

LOGIN_LENGTH = 200  # characters of what was typed that go further, into the audit trail too
SAID_AGAIN_S = 60.0  # refusals of one address within this time are one line of the audit trail


class SignIn:
    def __init__(
        self, store: Store, gate: Gate, render: Callable[..., web.Response], now: Callable[[], float]
    ) -> None:
        self._store = store
        self._gate = gate
        self._render = render
        self._now = now
        self._said: dict[str, float] = {}  # when a refusal was last written down, by address

    def routes(self) -> list[web.RouteDef]:
        return [
            *(web.get(f"/{audience}/login", self.page) for audience in Audience),
            *(web.post(f"/{audience}/login", self.sign_in) for audience in Audience),
            *(web.post(f"/{audience}/logout", self.sign_out) for audience in Audience),
        ]

    async def page(self, request: web.Request) -> web.Response:
        return self._page(request, None, HTTPStatus.OK)

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        form = await form_texts(request)
        login, password = form.get("login", "")[:LOGIN_LENGTH], form.get("password", "")
        audience = _audience(request)
        try:
            account = await self._authenticate(request, audience, login, password)
        except TooManyAttempts:
            await self._write_down_refusal(request, login)
            return self._page(request, "login.too_many", HTTPStatus.TOO_MANY_REQUESTS)
        if account is None:
            await self._write_down(request, "sign_in_failed", login, None)
            return self._page(request, "login.wrong", HTTPStatus.UNAUTHORIZED)
        response = web.HTTPSeeOther(local_path(form.get("next", ""), f"/{audience}"))
        await self._gate.sign_in(request, response, account, audience)
        await self._write_down(request, "signed_in", login, account)
        raise response

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        audience = _audience(request)
        account = await self._gate.account(request, audience)
        response = web.HTTPSeeOther(f"/{audience}/login")
        await self._gate.sign_out(request, response, audience)
        if account is not None:
            await self._write_down(request, "signed_out", account.login, account)
        raise response

    async def _authenticate(
        self, request: web.Request, audience: Audience, login: str, password: str
    ) -> Account | None:
        accounts: Accounts = self._store.accounts
        address = self._gate.address_of(request)
        return await accounts.authenticate(login, password, ROLES[audience], address, self._now())

    async def _write_down_refusal(self, request: web.Request, login: str) -> None:
        """Not each one: the trail is never shortened, and whoever guesses must not fill the disk with it."""
        subject, now = by_address("refused", self._gate.address_of(request)), self._now()
        self._said = {who: at for who, at in self._said.items() if now - at < SAID_AGAIN_S}
        if subject not in self._said:
            self._said[subject] = now
            await self._write_down(request, "sign_in_refused", login, None)

    async def _write_down(
        self, request: web.Request, action: str, login: str, account: Account | None
    ) -> None:
        await self._store.audit.write(
            AuditLine(
                at=self._now(),
                action=action,
                object=f"sign-in:{_audience(request)}",
                actor=None if account is None else account.id,
                actor_name=login if account is None else account.name.zh,
                address=self._gate.address_of(request),
            )
        )

    def _page(self, request: web.Request, error: str | None, status: HTTPStatus) -> web.Response:
        response = self._render(
            request,
            "login.html",
            audience=str(_audience(request)),
            error=error,
            next=local_path(request.query.get("next", ""), f"/{_audience(request)}"),
        )
        response.set_status(status)
        response.headers["Cache-Control"] = "no-store"
        return response


def local_path(asked: str, otherwise: str) -> str:
    """Where to go after signing in: a path of ours, never another site."""
    written_plainly = asked.isascii() and asked.isprintable() and " " not in asked and "\\" not in asked
    return asked if written_plainly and asked.startswith("/") and not asked.startswith("//") else otherwise


def _audience(request: web.Request) -> Audience:
    return Audience(request.path.strip("/").split("/")[0])
