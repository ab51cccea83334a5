"""From the death of the media worker that carries a call to both pictures moving again, at the other worker.

    python -m bench.failover [times]        (or: make bench-failover)

Each page counts the longest time between two frames that it showed. Every death is a SIGKILL. The last line
is for machines.
"""

import asyncio
import os
import signal
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.async_api import async_playwright

from media.protocol import NodeInfo
from tests.e2e.people import AGENT, RESIDENT, AgentAtConsole, Person, Resident, camera_browser
from tests.e2e.service import ROOT, Service, running
from web.cli_media import Nodes
from web.config import load

TIMES = 10
PAUSE_S = 3.0  # so that the worker that died is back, and the connections are not brand new
WATCH_JS = """(selector) => {
  window.frames_ = { last: performance.now(), longest: 0 };
  const seen = new WeakSet();
  const watch = () => {
    const video = document.querySelector(selector);
    if (video && !seen.has(video)) {
      seen.add(video);
      const shown = () => {
        const now = performance.now();
        window.frames_.longest = Math.max(window.frames_.longest, now - window.frames_.last);
        window.frames_.last = now;
        video.requestVideoFrameCallback(shown);
      };
      video.requestVideoFrameCallback(shown);
    }
    requestAnimationFrame(watch);
  };
  watch();
}"""
LONGEST_JS = """() => {
  const { longest } = window.frames_;
  window.frames_.longest = 0;
  return longest;
}"""


def carriers(service: Service) -> list[NodeInfo]:
    return [info for info in Nodes.of(load(None, service.environment, ROOT)).alive() if info.rooms]


async def die(service: Service, people: tuple[Person, Person]) -> list[float]:
    """Milliseconds without a frame, at each page."""
    for person in people:
        await person.page.evaluate(LONGEST_JS)
    (carrier,) = carriers(service)
    os.kill(carrier.pid, signal.SIGKILL)
    while not (now := carriers(service)) or now[0].pid == carrier.pid:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    await asyncio.sleep(PAUSE_S)
    return [await person.page.evaluate(LONGEST_JS) for person in people]


async def main(times: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bangban-bench-") as folder:
        async with (
            running(Path(folder), BANGBAN_MEDIA__WORKERS="2") as service,
            async_playwright() as playwright,
            camera_browser(playwright, RESIDENT, Path(folder)) as stations,
            camera_browser(playwright, AGENT, Path(folder)) as staff,
        ):
            agent = await AgentAtConsole.signed_in(service, staff, "agent1")
            resident = await Resident.at_station(service, stations)
            await resident.calls_about("dlpt", "道路普通货物")
            await agent.act("accept")
            await agent.sees_moving(agent.PICTURE, RESIDENT)
            await resident.sees_moving(resident.PICTURE, AGENT)
            for person in (agent, resident):
                await person.page.evaluate(WATCH_JS, person.PICTURE)
            found: list[float] = []
            for _ in range(times):
                gaps = await die(service, (agent, resident))
                print("  ".join(f"{gap:6.0f} ms" for gap in gaps), flush=True)
                found += gaps
            await agent.sees_moving(agent.PICTURE, RESIDENT)
            await resident.sees_moving(resident.PICTURE, AGENT)
    found.sort()
    p95 = found[max(0, -(-len(found) * 95 // 100) - 1)]
    print(f"failover_ms_p50={statistics.median(found):.0f} p95={p95:.0f} max={found[-1]:.0f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else TIMES))
