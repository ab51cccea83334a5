"""The Lua scripts beside this module, run on one client by their checksums and loaded when unknown."""

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

Arg = bytes | str | int
Answer = int | bytes | list[int]


class Script(NamedTuple):
    text: str
    sha: str


def _script(name: str) -> Script:
    text = resources.files("agents").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


BEGIN, RESERVE, SETTLE = _script("begin"), _script("reserve"), _script("settle")


async def run(redis: Redis, script: Script, keys: Sequence[str], args: Sequence[Arg]) -> Answer:
    """Errors of the server and the connection are the caller's: then it may have happened."""
    try:
        answer: Answer = await redis.evalsha(script.sha, len(keys), *keys, *args)
    except NoScriptError:
        answer = await redis.eval(script.text, len(keys), *keys, *args)
    return answer
