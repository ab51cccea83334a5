"""WebSockets: bytes between a browser and its session. One task owns a session, with one inbox.

Heartbeat both ways: each side pings every HEARTBEAT_S, a side that hears nothing for SILENCE_S closes.
A session whose socket is gone waits RESUME_S for it to come back, then it is over.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
import structlog
from aiohttp import WSMsgType, web
from msgspec import Struct

from signaling import messages as m
from signaling.bus import holder_topic
from signaling.hall import Hall
from signaling.holders import KEEP_S
from signaling.messages import CloseCode
from signaling.session import Desk, Session, SessionEnded

log = structlog.get_logger(__name__)

HELLO_S = 10.0  # for the first message
INBOX = 100  # frames that wait; more make the socket wait
CUT_OFF = 4 * m.MAX_FRAME  # a frame up to this is refused by name, a larger one not even read (1009)

H = TypeVar("H", m.Hello, m.StationHello)


class Pace(Struct, frozen=True):
    """In seconds. The protocol's own; tests are quicker."""

    heartbeat: float = m.HEARTBEAT_S
    silence: float = m.SILENCE_S
    resume: float = m.RESUME_S
    look: float = 2.0  # a session reads the truth again at least this often
    keep: float = KEEP_S  # and says this often that it is there
    tick: float = 1.0  # how exactly all of these are kept
    goodbye: float = 0.5  # for the browser's half of the closing handshake
    answer: float = 3.0  # for Redis, so that the heartbeat goes on while it hangs
    hand_over: float = 6.0  # until an older socket of a session has let go of it


class BadHello(Exception):
    """The first message was not one, or did not prove who it is from."""

    def __init__(self, code: CloseCode = CloseCode.BAD_HELLO) -> None:
        super().__init__(code.name)
        self.code = code


async def receive_hello(socket: web.WebSocketResponse, kind: type[H], within_s: float = HELLO_S) -> H:
    """The first message. Raises BadHello."""
    try:
        async with asyncio.timeout(within_s):
            message = await socket.receive()
        if message.type is not WSMsgType.TEXT or len(message.data) > m.MAX_FRAME:
            raise BadHello
        hello = msgspec.json.decode(message.data, type=kind)
    except (TimeoutError, msgspec.MsgspecError, RecursionError, UnicodeError):
        raise BadHello from None
    if hello.protocol != m.PROTOCOL:
        raise BadHello
    return hello


class Sockets:
    """The sessions of this process. ``new_id`` gives unguessable text."""

    def __init__(
        self, hall: Hall, new_id: Callable[[], str], clock: Callable[[], float], pace: Pace | None = None
    ) -> None:
        self._hall = hall
        self._new_id = new_id
        self._clock = clock
        self._pace = pace or Pace()
        self._open: dict[str, _Connection] = {}  # by the session's token
        self._waiting: dict[str, tuple[Session, asyncio.TimerHandle]] = {}
        self._serving: set[asyncio.Task[object]] = set()
        self._closing = False

    async def serve(
        self, socket: web.WebSocketResponse, hello: m.Hello | m.StationHello, desk: Callable[[Session], Desk]
    ) -> None:
        """Until the socket closes. ``desk`` makes the desk of a new session."""
        with self._noted():
            session, resumed = await self._session(hello, desk)
            connection = _Connection(self._hall, session, socket, self._clock, self._pace)
            self._open[session.token] = connection
            code = None
            try:
                code = await connection.run(resumed)
            finally:
                del self._open[session.token]
                if code is None:
                    self._keep_waiting(session)
                connection.left.set()
            await self._lost(session, code, handed_over=connection.leaving)

    async def close(self) -> None:
        """The process goes down: sockets are told to come back, and sessions that wait are let go."""
        self._closing = True
        await asyncio.gather(*(c.close(CloseCode.RESTARTING) for c in tuple(self._open.values())))
        for _, timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        if left := self._serving - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=self._pace.goodbye)

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            yield
        finally:
            self._serving.discard(task)

    # --- sessions between sockets --------------------------------------------------------------------------

    async def _session(
        self, hello: m.Hello | m.StationHello, desk: Callable[[Session], Desk]
    ) -> tuple[Session, bool]:
        fresh = Session(self._new_id(), self._new_id(), self._clock)
        fresh.desk = desk(fresh)
        token = hello.resume or ""
        if (older := self._open.get(token)) is not None and older.who == fresh.desk.who:
            await older.leave()  # the browser noticed before we did that its socket is dead
        kept = self._waiting.get(token)
        if kept is None or kept[0].desk.who != fresh.desk.who:
            return fresh, False
        session, timer = kept
        timer.cancel()
        del self._waiting[token]
        if not session.can_resume(hello.seen):
            return fresh, False
        session.resume(hello.seen)
        return session, True

    def _keep_waiting(self, session: Session) -> None:
        if not self._closing:
            timer = asyncio.get_running_loop().call_later(self._pace.resume, self._expire, session)
            self._waiting[session.token] = (session, timer)

    async def _lost(self, session: Session, code: CloseCode | None, *, handed_over: bool) -> None:
        if code is not None:  # ended by us, for good
            if code is not CloseCode.TAKEN_OVER:
                await self._over(session)
        elif not handed_over:
            with _logged("lost", session):
                async with asyncio.timeout(self._pace.answer):
                    await session.desk.lost()

    def _expire(self, session: Session) -> None:
        self._waiting.pop(session.token, None)
        ending = asyncio.create_task(self._over(session), name=f"over {session.desk.identity}")
        self._serving.add(ending)
        ending.add_done_callback(self._serving.discard)

    async def _over(self, session: Session) -> None:
        """Only the session that still holds its identity speaks for it. What fails here, because Redis is
        away, is noticed by Timers: nobody holds the identity any more."""
        with _logged("over", session):
            if await self._hall.holders.drop(session.desk.identity, session.id):
                await session.desk.lost()
                await session.desk.over()


