"""Everything that the desks of one hall work with, in one frozen bundle."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from agents.availability import Availability, Rules
from agents.picture import Picture
from agents.plan import Plan
from agents.waiting import Outlook
from media.protocol import NodeInfo
from records.model import QueueId
from signaling.bus import Bus
from signaling.calls import Calls
from signaling.holders import Holders
from signaling.ice import Turn
from signaling.ports import Appointments, AuditTrail, Directory, Ledger, Statistics
from signaling.quality import Board
from signaling.switchboard import Switchboard
from signaling.views.duty import Duty


@dataclass(frozen=True)
class Hall:
    switchboard: Switchboard
    calls: Calls
    availability: Availability
    holders: Holders
    directory: Directory
    statistics: Statistics
    ledger: Ledger
    bus: Bus
    turn: Turn
    clock: Callable[[], float]
    plan: Callable[[], Plan]
    picture: Callable[[], Awaitable[Picture]]  # up to date: read again when something changed
    outlook: Callable[[], Awaitable[Outlook]]  # what to tell those who wait, computed once for all of them
    duty: Callable[[], Awaitable[Mapping[QueueId, Duty]]]  # who is there for each queue, likewise
    appointments: Appointments
    audit: AuditTrail
    nodes: Callable[[], Awaitable[tuple[NodeInfo, ...]]]
    quality: Board = field(default_factory=Board)
    rules: Rules = field(default_factory=Rules)
    shows_supervision: bool = True  # whether an agent is shown that somebody listens


T = TypeVar("T")


class Shared(Generic[T]):
    """One reading of the truth for all who ask within ``ttl`` seconds: a hundred consoles, one query.

    ``stale`` makes the next one read again; whoever asks while a reading is under way gets a later one.
    """

    def __init__(self, read: Callable[[], Awaitable[T]], clock: Callable[[], float], ttl: float) -> None:
        self._read = read
        self._clock = clock
        self._ttl = ttl
        self._value: T | None = None
        self._good_until = 0.0
        self._changes = 0
        self._lock = asyncio.Lock()

    def stale(self) -> None:
        self._value = None
        self._changes += 1

    async def __call__(self) -> T:
        async with self._lock:
            if self._value is not None and self._clock() < self._good_until:
                return self._value
            seen, began = self._changes, self._clock()
            value = await self._read()
            # What changed while it was read may not be in it: the next one reads again.
            self._value = value if seen == self._changes else None
            self._good_until = began + self._ttl
            return value
