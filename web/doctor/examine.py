"""``bangban doctor``: what is wrong with this installation, in plain words, and what to do about it.

Each check looks at one thing and changes nothing. One that fails itself is a finding too.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence

from records.model import Text
from web.config import Config
from web.doctor import machine, services
from web.doctor.findings import Finding, Level, bad

CHECK_S = 15.0

Check = Callable[[Config], Awaitable[list[Finding]]]

CHECKS: tuple[Check, ...] = (
    machine.folders,
    services.content,
    services.database,
    services.redis,
    machine.web_port,
    machine.secure_pages,
    machine.media_addresses,
    services.turn,
    machine.limits,
    machine.clock,
)

MARKS = {
    Level.OK: Text("正常", "ok  "),
    Level.WARN: Text("注意", "warn"),
    Level.BAD: Text("故障", "bad "),
}


async def examine(config: Config, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """All findings, in the order of the checks, which run side by side."""
    return [
        finding
        for found in await asyncio.gather(*(_one(check, config) for check in checks))
        for finding in found
    ]


async def _one(check: Check, config: Config) -> list[Finding]:
    try:
        async with asyncio.timeout(CHECK_S):
            return await check(config)
    except Exception as why:  # a check must not hide what the others found
        name, said = check.__name__, str(why) or type(why).__name__
        return [
            bad(
                name,
                Text(f"检查“{name}”无法完成：{said}", f"The check {name!r} could not be done: {said}"),
                Text("请把这一行报告给开发者。", "Please report this line."),
            )
        ]


def report(findings: Sequence[Finding], lang: str) -> str:
    """One line per finding, what to do below it, and a sentence at the end."""
    lines = []
    for finding in findings:
        lines.append(f"{said(MARKS[finding.level], lang)}  {said(finding.text, lang)}")
        if finding.advice is not None:
            lines.append(f"      → {said(finding.advice, lang)}")
    return "\n".join([*lines, "", said(_verdict(findings), lang)])


def _verdict(findings: Sequence[Finding]) -> Text:
    faults = sum(finding.level is Level.BAD for finding in findings)
    if faults:
        return Text(f"有 {faults} 处故障需要处理。", f"{faults} to mend before this can work.")
    if any(finding.level is Level.WARN for finding in findings):
        return Text("可以运行，请留意上面的提示。", "It can run; mind the warnings above.")
    return Text("一切正常。", "All is well.")


def said(text: Text, lang: str) -> str:
    return text.zh if lang == "zh" else text.en


def language(chosen: str | None) -> str:
    """What was asked for; otherwise Chinese, unless the locale names another language."""
    if chosen is not None:
        return chosen
    named = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "C"
    )
    plain = named.partition(".")[0]
    return "zh" if plain in ("C", "POSIX") or plain.startswith("zh") else "en"


def faulty(findings: Sequence[Finding]) -> bool:
    return any(finding.level is Level.BAD for finding in findings)
