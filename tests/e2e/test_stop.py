"""Ctrl-C in the middle of a call: all of it stops in time, and the recording is there at the next start."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e import evidence
from tests.e2e.people import AGENT, RESIDENT, AgentAtConsole, ManagerAtDesk, Resident
from tests.e2e.service import Service, descendants, running
from tests.web.processes import gone

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

STOPS_S = 3.0


async def test_ctrl_c_during_a_call_stops_everything_and_nothing_is_in_the_way(
    tmp_path: Path, browsers: tuple[Browser, Browser]
) -> None:
    """Three pages are connected, whose sockets have to be told, and two recordings have to be sealed."""
    stations, staff = browsers
    async with running(tmp_path) as service:
        agent = await AgentAtConsole.signed_in(service, staff, "agent1")
        manager = await ManagerAtDesk.signed_in(service, staff)
        resident = await Resident.at_station(service, stations)
        await resident.calls_about("dlpt", "道路普通货物")
        await agent.act("accept")
        await resident.sees_moving(resident.PICTURE, AGENT)
        await agent.sees_moving(agent.PICTURE, RESIDENT)
        call = evidence.latest_call(service)["id"]
        await evidence.until(lambda: len(evidence.parts(service, call)) == 2, "two parts")
        processes = descendants(service.process.pid)
        assert len(processes) >= 3

        took = await _interrupted(service)
        assert service.process.returncode == 0
        assert all(map(gone, processes))
        assert took < STOPS_S, f"stopped after {took:.1f} s"
        for person in (agent, manager, resident):
            await person.context.close()

    async with running(tmp_path) as again:
        parts = await evidence.until(lambda: evidence.sealed_parts(again, call), "sealed parts")
        assert {part["role"] for part in parts} == {"resident", "agent"}
        for part in parts:
            seen = evidence.watch(
                again.recordings / part["path"], RESIDENT if part["role"] == "resident" else AGENT
            )
            assert part["duration"] == pytest.approx(seen.duration, abs=0.1)


async def _interrupted(service: Service) -> float:
    """As the terminal does it: SIGINT to the whole group. Gives the seconds until the program has ended."""
    began = time.monotonic()
    os.killpg(service.process.pid, signal.SIGINT)
    async with asyncio.timeout(10):
        await service.process.wait()
    return time.monotonic() - began
