"""Ask a TURN server whether it answers, asks for a password, and takes ours (RFC 8656, sections 7 and 9)."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from aioice import stun
from msgspec import Struct

TRIES = 3
TRY_S = 0.8
UDP_RELAY = 17 << 24  # REQUESTED-TRANSPORT: protocol 17, three reserved bytes
MAX_MESSAGE = 2048

Exchange = Callable[[bytes], Awaitable[bytes]]


class TurnAddress(Struct, frozen=True):
    """A ``turn:`` or ``turns:`` URI in its parts (RFC 7065)."""

    host: str
    port: int
    transport: str  # "udp" | "tcp"
    tls: bool


class TurnFailed(Exception):
    """``reason`` is unreachable, open, refused or strange; ``detail`` is the server's or the system's."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def parse(url: str) -> TurnAddress:
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    host, colon, port = place.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = place, ""
    tls = scheme == "turns"
    transport = query.removeprefix("transport=") or ("tcp" if tls else "udp")
    return TurnAddress(host.strip("[]"), int(port or (5349 if tls else 3478)), transport, tls)


async def probe(url: str, username: str, password: str) -> str:
    """Make an allocation and give it back. Returns the relay's address; raises TurnFailed."""
    address = parse(url)
    try:
        async with connected(address) as exchange:
            return await _allocate(exchange, username, password)
    except (TimeoutError, asyncio.IncompleteReadError):
        raise TurnFailed("unreachable", "no answer") from None
    except OSError as why:
        raise TurnFailed("unreachable", str(why)) from None


async def _allocate(exchange: Exchange, username: str, password: str) -> str:
    first = await _ask(exchange, stun.Method.ALLOCATE)
    if first.message_class == stun.Class.RESPONSE:
        raise TurnFailed("open", "it relays for anybody, without a password")
    if "NONCE" not in first.attributes or "REALM" not in first.attributes:
        raise TurnFailed("strange", _error(first))
    realm, nonce = first.attributes["REALM"], first.attributes["NONCE"]
    credentials = {"USERNAME": username, "REALM": realm, "NONCE": nonce}
    key = hashlib.md5(f"{username}:{realm}:{password}".encode(), usedforsecurity=False).digest()
    second = await _ask(exchange, stun.Method.ALLOCATE, credentials, key)
    if second.message_class == stun.Class.ERROR:
        raise TurnFailed("refused" if _code(second) in (401, 441) else "strange", _error(second))
    with suppress(TimeoutError, TurnFailed):  # it would expire by itself
        await _ask(exchange, stun.Method.REFRESH, credentials, key)
    host, port = second.attributes["XOR-RELAYED-ADDRESS"]
    return f"{host} port {port}"


async def _ask(
    exchange: Exchange,
    method: stun.Method,
    credentials: dict[str, object] | None = None,
    key: bytes | None = None,
) -> stun.Message:
    request = stun.Message(message_method=method, message_class=stun.Class.REQUEST)
    if method is stun.Method.ALLOCATE:
        request.attributes["REQUESTED-TRANSPORT"] = UDP_RELAY
    else:
        request.attributes["LIFETIME"] = 0
    if credentials is not None and key is not None:
        request.attributes.update(credentials)
        request.add_message_integrity(key)
    try:
        return stun.parse_message(await exchange(bytes(request)))
    except ValueError as why:
        raise TurnFailed("strange", str(why)) from None


def _code(message: stun.Message) -> int:
    return int(message.attributes.get("ERROR-CODE", (0, ""))[0])


def _error(message: stun.Message) -> str:
    code, reason = message.attributes.get("ERROR-CODE", (0, "an answer that is not TURN's"))
    return f"{code} {reason}".strip()


@asynccontextmanager
async def connected(address: TurnAddress) -> AsyncIterator[Exchange]:
    """Yields what sends one message and returns the answer to it."""
    way = _over_udp if address.transport == "udp" and not address.tls else _over_tcp
    async with way(address) as exchange:
        yield exchange


@asynccontextmanager
async def _over_tcp(address: TurnAddress) -> AsyncIterator[Exchange]:
    async with asyncio.timeout(TRIES * TRY_S):
        context = ssl.create_default_context() if address.tls else None
        reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)

    async def exchange(request: bytes) -> bytes:
        async with asyncio.timeout(TRIES * TRY_S):
            writer.write(request)
            header = await reader.readexactly(20)
            return header + await reader.readexactly(min(int.from_bytes(header[2:4]), MAX_MESSAGE))

    try:
        yield exchange
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@asynccontextmanager
async def _over_udp(address: TurnAddress) -> AsyncIterator[Exchange]:
    answers: asyncio.Queue[bytes] = asyncio.Queue(maxsize=8)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Answers(answers), remote_addr=(address.host, address.port)
    )

    async def exchange(request: bytes) -> bytes:
        for _ in range(TRIES):
            transport.sendto(request)
            with suppress(TimeoutError):
                return await asyncio.wait_for(answers.get(), TRY_S)
        raise TimeoutError

    try:
        yield exchange
    finally:
        transport.close()


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, answers: "asyncio.Queue[bytes]") -> None:
        self._answers = answers

    def datagram_received(self, data: bytes, addr: object) -> None:
        with suppress(asyncio.QueueFull):
            self._answers.put_nowait(data)
