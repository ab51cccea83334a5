"""The manager's pages: the live view, the list of calls, one call with its recording."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import quote

from aiohttp import hdrs, web
from msgspec import Struct

from records.audit import AuditFilter
from records.calls import CallDetail
from records.grants import Grant, PurposeRefused, UnknownCall
from records.model import Account, AccountId, AccountRole, CallId, CallSummary, EndReason, Item, Outcome, Zone
from web.forms import form_texts
from web.office import callbacks, recordings
from web.office.audit import AuditPage
from web.office.call_view import call_view, gap_words
from web.office.filters import LOW_STARS, PAGE_SIZE, call_query
from web.office.page import BackOffice, ManagerDeps
from web.office.quality_view import HEIGHT, WIDTH, kbits, milliseconds, percent, quality_lanes
from web.office.words import PURPOSES, purpose_words

MAX_DETAILS = 150  # characters; with the choice before them they fit the trail's limit on a purpose

__all__ = ["ManagerDeps", "routes"]


class Given(Struct, frozen=True):
    """The purpose form as it was sent. Kept as it is so that a refused form comes back filled in."""

    purpose: str = ""
    details: str = ""

    @property
    def problem(self) -> str | None:
        """The key under ``watch.`` of what is wrong with it."""
        if self.purpose not in PURPOSES:
            return "need_purpose"
        if len(self.details) > MAX_DETAILS:
            return "too_long"
        return "need_details" if self.purpose == "other" and not self.details else None

    @property
    def purpose_text(self) -> str:
        """As the audit trail keeps it, in no language: ``complaint: 2026-118``."""
        return f"{self.purpose}: {self.details}" if self.details else self.purpose


def routes(deps: ManagerDeps) -> list[web.RouteDef]:
    pages = ManagerPages(deps)
    bytes_of = recordings.RecordingDeps(
        part=deps.store.calls.part,
        granted=pages.granted,
        files=deps.store.storage,
        account_of=deps.account_of,
        refuse=pages.refuse,
    )
    return [
        web.get("/manager", pages.live),
        web.get("/manager/calls", pages.calls),
        web.get("/manager/calls/{call}", pages.call),
        web.post("/manager/calls/{call}/open", pages.open_recording),
        *callbacks.routes(deps),
        web.get("/manager/audit", AuditPage(deps, "/manager/audit").show),
        *recordings.routes(bytes_of),
    ]


class ManagerPages(BackOffice):
    async def live(self, request: web.Request) -> web.Response:
        return self.page(request, "manager/live.html", "live")

    async def calls(self, request: web.Request) -> web.Response:
        query, wanted = call_query(request.query, self.hall)
        content = self.deps.content()
        return self.page(
            request,
            "manager/calls.html",
            "calls",
            query=query,
            found=await self.store.calls.find_calls(wanted, query.page, PAGE_SIZE),
            names=await self.names(),
            stations=await self.store.devices.stations(),
            zones=_by_zone(content.zones, content.items),
            agents=await self._agents(),
            outcomes=tuple(Outcome),
            end_reasons=tuple(EndReason),
            stars=("5", "4", "3", "2", "1", LOW_STARS),
            waited=self._waited,
            talked=self._talked,
        )

    async def call(self, request: web.Request) -> web.Response:
        found = await self.store.calls.call(CallId(request.match_info["call"]))
        if found is None:
            return self._no_such_call(request)
        return await self._call_page(request, found)

    async def open_recording(self, request: web.Request) -> web.Response:
        """Purpose and grant are committed together before the browser is sent to the player."""
        call = CallId(request.match_info["call"])
        form = await form_texts(request)
        given = Given(form.get("purpose", ""), " ".join(form.get("details", "").split()))
        found = await self.store.calls.call(call)
        if found is None:
            return self._no_such_call(request)
        if given.problem is not None:
            return await self._call_page(request, found, given, given.problem)
        viewer, address = self.deps.account_of(request), self.deps.address_of(request)
        try:
            await self.store.grants.open_recording(viewer, call, given.purpose_text, address, self.deps.now())
        except PurposeRefused:
            return await self._call_page(request, found, given, "too_long")
        except UnknownCall:
            return self._no_such_call(request)
        path = request.path.removesuffix("/open")
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: f"{path}#player"})

    async def granted(self, account: Account, call: CallId) -> bool:
        return await self.store.grants.grant_for(account.id, call, self.deps.now()) is not None

    async def _call_page(
        self, request: web.Request, found: CallDetail, given: Given | None = None, problem: str | None = None
    ) -> web.Response:
        names = await self.names()
        viewer = self.deps.account_of(request)
        grant = await self.store.grants.grant_for(viewer.id, found.summary.id, self.deps.now())
        return self.page(
            request,
            "manager/call.html",
            "calls",
            HTTPStatus.OK if problem is None else HTTPStatus.UNPROCESSABLE_ENTITY,
            back=f"/manager/calls/{quote(found.summary.id, safe='')}",
            call=found.summary,
            view=call_view(found, names, self.deps.now()),
            quality=await self.store.quality.of_call(found.summary.id),
            quality_sums=await self.store.quality.sums(found.summary.id),
            quality_lanes=quality_lanes,
            quality_size=(WIDTH, HEIGHT),
            percent=percent,
            milliseconds=milliseconds,
            kbits=kbits,
            names=names,
            grant=grant,
            grant_purpose="" if grant is None else await self._purpose_of(viewer.id, grant),
            purposes=PURPOSES,
            given=given or Given(),
            problem=problem,
            max_details=MAX_DETAILS,
            purpose_words=purpose_words,
            gap_words=gap_words,
            waited=self._waited,
            talked=self._talked,
        )

    async def _purpose_of(self, viewer: AccountId, grant: Grant) -> str:
        wanted = AuditFilter(actor=viewer, object=f"call:{grant.call}")
        entries = await self.store.audit.page(wanted, before=grant.audit_seq + 1, limit=1)
        return entries[0].purpose if entries else ""

    async def _agents(self) -> list[Account]:
        accounts = await self.store.accounts.list_accounts()
        return [one for one in accounts if one.role in (AccountRole.AGENT, AccountRole.EXPERT)]

    def _no_such_call(self, request: web.Request) -> web.Response:
        return self.refuse(request, HTTPStatus.NOT_FOUND, "call.unknown", "call.unknown_hint")

    def _waited(self, call: CallSummary) -> float:
        """Until it was answered or given up, or until now."""
        over = call.answered_at if call.answered_at is not None else call.ended_at
        return max(0.0, (over if over is not None else self.deps.now()) - call.requested_at)

    def _talked(self, call: CallSummary) -> float | None:
        if call.answered_at is None:
            return None
        return max(0.0, (call.ended_at if call.ended_at is not None else self.deps.now()) - call.answered_at)


def _by_zone(zones: Sequence[Zone], items: Sequence[Item]) -> list[tuple[Zone, list[Item]]]:
    grouped = [(zone, [item for item in items if item.zone == zone.id]) for zone in zones]
    return [(zone, found) for zone, found in grouped if found]
