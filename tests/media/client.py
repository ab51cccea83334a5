"""A peer without a browser: the same ICE and DTLS as the node's, in the controlling role."""

import asyncio
import os
import re
import socket

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceGatherer, RTCIceParameters, RTCIceTransport
from aiortc.sdp import candidate_from_sdp

from media.sdp import Remote
from media.transport import Transport


class Client:
    """``got`` holds every plain packet that the node sent."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self._gatherer = RTCIceGatherer(iceServers=[])
        self.ice = RTCIceTransport(self._gatherer)
        self.ice._connection.ice_controlling = True
        self.dtls = _Dtls(self.ice, [RTCCertificate.generateCertificate()])
        self.dtls.got = self.got
        self.dtls._set_role("client")

    async def remote(self) -> Remote:
        """What its answer would say."""
        await self._gatherer.gather()
        local = self._gatherer.getLocalParameters()
        assert local.usernameFragment is not None
        assert local.password is not None
        prints = tuple((f.algorithm, f.value) for f in self.dtls.getLocalParameters().fingerprints)
        return Remote(local.usernameFragment, local.password, prints, dtls_server=False)

    async def connect(self, node: Transport, fingerprint: str) -> None:
        for text in node.candidates:
            await self.ice.addRemoteCandidate(candidate_from_sdp(text))
        await self.ice.addRemoteCandidate(None)
        await self.ice.start(RTCIceParameters(node.ufrag, node.password))
        await self.dtls.start(RTCDtlsParameters([RTCDtlsFingerprint("sha-256", fingerprint)]))

    async def send(self, plain: bytes) -> None:
        await self.dtls._send_rtp(plain)

    async def send_raw(self, datagram: bytes) -> None:
        await self.ice._send(datagram)

    def send_nothing(self) -> None:
        """A datagram of no bytes, which asyncio's transports do not send."""
        pair = self.ice._connection._nominated[1]
        fileno = pair.protocol.transport.get_extra_info("socket").fileno()
        with socket.socket(fileno=os.dup(fileno)) as sock:
            sock.sendto(b"", pair.remote_addr)

    async def close(self) -> None:
        await self.dtls.stop()
        await self.ice.stop()


class _Dtls(RTCDtlsTransport):
    got: list[bytes]

    async def _handle_rtp_data(self, data: bytes, arrival_time_ms: int) -> None:
        self.got.append(data)

    async def _handle_rtcp_data(self, data: bytes) -> None:
        self.got.append(data)


def port_of(node: Transport) -> int:
    found = re.search(r" (\d+) typ host", node.candidates[0])
    assert found is not None
    return int(found[1])


async def connected(node: Transport, fingerprint: str) -> Client:
    client = Client()
    remote = await client.remote()
    await asyncio.gather(node.connect(remote, 10.0), client.connect(node, fingerprint))
    return client
