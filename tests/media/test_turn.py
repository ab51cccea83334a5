"""Through a real coturn: what a station needs whose network lets nothing else out, and no more than that."""

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from aioice import stun
from playwright.async_api import Page

from media.protocol import CloseRoom, RoomClosed
from records.model import CallId
from signaling.ice import Turn, ice_servers
from signaling.messages import IceServer
from tests.media.browser import connect, inbound, moves, pages, stats
from tests.media.conftest import HALL, Control, all_of
from tests.media.coturn import HOST, SECRET, coturn
from web.doctor.turn_probe import UDP_RELAY, Exchange, TurnFailed, connected, parse, probe

CALL = CallId("c1")
# Relay only, by servers of the call; see kit/media.js for how the pages take them.
RELAYED_JS = """
(servers) => {
  const Direct = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Direct {
    constructor(config) {
      super({ ...config, iceServers: servers, iceTransportPolicy: "relay" });
    }
  };
}
"""
PAIR_JS = """
async () => {
  const stats = await peer.pc.getStats();
  const transport = [...stats.values()].find((s) => s.type === "transport");
  const pair = stats.get(transport.selectedCandidatePairId);
  const { candidateType, relayProtocol } = stats.get(pair.localCandidateId);
  return [candidateType, relayProtocol];
}
"""


async def relayed_by(page: Page, server: IceServer) -> None:
    described = {"urls": server.urls, "username": server.username, "credential": server.credential}
    await page.evaluate(RELAYED_JS, [described])


@pytest.mark.e2e
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_call_goes_both_ways_through_coturn(control: Control, tmp_path: Path, transport: str) -> None:
    """The resident's station has a relay and nothing else; the agent is in the hall."""
    # Chromium checks the relay's certificate, which is nobody's but the test's.
    flags = ["--ignore-certificate-errors"]
    async with coturn(tmp_path) as server, pages(2, flags=flags) as (resident, agent):
        (credentials,) = ice_servers(server.turn(transport), CALL, time.time())
        await relayed_by(resident, credentials)
        room = await control.open("call-1")
        await connect(control, resident, room, "resident")
        await connect(control, agent, room, "agent")
        await control.slots(room, 1, resident=all_of("agent"), agent=all_of("resident"))
        for page in (resident, agent):
            seen = await moves(page, "camera", 30)
            assert inbound(seen, "mic", "energy") > 0
        assert await resident.evaluate(PAIR_JS) == ["relay", transport]
        assert (await agent.evaluate(PAIR_JS))[0] != "relay"
        assert inbound(await stats(agent), "camera", "lost") == 0
        await control.send(CloseRoom(HALL, room))
        await control.next(RoomClosed)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_credentials_that_are_forged_or_over_are_refused(tmp_path: Path, transport: str) -> None:
    now = time.time()
    async with coturn(tmp_path) as server:
        turn = server.turn(transport)
        (good,) = ice_servers(turn, CALL, now)
        assert (await _probed(turn.urls[0], good)).startswith(f"{HOST} port ")
        (over,) = ice_servers(turn, CALL, now - 601)
        (forged,) = ice_servers(server.turn(transport, secret="another"), CALL, now)
        longer = IceServer(good.urls, f"{int(now) + 86_400}:{CALL}", good.credential)
        for bad in (over, forged, longer):
            assert await _refused(turn.urls[0], bad)


async def _probed(url: str, server: IceServer) -> str:
    return await probe(url, server.username or "", server.credential or "")


async def test_a_call_may_last_longer_than_its_credentials(tmp_path: Path) -> None:
    """They are asked for once: who has an allocation keeps it, whoever comes later with them gets none."""
    async with coturn(tmp_path) as server:
        (url,) = server.turn("udp").urls
        (credentials,) = ice_servers(Turn((url,), SECRET, ttl_s=1), CALL, time.time())
        async with connected(parse(url)) as exchange:
            client = await Client.challenged(exchange, credentials)
            assert await client.ask(stun.Method.ALLOCATE, {"REQUESTED-TRANSPORT": UDP_RELAY}) == 0
            async with asyncio.timeout(10):
                while not await _refused(url, credentials):  # noqa: ASYNC110 - another process decides
                    await asyncio.sleep(0.1)
            assert await client.ask(stun.Method.REFRESH, {"LIFETIME": 600}) == 0


