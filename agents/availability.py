"""The port: who is free, who waits, and the one race that matters.

Two implementations pass one conformance suite.
"""

from typing import Protocol

from msgspec import Struct

from agents.agent import (
    Acceptance,
    Agent,
    DemandId,
    PauseReason,
    Presence,
    Profile,
    Release,
    Reservation,
    ReservationId,
    Waiting,
)
from records.model import AccountId, CallId


class Rules(Struct, frozen=True):
    """Durations in seconds."""

    ring: float = 20.0
    decline_backoff: float = 30.0  # how long a call passes over an agent who declined it
    no_answer_backoff: float = 20.0
    misses_before_pause: int = 2
    wrap_up: float = 120.0  # at most, then the agent is idle again
    wrap_up_extension: float = 120.0  # what one extension adds
    wrap_up_extensions: int = 2  # at most so many for one call


class Position(Struct, frozen=True, order=True):
    """How far somebody has followed the store's changes.

    ``generation`` names one life of the store: the microsecond (Unix time) at which it began. A life ends
    when the server is restarted, emptied, or another takes its place: then what was acknowledged may be lost.
    """

    generation: int
    seq: int


class Changes(Struct, frozen=True):
    """What became of the records since a position, each once, as it is now. ``whole``: everything is here,
    and what is not here is gone."""

    position: Position
    whole: bool
    agents: tuple[Agent, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    gone_agents: tuple[AccountId, ...] = ()
    gone_waiting: tuple[DemandId, ...] = ()
    gone_reservations: tuple[ReservationId, ...] = ()


class Snapshot(Struct, frozen=True):
    """Everything at one moment; ``waiting`` by enqueued_at, then id."""

    agents: tuple[Agent, ...]
    waiting: tuple[Waiting, ...]
    reservations: tuple[Reservation, ...]


class Ask(Struct, frozen=True):
    """One reservation to be made: these agents for this demand, all of them or nobody."""

    demand: DemandId
    agents: tuple[AccountId, ...]
    reservation: ReservationId
    until: float


class UnknownAgent(LookupError):
    """An agent that was never signed in."""


class Availability(Protocol):
    """Every verb is atomic and idempotent, and takes ``now`` (Unix seconds) as an argument."""

    async def sign_in(self, agent: AccountId, profile: Profile, now: float) -> Agent:
        """Make the agent known (paused until it declares itself available) or refresh its profile; one that
        is already known keeps presence, activity and call, but signed_out becomes paused and begins a new
        shift (signed_in_at, busy_s)."""
        ...

    async def declare(
        self, agent: AccountId, presence: Presence, reason: PauseReason | None, now: float
    ) -> Agent:
        """Presence changes at once; activity is untouched, so a pause during a call takes effect after it.
        AVAILABLE resets misses; coming back to it while idle starts idle_since anew. Only PAUSED keeps a
        reason. Raises UnknownAgent."""
        ...

    async def agent(self, agent: AccountId) -> Agent | None: ...

    async def restore(self, agent: Agent, now: float) -> bool:
        """Tell a store that lost its data of an agent as its socket's owner remembers it: what was IN_CALL or
        WRAP_UP is so again, with the demand taken; RESERVED becomes idle. When somebody else has the demand,
        it is idle. Nothing happens when the agent is known (False), unless what is known is older than what
        is remembered, as after a failover: then the store still has to lose what it knows of (a ring goes
        back as LOST; one that was accepted is in the call)."""
        ...

    async def enqueue(self, waiting: Waiting) -> None:
        """Also used to put a demand back: enqueued_at decides its place. One that waits already is replaced
        (another lane, queue or person) but keeps who is passed over. Nothing happens when it is reserved or
        somebody is in a call for it."""
        ...

    async def withdraw(self, demand: DemandId) -> None:
        """Take a demand out of the queue; nothing happens when it is not there."""
        ...

    async def reserve(self, asks: tuple[Ask, ...], now: float) -> tuple[Reservation | None, ...]:
        """Each ask by itself: the reservation, or None unless its agents are as many as the demand needs, all
        routable, and the demand waits and passes over none of them. Asked again with the same ids while it
        stands, it is the answer. The demand leaves the queue; what it was is kept with the reservation."""
        ...

    async def accept(self, reservation: ReservationId, agent: AccountId, now: float) -> Acceptance:
        """COMPLETE when everybody reserved has said yes: all of them reserved -> in_call, misses reset.
        A second time the same answer, for as long as the call lasts."""
        ...

    async def give_back(
        self, reservation: ReservationId, why: Release, now: float, by: AccountId | None = None
    ) -> bool:
        """DECLINED, NO_ANSWER, LOST or WITHDRAWN: free every agent of it by the rules. ``by`` is whose doing
        it was (None: of all who have not accepted); the others are freed as WITHDRAWN. All but WITHDRAWN put
        the demand back in its place; DECLINED and NO_ANSWER with that agent passed over. False when the
        reservation is gone (a second time, or accepted by all) or not ``by``'s. Raises ValueError for any
        other reason."""
        ...

    async def release(self, agent: AccountId, call: CallId, why: Release, now: float) -> bool:
        """ENDED: in_call -> wrap_up. READY: wrap_up -> idle. False unless the agent is with
        that call in that activity. Raises ValueError for any other reason."""
        ...

    async def extend(self, agent: AccountId, call: CallId, now: float) -> Agent | None:
        """More time to wrap up this call; None when it is not in wrap-up for it or had every extension."""
        ...

    async def changes(self, since: Position | None) -> Changes:
        """What happened since; everything when ``since`` is None, too long ago, or of another generation.
        A store that was emptied, restarted or replaced begins a new generation, here or with the first
        verb."""
        ...

    async def snapshot(self) -> Snapshot:
        """All of it, read anew: for those who look seldom. Who looks often follows ``changes``."""
        ...
