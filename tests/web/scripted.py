"""A server that says what a test tells it to, over Playwright's routed WebSocket.

Every frame of the page is decoded by the real decoder of its role, so a page that says something the service
would refuse fails its test. Requests are acknowledged by themselves unless ``refuse`` names their type.

    server = await Scripted.attach(page, "/ws/station", messages.station_decoder, challenge=True)
    await page.goto("/station")
    await server.greeted()
    server.send(messages.StationState(...))
    call = await server.asked(messages.Call)
"""

import time
from typing import Any, TypeVar

import msgspec
from playwright.async_api import Page, WebSocketRoute

from records.model import Text
from signaling import messages
from tests.eventually import eventually

T = TypeVar("T")
DEADLINE_S = 8.0


class Scripted:
    def __init__(self, decoder: "msgspec.json.Decoder[Any]", challenge: bool) -> None:
        self._decoder = decoder
        self._challenge = challenge
        self._socket: WebSocketRoute | None = None
        self._seq = 0
        self._last = ""
        self.sockets = 0
        self.silent = False  # True: requests are heard, not answered
        self.answering = True  # False: the network is down, new sockets close at once
        self.resumable = True
        self.heard: list[Any] = []  # every message but pings, in order
        self.refuse: dict[str, messages.Error] = {}  # by type of request: what is answered instead of ack
        self.faults: list[str] = []

    @classmethod
    async def attach(
        cls, page: Page, path: str, decoder: "msgspec.json.Decoder[Any]", *, challenge: bool = False
    ) -> "Scripted":
        server = cls(decoder, challenge)
        await page.route_web_socket(lambda url: path in url, server._opened)
        return server

    async def _opened(self, socket: WebSocketRoute) -> None:
        if not self.answering:
            await socket.close(code=4008)
            return
        self.sockets += 1
        self._socket = socket
        socket.on_message(lambda frame: self._received(socket, frame))
        if self._challenge:
            socket.send(msgspec.json.encode(messages.Challenge(nonce="bm9uY2U")).decode())

    def _received(self, socket: WebSocketRoute, frame: str | bytes) -> None:
        try:
            message = self._decoder.decode(frame)
        except msgspec.DecodeError as fault:
            self.faults.append(f"{fault}: {frame!r}")
            return
        if isinstance(message, messages.Ping):
            socket.send('{"type":"pong"}')
            return
        if isinstance(message, messages.Pong):
            return
        self.heard.append(message)
        if isinstance(message, messages.Hello | messages.StationHello):
            self._welcome(message)
        elif isinstance(message, messages.Request):
            self._answer(message)

    def _welcome(self, hello: "messages.Hello | messages.StationHello") -> None:
        resumed = hello.resume is not None and self.resumable
        self._seq = hello.seen if resumed else 0
        now = int(time.time() * 1000)
        self.send(messages.Welcome(session="s", resume="token", resumed=resumed, now=now, heartbeat_ms=3000))

    def _answer(self, request: messages.Request) -> None:
        if self.silent:
            return
        kind = str(request.__struct_config__.tag)
        if kind in self.refuse:
            refusal = self.refuse[kind]
            self.send(messages.Error(code=refusal.code, text=refusal.text, ref=request.ref))
        else:
            self.send(messages.Ack(ref=request.ref))

    def send(self, message: messages.Out) -> None:
        assert self._socket is not None
        self._seq += 1
        self._last = msgspec.json.encode({**msgspec.to_builtins(message), "seq": self._seq}).decode()
        self._socket.send(self._last)

    def repeat(self) -> None:
        """Send the last message once more, under the same seq."""
        assert self._socket is not None
        self._socket.send(self._last)

    async def drop(self, code: int = 1001) -> None:
        """Close the socket from the server's side."""
        assert self._socket is not None
        await self._socket.close(code=code)

    async def greeted(self) -> None:
        """Until the page has said hello on the present socket."""
        await self.asked(messages.StationHello if self._challenge else messages.Hello)

    async def asked(self, kind: type[T], nth: int = 1) -> T:
        """The ``nth`` message of this kind, waited for."""

        def said() -> list[T]:
            assert self.faults == []
            return [message for message in self.heard if isinstance(message, kind)]

        await eventually(lambda: len(said()) >= nth, DEADLINE_S)
        return said()[nth - 1]


def refusal(code: messages.ErrorCode, zh: str, en: str) -> messages.Error:
    return messages.Error(code=code, text=Text(zh=zh, en=en))
