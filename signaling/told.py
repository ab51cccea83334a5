"""What a resident who waits was told, and is told now."""

from msgspec.structs import replace

from agents.crew import Crew
from agents.rings import everybody, widened
from agents.waiting import Promise
from records.model import CallId
from signaling.hall import Hall
from signaling.snapshot import WAITING, Call, State
from signaling.views.station import Wait


class Told:
    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self._promise: Promise | None = None
        self._of: tuple[CallId, float] | None = None  # one stretch of one call's waiting

    async def wait(self, call: Call | None) -> Wait:
        if call is None or call.state not in WAITING:
            self._promise = self._of = None
            return Wait()
        if self._of != (call.id, call.waiting_since):
            self._of, self._promise = (call.id, call.waiting_since), None
        picture, plan, now = await self._hall.picture(), self._hall.plan(), self._hall.clock()
        demand = picture.waiting.get(call.demand.id, call.demand)
        rings = widened(demand, picture, plan, now)
        there = everybody(demand, demand.party, Crew(picture.on_duty, plan, now), plan)
        around = Wait(widened=max(0, rings - 1), on_duty=len(there))
        # While it rings it is its turn. What the picture does not have yet, or not just now, has no place.
        if call.state is not State.QUEUED or call.demand.id not in picture.waiting:
            return self._as_before(call, around, now)
        return await self._renewed(call, around, now)

    async def _renewed(self, call: Call, around: Wait, now: float) -> Wait:
        talks = self._hall.statistics.recent_talks(call.demand.queue)
        forecast = (await self._hall.outlook()).forecast(call.demand.id, talks)
        told = self._promise
        self._promise = Promise.first(forecast, now) if told is None else told.renewed(forecast, now)
        return self._with_promise(around, now)

    def _as_before(self, call: Call, around: Wait, now: float) -> Wait:
        return around if call.state is State.OFFERED else self._with_promise(around, now)

    def _with_promise(self, around: Wait, now: float) -> Wait:
        told = self._promise
        if told is None:
            return around
        return replace(around, ahead=told.place, estimate_s=told.remaining(now), reason=told.reason)
