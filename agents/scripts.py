"""The Lua scripts beside this module, as functions on one client (EVALSHA, loaded again when unknown)."""

from importlib import resources

from redis.asyncio import Redis
from redis.commands.core import AsyncScript


class Scripts:
    def __init__(self, redis: Redis) -> None:
        self.reserve = _register(redis, "reserve")
        self.settle = _register(redis, "settle")


def _register(redis: Redis, name: str) -> AsyncScript:
    text = resources.files("agents").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return redis.register_script(text)
