"""Whom an agent has beside in a call: asking for somebody, holding, handing over, sending away."""

from typing import assert_never

from records.model import AccountId, CallId, ParticipantId
from signaling import events as ev
from signaling import messages as m
from signaling.errors import Refusal
from signaling.hall import Hall
from signaling.messages import ErrorCode
from signaling.session import Outgoing
from signaling.snapshot import TALKING, Call, Joining, State, Target, is_full, seat_of, seat_of_account
from signaling.targets import demand_for, target_of
from signaling.views.agent import colleagues
from signaling.views.common import Moment

AGAIN_S = 2.0  # whom one may ask for is looked up no more often than this

Asked = m.AskFor | m.DropAsk | m.Hold | m.HandOver | m.SendAway


class Company:
    def __init__(self, hall: Hall, session: Outgoing, me: AccountId) -> None:
        self._hall = hall
        self._session = session
        self._me = me
        self._shown: m.Colleagues | None = None
        self._of: CallId | None = None
        self._looked_at = 0.0

    async def show(self, call: Call, moment: Moment) -> None:
        """Whom this agent may ask for, while it owns a call."""
        if call.state not in TALKING or call.agent != self._me:
            self._of = None
            return
        if self._of == call.id and moment.now - self._looked_at < AGAIN_S:
            return
        news = self._of != call.id
        self._of, self._looked_at = call.id, moment.now
        found = colleagues(self._me, moment, await self._hall.duty())
        if news or found != self._shown:
            self._shown = found
            self._session.send(found)

    async def receive(self, asked: Asked) -> None:
        tell, me = self._hall.switchboard.tell, self._me
        match asked:
            case m.AskFor():
                await self._ask_for(asked)
            case m.DropAsk(call=id):
                await self._own(id)
                await tell(id, ev.AskDropped(me))
            case m.Hold(call=id, on=on):
                await self._own(id)
                await tell(id, ev.HoldSet(me, on))
            case m.HandOver(call=id, participant=to):
                _check_other(await self._own(id), to, me)
                await tell(id, ev.HandedOver(me, to))
            case m.SendAway(call=id, participant=who):
                _check_other(await self._own(id), who, me)
                await tell(id, ev.SentAway(me, who))
            case _:
                assert_never(asked)

    async def _ask_for(self, asked: m.AskFor) -> None:
        target = target_of(asked)
        if target is None:
            raise Refusal(ErrorCode.MALFORMED)
        call = await self._own(asked.call)
        if call.state is not State.ACTIVE:
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        if call.ask is not None:
            raise Refusal(ErrorCode.ALREADY_ASKED)
        if asked.kind is not Joining.TRANSFER and is_full(call):
            raise Refusal(ErrorCode.ROOM_FULL)
        await self._make(call, asked.kind, target)

    async def _make(self, call: Call, kind: Joining, target: Target) -> None:
        picture, plan, now = await self._hall.picture(), self._hall.plan(), self._hall.clock()
        demand = demand_for(call, target, self._me, picture, plan, now)
        if demand is None:
            raise Refusal(ErrorCode.UNKNOWN_TARGET)
        await self._hall.switchboard.tell(call.id, ev.AskMade(self._me, kind, target, demand))

    async def _own(self, id: CallId) -> Call:
        """A call that goes on and is this agent's. One without its seat is as good as no call."""
        call = await self._hall.calls.load(id)
        if call is None or seat_of_account(call, self._me) is None:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        if call.state not in TALKING:
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        if call.agent != self._me:
            raise Refusal(ErrorCode.NOT_OWNER)
        return call


def _check_other(call: Call, participant: ParticipantId, me: AccountId) -> None:
    seat = seat_of(call, participant)
    if seat is None or seat.who in (me, call.station):
        raise Refusal(ErrorCode.UNKNOWN_TARGET)
