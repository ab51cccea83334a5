"""Whether a resident who asks for an item now is let into the queue, or told at once why not. Pure.

Nobody waits for what cannot come: outside the queue's hours, when nobody who could ever take the call is on
duty, and when too many wait already, a call-back slot and the guide are offered instead of a place.
"""

from msgspec import Struct

from agents.agent import Admitting, DemandId, Party, Waiting
from agents.crew import Crew, Known
from agents.hours import is_open, opens_at
from agents.plan import Plan, Queue
from agents.rings import everybody
from records.model import CallId, ItemId, SiteId, StationId


class Admission(Struct, frozen=True):
    """``waiting``: demands in the item's queue. ``on_duty``: agents that could take the call, free or busy.
    ``opens_at``: Unix seconds, only when CLOSED and it opens within the next weeks."""

    kind: Admitting
    waiting: int = 0
    on_duty: int = 0
    opens_at: float | None = None


def admit(
    picture: Known, plan: Plan, item: ItemId, site: SiteId, now: float, party: Party | None = None
) -> Admission:
    """``party``: who is asked for, with what the resident needs besides the item; None: what the item needs.
    An item that the plan does not know has nobody."""
    rule = plan.items.get(item)
    if rule is None:
        return Admission(Admitting.NOBODY)
    queue = plan.queue(rule.queue)
    waiting = len(picture.queue(queue.id))
    if not is_open(queue.hours, now, plan.zone):
        return Admission(Admitting.CLOSED, waiting, opens_at=opens_at(queue.hours, now, plan.zone))
    asked = party or Party(needs=rule.needs)
    demand = Waiting(DemandId(""), CallId(""), queue.id, item, StationId(""), site, now, asked)
    on_duty = len(everybody(demand, asked, Crew(picture.on_duty, plan, now), plan))
    return Admission(_kind(queue, waiting, on_duty), waiting, on_duty)


def _kind(queue: Queue, waiting: int, on_duty: int) -> Admitting:
    if on_duty == 0:
        return Admitting.NOBODY
    return Admitting.FULL if waiting >= queue.longest else Admitting.OPEN
