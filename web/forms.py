"""What a page's form sent: its texts, whoever wrote them."""

from aiohttp import web


async def form_texts(request: web.Request) -> dict[str, str]:
    """The form's texts by field, as they were typed; a file in a text field counts as nothing.

    NUL is left out: no keyboard types it and PostgreSQL refuses it. Raises HTTPBadRequest for a body that is
    not the form it says it is (a charset, boundary or encoding that nobody knows)."""
    try:
        sent = await request.post()
    except (ValueError, LookupError, RuntimeError):  # as aiohttp raises them, a traceback in the log for each
        raise web.HTTPBadRequest(text="This form cannot be read.\n") from None
    return {name: value.replace("\0", "") for name, value in sent.items() if isinstance(value, str)}
