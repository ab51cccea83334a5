"""A station whose network lets nothing out but TCP to a relay: the whole service, and a real coturn."""

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.e2e.people import AGENT, RESIDENT, AgentAtConsole, Resident, end_call
from tests.e2e.service import running
from tests.media.coturn import HOST, SECRET, coturn

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

# What such a network does to a page: none of its own ways works.
RELAY_ONLY_JS = """
() => {
  const Any = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Any {
    constructor(config) {
      super({ ...config, iceTransportPolicy: "relay" });
      window.connection_ = this;
    }
  };
}
"""
WAY_JS = """
async () => {
  const stats = await window.connection_.getStats();
  const transport = [...stats.values()].find((s) => s.type === "transport");
  const pair = stats.get(transport.selectedCandidatePairId);
  const { candidateType, relayProtocol } = stats.get(pair.localCandidateId);
  return [candidateType, relayProtocol];
}
"""


async def test_a_call_through_the_relay_that_the_service_names(
    browsers: tuple[Browser, Browser], tmp_path: Path
) -> None:
    stations, staff = browsers
    async with coturn(tmp_path) as server:
        settings = {
            "BANGBAN_MEDIA__ADDRESSES": HOST,
            "BANGBAN_TURN__URLS": server.url("tcp"),
            "BANGBAN_TURN__SECRET": SECRET,
        }
        async with running(tmp_path, **settings) as service:
            agent = await AgentAtConsole.signed_in(service, staff, "agent1")
            resident = await Resident.at_station(service, stations)
            await resident.page.evaluate(RELAY_ONLY_JS)
            await resident.calls_about("dlpt", "道路普通货物")
            await agent.act("accept")
            await agent.sees_moving(agent.PICTURE, RESIDENT)
            await resident.sees_moving(resident.PICTURE, AGENT)
            assert await resident.page.evaluate(WAY_JS) == ["relay", "tcp"]
            await end_call(resident)
            assert resident.faults == []
            for person in (resident, agent):
                await person.context.close()
