"""Those who hold the sockets, and judge: at most one call for an agent, one agent for a demand of a call.

What stands here is the truth that a store may have lost. Fences settle what is late: an owner that has let a
reservation through never looks at one with a smaller fence again.
"""

from dataclasses import dataclass, field

from msgspec.structs import replace

from agents.agent import Activity, Agent, DemandId, Profile, Reservation, Waiting
from records.model import AccountId, CallId


@dataclass
class Desk:
    """An agent's."""

    id: AccountId
    profile: Profile
    process: int
    memory: Agent | None = None  # as the store last said it is; None before it signed in
    ringing: Reservation | None = None
    serving: Reservation | None = None
    fence: int = 0  # the largest that ever rang here
    alone: bool = False  # with what it serves: a store that lost it cannot be told any more

    def hears(self, reservation: Reservation) -> bool:
        """Whether it rings: not when it is late, and not while a call is let through."""
        if reservation.fence <= self.fence or self.serving is not None:
            return False
        self.ringing, self.fence = reservation, reservation.fence
        return True

    def remembered(self) -> Agent | None:
        """What it tells a store that lost its data."""
        if self.memory is None:
            return None
        if self.serving is not None:
            return replace(
                self.memory,
                activity=Activity.IN_CALL,
                call=self.serving.call,
                demand=self.serving.demand,
                reservation=self.serving.id,
                fence=max(self.memory.fence, self.serving.fence),
                wrap_up_until=None,
            )
        if self.memory.activity in (Activity.IDLE, Activity.WRAP_UP):
            return self.memory
        idle = replace(self.memory, activity=Activity.IDLE, call=None, demand=None, reservation=None)
        return replace(idle, wrap_up_until=None)


@dataclass
class Case:
    """A call, at its station's owner."""

    id: CallId
    process: int
    demands: dict[DemandId, Waiting]  # what it asks for, served or not
    serving: dict[DemandId, Reservation] = field(default_factory=dict)
    told: dict[DemandId, Reservation] = field(default_factory=dict)  # what it was last told of each
    ended: bool = False
    clean: bool = False  # at its end the store held nothing for it that its owner did not know of

    def hears(self, reservation: Reservation) -> bool:
        """Whether it may ring: not when the call is over, or it is late, or somebody serves already."""
        last = self.told.get(reservation.demand)
        if self.ended or reservation.demand not in self.demands or reservation.demand in self.serving:
            return False
        if last is not None and reservation.fence < last.fence:
            return False
        self.told[reservation.demand] = reservation
        return True
