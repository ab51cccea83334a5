"""A manager in a call: listening, whispering, joining, taking over. One call at a time, on one page."""

from contextlib import suppress

import structlog

from records.model import AccountId, CallId, ParticipantId
from signaling import events as ev
from signaling import messages as m
from signaling.call import InvalidTransition
from signaling.errors import Refusal
from signaling.hall import Hall
from signaling.holders import supervisor_identity
from signaling.leg import OfferedLeg, is_back, send_leg
from signaling.messages import ErrorCode
from signaling.session import Outgoing
from signaling.snapshot import TALKING, Call, State, Supervision, is_full, seat_of_account
from signaling.switchboard import UnknownCall
from signaling.views.manager import manager_call

log = structlog.get_logger(__name__)

STOP, TAKE_OVER = "stop", "take_over"  # besides Supervision's values, in the audit trail

Asked = (
    m.Supervise
    | m.StopSupervising
    | m.TakeOver
    | m.Answer
    | m.Rejoin
    | m.RestartIce
    | m.Devices
    | m.HangUp
    | m.WrapUp
)


class Supervising:
    """``call`` is the one that this page is in. While it is, the page holds the supervisor's identity: so
    every process can see whether somebody is there."""

    def __init__(self, hall: Hall, session: Outgoing, me: AccountId) -> None:
        self.call: CallId | None = None
        self._hall = hall
        self._session = session
        self._me = me
        self._identity = supervisor_identity(me)
        self._leg = OfferedLeg()

    # --- what is shown -----------------------------------------------------------------------------------

    async def look(self, calls: tuple[Call, ...]) -> m.ManagerCall | None:
        """The call that this manager is in, among those that are live; with the offers of its connection."""
        call = next((c for c in calls if self._is_mine(c)), None)
        if call is None or not await self._hall.holders.keep(self._identity, self._session.id):
            await self._let_go()
            return None
        seat = seat_of_account(call, self._me)
        if self.call != call.id and seat is not None:  # this page is new, the call is not
            self._leg.skip(call.id, seat)
        self.call = call.id
        if seat is not None:
            send_leg(self._hall, self._session, self._leg, call, seat.participant)
            await is_back(self._hall, call, seat.participant)
        return manager_call(call, self._me, self._hall.directory)

    def _is_mine(self, call: Call) -> bool:
        """Who took a call over still says what came of it; for anybody else it is over when it is."""
        if seat_of_account(call, self._me) is None:
            return False
        return call.state is not State.ENDED or (call.agent == self._me and call.outcome is None)

    async def over(self) -> None:
        """The page is gone: nobody listens unseen. Whoever took the call over may still come back to it."""
        if self.call is None or not await self._hall.holders.drop(self._identity, self._session.id):
            return
        call = await self._hall.calls.load(self.call)
        seat = None if call is None else seat_of_account(call, self._me)
        if call is None or seat is None or call.state is State.ENDED:
            return
        with suppress(UnknownCall, InvalidTransition):
            if call.agent == self._me:
                await self._hall.switchboard.tell(call.id, ev.WentAway(seat.participant))
            else:
                await self._stop(call.id)

    async def _let_go(self) -> None:
        if self.call is not None:
            self.call = None
            await self._hall.holders.drop(self._identity, self._session.id)

    # --- what is asked -----------------------------------------------------------------------------------

    async def receive(self, asked: Asked) -> None:
        tell, me = self._hall.switchboard.tell, self._me
        match asked:
            case m.Supervise(call=id, mode=mode):
                await self._supervise(id, mode)
            case m.StopSupervising(call=id):
                await self._leave(id)
            case m.TakeOver(call=id):
                await self._take_over(id)
            case m.HangUp(call=id):
                await self._hang_up(id)
            case m.WrapUp(call=id, outcome=outcome, note=note):
                await self._participant(id)
                await tell(id, ev.OutcomeSet(me, outcome, note))
            case m.Answer(call=id, generation=generation, sdp=sdp, restart=restart):
                await tell(id, ev.Answered(await self._participant(id), generation, sdp, restart))
            case m.Rejoin(call=id, generation=generation):
                await tell(id, ev.RejoinAsked(await self._participant(id), generation))
            case m.RestartIce(call=id, generation=generation):
                await tell(id, ev.RestartAsked(await self._participant(id), generation))
            case m.Devices(call=id, mic=mic, camera=camera):
                await tell(id, ev.DevicesSet(await self._participant(id), mic, camera))

    async def _supervise(self, id: CallId, mode: Supervision) -> None:
        """The audit trail has it before anything is seen or heard."""
        call = await self._going_on(id)
        mine = seat_of_account(call, self._me)
        if call.agent == self._me:
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        if mine is None:
            await self._check_free(call)
        await self._audit(id, mode)
        await self._hall.holders.take(self._identity, self._session.id)
        self.call = id
        await self._hall.switchboard.tell(id, ev.Supervised(self._me, mode))

    async def _check_free(self, call: Call) -> None:
        if any(seat.supervision is not None for seat in call.seats):
            raise Refusal(ErrorCode.BUSY)
        if is_full(call):
            raise Refusal(ErrorCode.ROOM_FULL)
        for other in await self._hall.calls.live():
            if other.id != call.id and other.state in TALKING and seat_of_account(other, self._me):
                raise Refusal(ErrorCode.BUSY)

    async def _take_over(self, id: CallId) -> None:
        call = await self._mine(id)
        if call.agent == self._me:
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        await self._audit(id, TAKE_OVER)
        await self._hall.switchboard.tell(id, ev.TakenOver(self._me))

    async def _hang_up(self, id: CallId) -> None:
        """By the owner the call is ended; anybody else only leaves it."""
        if (await self._mine(id)).agent == self._me:
            await self._hall.switchboard.tell(id, ev.HungUpByAgent(self._me))
        else:
            await self._leave(id)

    async def _leave(self, id: CallId) -> None:
        if (await self._mine(id)).agent == self._me:
            raise Refusal(ErrorCode.OUT_OF_ORDER)  # it must be ended, or handed over
        await self._stop(id)
        await self._let_go()

    async def _stop(self, id: CallId) -> None:
        """It stops in any case; the call's own journal says so too."""
        await self._hall.switchboard.tell(id, ev.SupervisionEnded(self._me))
        try:
            await self._hall.audit.supervised(self._me, id, STOP, self._hall.clock())
        except Exception:
            log.exception("end of supervision not in the audit trail", call=id)

    async def _audit(self, id: CallId, what: str) -> None:
        try:
            await self._hall.audit.supervised(self._me, id, what, self._hall.clock())
        except Exception:
            log.exception("no supervision without the audit trail", call=id)
            raise Refusal(ErrorCode.INTERNAL) from None

    # --- parts -------------------------------------------------------------------------------------------

    async def _going_on(self, id: CallId) -> Call:
        call = await self._hall.calls.load(id)
        if call is None:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        if call.state is not State.ACTIVE:
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        return call

    async def _mine(self, id: CallId) -> Call:
        call = await self._hall.calls.load(id)
        if call is None or seat_of_account(call, self._me) is None:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        return call

    async def _participant(self, id: CallId) -> ParticipantId:
        seat = seat_of_account(await self._mine(id), self._me)
        if seat is None:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        return seat.participant
