"""The port: who is free, who waits, and the one race that matters.

Two implementations pass one conformance suite.
"""

from typing import Protocol

from msgspec import Struct

from agents.agent import Agent, PauseReason, Presence, Release, Reservation, ReservationId, Waiting
from records.model import AccountId, CallId, SiteId, SkillId


class Rules(Struct, frozen=True):
    """Durations in seconds."""

    ring: float = 20.0
    decline_backoff: float = 30.0  # how long a call passes over an agent who declined it
    no_answer_backoff: float = 20.0
    misses_before_pause: int = 2
    wrap_up: float = 120.0  # at most, then the agent is idle again


class Snapshot(Struct, frozen=True):
    """Everything at one moment. ``waiting`` is in order of the queue (enqueued_at, then call id)."""

    agents: tuple[Agent, ...]
    waiting: tuple[Waiting, ...]
    reservations: tuple[Reservation, ...]


class UnknownAgent(LookupError):
    """An agent that was never signed in."""


class Availability(Protocol):
    """Every verb is atomic and idempotent, and takes ``now`` (Unix seconds) as an argument."""

    async def sign_in(self, agent: AccountId, skills: dict[SkillId, int], site: SiteId, now: float) -> Agent:
        """Make the agent known (paused until it declares itself available) or refresh its skills;
        one that is already known keeps presence, activity and call, but signed_out becomes paused."""
        ...

    async def declare(
        self, agent: AccountId, presence: Presence, reason: PauseReason | None, now: float
    ) -> Agent:
        """Presence changes at once; activity is untouched, so a pause during a call takes effect after it.
        AVAILABLE resets misses; coming back to it while idle starts idle_since anew. Only PAUSED keeps a
        reason. Raises UnknownAgent."""
        ...

    async def agent(self, agent: AccountId) -> Agent | None: ...

    async def enqueue(self, waiting: Waiting) -> None:
        """Also used to put a call back: enqueued_at decides its place. Nothing happens when the call waits
        already (it keeps who is passed over), or is reserved or in a call with somebody."""
        ...

    async def withdraw(self, call: CallId) -> None:
        """Take a call out of the queue; nothing happens when it is not there."""
        ...

    async def reserve(
        self, agent: AccountId, call: CallId, reservation: ReservationId, until: float, now: float
    ) -> Reservation | None:
        """One agent for one call, or nobody: None unless the agent is routable and the call waits and
        does not pass over the agent. Asked again with the same three ids while it stands, it is the answer.
        The call leaves the queue; what it was (Waiting) is kept with the reservation."""
        ...

    async def accept(self, reservation: ReservationId, now: float) -> bool:
        """reserved -> in_call, misses reset. False when the reservation is gone or its deadline has come;
        a second time True, for as long as the call lasts."""
        ...

    async def give_back(self, reservation: ReservationId, why: Release, now: float) -> bool:
        """DECLINED, NO_ANSWER or WITHDRAWN: free the agent by the rules. DECLINED and NO_ANSWER put the call
        back in its place with the agent passed over; WITHDRAWN does not. False when the reservation is gone
        (a second time, or accepted). Raises ValueError for any other reason."""
        ...

    async def release(self, agent: AccountId, call: CallId, why: Release, now: float) -> bool:
        """ENDED: in_call -> wrap_up. READY: wrap_up -> idle. False unless the agent is with
        that call in that activity. Raises ValueError for any other reason."""
        ...

    async def overdue(self, now: float) -> tuple[tuple[Reservation, ...], tuple[Agent, ...]]:
        """Reservations at or past their deadline, and agents whose wrap-up is over; for the sweeper.
        Changes nothing."""
        ...

    async def snapshot(self) -> Snapshot: ...
