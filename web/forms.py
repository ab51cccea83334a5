"""What a request brought: a form's texts, whoever wrote them, and no endless waiting for them."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from aiohttp import web

ARRIVES_S = 15.0  # a few words come at once even over a poor line

T = TypeVar("T")


async def arrived(reading: Awaitable[T]) -> T:
    """What a request's body was read into. Raises HTTPRequestTimeout when it comes by drops or not at all."""
    try:
        async with asyncio.timeout(ARRIVES_S):
            return await reading
    except TimeoutError:
        raise web.HTTPRequestTimeout(text="This request did not arrive in time.\n") from None


async def form_texts(request: web.Request) -> dict[str, str]:
    """The form's texts by field, as they were typed; a file in a text field counts as nothing.

    NUL is left out: no keyboard types it and PostgreSQL refuses it. Raises HTTPBadRequest for a body that is
    not the form it says it is (a charset, boundary or encoding that nobody knows), HTTPRequestTimeout for one
    that does not come."""
    try:
        sent = await arrived(request.post())
    except (ValueError, LookupError, RuntimeError):  # as aiohttp raises them, a traceback in the log for each
        raise web.HTTPBadRequest(text="This form cannot be read.\n") from None
    return {name: value.replace("\0", "") for name, value in sent.items() if isinstance(value, str)}
