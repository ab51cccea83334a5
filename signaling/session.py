"""One peer's session: it outlives its socket for a while, so that a short break loses nothing.

Sans I/O: frames in, frames out. signaling/ws.py moves the bytes.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
import structlog

from signaling import messages as m
from signaling.call import InvalidTransition
from signaling.errors import Refusal, error
from signaling.messages import CloseCode, ErrorCode
from signaling.switchboard import UnknownCall

log = structlog.get_logger(__name__)

KEPT_FRAMES = 256  # what a resumed session can be sent again
KEPT_BYTES = 1024 * 1024  # and of these at most so much
KEPT_ANSWERS = 64  # answers to requests that may be asked again
BURST = 40.0  # messages at once
RATE = 20.0  # messages a second
BAD_MESSAGES = 20.0  # refused unread (malformed, too large, too fast) before the socket is closed
FORGIVEN = 0.1  # of these a second


class SessionEnded(Exception):
    """The socket is to be closed with this code, and the session is over."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


class Outgoing(Protocol):
    """What a desk may do to its session."""

    id: str

    def send(self, message: m.AnyOut) -> None: ...

    def end(self, code: CloseCode) -> None: ...


class Desk(Protocol):
    """What one role may ask, and what it is shown."""

    who: str  # the person or device, the same for all of its sessions
    identity: str  # what only one session at a time may hold
    decoder: msgspec.json.Decoder[Any]

    async def receive(self, message: Any) -> None:
        """Carry out a request. Raises Refusal, InvalidTransition, UnknownCall."""
        ...

    def concerns(self, topic: str) -> bool: ...

    async def opened(self, resumed: bool) -> None: ...

    async def refresh(self) -> None:
        """Read the truth again and send what changed."""
        ...

    async def lost(self) -> None:
        """The socket is gone; the session may still be resumed."""
        ...

    async def over(self) -> None:
        """Nobody came back in time."""
        ...


class Bucket:
    """A token bucket (RFC 2697's single rate): bursts pass, floods do not."""

    def __init__(self, size: float, rate: float, now: float) -> None:
        self._size = self._left = size
        self._rate = rate
        self._at = now

    def take(self, now: float) -> bool:
        self._left = min(self._size, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Session:
    """``desk`` is set right after construction: the two know each other."""

    desk: Desk

    def __init__(self, id: str, token: str, clock: Callable[[], float]) -> None:
        self.id = id
        self.token = token
        self.ending: CloseCode | None = None
        self._clock = clock
        self._seq = 0
        self._sent: deque[tuple[int, bytes]] = deque()
        self._sent_bytes = 0
        self._unsent: deque[bytes] = deque()
        self._answers: dict[int, m.Ack | m.Error] = {}
        self._last_ref = 0
        self._pace = Bucket(BURST, RATE, clock())
        self._patience = Bucket(BAD_MESSAGES, FORGIVEN, clock())

    # --- out -----------------------------------------------------------------------------------------

    def send(self, message: m.AnyOut) -> None:
        body = msgspec.json.encode(message)
        if isinstance(message, m.ServerPing | m.ServerPong | m.Challenge):
            self._unsent.append(body)
            return
        self._seq += 1
        frame = b'{"seq":%d,' % self._seq + body[1:]
        self._sent.append((self._seq, frame))
        self._sent_bytes += len(frame)
        while len(self._sent) > KEPT_FRAMES or self._sent_bytes > KEPT_BYTES:
            self._sent_bytes -= len(self._sent.popleft()[1])
        self._unsent.append(frame)

    def end(self, code: CloseCode) -> None:
        self.ending = code

    def take_frames(self) -> list[bytes]:
        frames = list(self._unsent)
        self._unsent.clear()
        return frames

    def resume(self, seen: int) -> None:
        """What the peer did not see is sent again, in order."""
        self._unsent.clear()
        self._unsent.extend(frame for seq, frame in self._sent if seq > seen)

    def can_resume(self, seen: int) -> bool:
        """False when frames that the peer missed are no longer kept."""
        oldest = self._sent[0][0] if self._sent else self._seq + 1
        return self.ending is None and seen <= self._seq and seen + 1 >= oldest

    # --- in ------------------------------------------------------------------------------------------

    async def receive(self, frame: bytes) -> bool:
        """One frame of the peer: carried out, or refused by name. True when something may have changed.
        Raises SessionEnded."""
        if len(frame) > m.MAX_FRAME:
            log.info("< too large", who=self.desk.who, size=len(frame))
            return self._refuse(ErrorCode.TOO_LARGE, _ref_in(frame))
        try:
            message = self.desk.decoder.decode(frame)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as bad:
            log.info("< malformed", who=self.desk.who, why=str(bad))
            return self._refuse(ErrorCode.MALFORMED, _ref_in(frame))
        if not self._pace.take(self._clock()):
            return self._refuse(ErrorCode.TOO_FAST, getattr(message, "ref", None))
        match message:
            case m.Ping():
                self.send(m.ServerPong())
            case m.Pong():
                pass
            case m.Hello() | m.StationHello():
                self.send(error(ErrorCode.OUT_OF_ORDER))
            case _:
                return await self._request(message)
        return False

    async def _request(self, request: m.Request) -> bool:
        if request.ref <= self._last_ref:
            self.send(self._answers.get(request.ref) or error(ErrorCode.OUT_OF_ORDER, request.ref))
            return False
        # Known before it is carried out: asked again after a break in between, it is not done twice.
        self._last_ref = request.ref
        answer = await self._carry(request)
        self._remember(request.ref, answer)
        self.send(answer)
        return True

    async def _carry(self, request: m.Request) -> m.Ack | m.Error:
        log.debug("<", who=self.desk.who, message=type(request).__name__, ref=request.ref)
        try:
            await self.desk.receive(request)
        except Refusal as refused:
            return error(refused.code, request.ref)
        except InvalidTransition as unfit:
            log.info("< out of order", who=self.desk.who, why=str(unfit))
            return error(ErrorCode.OUT_OF_ORDER, request.ref)
        except UnknownCall:
            return error(ErrorCode.UNKNOWN_CALL, request.ref)
        except Exception:
            log.exception("request failed", who=self.desk.who, message=type(request).__name__)
            return error(ErrorCode.INTERNAL, request.ref)
        return m.Ack(request.ref)

    def _remember(self, ref: int, answer: m.Ack | m.Error) -> None:
        self._answers[ref] = answer
        if len(self._answers) > KEPT_ANSWERS:
            del self._answers[next(iter(self._answers))]  # the oldest: refs only grow

    def _refuse(self, code: ErrorCode, ref: int | None) -> bool:
        """Without looking at what it asks. Who does it too often is shown the door."""
        if not self._patience.take(self._clock()):
            raise SessionEnded(CloseCode.TOO_MANY)
        answer = error(code, ref)
        if ref is not None and ref > self._last_ref:
            self._last_ref = ref
            self._remember(ref, answer)
        self.send(answer)
        return False


class _Ref(msgspec.Struct):
    ref: m.Ref


def _ref_in(frame: bytes) -> int | None:
    """The number of a request that could not be read otherwise, so that its sender can tell which it was."""
    try:
        return msgspec.json.decode(frame, type=_Ref).ref
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
