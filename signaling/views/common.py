"""What more than one audience is shown. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from agents.picture import Picture
from agents.plan import Plan
from records.model import AccountId, ParticipantId, ParticipantRole, Text
from signaling import messages as m
from signaling.ports import Directory, Statistics
from signaling.quality import Standing
from signaling.snapshot import TALKING, Call, Seat, slots

NOBODY = Text("—", "—")


class Moment(NamedTuple):
    """What is known of a hall at one time (Unix seconds)."""

    picture: Picture
    plan: Plan
    directory: Directory
    statistics: Statistics
    now: float


def ms(at: float | None) -> int:
    return round((at or 0.0) * 1000)


def ms_or_none(at: float | None) -> int | None:
    return None if at is None else ms(at)


def people(call: Call, seats: tuple[Seat, ...], directory: Directory) -> tuple[m.PersonView, ...]:
    """The owner first, the others as they came."""
    ordered = sorted(seats, key=lambda seat: not _is_owner(call, seat))
    return tuple(_person(call, seat, directory) for seat in ordered)


def _person(call: Call, seat: Seat, directory: Directory) -> m.PersonView:
    card = directory.agent(AccountId(seat.who)) or m.AgentCard(NOBODY, NOBODY, "")
    return m.PersonView(
        participant=seat.participant,
        role=seat.role,
        name=card.name,
        department=card.department,
        badge=card.badge,
        owner=_is_owner(call, seat),
        joining=seat.joining,
        supervision=seat.supervision,
        ringing=seat.ringing,
        away=is_away(seat),
        mic=seat.mic,
        camera=seat.camera,
    )


def _is_owner(call: Call, seat: Seat) -> bool:
    return seat.who == call.agent and not seat.ringing and call.state in TALKING


def slot_views(call: Call, viewer: Seat | None) -> tuple[m.SlotView, ...]:
    if viewer is None:
        return ()
    roles = {s.participant: s.role for s in call.seats}
    seen = slots(call).get(viewer.participant, {})
    return tuple(m.SlotView(mid, t.participant, roles[t.participant], t.source) for mid, t in seen.items())


def networks(call: Call, standings: Mapping[ParticipantId, Standing]) -> tuple[m.Network, ...]:
    """In the order of the seats; nothing while it waits or when it is over."""
    if call.state not in TALKING:
        return ()
    return tuple(_network(s.role, standings[s.participant]) for s in call.seats if s.participant in standings)


def _network(role: ParticipantRole, standing: Standing) -> m.Network:
    sample = standing.sample
    return m.Network(
        role=role,
        judgement=standing.judgement,
        rtt_ms=None if sample.rtt_ms is None else round(sample.rtt_ms),
        loss=round(100 * sample.loss, 1),
        unrepaired=round(100 * max(sample.up.loss_for_good, sample.down.loss_for_good), 1),
        up_kbps=round(sample.up.bitrate / 1000),
        down_kbps=round(sample.down.bitrate / 1000),
    )


def is_away(seat: Seat) -> bool:
    return seat.away_until is not None or seat.down_until is not None


def item_name(call: Call, directory: Directory) -> Text:
    item = directory.item(call.item)
    return Text(call.item, call.item) if item is None else item.name


def name_of(account: str, directory: Directory) -> Text:
    card = directory.agent(AccountId(account))
    return NOBODY if card is None else card.name


def where(call: Call, directory: Directory) -> tuple[Text, Text]:
    """The station's name and its site's."""
    card = directory.station(call.station)
    return (Text(call.station, call.station), NOBODY) if card is None else (card.name, card.site_name)
