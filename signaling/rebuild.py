"""A desk remembers what it saw, and tells a live store that lost its data.

A call that is not over never goes from the store by itself, and its revision only grows: a desk that finds
less than it remembers knows that the store was emptied, or fell back to an older state, and puts the call
back. What rang then is not waited for: its reservation is gone, so somebody is asked anew at once.
"""

from contextlib import suppress

import structlog

from agents.agent import Reservation
from signaling import events as ev
from signaling.bus import QUEUE, call_topic
from signaling.call import InvalidTransition
from signaling.hall import Hall
from signaling.snapshot import Call, State
from signaling.switchboard import UnknownCall

log = structlog.get_logger(__name__)


class Memory:
    """The call that a desk saw last."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall
        self.call: Call | None = None

    async def check(self, found: Call | None) -> Call | None:
        """What the desk is to go on with: ``found`` (what the store says now), or what had to be put back."""
        before = self.call
        if before is None or before.state is State.ENDED or not await self._is_less(found, before):
            self.call = found
            return found
        await put_back(self._hall, before)
        self.call = await self._hall.calls.load(before.id)
        return self.call

    async def _is_less(self, found: Call | None, before: Call) -> bool:
        """Whether the store has lost something of the call that is remembered."""
        if found is None:  # dismissed, perhaps: then it has ended, and its snapshot is still there
            found = await self._hall.calls.load(before.id)
        return found is None or (found.id == before.id and found.revision < before.revision)


async def put_back(hall: Hall, call: Call) -> None:
    """Into the store, and into its place in the queue. May be done by several at once."""
    log.warning("call put back", call=call.id, state=call.state)
    await hall.calls.restore(call)
    for held in _rings(call):
        for agent in held.agents:
            with suppress(UnknownCall, InvalidTransition):
                await hall.switchboard.tell(call.id, ev.RingLost(agent, held.id))
    await hall.switchboard.back_in_queue(call.id)
    await hall.bus.tell(call_topic(call.id), QUEUE)


def _rings(call: Call) -> list[Reservation]:
    asked = None if call.ask is None else call.ask.reservation
    return [held for held in (call.reservation, asked) if held is not None]