class _Connection:
    """One socket of one session, while it is open."""

    def __init__(
        self,
        hall: Hall,
        session: Session,
        socket: web.WebSocketResponse,
        clock: Callable[[], float],
        pace: Pace,
    ) -> None:
        self.who = session.desk.who
        self.leaving = False  # a newer socket of the same session is here
        self.left = asyncio.Event()
        self._hall = hall
        self._session = session
        self._desk = session.desk
        self._socket = socket
        self._clock = clock
        self._pace = pace
        self._inbox: asyncio.Queue[bytes] = asyncio.Queue(INBOX)
        self._woken = asyncio.Event()
        self._changed = True  # something may be different from what the peer was shown
        self._rival = False  # word that somebody took the identity
        self._gone = False
        self._heard_at = clock()

    async def run(self, resumed: bool) -> CloseCode | None:
        """The code with which this side ended the session, None when the socket just went away."""
        stop_listening = self._hall.bus.listen(self._listen)
        reader = asyncio.create_task(self._read(), name=f"read {self._desk.identity}")
        try:
            await self._welcome(resumed)
            await self._talk(resumed)
        except SessionEnded as ended:
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._flush()
            await self.close(ended.code)
            return ended.code
        except (ConnectionError, TimeoutError) as gone:
            log.info("socket gone", who=self._desk.identity, why=str(gone))
        except Exception:  # most likely Redis is away: the page comes back and finds its session
            log.exception("socket given up", who=self._desk.identity)
            await self.close(CloseCode.RESTARTING)
        finally:
            stop_listening()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)
        return None

    async def leave(self) -> None:
        """Let go of the session, for a newer socket of it."""
        self.leaving = True
        self._woken.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pace.hand_over):
                await self.left.wait()

    async def close(self, code: CloseCode) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            async with asyncio.timeout(self._pace.goodbye):
                await self._socket.close(code=code, message=code.name.lower().encode())

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
            heartbeat_ms=round(self._pace.heartbeat * 1000),
        )
        # Ahead of what a resumed session is sent again, and not itself sent again later.
        await self._send(msgspec.json.encode(welcome))

    async def _talk(self, resumed: bool) -> None:
        arrived = False
        beat = looked = kept = -1e9
        while not self.leaving:
            now = self._clock()
            if now - self._heard_at > self._pace.silence:
                await self.close(CloseCode.SILENT)
                return
            if now - beat >= self._pace.heartbeat:
                beat = now
                self._session.send(m.ServerPing())
                await self._flush()
            if now - kept >= self._pace.keep or self._rival:
                kept, self._rival = now, False
                await self._still_holds()
            if self._changed or now - looked >= self._pace.look:
                looked, self._changed = now, False
                arrived = await self._look(arrived, resumed)
            await self._flush()
            if self._gone and self._inbox.empty():
                return
            await self._carry_frames()

    async def _carry_frames(self) -> None:
        """Wait for frames or news, and carry out what there is."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pace.tick):
                await self._woken.wait()
        self._woken.clear()
        while not self._inbox.empty():
            if await self._session.receive(self._inbox.get_nowait()):
                self._changed = True

    async def _look(self, arrived: bool, resumed: bool) -> bool:
        """Whether the desk has been opened; what fails, because Redis is away, the next look tries again, and
        what is on the screen stays."""
        with _logged("look", self._session):
            async with asyncio.timeout(self._pace.answer):
                if not arrived:
                    await self._desk.opened(resumed)
                    arrived = True
                await self._desk.refresh()
        if self._session.ending is not None:
            raise SessionEnded(self._session.ending)
        return arrived

    async def _still_holds(self) -> None:
        if not await self._holds():
            self._session.send(m.TakenOver())
            raise SessionEnded(CloseCode.TAKEN_OVER)

    async def _holds(self) -> bool:
        """Without word from Redis, nobody is thrown out."""
        try:
            async with asyncio.timeout(self._pace.answer):
                return await self._hall.holders.keep(self._desk.identity, self._session.id)
        except Exception:
            log.exception("failed", work="keep", who=self._desk.identity)
            return True

    async def _flush(self) -> None:
        for frame in self._session.take_frames():
            await self._send(frame)

    async def _send(self, frame: bytes) -> None:
        """Raises ConnectionError, or TimeoutError when the peer takes nothing more."""
        async with asyncio.timeout(self._pace.silence):
            await self._socket.send_str(frame.decode())

    def _listen(self, topic: str) -> None:
        if topic == holder_topic(self._desk.identity):
            self._rival = True
            self._woken.set()
        elif self._desk.concerns(topic):
            self._changed = True
            self._woken.set()

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                self._heard_at = self._clock()
                is_text = message.type is WSMsgType.TEXT
                await self._inbox.put(message.data.encode() if is_text else b"not text")
                self._woken.set()
        finally:
            self._gone = True
            self._woken.set()


@contextlib.contextmanager
def _logged(work: str, session: Session) -> Iterator[None]:
    """What fails is logged and goes no further."""
    try:
        yield
    except Exception:
        log.exception("failed", work=work, who=session.desk.identity)
