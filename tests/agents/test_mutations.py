"""What keeps two calls from one agent is needed: each part taken away, a named test of it fails.

In a copy of the packages, so that nothing of it can reach anybody else.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("agents", "media", "records", "signaling")
TESTS = ("__init__.py", "conftest.py", "valkey.py", "eventually.py", "agents", "signaling")
FAILED = 1  # pytest's exit code when a test failed; every other one but 0 says that it could not be run


class Part(NamedTuple):
    """``without``: the text that does it, and what stands there once it is taken away."""

    file: str
    text: str
    without: str
    test: str


CONFORMANCE = "tests/agents/conformance"
PARTS = {
    "the lease": Part(
        "agents/transitions.py",
        " or held.until <= now:",
        ":",
        f"{CONFORMANCE}/test_reservation.py::test_too_late_to_accept",
    ),
    "the fence": Part(
        "agents/lua/reserve.lua",
        "redis.call('HINCRBY', generation, 'fence', 1)",
        "1",
        f"{CONFORMANCE}/test_reservation.py::test_the_fence_grows_with_every_reservation_of_the_hall",
    ),
    "the compare-and-set of the agent": Part(
        "agents/lua/reserve.lua",
        "if redis.call('HGET', agents, ARGV[i]) ~= ARGV[i + 1] then",
        "if false then",
        "tests/agents/test_race.py::test_twenty_hands_on_one_agent_for_different_calls_have_one_winner",
    ),
    "the generation": Part(
        "agents/lua/reserve.lua",
        "if known[1] ~= life or known[2] ~= run_id then",
        "if false then",
        "tests/agents/test_generations.py::test_a_reservation_finds_out_that_the_master_is_another",
    ),
    "the judgement of the call's owner": Part(
        "signaling/ringing.py",
        "won.fence <= call.fence",
        "False",
        "tests/signaling/test_parties.py::test_a_reservation_of_before_comes_too_late",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    without = shutil.ignore_patterns("__pycache__", "demo", "simulation")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=without)
    (folder / "tests").mkdir()
    for name in TESTS:
        source = ROOT / "tests" / name
        if source.is_dir():
            shutil.copytree(source, folder / "tests" / name, ignore=without)
        else:
            shutil.copy(source, folder / "tests" / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(folder: Path, *tests: str) -> int:
    command = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests)
    return subprocess.run(command, cwd=folder, capture_output=True, timeout=120).returncode


def test_with_all_of_them_the_named_tests_pass(copy: Path) -> None:
    assert run(copy, *(part.test for part in PARTS.values())) == 0


@pytest.mark.parametrize("name", PARTS)
def test_without_it_the_named_test_fails(copy: Path, name: str) -> None:
    part = PARTS[name]
    file = copy / part.file
    whole = file.read_text("utf-8")
    assert part.text in whole, "the check looks for what is no longer there"
    file.write_text(whole.replace(part.text, part.without), "utf-8")
    try:
        assert run(copy, part.test) == FAILED
    finally:
        file.write_text(whole, "utf-8")