async def _refused(url: str, credentials: IceServer) -> bool:
    try:
        await _probed(url, credentials)
    except TurnFailed as why:
        return why.reason == "refused"
    return False


TCP_RELAY = 6 << 24
FORBIDDEN, OTHER_FAMILY = 403, 443
NEVER = (
    *("127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "10.1.2.3", "172.16.0.1", "172.31.255.255"),
    *("192.168.1.1", "224.0.0.1", "255.255.255.255"),
)
NEVER_IPV6 = ("::", "::1", "fd00::1", "fe80::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1")


async def test_the_relay_leads_to_media_nodes_and_nowhere_else(tmp_path: Path) -> None:
    """With the example as it is: this machine, private networks, IPv6 and TCP are out of reach."""
    async with coturn(tmp_path, allow_loopback=False) as server:
        turn = server.turn("udp")
        (credentials,) = ice_servers(turn, CALL, time.time())
        async with connected(parse(turn.urls[0])) as exchange:
            client = await Client.challenged(exchange, credentials)
            assert await client.ask(stun.Method.ALLOCATE, {"REQUESTED-TRANSPORT": TCP_RELAY}) == 442
            assert await client.ask(stun.Method.ALLOCATE, {"REQUESTED-TRANSPORT": UDP_RELAY}) == 0
            for host in ("203.0.113.7", "8.8.8.8"):
                assert await client.permitted(host) == 0, host
            for host in NEVER:
                assert await client.permitted(host) == FORBIDDEN, host
            for host in NEVER_IPV6:
                assert await client.permitted(host) in (FORBIDDEN, OTHER_FAMILY), host


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6 to relay over")
async def test_a_relay_that_has_ipv6_leads_nowhere_by_it(tmp_path: Path) -> None:
    ipv6 = ("relay-ip=::1", "allocation-default-address-family=ipv6")
    async with coturn(tmp_path, allow_loopback=False, more=ipv6) as server:
        turn = server.turn("udp")
        (credentials,) = ice_servers(turn, CALL, time.time())
        async with connected(parse(turn.urls[0])) as exchange:
            client = await Client.challenged(exchange, credentials)
            assert await client.ask(stun.Method.ALLOCATE, {"REQUESTED-TRANSPORT": UDP_RELAY}) == 0
            for host in NEVER_IPV6:
                assert await client.permitted(host) == FORBIDDEN, host


class Client:
    """What a page does not do, and anybody with its credentials can."""

    def __init__(self, exchange: Exchange, common: dict[str, Any], key: bytes) -> None:
        self._exchange, self._common, self._key = exchange, common, key

    @classmethod
    async def challenged(cls, exchange: Exchange, credentials: IceServer) -> "Client":
        request = stun.Message(stun.Method.ALLOCATE, stun.Class.REQUEST)
        request.attributes["REQUESTED-TRANSPORT"] = UDP_RELAY
        asked = stun.parse_message(await exchange(bytes(request))).attributes
        common = {"USERNAME": credentials.username, "REALM": asked["REALM"], "NONCE": asked["NONCE"]}
        words = f"{credentials.username}:{asked['REALM']}:{credentials.credential}"
        return cls(exchange, common, hashlib.md5(words.encode(), usedforsecurity=False).digest())

    async def ask(self, method: stun.Method, attributes: dict[str, Any]) -> int:
        """The error code, 0 for none."""
        request = stun.Message(method, stun.Class.REQUEST)
        request.attributes.update(attributes | self._common)
        request.add_message_integrity(self._key)
        answer = stun.parse_message(await self._exchange(bytes(request)))
        return int(answer.attributes.get("ERROR-CODE", (0, ""))[0])

    async def permitted(self, host: str) -> int:
        return await self.ask(stun.Method.CREATE_PERMISSION, {"XOR-PEER-ADDRESS": (host, 40_000)})
