"""Live calls in Redis: one hash a call, saved by Lua if unchanged, with an outbox in the same step."""

from collections.abc import Awaitable
from importlib.resources import files
from typing import Any, cast

import msgspec
import structlog
from redis.asyncio import Redis

from records.model import CallId, StationId
from signaling.call import due
from signaling.calls import Pending, commands_decoder, encode_commands
from signaling.events import AnyCommand
from signaling.keys import Keys
from signaling.snapshot import Call, State, decoder, encode

log = structlog.get_logger(__name__)


def script(name: str) -> str:
    """The text of signaling/lua/<name>.lua."""
    return (files("signaling") / "lua" / f"{name}.lua").read_text(encoding="utf-8")


class RedisCalls:
    """``redis`` decodes nothing (bytes in, bytes out)."""

    def __init__(self, redis: "Redis", hall: str) -> None:
        self._redis: Any = redis  # redis-py types its replies for sync and async at once
        self._keys = Keys(hall)
        self._create = redis.register_script(script("create_call"))
        self._save = redis.register_script(script("save_call"))
        self._restore = redis.register_script(script("restore_call"))
        self._dismiss = redis.register_script(script("dismiss_call"))
        self._forget = redis.register_script(script("forget_call"))

    async def create(
        self, call: Call, commands: tuple[AnyCommand, ...], replaces: CallId | None
    ) -> Pending | None:
        k = self._keys
        entry = await self._create(
            keys=[k.call(call.id), k.live, k.due, k.stations, k.outbox],
            args=[
                call.id,
                call.station,
                encode(call),
                _due(call),
                encode_commands(commands) if commands else "",
                replaces or "",
            ],
        )
        return None if entry is None else Pending(_text(entry), call.id, commands)

    async def load(self, call: CallId) -> Call | None:
        body = await self._redis.hget(self._keys.call(call), "body")
        return None if body is None else decoder.decode(body)

    async def save(self, call: Call, expected: int, commands: tuple[AnyCommand, ...]) -> Pending | None:
        k = self._keys
        entry = await self._save(
            keys=[k.call(call.id), k.due, k.outbox],
            args=[
                call.id,
                expected,
                call.revision,
                encode(call),
                _due(call),
                encode_commands(commands) if commands else "",
            ],
        )
        return None if entry is None else Pending(_text(entry), call.id, commands)

    async def restore(self, call: Call) -> bool:
        k = self._keys
        over = "1" if call.state is State.ENDED else ""
        done = await self._restore(
            keys=[k.call(call.id), k.live, k.due, k.stations],
            args=[call.id, call.station, call.revision, encode(call), _due(call), over],
        )
        return bool(done)

    async def of_station(self, station: StationId) -> CallId | None:
        found = await self._redis.hget(self._keys.stations, station)
        return None if found is None else CallId(_text(found))

    async def dismiss(self, call: Call) -> None:
        await self._dismiss(keys=[self._keys.stations], args=[call.id, call.station])

    async def forget(self, call: Call) -> None:
        k = self._keys
        await self._forget(keys=[k.call(call.id), k.live, k.due, k.stations], args=[call.id, call.station])

    async def live(self) -> tuple[Call, ...]:
        ids = sorted(_text(i) for i in await self._redis.smembers(self._keys.live))
        async with self._redis.pipeline(transaction=False) as pipe:
            for call in ids:
                pipe.hget(self._keys.call(CallId(call)), "body")
            bodies = await cast(Awaitable[list[bytes | None]], pipe.execute())
        return tuple(decoder.decode(body) for body in bodies if body is not None)

    async def due(self, now: float) -> tuple[CallId, ...]:
        found = await self._redis.zrangebyscore(self._keys.due, "-inf", now)
        return tuple(CallId(_text(c)) for c in found)

    async def carried_out(self, pending: Pending) -> None:
        if pending.id:
            await self._redis.xdel(self._keys.outbox, pending.id)

    async def left_over(self, before: float) -> tuple[Pending, ...]:
        entries = await self._redis.xrange(self._keys.outbox, "-", f"({max(int(before * 1000), 1)}-0")
        return tuple(p for id, fields in entries if (p := _pending(_text(id), fields)) is not None)


def _pending(id: str, fields: dict[bytes, bytes]) -> Pending | None:
    """One that cannot be read must not keep the others from being carried out."""
    try:
        return Pending(id, CallId(_text(fields[b"call"])), commands_decoder.decode(fields[b"commands"]))
    except (msgspec.MsgspecError, KeyError) as bad:
        log.error("outbox entry cannot be read", entry=id, why=str(bad))
        return None


def _due(call: Call) -> str:
    at = due(call)
    return "" if at is None else repr(at)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
