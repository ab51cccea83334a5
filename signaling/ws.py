"""WebSockets: bytes between a browser and its session. One task owns a session, with one inbox.

Heartbeat both ways: each side pings every HEARTBEAT_S, a side that hears nothing for SILENCE_S closes.
A session whose socket is gone waits RESUME_S for it to come back, then it is over.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

import msgspec
import structlog
from aiohttp import WSMsgType, web

from signaling import messages as m
from signaling.bus import holder_topic
from signaling.hall import Hall
from signaling.holders import KEEP_S
from signaling.messages import CloseCode
from signaling.session import Desk, Session, SessionEnded

log = structlog.get_logger(__name__)

HELLO_S = 10.0  # for the first message
LOOK_S = 2.0  # a session reads the truth again at least this often
INBOX = 100  # frames that wait; more make the socket wait

H = TypeVar("H", m.Hello, m.StationHello)


class BadHello(Exception):
    """The first message was not one, or did not prove who it is from."""

    def __init__(self, code: CloseCode = CloseCode.BAD_HELLO) -> None:
        super().__init__(code.name)
        self.code = code


async def receive_hello(socket: web.WebSocketResponse, kind: type[H]) -> H:
    """The first message. Raises BadHello."""
    try:
        async with asyncio.timeout(HELLO_S):
            message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise BadHello
        hello = msgspec.json.decode(message.data, type=kind)
    except (TimeoutError, msgspec.MsgspecError):
        raise BadHello from None
    if hello.protocol != m.PROTOCOL:
        raise BadHello
    return hello


class Sockets:
    """The sessions of this process. ``new_id`` gives unguessable text."""

    def __init__(self, hall: Hall, new_id: Callable[[], str], clock: Callable[[], float]) -> None:
        self._hall = hall
        self._new_id = new_id
        self._clock = clock
        self._waiting: dict[str, tuple[Session, asyncio.TimerHandle]] = {}
        self._endings: set[asyncio.Task[None]] = set()
        self._open: set[web.WebSocketResponse] = set()

    async def serve(
        self, socket: web.WebSocketResponse, hello: m.Hello | m.StationHello, desk: Callable[[Session], Desk]
    ) -> None:
        """Until the socket closes. ``desk`` makes the desk of a new session."""
        session, resumed = self._session(hello, desk)
        self._open.add(socket)
        try:
            code = await _Connection(self._hall, session, socket, self._clock).run(hello, resumed)
        finally:
            self._open.discard(socket)
        await self._lost(session, code)

    async def close(self) -> None:
        """The process goes down: sockets are told to come back, and sessions that wait are let go."""
        for socket in tuple(self._open):
            await socket.close(code=CloseCode.RESTARTING)
        for _, timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        await asyncio.gather(*self._endings, return_exceptions=True)

    # --- sessions between sockets --------------------------------------------------------------------------

    def _session(
        self, hello: m.Hello | m.StationHello, desk: Callable[[Session], Desk]
    ) -> tuple[Session, bool]:
        fresh = Session(self._new_id(), self._new_id(), self._clock)
        fresh.desk = desk(fresh)
        kept = self._waiting.get(hello.resume or "")
        if kept is None or kept[0].desk.who != fresh.desk.who:
            return fresh, False
        session, timer = kept
        timer.cancel()
        del self._waiting[session.token]
        if not session.can_resume(hello.seen):
            return fresh, False
        session.resume(hello.seen)
        return session, True

    async def _lost(self, session: Session, code: CloseCode | None) -> None:
        if code is not None:  # ended by us, for good
            if code is not CloseCode.TAKEN_OVER:
                await self._over(session)
            return
        session.lost_at = self._clock()
        await session.desk.lost()
        timer = asyncio.get_running_loop().call_later(m.RESUME_S, self._expire, session)
        self._waiting[session.token] = (session, timer)

    def _expire(self, session: Session) -> None:
        self._waiting.pop(session.token, None)
        ending = asyncio.create_task(self._over(session), name=f"over {session.desk.identity}")
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)

    async def _over(self, session: Session) -> None:
        """Only the session that still holds its identity speaks for it."""
        try:
            if await self._hall.holders.drop(session.desk.identity, session.id):
                await session.desk.lost()
                await session.desk.over()
        except Exception:
            log.exception("session could not be closed", who=session.desk.identity)


class _Connection:
    """One socket of one session, while it is open."""

    def __init__(
        self, hall: Hall, session: Session, socket: web.WebSocketResponse, clock: Callable[[], float]
    ) -> None:
        self._hall = hall
        self._session = session
        self._desk = session.desk
        self._socket = socket
        self._clock = clock
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue(INBOX)
        self._changed = asyncio.Event()
        self._heard_at = clock()
        self._rival = False  # word that somebody took the identity

    async def run(self, hello: m.Hello | m.StationHello, resumed: bool) -> CloseCode | None:
        """The code with which this side ended the session, None when the socket just went away."""
        stop_listening = self._hall.bus.listen(self._listen)
        reader = asyncio.create_task(self._read(), name=f"read {self._desk.identity}")
        try:
            await self._welcome(resumed)
            await self._talk()
        except SessionEnded as ended:
            await self._say_goodbye(ended.code)
            return ended.code
        except (ConnectionResetError, ConnectionAbortedError, RuntimeError) as gone:
            log.info("socket gone", who=self._desk.identity, why=str(gone))
        finally:
            stop_listening()
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader
        return None

    async def _welcome(self, resumed: bool) -> None:
        session = self._session
        if resumed:
            await self._still_holds()  # another tab may have taken over while this one was away
        else:
            await self._hall.holders.take(self._desk.identity, session.id)
            await self._hall.bus.tell(holder_topic(self._desk.identity))
        welcome = m.Welcome(
            session=session.id,
            resume=session.token,
            resumed=resumed,
            now=round(self._hall.clock() * 1000),
            heartbeat_ms=round(m.HEARTBEAT_S * 1000),
        )
        # Ahead of what a resumed session is sent again, and not itself sent again later.
        await self._socket.send_str(msgspec.json.encode(welcome).decode())
        await self._desk.opened(resumed)

    async def _talk(self) -> None:
        self._changed.set()
        beat = looked = kept = -1e9
        while True:
            now = self._clock()
            if now - self._heard_at > m.SILENCE_S:
                await self._socket.close(code=CloseCode.SILENT)
                return
            if now - beat >= m.HEARTBEAT_S:
                beat = now
                self._session.send(m.ServerPing())
            if now - kept >= KEEP_S or self._rival:
                kept, self._rival = now, False
                await self._still_holds()
            if self._changed.is_set() or now - looked >= LOOK_S:
                looked = now
                self._changed.clear()
                await self._look()
            await self._flush()
            if not await self._take_frames():
                return

    async def _take_frames(self) -> bool:
        """Wait for frames or news, carry out what is there; False when the socket is gone."""
        waiting = [
            asyncio.ensure_future(self._inbox.get()),
            asyncio.ensure_future(self._changed.wait()),
        ]
        try:
            await asyncio.wait(waiting, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            frames = [waiting[0].result()] if waiting[0].done() else []
        finally:
            for waiter in waiting:
                waiter.cancel()
        while not self._inbox.empty():
            frames.append(self._inbox.get_nowait())
        for frame in frames:
            if frame is None:
                return False
            await self._session.receive(frame)  # type: ignore[arg-type]
            self._changed.set()
        return True

    async def _look(self) -> None:
        try:
            await self._desk.refresh()
        except (SessionEnded, asyncio.CancelledError):
            raise
        except Exception:  # Redis is away: what is on the screen stays, the next look tries again
            log.exception("could not look", who=self._desk.identity)
        if self._session.ending is not None:
            raise SessionEnded(self._session.ending)

    async def _still_holds(self) -> None:
        if not await self._holds():
            self._session.send(m.TakenOver())
            raise SessionEnded(CloseCode.TAKEN_OVER)

    async def _holds(self) -> bool:
        try:
            return await self._hall.holders.keep(self._desk.identity, self._session.id)
        except Exception:
            log.exception("could not keep", who=self._desk.identity)
            return True  # without word from Redis, nobody is thrown out

    async def _flush(self) -> None:
        for frame in self._session.take_frames():
            await self._socket.send_str(frame.decode())

    async def _say_goodbye(self, code: CloseCode) -> None:
        with contextlib.suppress(ConnectionResetError, RuntimeError):
            await self._flush()
            await self._socket.close(code=code, message=code.name.lower().encode())

    def _listen(self, topic: str) -> None:
        if topic == holder_topic(self._desk.identity):
            self._rival = True
            self._changed.set()
        elif self._desk.concerns(topic):
            self._changed.set()

    async def _read(self) -> None:
        async for message in self._socket:
            self._heard_at = self._clock()
            if message.type is WSMsgType.TEXT:
                await self._inbox.put(message.data.encode())
            elif message.type is WSMsgType.BINARY:
                await self._inbox.put(b"binary")
        await self._inbox.put(None)
