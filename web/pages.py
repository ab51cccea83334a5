"""The public pages and what they fetch: the station, the agent's console, the catalogue, enrolment."""

import base64
import binascii
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from records.attempts import TooManyAttempts
from records.audit import AuditLine
from records.content import catalogue_json
from records.model import StationId, Text
from records.store import Store
from web.auth import Gate
from web.directory import HallDirectory
from web.forms import arrived

MAX_ENROLMENT = 2_000  # bytes of a request


class Enrolment(Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=40)]
    public_key: Annotated[str, Meta(max_length=64)]  # raw Ed25519, base64url without padding


ENROLMENT_ERRORS = {
    "malformed": Text(
        "登记信息不完整，请刷新页面再试。", "The enrolment was incomplete. Please reload the page."
    ),
    "wrong_code": Text(
        "登记码不对、已用过或已过期。请向管理员要一个新的登记码。",
        "This code is wrong, used or too old. Please ask the administrator for a new one.",
    ),
    "too_many": Text(
        "试的次数太多了，请过几分钟再试。", "Too many attempts. Please wait a few minutes and try again."
    ),
}


class PublicPages:
    """``content_folder`` holds the hall's content; its ``media/`` the how-to videos."""

    def __init__(
        self,
        store: Store,
        directory: HallDirectory,
        gate: Gate,
        render: Callable[..., web.Response],
        content_folder: Path,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._directory = directory
        self._gate = gate
        self._render = render
        self._videos = content_folder / "media"
        self._now = now

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.home),
            web.get("/station", self.station),
            web.post("/station/enrol", self.enrol),
            web.get("/agent", self.agent),
            web.get("/api/catalogue", self.catalogue),
            web.get("/content/media/{name:[a-z0-9-]+\\.webm}", self.video),
        ]

    async def home(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPSeeOther("/station")

    async def station(self, request: web.Request) -> web.Response:
        return self._render(request, "station.html")

    async def agent(self, request: web.Request) -> web.Response:
        return self._render(request, "agent.html")

    async def catalogue(self, request: web.Request) -> web.Response:
        """Public: it is what the hall publishes. With ``station``, only what its site is empowered for."""
        site = None
        if asked := request.query.get("station"):
            card = self._directory.station(StationId(asked))
            if card is None:
                raise web.HTTPNotFound(text="There is no such station.\n")
            site = card.site
        body = catalogue_json(self._directory.content, site)
        return web.Response(body=body, content_type="application/json")

    async def video(self, request: web.Request) -> web.StreamResponse:
        path = self._videos / request.match_info["name"]
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path)

    async def enrol(self, request: web.Request) -> web.Response:
        """A terminal becomes a station: the code is used up, its device key is remembered."""
        body = await arrived(request.read())
        if len(body) > MAX_ENROLMENT:
            raise web.HTTPRequestEntityTooLarge(MAX_ENROLMENT, len(body))
        try:
            asked = msgspec.json.decode(body, type=Enrolment)
            key = base64.urlsafe_b64decode(asked.public_key + "==")
            station = await self._store.devices.enrol(
                asked.code, key, self._gate.address_of(request), self._now()
            )
        except TooManyAttempts:
            return _refused("too_many", HTTPStatus.TOO_MANY_REQUESTS)
        except (msgspec.MsgspecError, binascii.Error, ValueError):
            return _refused("malformed", HTTPStatus.BAD_REQUEST)
        if station is None:
            return _refused("wrong_code", HTTPStatus.FORBIDDEN)
        await self._directory.renew()
        await self._store.audit.write(
            AuditLine(
                at=self._now(),
                action="station_enrolled",
                object=f"station:{station.id}",
                address=self._gate.address_of(request),
            )
        )
        return web.json_response({"station": station.id, "name": msgspec.to_builtins(station.name)})


def _refused(code: str, status: HTTPStatus) -> web.Response:
    text = msgspec.to_builtins(ENROLMENT_ERRORS[code])
    return web.json_response({"code": code, "text": text}, status=status)
