"""An address that leads nowhere, said in words to people; scripts get the bare status."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from records.sessions import Audience

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def lost_page(render: Callable[..., web.Response]) -> Middleware:
    @web.middleware
    async def in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            if request.method != hdrs.METH_GET or "text/html" not in request.headers.get(hdrs.ACCEPT, ""):
                raise
            page = render(request, "lost.html", back=entrance(request.path))
            page.set_status(HTTPStatus.NOT_FOUND)
            return page

    return in_words


def entrance(path: str) -> str:
    """Where whoever lost their way in a part of the service begins again."""
    first = path.strip("/").split("/")[0]
    return f"/{first}" if first in set(Audience) else "/station"
