"""The doors to signaling: who may open which WebSocket, and as whom."""

import base64
import binascii
import contextlib
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator

import msgspec
import structlog
from aiohttp import web
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from records.attempts import by_address
from records.model import Account, Station, StationId
from records.sessions import Audience
from records.store import Store
from signaling import messages as m
from signaling.agent_desk import AgentDesk
from signaling.hall import Hall
from signaling.manager_desk import ManagerDesk
from signaling.messages import CloseCode
from signaling.session import Desk, Session
from signaling.station_desk import StationDesk
from signaling.ws import CUT_OFF, BadHello, Sockets, receive_hello
from web.auth import Gate
from web.directory import HallDirectory

log = structlog.get_logger(__name__)

Still = Callable[[], Awaitable[bool]]

GOODBYE_S = 2.0  # for the browser's half of the closing handshake
CHECK_AGAIN_S = 3.0  # how long a signed-in socket is believed before its cookie is looked up again
UNKNOWN = 100  # sockets of one address that have not yet said who they are; a page says so at once


class SocketDoors:
    def __init__(
        self, hall: Hall, sockets: Sockets, store: Store, gate: Gate, directory: HallDirectory
    ) -> None:
        self._hall = hall
        self._sockets = sockets
        self._store = store
        self._gate = gate
        self._directory = directory
        self._unknown: Counter[str] = Counter()  # by address

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/ws/station", self.station),
            web.get("/ws/agent", self.agent),
            web.get("/ws/manager", self.manager),
        ]

    # --- one for each audience -----------------------------------------------------------------------------

    async def station(self, request: web.Request) -> web.WebSocketResponse:
        """The device key speaks for the station: its signature over our challenge, this origin and its id."""
        with self._still_unknown(request):
            socket = await self._open(request)
            nonce = secrets.token_urlsafe(32)
            await socket.send_str(msgspec.json.encode(m.Challenge(nonce)).decode())
            try:
                hello = await receive_hello(socket, m.StationHello)
                station = await self._proven(hello, nonce)
            except BadHello as refused:
                await socket.close(code=refused.code, message=refused.code.name.lower().encode())
                return socket
        valid = self._checked_again(lambda: self._still_enrolled(station))
        card = self._directory.station_card(station)
        await self._sockets.serve(socket, hello, lambda s: StationDesk(self._hall, s, card, valid))
        return socket

    async def agent(self, request: web.Request) -> web.WebSocketResponse:
        return await self._signed_in(request, Audience.AGENT, self._agent_desk)

    async def manager(self, request: web.Request) -> web.WebSocketResponse:
        return await self._signed_in(request, Audience.MANAGER, self._manager_desk)

    # --- parts ---

    @contextlib.contextmanager
    def _still_unknown(self, request: web.Request) -> Iterator[None]:
        """From the first byte to the hello, or its absence. Raises HTTPTooManyRequests."""
        address = by_address("socket", self._gate.address_of(request))
        if self._unknown[address] >= UNKNOWN:
            raise web.HTTPTooManyRequests(text="Too many connections that say nothing.\n")
        self._unknown[address] += 1
        try:
            yield
        finally:
            self._unknown[address] -= 1
            if not self._unknown[address]:
                del self._unknown[address]

    async def _open(self, request: web.Request) -> web.WebSocketResponse:
        """An upgrade is a GET, so no browser asks before it: the origin is checked here (RFC 6455, 10.2)."""
        if not self._gate.same_origin(request):
            log.warning("foreign origin", path=request.path, origin=request.headers.get("Origin"))
            raise web.HTTPForbidden(text="This page belongs to another site and may not connect here.\n")
        socket = web.WebSocketResponse(max_msg_size=CUT_OFF, timeout=GOODBYE_S, autoping=True, compress=False)
        await socket.prepare(request)
        return socket

    async def _signed_in(
        self,
        request: web.Request,
        audience: Audience,
        desk: Callable[[Account, Session, Still], Desk],
    ) -> web.WebSocketResponse:
        with self._still_unknown(request):
            account = await self._gate.account(request, audience)
            socket = await self._open(request)
            if account is None:
                await socket.close(code=CloseCode.NOT_SIGNED_IN, message=b"not_signed_in")
                return socket
            try:
                hello = await receive_hello(socket, m.Hello)
            except BadHello as refused:
                await socket.close(code=refused.code, message=refused.code.name.lower().encode())
                return socket

        async def signed_in() -> bool:
            return await self._gate.account(request, audience) is not None

        still = self._checked_again(signed_in)
        await self._sockets.serve(socket, hello, lambda session: desk(account, session, still))
        return socket

    def _agent_desk(self, account: Account, session: Session, still: Still) -> Desk:
        card = self._directory.agent_card(account)
        return AgentDesk(self._hall, session, account, card, still)

    def _manager_desk(self, account: Account, session: Session, still: Still) -> Desk:
        return ManagerDesk(self._hall, session, account, still)

    async def _proven(self, hello: m.StationHello, nonce: str) -> Station:
        """Raises BadHello: an unknown station, a revoked key and a wrong signature look the same."""
        station = await self._store.devices.station(StationId(hello.station))
        if station is None or station.public_key is None or not station.active:
            raise BadHello(CloseCode.NOT_SIGNED_IN)
        said = f"bangban-station-1\n{self._gate.origin}\n{station.id}\n{nonce}".encode()
        try:
            signature = base64.urlsafe_b64decode(hello.signature + "==")
            Ed25519PublicKey.from_public_bytes(station.public_key).verify(signature, said)
        except (InvalidSignature, ValueError, binascii.Error):
            raise BadHello(CloseCode.NOT_SIGNED_IN) from None
        return station

    async def _still_enrolled(self, station: Station) -> bool:
        known = await self._store.devices.station(station.id)
        return known is not None and known.active and known.public_key == station.public_key

    def _checked_again(self, check: Still) -> Still:
        """``check``, but at most every CHECK_AGAIN_S seconds."""
        checked_at = self._hall.clock()

        async def still() -> bool:
            nonlocal checked_at
            if self._hall.clock() - checked_at < CHECK_AGAIN_S:
                return True
            checked_at = self._hall.clock()
            return await check()

        return still
