"""When those who wait may be asked for further away, the soonest first. Pure."""

from collections.abc import Container
from heapq import heappop, heappush

from agents.agent import DemandId, Waiting
from agents.plan import Plan
from agents.rings import moments
from agents.takers import parties, rings_of


class Openings:
    """Moments of demands that wait no more are dropped when it is their turn, not before."""

    def __init__(self) -> None:
        self._moments: list[tuple[float, DemandId]] = []  # a heap

    def add(self, waiting: Waiting, plan: Plan) -> None:
        for party in parties(waiting):
            for at in moments(waiting, rings_of(waiting, party, plan)):
                heappush(self._moments, (at, waiting.id))

    def after(self, now: float, waiting: Container[DemandId]) -> float | None:
        """The first moment later than ``now`` of one of these demands; what is earlier is forgotten."""
        soonest = self._moments
        while soonest and (soonest[0][0] <= now or soonest[0][1] not in waiting):
            heappop(soonest)
        return soonest[0][0] if soonest else None

    def clear(self) -> None:
        self._moments.clear()
