"""From the reload of the agent's page in a call to the resident's picture: how long the agent is without it.

    python -m bench.reload [times]        (or: make bench-reload)

Counted by the page itself from the beginning of its navigation. The last line is for machines.
"""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from bench.setup import FIRST_FRAME_JS
from tests.e2e.people import AGENT, RESIDENT, AgentAtConsole, Resident, camera_browser
from tests.e2e.service import running

TIMES = 10


async def reloads(agent: AgentAtConsole, times: int) -> list[float]:
    """Milliseconds, one after the other in the same call."""
    found = []
    for _ in range(times):
        await agent.page.reload(wait_until="commit")
        shown_at = await agent.page.evaluate(FIRST_FRAME_JS, agent.PICTURE)
        found.append(shown_at - await agent.page.evaluate("performance.timeOrigin"))
        print(f"{found[-1]:6.0f} ms", flush=True)
        await agent.sees_moving(agent.PICTURE, RESIDENT)
    return found


async def main(times: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bangban-bench-") as folder:
        async with (
            running(Path(folder)) as service,
            async_playwright() as playwright,
            camera_browser(playwright, RESIDENT, Path(folder)) as stations,
            camera_browser(playwright, AGENT, Path(folder)) as staff,
        ):
            agent = await AgentAtConsole.signed_in(service, staff, "agent1")
            resident = await Resident.at_station(service, stations)
            await resident.calls_about("dlpt", "道路普通货物")
            await agent.act("accept")
            await agent.sees_moving(agent.PICTURE, RESIDENT)
            found = sorted(await reloads(agent, times))
    print(f"reload_to_frame_ms_p50={statistics.median(found):.0f} reload_to_frame_ms_max={found[-1]:.0f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else TIMES))
