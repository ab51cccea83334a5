"""The one file that touches private names: that they are still there, and that its door holds."""

import asyncio
import inspect
import logging
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import pytest
from aioice.ice import Connection, StunProtocol
from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsTransport

from media.rtp import build_pli, build_rtp
from media.transport import MAX_PENDING, Certificate, Listener, Network, Transport, TransportFailed
from tests.eventually import eventually
from tests.media.client import Client, connected, port_of

CERTIFICATE = Certificate()


@dataclass
class Ear:
    rtp: list[bytes] = field(default_factory=list)
    rtcp: list[bytes] = field(default_factory=list)
    closed: int = 0

    def close(self) -> None:
        self.closed += 1


@dataclass
class Pair:
    node: Transport
    client: Client
    ear: Ear


def make(ear: Ear, network: Network | None = None) -> Transport:
    listener = Listener(ear.rtp.append, ear.rtcp.append, ear.close)
    return Transport(network or Network(("127.0.0.1",)), CERTIFICATE, listener)


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    ear = Ear()
    node = make(ear)
    await node.gather()
    client = await connected(node, CERTIFICATE.fingerprint)
    yield Pair(node, client, ear)
    await node.close()
    await client.close()


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (Connection, "get_component_candidates", ["self", "component", "addresses", "timeout"]),
        (Connection, "request_received", ["self", "message", "addr", "protocol"]),
        (Connection, "data_received", ["self", "data", "component"]),
        (Connection, "_valid_username", ["self", "username"]),
        (StunProtocol, "datagram_received", ["self", "data", "addr"]),
        (RTCDtlsTransport, "_set_role", ["self", "role"]),
        (RTCDtlsTransport, "__init__", ["self", "transport", "certificates"]),
        (RTCCertificate, "generateCertificate", []),
    ],
)
def test_private_methods_are_where_they_were(owner: type, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


async def test_private_attributes_are_what_they_were() -> None:
    connection = Connection(ice_controlling=False)
    assert (connection._protocols, connection._nominated) == ([], {})
    assert type(connection._queue) is asyncio.Queue
    assert {"remote_username", "remote_password"} <= vars(connection).keys()
    source = inspect.getsource(RTCDtlsTransport)
    assert all(f"self.transport.{name}" in source for name in ("_recv", "_send", "role"))
    node = make(Ear())
    sessions = {name: vars(node._dtls)[name] for name in ("_rx_srtp", "_tx_srtp")}
    assert sessions == {"_rx_srtp": None, "_tx_srtp": None}


async def test_packets_pass_both_ways(pair: Pair) -> None:
    sound, request = build_rtp(111, False, 1, 2, 3, b"sound"), build_pli(1, 2)
    await pair.client.send(sound)
    await pair.client.send(request)
    await eventually(lambda: pair.ear.rtp == [sound] and pair.ear.rtcp == [request])
    pair.node.send_rtp(sound)
    pair.node.send_rtcp(request)
    await eventually(lambda: pair.client.got == [sound, request])


async def test_no_datagram_ends_a_connection(pair: Pair) -> None:
    """Zero length, too long, garbage of every first byte: counted, and the next packet still arrives."""
    pair.client.send_nothing()
    await pair.client.send_raw(b"\x80" + bytes(2000))
    for first in range(256):
        await pair.client.send_raw(bytes([first]))
        await pair.client.send_raw(bytes([first]) + bytes(40))
    sound = build_rtp(111, False, 1, 2, 3, b"still here")
    await pair.client.send(sound)
    await eventually(lambda: pair.ear.rtp == [sound])
    counted = pair.node.counters
    assert (counted.empty, counted.oversized) == (1, 1)
    assert counted.malformed > 100
    assert counted.unauthentic > 50
    assert pair.ear.closed == 0


async def test_a_fault_of_whoever_gets_the_packets_is_named_once_and_ends_nothing(
    pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(_: bytes) -> None:
        raise RuntimeError("nobody foresaw this")

    caplog.set_level(logging.INFO)
    pair.node._listener = replace(pair.node._listener, rtp=faulty)
    for seq in range(3):
        await pair.client.send(build_rtp(111, False, seq, 0, 1, b"\xf8"))
    await eventually(lambda: pair.node.counters.failed == 3)
    assert caplog.text.count("RuntimeError: nobody foresaw this") == 1
    assert pair.node.connected


async def test_too_long_to_protect_is_not_sent(pair: Pair) -> None:
    pair.node.send_rtp(build_rtp(111, False, 1, 2, 3, bytes(1400)))
    pair.node.send_rtcp(bytes(1400))
    sound = build_rtp(111, False, 2, 2, 3, b"next")
    pair.node.send_rtp(sound)
    await eventually(lambda: pair.client.got == [sound])


async def test_a_stranger_reaches_nothing() -> None:
    """Before connect: neither a handshake nor data from an address that passed no authenticated check."""
    ear = Ear()
    node = make(ear)
    await node.gather()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.connect(("127.0.0.1", port_of(node)))
        for _ in range(4 * MAX_PENDING):
            stranger.send(b"\x16\xfe\xfd" + bytes(100))
            stranger.send(b"\x80\x60" + bytes(100))
        await eventually(lambda: node.counters.stranger >= 4 * MAX_PENDING)
        assert node._ice._queue.empty()
        client = await connected(node, CERTIFICATE.fingerprint)
    sound = build_rtp(111, False, 1, 2, 3, b"sound")
    await client.send(sound)
    await eventually(lambda: ear.rtp == [sound])
    await node.close()
    await client.close()


async def test_what_waits_for_the_handshake_is_bounded() -> None:
    node = make(Ear())
    await node.gather()
    node._ice._verified["192.0.2.1", 1] = None
    for _ in range(3 * MAX_PENDING):
        node._ice.media_received(b"\x16" + bytes(50), ("192.0.2.1", 1))
    assert node._ice._queue.qsize() == MAX_PENDING
    assert node.counters.overflow == 2 * MAX_PENDING
    await node.close()


async def test_the_other_end_closing_is_noticed(pair: Pair) -> None:
    await pair.client.dtls.stop()
    await eventually(lambda: pair.ear.closed == 1)
    pair.node.send_rtp(build_rtp(111, False, 1, 2, 3, b"nobody"))


async def test_a_wrong_fingerprint_is_refused() -> None:
    node, client = make(Ear()), Client()
    await node.gather()
    remote = await client.remote()
    wrong = type(remote)(remote.ufrag, remote.password, (("sha-256", ":".join(["00"] * 32)),), False)
    client_side = asyncio.create_task(client.connect(node, CERTIFICATE.fingerprint))
    with pytest.raises(TransportFailed, match="dtls_failed"):
        await node.connect(wrong, 10.0)
    await node.close()
    await client.close()
    client_side.cancel()
    await asyncio.gather(client_side, return_exceptions=True)


async def test_a_candidate_that_cannot_be_sent_to_costs_nothing() -> None:
    node, client = make(Ear()), Client()
    await node.gather()
    remote = await client.remote()
    impossible = "1 1 udp 2122260223 127.0.0.1 70000 typ host"
    await asyncio.gather(
        node.connect(replace(remote, candidates=(impossible,)), 5.0),
        client.connect(node, CERTIFICATE.fingerprint),
    )
    assert node.connected
    await client.close()
    await node.close()


async def test_nobody_there_is_a_timeout() -> None:
    node, client = make(Ear()), Client()
    await node.gather()
    remote = await client.remote()
    with pytest.raises(TransportFailed, match="ice_timeout"):
        await node.connect(remote, 0.1)
    await node.close()
    await client.close()


async def test_ports_come_from_the_range_and_the_public_address_is_advertised() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        network = Network(("127.0.0.1",), "198.51.100.7", port, min(port + 20, 65_535))
        node = make(Ear(), network)
        await node.gather()
        assert port < port_of(node) <= port + 20
        assert [c.split()[4] for c in node.candidates] == ["127.0.0.1", "198.51.100.7"]
        await node.close()
        full = make(Ear(), Network(("127.0.0.1",), None, port, port))
        with pytest.raises(TransportFailed, match="no_address"):
            await full.gather()
        await full.close()


@pytest.mark.parametrize("ports", [(5, 4), (0, 7), (-1, 7), (1, 70_000)])
def test_a_port_range_that_is_none_is_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no port range"):
        Network((), None, *ports)


def test_by_default_every_address_but_loopback() -> None:
    addresses = Network().local()
    assert addresses
    assert "127.0.0.1" not in addresses or addresses == ["127.0.0.1"]
