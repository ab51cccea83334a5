"""The administrator's pages: stations, their enrolment, accounts, their passwords. Every act is audited.

Secrets (enrolment codes, passwords) are shown once, in the answer to the form, and kept only as hashes.
Who is connected while revoked, disabled or given a new password is put out by the socket itself, which looks
its station or session up every few seconds (``web/sockets.py``).
"""

import re
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from records.devices import CODE_TTL_S, StationExists
from records.model import (
    SiteId,
    Station,
    StationId,
)
from web.forms import form_texts
from web.office import accounts
from web.office.admin_form import Refused, Secret, name_in, see, trimmed
from web.office.audit import AuditPage
from web.office.page import BackOffice, ManagerDeps

_STATION_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)


def routes(deps: ManagerDeps) -> list[web.RouteDef]:
    pages = StationPages(deps)
    return [
        web.get("/admin", pages.home),
        web.get("/admin/stations", pages.stations),
        web.post("/admin/stations", pages.add_station),
        web.post("/admin/stations/{station}/code", pages.make_code),
        web.post("/admin/stations/{station}/revoke", pages.revoke),
        web.get("/admin/audit", AuditPage(deps, "/admin/audit", admin_pages=True).show),
        *accounts.routes(deps),
    ]


class StationPages(BackOffice):
    def __init__(self, deps: ManagerDeps) -> None:
        super().__init__(deps, admin_pages=True)

    async def home(self, request: web.Request) -> web.Response:
        return see("/admin/stations")

    async def stations(self, request: web.Request) -> web.Response:
        return await self._stations_page(request)

    async def add_station(self, request: web.Request) -> web.Response:
        form = trimmed(await form_texts(request))
        try:
            station = self._station(form)
            await self.store.devices.create_station(station, self.deps.now())
        except StationExists:
            return await self._stations_page(request, problem="station_exists", given=form)
        except Refused as why:
            return await self._stations_page(request, problem=str(why), given=form)
        await self.write_down(request, "station.create", f"station:{station.id}")
        return see("/admin/stations")

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
        return see("/admin/stations")

    async def _known_station(self, request: web.Request) -> Station | None:
        return await self.store.devices.station(StationId(request.match_info["station"]))

    def _station(self, form: Mapping[str, str]) -> Station:
        if _STATION_ID.fullmatch(form.get("id", "")) is None:
            raise Refused("station_id")
        if form.get("site") not in {site.id for site in self.deps.content().sites}:
            raise Refused("site")
        return Station(StationId(form["id"]), SiteId(form["site"]), name_in(form))

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
