"""What the manager's live page is shown: the whole hall, once a second at most."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from records.model import Account
from signaling import messages as m
from signaling import views
from signaling.hall import Hall
from signaling.holders import station_identity
from signaling.messages import CloseCode
from signaling.session import Outgoing


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
        self._shown: m.ManagerState | None = None

    def concerns(self, topic: str) -> bool:
        return False  # it is drawn every second anyway

    async def opened(self, resumed: bool) -> None: ...

    async def lost(self) -> None: ...

    async def over(self) -> None: ...

    async def receive(self, message: m.ManagerIn) -> None:
        """There is nothing that a manager may change here."""

    async def refresh(self) -> None:
        if not await self._still_signed_in():
            self._session.end(CloseCode.SIGNED_OUT)
            return
        stations = self._hall.directory.stations()
        held = await self._hall.holders.held(tuple(station_identity(s.id) for s in stations))
        state = views.manager_state(
            calls=await self._hall.calls.live(),
            snapshot=await self._hall.snapshot(),
            online=frozenset(s.id for s in stations if station_identity(s.id) in held),
            nodes=await self._hall.nodes(),
            standings=lambda call: self._hall.quality.of(call, self._hall.clock()),
            directory=self._hall.directory,
            stats=self._hall.statistics,
            now=self._hall.clock(),
        )
        if self._shown is None or replace(state, now=0) != replace(self._shown, now=0):
            self._shown = state
            self._session.send(state)
