"""The call-back slots that residents took: who is to be called when, and what came of it."""

from http import HTTPStatus

from aiohttp import hdrs, web

from records.model import Appointment, AppointmentState
from web.forms import form_texts
from web.office.page import BackOffice, ManagerDeps

AHEAD_S = 14 * 86400.0
BEHIND_S = 7 * 86400.0
SETTLED = (AppointmentState.CALLED, AppointmentState.MISSED, AppointmentState.CANCELLED)


def routes(deps: ManagerDeps) -> list[web.RouteDef]:
    pages = CallbackPages(deps)
    return [
        web.get("/manager/callbacks", pages.show),
        web.post("/manager/callbacks/{appointment}", pages.settle),
    ]


class CallbackPages(BackOffice):
    async def show(self, request: web.Request) -> web.Response:
        """Open ones of today and later first, then what is over, the latest on top."""
        now = self.deps.now()
        listed = await self.store.appointments.between(now - BEHIND_S, now + AHEAD_S)
        coming = [one for one in listed if one.state is AppointmentState.BOOKED]
        over = [one for one in reversed(listed) if one.state is not AppointmentState.BOOKED]
        return self.page(
            request,
            "manager/callbacks.html",
            "callbacks",
            coming=coming,
            over=over,
            names=await self.names(),
            is_late=lambda one: _is_late(one, now),
        )

    async def settle(self, request: web.Request) -> web.Response:
        form = await form_texts(request)
        state = next((s for s in SETTLED if s == form.get("state")), None)
        appointment = request.match_info["appointment"]
        if state is None:
            return self.refuse(request, HTTPStatus.UNPROCESSABLE_ENTITY, "refused.callback_state")
        if not await self.store.appointments.settle(appointment, state):
            return self.refuse(request, HTTPStatus.NOT_FOUND, "refused.callback")
        await self.write_down(request, f"callback.{state}", f"callback:{appointment}")
        return web.Response(status=HTTPStatus.SEE_OTHER, headers={hdrs.LOCATION: "/manager/callbacks"})


def _is_late(one: Appointment, now: float) -> bool:
    return one.at < now
