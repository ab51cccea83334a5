"""What an agent may ask, and what the console is shown: the agent's own state, ring and call."""

from collections.abc import Awaitable, Callable

from agents.agent import Activity, Agent, PauseReason, Presence, Release, ReservationId
from records.model import Account, CallId, ParticipantId, ParticipantRole
from signaling import events as ev
from signaling import messages as m
from signaling import views
from signaling.bus import QUEUE, agent_topic, call_topic, quality_topic
from signaling.call import InvalidTransition
from signaling.errors import Refusal
from signaling.hall import Hall
from signaling.holders import agent_identity
from signaling.leg import OfferedLeg, is_back, send_leg
from signaling.messages import CloseCode, ErrorCode
from signaling.session import Outgoing
from signaling.snapshot import Call, Seat, State
from signaling.switchboard import UnknownCall

RESTORED_S = 60.0  # an agent back within this time is available again without pressing anything
SYSTEM_REASONS = (PauseReason.MISSED_CALLS, PauseReason.CONNECTION_LOST)


class AgentDesk:
    """``still_signed_in`` asks whether the cookie's session still stands."""

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
        self._call: CallId | None = None
        self._shown: m.AgentState | None = None
        self._quality: m.CallQuality | None = None
        self._leg = OfferedLeg()
        self._signed_out = False

    def concerns(self, topic: str) -> bool:
        return topic in (QUEUE, agent_topic(self._account.id)) or (
            self._call is not None and topic in (call_topic(self._call), quality_topic(self._call))
        )

    async def opened(self, resumed: bool) -> None:
        agent = await self._hall.availability.sign_in(
            self._account.id, self._account.skills, self._account.site, self._hall.clock()
        )
        call = await self._with_call(agent)
        seat = None if call is None else self._seat(call)
        if call is not None and seat is not None and not resumed:
            self._leg.skip(call.id, seat)

    async def lost(self) -> None:
        """Nobody is to be offered a call while nobody would hear it ring."""
        agent = await self._hall.availability.agent(self._account.id)
        if agent is not None and agent.presence is Presence.AVAILABLE:
            await self._declare(Presence.PAUSED, PauseReason.CONNECTION_LOST)

    async def over(self) -> None:
        if self._signed_out:
            await self._declare(Presence.SIGNED_OUT, None)
        agent = await self._hall.availability.agent(self._account.id)
        call = None if agent is None else await self._with_call(agent)
        if call is not None and call.state is not State.ENDED:
            await self._hall.switchboard.tell(call.id, ev.WentAway(ParticipantRole.AGENT))

    async def refresh(self) -> None:
        if not await self._still_signed_in():
            self._signed_out = True
            self._session.end(CloseCode.SIGNED_OUT)
            return
        agent = await self._known()
        call = await self._with_call(agent)
        self._call = None if call is None else call.id
        state = views.agent_state(agent, self._card, call, await self._hall.snapshot(), self._hall.directory)
        if state != self._shown:
            self._shown = state
            self._session.send(state)
        if call is not None and (seat := self._seat(call)) is not None:
            send_leg(self._hall, self._session, self._leg, call, seat.participant)
            await is_back(self._hall, call, seat.participant)
            self._show_quality(call)

    def _show_quality(self, call: Call) -> None:
        standings = self._hall.quality.of(call.id, self._hall.clock())
        quality = m.CallQuality(call.id, views.networks(call, standings))
        nothing = self._quality is None or self._quality.call != call.id
        if quality == self._quality or (nothing and not quality.networks):
            return
        self._quality = quality
        self._session.send(quality)

    async def receive(self, message: m.AgentIn) -> None:
        tell, me = self._hall.switchboard.tell, self._account.id
        match message:
            case m.SetPresence(presence=presence, reason=reason):
                await self._set_presence(presence, reason)
            case m.Accept(call=call, reservation=reservation):
                await self._accept(call, reservation)
            case m.Decline(call=call, reservation=reservation):
                await self._decline(call, reservation)
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
            case m.AddNote(call=call, text=text, ref=ref):
                await self._participant(call)
                await tell(call, ev.NoteAdded(me, text, key=f"{self._session.id}-{ref}"))
            case m.HangUp(call=call):
                await self._participant(call)
                await tell(call, ev.HungUpByAgent(me))
            case m.WrapUp(call=call, outcome=outcome, note=note):
                await self._participant(call)
                await tell(call, ev.OutcomeSet(me, outcome, note))
            case m.Ready(call=call):
                await self._ready(call)

    # --- presence ----------------------------------------------------------------------------------------

    async def _known(self) -> Agent:
        """This agent as routing knows it, now that its socket is open: a pause for a lost connection is over,
        and a live store that was emptied is told of us again."""
        availability, now = self._hall.availability, self._hall.clock()
        agent = await availability.agent(self._account.id)
        if agent is None:
            agent = await availability.sign_in(
                self._account.id, self._account.skills, self._account.site, now
            )
        lost = (Presence.PAUSED, PauseReason.CONNECTION_LOST)
        if (agent.presence, agent.pause_reason) == lost and now - agent.since < RESTORED_S:
            return await self._declare(Presence.AVAILABLE, None)
        return agent

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
        await self._check_rung(call, reservation)
        if not await self._hall.availability.accept(reservation, now):
            raise Refusal(ErrorCode.NOT_OFFERED)
        try:
            await self._hall.switchboard.tell(call, ev.Accepted(me, reservation))
        except (InvalidTransition, UnknownCall):
            await self._hall.switchboard.let_go(me, call)
            raise Refusal(ErrorCode.NOT_OFFERED) from None

    async def _decline(self, call: CallId, reservation: ReservationId) -> None:
        await self._check_rung(call, reservation)
        try:
            await self._hall.switchboard.tell(call, ev.Declined(self._account.id, reservation))
        except (InvalidTransition, UnknownCall):
            raise Refusal(ErrorCode.NOT_OFFERED) from None

    async def _check_rung(self, call: CallId, reservation: ReservationId) -> None:
        live = await self._hall.calls.load(call)
        held = None if live is None else live.reservation
        if held is None or (held.id, held.agent) != (reservation, self._account.id):
            raise Refusal(ErrorCode.NOT_OFFERED)

    # --- the call ----------------------------------------------------------------------------------------

    async def _ready(self, id: CallId) -> None:
        agent = await self._hall.availability.agent(self._account.id)
        if agent is None or agent.call != id:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        call = await self._hall.calls.load(id)
        if agent.activity is not Activity.WRAP_UP or (call is not None and call.outcome is None):
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        await self._hall.availability.release(agent.id, id, Release.READY, self._hall.clock())
        await self._hall.bus.tell(agent_topic(agent.id), QUEUE)

    async def _with_call(self, agent: Agent) -> Call | None:
        return None if agent.call is None else await self._hall.calls.load(agent.call)

    def _seat(self, call: Call) -> Seat | None:
        return next((s for s in call.seats if s.who == self._account.id), None)

    async def _participant(self, id: CallId) -> ParticipantId:
        """This agent's seat in the call; a call without one is as good as no call."""
        call = await self._hall.calls.load(id)
        seat = None if call is None else self._seat(call)
        if seat is None:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        return seat.participant
