"""What an agent may ask, and what the console is shown: the agent's own state, ring and call."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from agents.agent import (
    Acceptance,
    Activity,
    Agent,
    PauseReason,
    Presence,
    Profile,
    Release,
    Reservation,
    ReservationId,
)
from agents.transitions import fell_back
from agents.waiting import takeable
from records.model import Account, AccountRole, CallId, ParticipantId, ParticipantRole
from signaling import events as ev
from signaling import messages as m
from signaling.bus import GENERATION, QUEUE, agent_topic, call_topic, quality_topic
from signaling.call import InvalidTransition
from signaling.company import Company
from signaling.errors import Refusal
from signaling.hall import Hall
from signaling.holders import agent_identity
from signaling.leg import OfferedLeg, is_back, send_leg
from signaling.messages import CloseCode, ErrorCode
from signaling.rebuild import Memory
from signaling.session import Outgoing
from signaling.snapshot import TALKING, Call, Seat, State, seat_of_account
from signaling.switchboard import UnknownCall
from signaling.views.agent import agent_state, ring_of
from signaling.views.common import Moment, networks

RESTORED_S = 60.0  # an agent back within this time is available again without pressing anything
SYSTEM_REASONS = (PauseReason.MISSED_CALLS, PauseReason.CONNECTION_LOST)
ROLES = {AccountRole.EXPERT: ParticipantRole.EXPERT}  # in calls; everybody else is an agent


def profile_of(account: Account) -> Profile:
    return Profile(
        skills=account.skills,
        site=account.site,
        department=account.department,
        role=ROLES.get(account.role, ParticipantRole.AGENT),
        hours=account.hours,
    )


class AgentDesk:
    """``still_signed_in`` asks whether the cookie's session still stands.

    The desk is the judge of what reaches its agent: it knows the highest fence that was accepted here and
    which call that was for, whatever a store says that lost data.
    """

    decoder = m.agent_decoder

    def __init__(
        self,
        hall: Hall,
        session: Outgoing,
        account: Account,
        card: m.AgentCard,
        still_signed_in: Callable[[], Awaitable[bool]],
    ) -> None:
        self.who = self.identity = agent_identity(account.id)
        self._hall = hall
        self._session = session
        self._account = account
        self._card = card
        self._still_signed_in = still_signed_in
        self._company = Company(hall, session, account.id)
        self._memory = Memory(hall)
        self._agent: Agent | None = None  # as it was seen last
        self._call: CallId | None = None
        self._taken: CallId | None = None  # the last call in which this agent sat
        self._fence = 0  # the highest that was accepted
        self._shown: m.AgentState | None = None
        self._quality: m.CallQuality | None = None
        self._leg = OfferedLeg()
        self._signed_out = False

    def concerns(self, topic: str) -> bool:
        return topic in (QUEUE, GENERATION, agent_topic(self._account.id)) or (
            self._call is not None and topic in (call_topic(self._call), quality_topic(self._call))
        )

    async def opened(self, resumed: bool) -> None:
        agent = self._agent = await self._signed_in()
        call = await self._with_call(agent)
        seat = None if call is None else self._seat(call)
        if call is not None and seat is not None and not resumed:
            self._leg.skip(call.id, seat)

    async def lost(self) -> None:
        """Nobody is to be offered a call while nobody would hear it ring; one that rings goes on at once."""
        agent = await self._hall.availability.agent(self._account.id)
        if agent is None:
            return
        if agent.presence is Presence.AVAILABLE:
            await self._declare(Presence.PAUSED, PauseReason.CONNECTION_LOST)
        if agent.activity is Activity.RESERVED and agent.call is not None and agent.reservation is not None:
            with suppress(UnknownCall, InvalidTransition):
                await self._hall.switchboard.tell(agent.call, ev.RingLost(agent.id, agent.reservation))

    async def over(self) -> None:
        if self._signed_out:
            await self._declare(Presence.SIGNED_OUT, None)
        agent = await self._hall.availability.agent(self._account.id)
        call = None if agent is None else await self._with_call(agent)
        seat = None if call is None else self._seat(call)
        if call is not None and seat is not None and call.state is not State.ENDED:
            with suppress(UnknownCall, InvalidTransition):
                await self._hall.switchboard.tell(call.id, ev.WentAway(seat.participant))

    # --- what is shown -----------------------------------------------------------------------------------

    async def refresh(self) -> None:
        if not await self._still_signed_in():
            self._signed_out = True
            self._session.end(CloseCode.SIGNED_OUT)
            return
        agent = self._agent = await self._known()
        call = await self._remembered(agent)
        self._call = None if call is None else call.id
        moment = await self._moment()
        state = agent_state(
            agent,
            self._card,
            call,
            takeable(moment.picture, moment.plan, agent.id, moment.now),
            moment,
            self._hall.rules,
            shows_supervision=self._hall.shows_supervision,
        )
        if state != self._shown:
            self._shown = state
            self._session.send(state)
        seat = None if call is None else self._seat(call)
        if call is not None and seat is not None:
            await self._show_call(call, seat, moment)

    async def _show_call(self, call: Call, seat: Seat, moment: Moment) -> None:
        send_leg(self._hall, self._session, self._leg, call, seat.participant)
        await is_back(self._hall, call, seat.participant)
        if not seat.ringing:
            self._taken, self._fence = call.id, max(self._fence, self._agent.fence if self._agent else 0)
            self._show_quality(call)
            await self._company.show(call, moment)

    def _show_quality(self, call: Call) -> None:
        standings = self._hall.quality.of(call.id, self._hall.clock())
        quality = m.CallQuality(call.id, networks(call, standings))
        nothing = self._quality is None or self._quality.call != call.id
        if quality == self._quality or (nothing and not quality.networks):
            return
        self._quality = quality
        self._session.send(quality)

    async def _moment(self) -> Moment:
        hall = self._hall
        return Moment(await hall.picture(), hall.plan(), hall.directory, hall.statistics, hall.clock())

    async def _remembered(self, agent: Agent) -> Call | None:
        """The agent's call, put back if the store lost it; one that the agent is done with is forgotten."""
        if agent.call is None:
            self._memory.call = None
            return None
        return await self._memory.check(await self._hall.calls.load(agent.call))

    # --- what is asked -----------------------------------------------------------------------------------

    async def receive(self, message: m.AgentIn) -> None:
        match message:
            case m.SetPresence(presence=presence, reason=reason):
                await self._set_presence(presence, reason)
            case m.Accept(call=call, reservation=reservation):
                await self._accept(call, reservation)
            case m.Decline(call=call, reservation=reservation):
                await self._decline(call, reservation)
            case m.Ready(call=call):
                await self._ready(call)
            case m.ExtendWrapUp(call=call):
                await self._extend(call)
            case m.AskFor() | m.DropAsk() | m.Hold() | m.HandOver() | m.SendAway():
                await self._company.receive(message)
            case _:
                await self._in_call(message)

    async def _in_call(self, message: m.AgentIn) -> None:
        tell, me = self._hall.switchboard.tell, self._account.id
        match message:
            case m.Answer(call=call, generation=generation, sdp=sdp, restart=restart):
                await tell(call, ev.Answered(await self._participant(call), generation, sdp, restart))
            case m.Rejoin(call=call, generation=generation):
                await tell(call, ev.RejoinAsked(await self._participant(call), generation))
            case m.RestartIce(call=call, generation=generation):
                await tell(call, ev.RestartAsked(await self._participant(call), generation))
            case m.Devices(call=call, mic=mic, camera=camera):
                await tell(call, ev.DevicesSet(await self._participant(call), mic, camera))
            case m.Share(call=call, on=on):
                await tell(call, ev.ShareSet(await self._participant(call), on))
            case m.HangUp(call=call):
                await self._participant(call)
                await tell(call, ev.HungUpByAgent(me))
            case m.AddNote(call=call, text=text, ref=ref):
                await self._check_own(call)
                await tell(call, ev.NoteAdded(me, text, key=f"{self._session.id}-{ref}"))
            case m.WrapUp(call=call, outcome=outcome, note=note):
                await self._check_own(call)
                await tell(call, ev.OutcomeSet(me, outcome, note))

    # --- presence ----------------------------------------------------------------------------------------

    async def _known(self) -> Agent:
        """This agent as routing knows it, now that its socket is open: a pause for a lost connection is over,
        and a live store that lost its data is told of us again."""
        agent = await self._hall.availability.agent(self._account.id)
        if agent is None or (self._agent is not None and fell_back(agent, self._agent)):
            agent = await self._restored()
        lost = (Presence.PAUSED, PauseReason.CONNECTION_LOST)
        if (agent.presence, agent.pause_reason) == lost and self._hall.clock() - agent.since < RESTORED_S:
            return await self._declare(Presence.AVAILABLE, None)
        return agent

    async def _restored(self) -> Agent:
        """Back in a store that does not know us, or as we were before: what we were, or somebody new."""
        agent = await self._signed_in()
        await self._hall.bus.tell(agent_topic(agent.id), QUEUE)
        return agent

    async def _signed_in(self) -> Agent:
        """What is remembered of one that the store does not know any more is told first; a store that knows
        better keeps what it knows."""
        availability, now, me = self._hall.availability, self._hall.clock(), self._account.id
        if self._agent is not None:
            await availability.restore(self._agent, now)
        return await availability.sign_in(me, profile_of(self._account), now)

    async def _set_presence(self, presence: Presence, reason: PauseReason | None) -> None:
        """A pause names its reason, and only the system says that calls were missed."""
        if (presence is Presence.PAUSED) != (reason is not None) or reason in SYSTEM_REASONS:
            raise Refusal(ErrorCode.MALFORMED)
        await self._declare(presence, reason)

    async def _declare(self, presence: Presence, reason: PauseReason | None) -> Agent:
        now = self._hall.clock()
        agent = await self._hall.availability.declare(self._account.id, presence, reason, now)
        await self._hall.bus.tell(agent_topic(self._account.id), QUEUE)
        return agent

    # --- the ring ----------------------------------------------------------------------------------------

    async def _accept(self, call: CallId, reservation: ReservationId) -> None:
        """The reservation is taken first (one winner), then the call is told. If the call went away in
        between, the agent is free again at once."""
        me, now = self._account.id, self._hall.clock()
        held = await self._rung(call, reservation)
        if me in held.accepted:
            return  # the other one still rings
        if held.fence <= self._fence or await self._sits_elsewhere(call):
            raise Refusal(ErrorCode.NOT_OFFERED)
        if await self._hall.availability.accept(reservation, me, now) is Acceptance.REFUSED:
            raise Refusal(ErrorCode.NOT_OFFERED)
        self._fence, self._taken = held.fence, call
        try:
            await self._hall.switchboard.tell(call, ev.Accepted(me, reservation))
        except (InvalidTransition, UnknownCall):
            await self._hall.switchboard.let_go(me, call)
            raise Refusal(ErrorCode.NOT_OFFERED) from None

    async def _sits_elsewhere(self, call: CallId) -> bool:
        """Whether this agent is in another call that goes on, whatever the store says of the agent."""
        if self._taken is None or self._taken == call:
            return False
        other = await self._hall.calls.load(self._taken)
        seat = None if other is None else self._seat(other)
        return other is not None and other.state in TALKING and seat is not None and not seat.ringing

    async def _decline(self, call: CallId, reservation: ReservationId) -> None:
        await self._rung(call, reservation)
        try:
            await self._hall.switchboard.tell(call, ev.Declined(self._account.id, reservation))
        except (InvalidTransition, UnknownCall):
            raise Refusal(ErrorCode.NOT_OFFERED) from None

    async def _rung(self, call: CallId, reservation: ReservationId) -> Reservation:
        live = await self._hall.calls.load(call)
        found = None if live is None else ring_of(live, self._account.id)
        if found is None or found[0].id != reservation:
            raise Refusal(ErrorCode.NOT_OFFERED)
        return found[0]

    # --- the call ----------------------------------------------------------------------------------------

    async def _ready(self, id: CallId) -> None:
        agent = await self._wrapping_up(id)
        if self._owes_outcome(await self._hall.calls.load(id)):
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        await self._hall.availability.release(agent.id, id, Release.READY, self._hall.clock())
        await self._hall.bus.tell(agent_topic(agent.id), QUEUE)

    def _owes_outcome(self, call: Call | None) -> bool:
        """Only the owner at the end does: not who left before, nor while the call goes on without them."""
        if call is None or call.state is not State.ENDED:
            return False
        return call.agent == self._account.id and call.outcome is None

    async def _extend(self, id: CallId) -> None:
        agent = await self._wrapping_up(id)
        if await self._hall.availability.extend(agent.id, id, self._hall.clock()) is None:
            raise Refusal(ErrorCode.NO_MORE_TIME)
        await self._hall.bus.tell(agent_topic(agent.id))

    async def _wrapping_up(self, id: CallId) -> Agent:
        agent = await self._hall.availability.agent(self._account.id)
        if agent is None or agent.call != id:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        if agent.activity is not Activity.WRAP_UP:
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        return agent

    async def _with_call(self, agent: Agent) -> Call | None:
        return None if agent.call is None else await self._hall.calls.load(agent.call)

    def _seat(self, call: Call) -> Seat | None:
        return seat_of_account(call, self._account.id)

    async def _participant(self, id: CallId) -> ParticipantId:
        """This agent's seat in the call; a call without one is as good as no call."""
        call = await self._hall.calls.load(id)
        seat = None if call is None else self._seat(call)
        if seat is None:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        return seat.participant

    async def _check_own(self, id: CallId) -> None:
        """A call that the agent is in, or was."""
        call, me = await self._hall.calls.load(id), self._account.id
        if call is None or not (self._seat(call) or call.agent == me or me in call.former):
            raise Refusal(ErrorCode.UNKNOWN_CALL)
