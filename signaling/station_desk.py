"""What a station may ask, and what it is shown: its own call and nothing else."""

from collections.abc import Awaitable, Callable

import structlog

from records.model import Appointment, CallId, Item, ItemId, ParticipantRole, RatingReason
from signaling import events as ev
from signaling import messages as m
from signaling.admitting import check_admission, stands
from signaling.bus import GENERATION, QUEUE, call_topic, quality_topic
from signaling.errors import Refusal
from signaling.hall import Hall
from signaling.holders import station_identity
from signaling.leg import OfferedLeg, is_back, send_leg
from signaling.messages import CloseCode, ErrorCode
from signaling.ports import StationCard, Taken
from signaling.rebuild import Memory
from signaling.session import Outgoing
from signaling.snapshot import RESIDENT, Call, State, seat_of
from signaling.switchboard import NoMediaNode, StationBusy, Wish
from signaling.told import Told
from signaling.views.common import ms, ms_or_none, networks
from signaling.views.station import station_state

log = structlog.get_logger(__name__)


class StationDesk:
    decoder = m.station_decoder

    def __init__(
        self,
        hall: Hall,
        session: Outgoing,
        card: StationCard,
        still_enrolled: Callable[[], Awaitable[bool]],
    ) -> None:
        self.who = self.identity = station_identity(card.id)
        self._hall = hall
        self._session = session
        self._card = card
        self._still_enrolled = still_enrolled
        self._call: CallId | None = None
        self._memory = Memory(hall)
        self._told = Told(hall)
        self._shown: m.StationState | None = None
        self._quality: m.OwnQuality | None = None
        self._leg = OfferedLeg()

    def concerns(self, topic: str) -> bool:
        if topic in (QUEUE, GENERATION):
            return self._shown is not None and self._shown.call is not None
        return self._call is not None and topic in (call_topic(self._call), quality_topic(self._call))

    async def opened(self, resumed: bool) -> None:
        call = await self._own()
        if call is None:
            return
        seat = seat_of(call, RESIDENT)
        if not resumed and seat is not None:
            self._leg.skip(call.id, seat)

    async def lost(self) -> None:
        """A resident keeps place and call; only when the session is over does the call start to wait."""

    async def over(self) -> None:
        call = await self._own()
        if call is not None and call.state is not State.ENDED:
            await self._hall.switchboard.tell(call.id, ev.WentAway(RESIDENT))

    async def refresh(self) -> None:
        if not await self._still_enrolled():
            self._session.end(CloseCode.SIGNED_OUT)
            return
        call = await self._memory.check(await self._own())
        self._call = None if call is None else call.id
        state = station_state(self._card, call, await self._told.wait(call), self._hall.directory)
        if state != self._shown:
            self._shown = state
            self._session.send(state)
        if call is not None:
            send_leg(self._hall, self._session, self._leg, call, RESIDENT)
            await is_back(self._hall, call, RESIDENT)
            self._show_quality(call)

    def _show_quality(self, call: Call) -> None:
        """Of the station's own network; what the agent's is like is no business of the resident's."""
        standings = self._hall.quality.of(call.id, self._hall.clock())
        mine = [n for n in networks(call, standings) if n.role is ParticipantRole.RESIDENT]
        quality = m.OwnQuality(call.id, mine[0].judgement if mine else None)
        nothing = self._quality is None or self._quality.call != call.id
        if quality == self._quality or (nothing and quality.judgement is None):
            return
        self._quality = quality
        self._session.send(quality)

    async def receive(self, message: m.StationIn) -> None:
        tell = self._hall.switchboard.tell
        match message:
            case m.Call():
                await self._request(message)
            case m.AskSlots(item=item):
                await self._show_slots(item)
            case m.Book():
                await self._book(message)
            case m.Cancel(call=call) | m.HangUp(call=call):
                await tell(await self._mine(call), ev.LeftByResident())
            case m.Answer(call=call, generation=generation, sdp=sdp, restart=restart):
                await tell(await self._mine(call), ev.Answered(RESIDENT, generation, sdp, restart))
            case m.Rejoin(call=call, generation=generation):
                await tell(await self._mine(call), ev.RejoinAsked(RESIDENT, generation))
            case m.RestartIce(call=call, generation=generation):
                await tell(await self._mine(call), ev.RestartAsked(RESIDENT, generation))
            case m.Devices(call=call, mic=mic, camera=camera):
                await tell(await self._mine(call), ev.DevicesSet(RESIDENT, mic, camera))
            case m.Rate(call=call, stars=stars, reasons=reasons):
                await self._rate(await self._mine(call), stars, reasons)
            case m.Dismiss(call=call):
                await self._dismiss(await self._mine(call))

    # --- asking for somebody ---------------------------------------------------------------------------

    async def _request(self, asked: m.Call) -> None:
        item = self._item(asked.item)
        if not asked.consent:
            raise Refusal(ErrorCode.CONSENT_MISSING)
        if await self._is_busy():
            raise Refusal(ErrorCode.BUSY)
        appointment = await self._appointment(asked, item)
        wish = Wish(elder=asked.elder, sign_language=asked.sign_language, appointment=appointment)
        await check_admission(self._hall, self._card, item, wish)
        try:
            call = await self._hall.switchboard.request(self._card, item, wish)
        except StationBusy:
            raise Refusal(ErrorCode.BUSY) from None
        except NoMediaNode:
            raise Refusal(ErrorCode.NO_MEDIA) from None
        self._call = call.id
        if appointment is not None:
            await self._use_up(appointment, call.id)

    def _item(self, id: ItemId) -> Item:
        item = self._hall.directory.item(id)
        if item is None:
            raise Refusal(ErrorCode.UNKNOWN_ITEM)
        if not self._hall.directory.serves(self._card.site, item.id):
            raise Refusal(ErrorCode.NOT_EMPOWERED)
        return item

    async def _is_busy(self) -> bool:
        """Said before anything else that might keep a second call from being made."""
        call = await self._own()
        return call is not None and call.state is not State.ENDED

    async def _appointment(self, asked: m.Call, item: Item) -> Appointment | None:
        if asked.appointment is None:
            return None
        due = await self._hall.appointments.due(asked.appointment, self._hall.clock())
        if due is None or due.item != item.id:
            raise Refusal(ErrorCode.UNKNOWN_CODE)
        return due

    async def _use_up(self, appointment: Appointment, call: CallId) -> None:
        """The call is there already: a code that could be used once more is the smaller harm."""
        try:
            await self._hall.appointments.called(appointment.id, call)
        except Exception:
            log.exception("appointment not used up", call=call)

    async def _show_slots(self, id: ItemId) -> None:
        item, appointments = self._item(id), self._hall.appointments
        admission = await stands(self._hall, self._card, item, Wish())
        free = await appointments.free(item, self._hall.clock())
        self._session.send(
            m.Slots(
                item=item.id,
                admission=admission.kind,
                opens_at=ms_or_none(admission.opens_at),
                minutes=appointments.minutes,
                slots=tuple(m.Slot(ms(at), left) for at, left in free),
            )
        )

    async def _book(self, asked: m.Book) -> None:
        item, appointments = self._item(asked.item), self._hall.appointments
        now = self._hall.clock()
        try:
            made = await appointments.book(item, self._card, asked.at / 1000, asked.phone, now)
        except Taken:
            raise Refusal(ErrorCode.SLOT_TAKEN) from None
        self._session.send(m.Booked(item.id, ms(made.at), appointments.minutes, made.code, made.phone))

    # --- parts -----------------------------------------------------------------------------------------

    async def _own(self) -> Call | None:
        held = await self._hall.calls.of_station(self._card.id)
        return None if held is None else await self._hall.calls.load(held)

    async def _mine(self, call: CallId) -> CallId:
        """A station cannot so much as learn that another's call exists."""
        if await self._hall.calls.of_station(self._card.id) != call:
            raise Refusal(ErrorCode.UNKNOWN_CALL)
        return call

    async def _rate(self, call: CallId, stars: int, reasons: tuple[RatingReason, ...]) -> None:
        if reasons and stars > 2:
            raise Refusal(ErrorCode.MALFORMED)
        before = await self._hall.calls.load(call)
        if before is not None and before.stars is not None:
            raise Refusal(ErrorCode.ALREADY_RATED)
        await self._hall.switchboard.tell(call, ev.Rated(stars, reasons))

    async def _dismiss(self, id: CallId) -> None:
        call = await self._hall.calls.load(id)
        if call is None:
            return
        if call.state is not State.ENDED:
            raise Refusal(ErrorCode.OUT_OF_ORDER)
        await self._hall.calls.dismiss(call)
        await self._hall.bus.tell(call_topic(id))
