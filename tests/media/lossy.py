"""A UDP proxy that loses packets by a seeded pattern; put in the offer instead of the node's address."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class _Side(asyncio.DatagramProtocol):
    def __init__(self, proxy: "Lossy") -> None:
        self.proxy = proxy
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        self.proxy.passed(self, data, addr)


class Lossy:
    """One browser's way to the node. ``up`` and ``down`` are the shares of media packets lost."""

    def __init__(self, seed: int) -> None:
        self.up = self.down = 0.0
        self.lost = 0
        self._random = random.Random(seed)
        self._browser: tuple[str | Any, int] | None = None
        self.outside, self.inside = _Side(self), _Side(self)
        self.node = ("127.0.0.1", 0)

    def passed(self, side: _Side, data: bytes, addr: tuple[str | Any, int]) -> None:
        upwards = side is self.outside
        share = self.up if upwards else self.down
        if 127 < data[0] < 192 and not 192 <= data[1] <= 223 and self._random.random() < share:
            self.lost += 1
        elif upwards:
            self._browser = addr
            self.inside.transport.sendto(data, self.node)
        elif self._browser is not None:
            self.outside.transport.sendto(data, self._browser)

    def through(self, offer: str) -> str:
        """The offer, leading through here."""
        pattern = r"(a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1) (\d+)"
        found = re.search(pattern, offer)
        assert found is not None
        self.node = ("127.0.0.1", int(found[2]))
        own = self.outside.transport.get_extra_info("sockname")[1]
        return re.sub(pattern, rf"\1 {own}", offer)


@asynccontextmanager
async def lossy(seed: int) -> AsyncIterator[Lossy]:
    proxy, loop = Lossy(seed), asyncio.get_running_loop()
    sides = [
        (await loop.create_datagram_endpoint(lambda side=side: side, local_addr=(host, 0)))[0]  # type: ignore[misc]
        for side, host in ((proxy.outside, "127.0.0.1"), (proxy.inside, "127.0.0.1"))
    ]
    try:
        yield proxy
    finally:
        for side in sides:
            side.close()
