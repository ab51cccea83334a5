"""Who is asking: opaque sessions in ``__Host-`` cookies, and the checks that stand before each route."""

import ipaddress
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import quote

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from records.model import Account
from records.sessions import LIFETIMES, Audience
from records.store import Store

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ACCOUNT: web.RequestKey[Account] = web.RequestKey("account", Account)
UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "media-src 'self' blob:; connect-src 'self'; font-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """``origin`` is this service's own, as browsers write it; other origins may not act here."""

    def __init__(
        self, store: Store, origin: str, trusted_proxies: tuple[str, ...], now: Callable[[], float]
    ) -> None:
        self._store = store
        self.origin = origin
        self._trusted = tuple(ipaddress.ip_network(n, strict=False) for n in trusted_proxies)
        self._now = now

    # --- cookies -----------------------------------------------------------------------------------------

    async def account(self, request: web.Request, audience: Audience) -> Account | None:
        token = request.cookies.get(cookie_name(audience))
        return None if not token else await self._store.sessions.session(token, audience, self._now())

    async def sign_in(
        self, request: web.Request, response: web.StreamResponse, account: Account, audience: Audience
    ) -> None:
        address = self.address_of(request)
        token = await self._store.sessions.open_session(account.id, audience, address, self._now())
        response.set_cookie(
            cookie_name(audience),
            token,
            max_age=int(LIFETIMES[audience].absolute),
            path="/",
            secure=True,
            httponly=True,
            samesite="Lax",
        )

    async def sign_out(self, request: web.Request, response: web.StreamResponse, audience: Audience) -> None:
        token = request.cookies.get(cookie_name(audience))
        if token:
            await self._store.sessions.close_session(token)
        response.del_cookie(cookie_name(audience), path="/", secure=True, httponly=True, samesite="Lax")

    # --- requests ----------------------------------------------------------------------------------------

    def address_of(self, request: web.Request) -> str:
        """The asker's address; a proxy's word counts only when the proxy is one of ours."""
        peer = request.remote or ""
        # Some proxies add a line of their own below one that the asker forged.
        for hop in reversed(",".join(request.headers.getall("X-Forwarded-For", ())).split(",")):
            if not self._is_trusted(peer) or not hop.strip():
                break
            peer = hop.strip()
        return peer

    def same_origin(self, request: web.Request) -> bool:
        """Browsers send Origin with every WebSocket upgrade and unsafe method (RFC 6454, Fetch)."""
        return request.headers.get(hdrs.ORIGIN) == self.origin

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        plain = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(plain in network for network in self._trusted)

    # --- middlewares -------------------------------------------------------------------------------------

    def middlewares(self) -> list[Middleware]:
        return [self._headers, self._origin, self._roles]

    @web.middleware
    async def _headers(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as refused:
            refused.headers.update(SECURITY_HEADERS)
            raise
        except Exception:
            log.exception("request failed", path=request.path)
            response = web.Response(status=HTTPStatus.INTERNAL_SERVER_ERROR, text="Something went wrong.\n")
        if not response.prepared:
            response.headers.update(SECURITY_HEADERS)
            response.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")
        return response

    @web.middleware
    async def _origin(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in UNSAFE and not self.same_origin(request):
            log.warning("foreign origin", path=request.path, origin=request.headers.get(hdrs.ORIGIN))
            raise web.HTTPForbidden(text="This request comes from another site and was refused.\n")
        return await handler(request)

    @web.middleware
    async def _roles(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        audience = guarded(request.path)
        if audience is None:
            return await handler(request)
        account = await self.account(request, audience)
        if account is None:
            return self._to_sign_in(request, audience)
        request[ACCOUNT] = account
        return await handler(request)

    def _to_sign_in(self, request: web.Request, audience: Audience) -> web.StreamResponse:
        if "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
            return web.Response(status=HTTPStatus.UNAUTHORIZED, text="Please sign in.\n")
        # A form's own address cannot be opened afterwards.
        back = f"/{audience}" if request.method in UNSAFE else request.path_qs
        raise web.HTTPSeeOther(f"/{audience}/login?next={quote(back, safe='/')}")


def cookie_name(audience: Audience) -> str:
    """One cookie an audience: an agent's console and a manager's page can be open side by side."""
    return f"__Host-bangban-{audience}"


def guarded(path: str) -> Audience | None:
    """Whose pages these are; None for those that anybody may see."""
    first, _, rest = path.strip("/").partition("/")
    if rest in ("login", "logout"):
        return None
    return Audience(first) if first in set(Audience) else None


def account_of(request: web.Request) -> Account:
    """The signed-in account; only on routes behind the gate."""
    return request[ACCOUNT]
