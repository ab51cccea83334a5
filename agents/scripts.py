"""The Lua scripts beside this module, run on one client by their checksums and loaded when unknown."""

import hashlib
from collections.abc import Sequence
from importlib import resources
from typing import NamedTuple

from redis.asyncio import Redis
from redis.exceptions import NoScriptError


class Script(NamedTuple):
    text: str
    sha: str


class Run(NamedTuple):
    """One run of a script: KEYS and ARGV."""

    keys: Sequence[str]
    args: Sequence[bytes | str | int]


def _script(name: str) -> Script:
    text = resources.files("agents").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


BEGIN, RESERVE, SETTLE = _script("begin"), _script("reserve"), _script("settle")


async def run(redis: Redis, script: Script, *runs: Run) -> list[int | bytes]:
    """The answers in order; all are sent in one round trip. Errors of the server and the connection are the
    caller's: then some of the runs may have happened."""
    answers = await _send(redis, script, runs)
    unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if unknown:
        await redis.script_load(script.text)
        again = await _send(redis, script, [runs[at] for at in unknown])
        for at, answer in zip(unknown, again, strict=True):
            answers[at] = answer
    return [_value(answer) for answer in answers]


async def _send(redis: Redis, script: Script, runs: Sequence[Run]) -> list[int | bytes | Exception]:
    async with redis.pipeline(transaction=False) as pipe:
        for keys, args in runs:
            pipe.evalsha(script.sha, len(keys), *keys, *args)
        answers: list[int | bytes | Exception] = await pipe.execute(raise_on_error=False)
    return answers


def _value(answer: int | bytes | Exception) -> int | bytes:
    if isinstance(answer, Exception):
        raise answer
    return answer
