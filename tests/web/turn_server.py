"""The part of a TURN server that the doctor talks to, on loopback, with faults on request.

It speaks RFC 8656 through aioice's STUN messages: a challenge, an integrity check, an allocation. coturn
itself cannot be taken for granted where tests run.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aioice import stun

REALM, NONCE = "hall.example.org", b"once"


class TurnServer(asyncio.DatagramProtocol):
    """``secret`` None: it relays for anybody. ``deaf``: it never answers."""

    def __init__(self, secret: str | None, *, deaf: bool = False, drop: int = 0) -> None:
        self.allocations = 0
        self._secret, self._deaf, self._drop = secret, deaf, drop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._deaf or self._drop > 0:
            self._drop -= 1
            return
        self._transport.sendto(self.answer(data, addr), addr)

    def answer(self, data: bytes, addr: tuple[str, int]) -> bytes:
        request = stun.parse_message(data)
        answer = stun.Message(
            message_method=request.message_method,
            message_class=stun.Class.RESPONSE,
            transaction_id=request.transaction_id,
        )
        if self._secret is not None and "USERNAME" not in request.attributes:
            return bytes(self._refused(answer, "Unauthorized"))
        if self._secret is not None and not self._verifies(request):
            return bytes(self._refused(answer, "Unauthorized (wrong)"))
        if request.message_method is stun.Method.REFRESH:
            self.allocations -= 1
        else:
            self.allocations += 1
            answer.attributes["XOR-RELAYED-ADDRESS"] = ("192.0.2.7", 49152)
            answer.attributes["XOR-MAPPED-ADDRESS"] = addr[:2]
            answer.attributes["LIFETIME"] = 600
        return bytes(answer)

    def _refused(self, answer: stun.Message, why: str) -> stun.Message:
        answer.message_class = stun.Class.ERROR
        answer.attributes["ERROR-CODE"] = (401, why)
        answer.attributes["REALM"], answer.attributes["NONCE"] = REALM, NONCE
        return answer

    def _verifies(self, request: stun.Message) -> bool:
        """The password of a time-limited user name is its HMAC-SHA1 by the shared secret, in base64."""
        user = request.attributes["USERNAME"]
        mac = hmac.new((self._secret or "").encode(), user.encode(), hashlib.sha1).digest()
        password = base64.b64encode(mac).decode()
        key = hashlib.md5(f"{user}:{REALM}:{password}".encode(), usedforsecurity=False).digest()
        return request.check_message_integrity(key)


@asynccontextmanager
async def turn_server(
    secret: str | None, *, deaf: bool = False, drop: int = 0
) -> AsyncIterator[tuple[TurnServer, int]]:
    """Yields the server and its UDP port."""
    transport, server = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: TurnServer(secret, deaf=deaf, drop=drop), local_addr=("127.0.0.1", 0)
    )
    try:
        yield server, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
