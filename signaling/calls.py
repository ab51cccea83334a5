"""The port for live calls: snapshots saved only if unchanged, together with what is then to be done."""

from typing import Protocol

import msgspec
from msgspec import Struct

from records.model import CallId, StationId
from signaling.call import due
from signaling.events import AnyCommand
from signaling.snapshot import Call, State


class Pending(Struct, frozen=True):
    """Commands that were saved with a call's revision and are not yet known to be carried out."""

    id: str
    call: CallId
    commands: tuple[AnyCommand, ...]


encode_commands = msgspec.json.Encoder().encode
commands_decoder = msgspec.json.Decoder(tuple[AnyCommand, ...])


class Calls(Protocol):
    async def create(
        self, call: Call, commands: tuple[AnyCommand, ...], replaces: CallId | None
    ) -> Pending | None:
        """None when the station already has a call other than ``replaces``."""
        ...

    async def load(self, call: CallId) -> Call | None: ...

    async def save(self, call: Call, expected: int, commands: tuple[AnyCommand, ...]) -> Pending | None:
        """Save ``call`` if its revision in the store is ``expected``; None when it is not."""
        ...

    async def restore(self, call: Call) -> bool:
        """Put back what this process remembers, into a store that lost the call or has an older revision.
        False, and nothing happens, when the store knows as much, when it has no word of a call that is over,
        or when the station has another call by now."""
        ...

    async def of_station(self, station: StationId) -> CallId | None: ...

    async def dismiss(self, call: Call) -> None:
        """The station is free of this call; its snapshot stays until it is forgotten."""
        ...

    async def forget(self, call: Call) -> None: ...

    async def live(self) -> tuple[Call, ...]:
        """Every call with a snapshot, ended ones that are not forgotten included."""
        ...

    async def due(self, now: float) -> tuple[CallId, ...]: ...

    async def carried_out(self, pending: Pending) -> None: ...

    async def left_over(self, before: float) -> tuple[Pending, ...]:
        """Commands saved before ``before`` (Unix seconds) whose process never said that it did them."""
        ...


class MemoryCalls:
    """One process, no persistence; time is read from ``clock`` only to age what is left over."""

    def __init__(self, clock: "Clock") -> None:
        self._clock = clock
        self._calls: dict[CallId, Call] = {}
        self._stations: dict[StationId, CallId] = {}
        self._pending: dict[str, tuple[float, Pending]] = {}
        self._count = 0

    async def create(
        self, call: Call, commands: tuple[AnyCommand, ...], replaces: CallId | None
    ) -> Pending | None:
        if self._stations.get(call.station, replaces) != replaces:
            return None
        self._calls[call.id] = call
        self._stations[call.station] = call.id
        return self._keep(call.id, commands)

    async def load(self, call: CallId) -> Call | None:
        return self._calls.get(call)

    async def save(self, call: Call, expected: int, commands: tuple[AnyCommand, ...]) -> Pending | None:
        held = self._calls.get(call.id)
        if held is None or held.revision != expected:
            return None
        self._calls[call.id] = call
        return self._keep(call.id, commands)

    async def restore(self, call: Call) -> bool:
        held, current = self._calls.get(call.id), self._stations.get(call.station)
        over = call.state is State.ENDED
        if held is not None and held.revision >= call.revision:
            return False
        if held is None and (over or current not in (None, call.id)):
            return False
        self._calls[call.id] = call
        if not over:
            self._stations.setdefault(call.station, call.id)
        return True

    async def of_station(self, station: StationId) -> CallId | None:
        return self._stations.get(station)

    async def dismiss(self, call: Call) -> None:
        if self._stations.get(call.station) == call.id:
            del self._stations[call.station]

    async def forget(self, call: Call) -> None:
        self._calls.pop(call.id, None)
        await self.dismiss(call)

    async def live(self) -> tuple[Call, ...]:
        return tuple(self._calls.values())

    async def due(self, now: float) -> tuple[CallId, ...]:
        return tuple(c.id for c in self._calls.values() if (at := due(c)) is not None and at <= now)

    async def carried_out(self, pending: Pending) -> None:
        self._pending.pop(pending.id, None)

    async def left_over(self, before: float) -> tuple[Pending, ...]:
        return tuple(p for at, p in self._pending.values() if at < before)

    def _keep(self, call: CallId, commands: tuple[AnyCommand, ...]) -> Pending:
        self._count += 1
        pending = Pending(str(self._count) if commands else "", call, commands)
        if commands:
            self._pending[pending.id] = (self._clock(), pending)
        return pending


class Clock(Protocol):
    def __call__(self) -> float:
        """Unix seconds."""
        ...
