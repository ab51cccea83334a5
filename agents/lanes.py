"""Whose turn it is: strict first come inside a lane, and a head start for some lanes. Pure.

A demand's turn is the moment at which it was first enqueued, less the head start of its lane. So an ordinary
demand goes before every elder's that came later than the head start after it: nothing starves, and since
neither part of the sum changes while it waits, putting it back does not move it. The source is in
agents/plan.py (HEAD_START_S).
"""

from typing import NamedTuple

from agents.agent import DemandId, Party, Waiting
from agents.plan import HEAD_START_S, Plan
from records.model import DepartmentId, ItemId, ParticipantRole, QueueId, SkillId


class Who(NamedTuple):
    """A Party that can be a key."""

    role: ParticipantRole
    needs: tuple[tuple[SkillId, int], ...]
    department: DepartmentId | None

    @property
    def gate(self) -> SkillId | None:
        """A skill without which nobody has what is needed; None when nothing is."""
        return self.needs[0][0] if self.needs else None


class Line(NamedTuple):
    """Demands that differ only in where they come from and when: what keeps an agent from taking one by
    skill, role or department keeps it from taking any."""

    queue: QueueId
    item: ItemId
    first: Who
    second: Who | None


def turn(waiting: Waiting, plan: Plan) -> tuple[float, DemandId]:
    """What the demands of a hall are ordered by, smallest first."""
    head_starts = plan.queue(waiting.queue).head_start_s
    head_start = head_starts.get(waiting.lane, HEAD_START_S[waiting.lane])
    return waiting.enqueued_at - head_start, waiting.id


def line(waiting: Waiting) -> Line:
    """The line that it stands in, within its queue."""
    second = None if waiting.second is None else who(waiting.second)
    return Line(waiting.queue, waiting.item, who(waiting.party), second)


def who(party: Party) -> Who:
    return Who(party.role, tuple(sorted(party.needs.items())), party.department)
