"""What the manager's and the administrator's pages share: what they are given, and how a page is answered."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web
from yarl import URL

from records.audit import AuditLine, Details
from records.model import Account, Content, StationId
from records.store import Store
from web.hall_time import HallTime, length, size, tenths
from web.office.call_view import Names

USUAL_ZONE = ZoneInfo("Asia/Shanghai")


class Render(Protocol):
    """Draws a template in the request's language, with ``t(key, **words)``, ``lang`` and ``pick(text)``."""

    def __call__(self, request: web.Request, template: str, /, **context: Any) -> web.Response: ...


@dataclass(frozen=True)
class ManagerDeps:
    """The role of ``account_of`` and the Origin of a POST were checked before a request comes here.

    ``content`` is what the hall publishes now, ``online`` the stations that have a connection at this moment.
    ``sign_out`` is the address that ends the session by POST.
    """

    store: Store
    content: Callable[[], Content]
    render: Render
    account_of: Callable[[web.Request], Account]
    address_of: Callable[[web.Request], str]
    now: Callable[[], float]
    online: Callable[[], Awaitable[Collection[StationId]]]
    zone: ZoneInfo = USUAL_ZONE
    sign_out: str = "/sign-out"


class BackOffice:
    """One audience's pages. Nothing of them is kept by a browser or a proxy: they are about people."""

    def __init__(self, deps: ManagerDeps, *, admin_pages: bool = False) -> None:
        self.deps = deps
        self.store = deps.store
        self.hall = HallTime(deps.zone)
        self._admin_pages = admin_pages

    async def names(self) -> Names:
        accounts = await self.store.accounts.list_accounts()
        return Names(self.deps.content(), accounts, await self.store.devices.stations())

    def page(
        self,
        request: web.Request,
        template: str,
        here: str,
        status: HTTPStatus = HTTPStatus.OK,
        back: str | None = None,
        **context: Any,
    ) -> web.Response:
        """``back`` is where the page is when it answers a form: the form's own address cannot be opened."""
        address = request.rel_url if back is None else URL(back)

        def in_language(lang: str) -> str:
            return str(address.update_query(lang=lang))

        response = self.deps.render(
            request,
            template,
            here=here,
            account=self.deps.account_of(request),
            admin_pages=self._admin_pages,
            sign_out=self.deps.sign_out,
            in_language=in_language,
            hall=self.hall,
            length=length,
            tenths=tenths,
            size=size,
            **context,
        )
        response.set_status(status)
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        return response

    def refuse(
        self, request: web.Request, status: HTTPStatus, key: str, hint: str | None = None
    ) -> web.Response:
        """A page that says in words why not: keys of text/manager.*.json."""
        return self.page(request, "manager/refused.html", "", status, sentence=key, hint=hint)

    async def write_down(
        self, request: web.Request, action: str, what: str, purpose: str = "", details: Details | None = None
    ) -> None:
        """Returns when the audit trail has it."""
        actor = self.deps.account_of(request)
        line = AuditLine(
            at=self.deps.now(),
            action=action,
            object=what,
            actor=actor.id,
            actor_name=actor.name.zh,
            purpose=purpose,
            address=self.deps.address_of(request),
            details=details or {},
        )
        await self.store.audit.write(line)
