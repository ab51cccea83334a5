"""What a manager's live page may ask and is shown: the whole hall, once a second at most, and one call that
it supervises."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from agents.agent import PauseReason, Presence
from agents.availability import UnknownAgent
from records.model import Account, AccountId
from signaling import messages as m
from signaling.bus import QUEUE, agent_topic, call_topic
from signaling.errors import Refusal
from signaling.hall import Hall
from signaling.holders import station_identity
from signaling.messages import CloseCode, ErrorCode
from signaling.session import Outgoing
from signaling.supervising import Supervising
from signaling.views.common import Moment
from signaling.views.manager import manager_state


class ManagerDesk:
    decoder = m.manager_decoder

    def __init__(
        self,
        hall: Hall,
        session: Outgoing,
        account: Account,
        still_signed_in: Callable[[], Awaitable[bool]],
    ) -> None:
        self.who = f"manager:{account.id}"
        self.identity = f"{self.who}:{session.id}"  # as many pages as a manager likes
        self._hall = hall
        self._session = session
        self._still_signed_in = still_signed_in
        self._supervising = Supervising(hall, session, account.id)
        self._shown: m.ManagerState | None = None

    def concerns(self, topic: str) -> bool:
        """Everything else is drawn often enough anyway."""
        return self._supervising.call is not None and topic == call_topic(self._supervising.call)

    async def opened(self, resumed: bool) -> None: ...

    async def lost(self) -> None: ...

    async def over(self) -> None:
        await self._supervising.over()

    async def receive(self, message: m.ManagerIn) -> None:
        match message:
            case m.SetPresenceOf(agent=agent, presence=presence):
                await self._set_presence(agent, presence)
            case m.Hello() | m.Ping() | m.Pong():
                pass
            case _:
                await self._supervising.receive(message)

    async def refresh(self) -> None:
        if not await self._still_signed_in():
            self._session.end(CloseCode.SIGNED_OUT)
            return
        hall = self._hall
        calls = await hall.calls.live()
        stations = hall.directory.stations()
        held = await hall.holders.held(tuple(station_identity(s.id) for s in stations))
        moment = Moment(await hall.picture(), hall.plan(), hall.directory, hall.statistics, hall.clock())
        state = manager_state(
            calls=calls,
            moment=moment,
            duty=await hall.duty(),
            online=frozenset(s.id for s in stations if station_identity(s.id) in held),
            nodes=await hall.nodes(),
            standings=lambda call: hall.quality.of(call, hall.clock()),
            supervising=await self._supervising.look(calls),
        )
        if self._shown is None or replace(state, now=0) != replace(self._shown, now=0):
            self._shown = state
            self._session.send(state)

    async def _set_presence(self, agent: AccountId, presence: Presence) -> None:
        """For somebody who left without a word. Nobody is made available but by themselves."""
        if presence is Presence.AVAILABLE:
            raise Refusal(ErrorCode.MALFORMED)
        reason = PauseReason.BREAK if presence is Presence.PAUSED else None
        try:
            await self._hall.availability.declare(agent, presence, reason, self._hall.clock())
        except UnknownAgent:
            raise Refusal(ErrorCode.UNKNOWN_TARGET) from None
        await self._hall.bus.tell(agent_topic(agent), QUEUE)
