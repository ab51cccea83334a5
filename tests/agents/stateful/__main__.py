"""The hall driven at random for as long as one likes: `make nightly` for a million operations.

    python -m tests.agents.stateful [--steps 1000000] [--seed N] [--only memory|valkey|failover] [--shrink]

It goes round the three stores in chunks, each with a seed of its own that is printed before it begins. It
ends at the first thing that does not hold, with a status that is not 0. The printed words run it again;
--shrink looks for the shortest way to the failure, which may take some minutes.
"""

import argparse
import secrets
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import structlog
from hypothesis import seed as seeded
from hypothesis.stateful import run_state_machine_as_test

from tests.agents.stateful.machine import FailoverMachine, HallMachine, profile
from tests.agents.stateful.stores import InMemory, InValkey, Pair, Store, two_servers
from tests.valkey import running_valkey

STEPS = 60  # of one example, before it begins anew with an empty hall
EXAMPLES = {"memory": 200, "valkey": 60, "failover": 20}  # of one chunk


def machine(name: str, path: Path, ports: tuple[int, int]) -> type[HallMachine]:
    async def store() -> Store:
        match name:
            case "memory":
                return InMemory()
            case "valkey":
                one = InValkey(path)
                await one.open()
                return one
            case _:
                two = Pair(*ports)
                await two.open()
                return two

    base = FailoverMachine if name == "failover" else HallMachine
    return type("Machine", (base,), {"store": staticmethod(store), "operations": 0})


def chunks(only: str | None, first: int) -> Iterator[tuple[str, int]]:
    for number, name in enumerate(cycle([only] if only else EXAMPLES)):
        yield name, first + number


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.agents.stateful")
    options.add_argument("--steps", type=int, default=1_000_000)
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--only", choices=EXAMPLES, default=None)
    options.add_argument("--shrink", action="store_true", help="look for the shortest way to a failure")
    chosen = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    first = secrets.randbelow(2**32) if chosen.seed is None else chosen.seed
    done, began = 0, time.monotonic()
    with running_valkey() as path, two_servers() as ports:
        for name, seed in chunks(chosen.only, first):
            print(f"--only {name} --seed {seed}", end=" ", flush=True)
            driven = machine(name, path, ports)
            seeded(seed)(driven)
            run_state_machine_as_test(driven, settings=profile(EXAMPLES[name], STEPS, shrinks=chosen.shrink))
            done += driven.operations
            print(f"{driven.operations} operations, {done} in {time.monotonic() - began:.0f} s", flush=True)
            if done >= chosen.steps:
                return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
