"""From "accept" to the picture: how long both sides of a call wait, over real browsers and the whole service.

    python -m bench.setup [calls]        (or: make bench-setup)

For each call the agent's page presses the accept button by itself and notes when; both pages note when the
first remote frame was decoded and handed to the compositor (requestVideoFrameCallback). The clocks are one
machine's, so they can be compared. The slower side of a call counts. The last line is for machines.
"""

import asyncio
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright

from tests.e2e.people import AGENT, RESIDENT, AgentAtConsole, Resident, camera_browser, hang_up, wrap_up
from tests.e2e.service import running

CALLS = 20

# Waits for a remote video to appear, then for its first presented frame; gives the time of day in ms.
FIRST_FRAME_JS = """
(selector) => new Promise((done) => {
  const look = () => {
    const video = document.querySelector(selector);
    if (!video) return requestAnimationFrame(look);
    video.requestVideoFrameCallback((_, frame) => done(performance.timeOrigin + frame.presentationTime));
  };
  look();
})
"""
ACCEPT_JS = """
() => {
  document.querySelector("[data-act='accept']").click();
  return performance.timeOrigin + performance.now();
}
"""


async def one_call(agent: AgentAtConsole, resident: Resident) -> tuple[float, float]:
    """Milliseconds from accept to the first frame at the resident's and at the agent's page."""
    await resident.calls_about("dlpt", "道路普通货物")
    await agent.page.locator("[data-act='accept']").wait_for()
    await agent.page.get_by_text("一接就通").wait_for()  # as long as a person takes to press it, at the least
    frames = [_watch(resident.page, resident.PICTURE), _watch(agent.page, agent.PICTURE)]
    accepted = await agent.page.evaluate(ACCEPT_JS)
    at_resident, at_agent = await asyncio.gather(*frames)
    await hang_up(resident)
    await wrap_up(agent, key="1")
    return at_resident - accepted, at_agent - accepted


def _watch(page: Page, selector: str) -> "asyncio.Task[float]":
    return asyncio.create_task(page.evaluate(FIRST_FRAME_JS, selector), name=f"watch {selector}")


async def main(calls: int) -> None:
    with tempfile.TemporaryDirectory(prefix="bangban-bench-") as folder:
        async with (
            running(Path(folder)) as service,
            async_playwright() as playwright,
            camera_browser(playwright, RESIDENT, Path(folder)) as stations,
            camera_browser(playwright, AGENT, Path(folder)) as staff,
        ):
            agent = await AgentAtConsole.signed_in(service, staff, "agent1")
            resident = await Resident.at_station(service, stations)
            slower = []
            print("call  resident_ms  agent_ms")
            for number in range(1, calls + 1):
                at_resident, at_agent = await one_call(agent, resident)
                slower.append(max(at_resident, at_agent))
                print(f"{number:4d}  {at_resident:11.0f}  {at_agent:8.0f}", flush=True)
    ordered = sorted(slower)
    p95 = ordered[max(0, round(0.95 * len(ordered)) - 1)]
    print(f"accept_to_frame_ms_p50={statistics.median(ordered):.0f} accept_to_frame_ms_p95={p95:.0f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLS))
