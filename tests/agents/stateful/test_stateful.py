"""The hall at random, a little of it at every run; `make nightly` drives it for a million operations."""

from pathlib import Path

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.agents.stateful.machine import FailoverMachine, HallMachine, profile
from tests.agents.stateful.stores import InMemory, InValkey, Pair, Store, two_servers


def test_in_memory() -> None:
    class Machine(HallMachine):
        @staticmethod
        async def store() -> Store:
            return InMemory()

    run_state_machine_as_test(Machine, settings=profile(examples=60, steps=40))


def test_on_a_valkey(valkey_socket: Path) -> None:
    class Machine(HallMachine):
        @staticmethod
        async def store() -> Store:
            store = InValkey(valkey_socket)
            await store.open()
            return store

    run_state_machine_as_test(Machine, settings=profile(examples=25, steps=40))


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    with two_servers() as ports:
        yield ports


def test_when_another_server_takes_its_place(ports: tuple[int, int]) -> None:
    class Machine(FailoverMachine):
        @staticmethod
        async def store() -> Store:
            store = Pair(*ports)
            await store.open()
            return store

    run_state_machine_as_test(Machine, settings=profile(examples=5, steps=40))
