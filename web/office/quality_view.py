"""The networks of one call as its page draws them: a lane a participant, in step with the player. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import Struct

from media.protocol import NodeId
from records.model import ParticipantId, ParticipantRole, QualityRow
from signaling.quality import SLOT_S, Direction, Judgement, Sample, judged
from web.hall_time import length as clock
from web.office.call_view import Translate

WIDTH, HEIGHT = 1000, 40  # of a lane's drawing, in its own units
BINS = 240  # a longer call's rows are drawn together
LOSS_TOP = 0.20  # what reaches the top: share lost before repair
RTT_TOP_MS = 1000.0


class Bin(Struct, frozen=True):
    """Rows drawn as one. ``start`` and ``end`` on the player's clock, in seconds."""

    start: float
    end: float
    rtt_ms: float | None
    loss: float
    unrepaired: float
    up_bitrate: float
    down_bitrate: float
    freezes: int
    judgement: Judgement


class Bar(Struct, frozen=True):
    """A bin in the drawing. ``height`` of the loss grows from the bottom; ``words`` are what it says."""

    x: float
    width: float
    height: float
    judgement: str
    freezes: int
    words: str


class QualityLane(Struct, frozen=True):
    """``lines`` are polylines' points of the round trip; a hole in the series breaks it."""

    participant: ParticipantId
    role: ParticipantRole
    bars: tuple[Bar, ...]
    lines: tuple[str, ...]


def quality_lanes(
    rows: Sequence[QualityRow], begin: float, length: float, t: Translate
) -> tuple[QualityLane, ...]:
    """``rows`` in order of participant and time; what lies outside the player's clock is left out."""
    lanes = []
    for (participant, role), own in groupby(rows, key=lambda row: (row.participant, row.role)):
        bins = bins_of(own, begin, length)
        if bins:
            bars = tuple(_bar(one, length, t) for one in bins)
            lanes.append(QualityLane(participant, role, bars, _lines(bins, length)))
    return tuple(sorted(lanes, key=lambda lane: lane.role is not ParticipantRole.RESIDENT))


def bins_of(rows: Iterable[QualityRow], begin: float, length: float) -> list[Bin]:
    seconds = max(float(SLOT_S), length / BINS)
    inside = (row for row in rows if row.at + SLOT_S > begin and row.at < begin + length)
    found = []
    for number, group in groupby(inside, key=lambda row: int((row.at - begin) // seconds)):
        members = list(group)
        # Rows follow the clock on the wall, the player's begins with the recording.
        start = members[0].at - begin if seconds == SLOT_S else number * seconds
        found.append(_bin(members, max(0.0, start), min(length, start + seconds)))
    return found


def _bin(rows: list[QualityRow], start: float, end: float) -> Bin:
    trips = [row.rtt_ms for row in rows if row.rtt_ms is not None]
    up = Direction(*(sum(getattr(row, f"up_{name}") for row in rows) for name in SUMS))
    down = Direction(*(sum(getattr(row, f"down_{name}") for row in rows) for name in SUMS))
    return Bin(
        start=start,
        end=end,
        rtt_ms=sum(trips) / len(trips) if trips else None,
        loss=max(up.loss, down.loss),
        unrepaired=max(up.loss_for_good, down.loss_for_good),
        up_bitrate=sum(row.up_bitrate for row in rows) / len(rows),
        down_bitrate=sum(row.down_bitrate for row in rows) / len(rows),
        freezes=sum(row.freezes for row in rows),
        judgement=max(map(_judged, rows), key=tuple(Judgement).index),
    )


SUMS = ("packets", "lost", "unrepaired")


def _judged(row: QualityRow) -> Judgement:
    """By the rules that were shown during the call, without their hysteresis: ten seconds do not flicker."""
    up = Direction(row.up_packets, row.up_lost, row.up_unrepaired)
    down = Direction(row.down_packets, row.down_lost, row.down_unrepaired)
    sample = Sample(NodeId(""), row.role, row.at, row.rtt_ms, row.bitrate_limit, up, down)
    return judged(sample, row.freezes)


def _bar(one: Bin, length: float, t: Translate) -> Bar:
    x, end = _x(one.start, length), _x(one.end, length)
    return Bar(
        x=x,
        width=round(max(1.0, end - x), 2),
        height=round(HEIGHT * min(1.0, one.loss / LOSS_TOP), 2),
        judgement=one.judgement.value,
        freezes=one.freezes,
        words=t(
            "manager.net.moment",
            at=clock(one.start),
            judgement=t(f"manager.net.is.{one.judgement.value}"),
            loss=percent(one.loss),
            unrepaired=percent(one.unrepaired),
            rtt=milliseconds(one.rtt_ms),
            up=kbits(one.up_bitrate),
            down=kbits(one.down_bitrate),
            freezes=str(one.freezes),
        ),
    )


def _lines(bins: list[Bin], length: float) -> tuple[str, ...]:
    runs: list[list[str]] = []
    last: float | None = None
    for one in bins:
        if one.rtt_ms is None:
            last = None
            continue
        if last is None or one.start - last > SLOT_S / 2:
            runs.append([])
        last = one.end
        y = round(HEIGHT * (1 - min(1.0, one.rtt_ms / RTT_TOP_MS)), 1)
        runs[-1] += [f"{_x(one.start, length)},{y}", f"{_x(one.end, length)},{y}"]
    return tuple(" ".join(points) for points in runs)


def _x(seconds: float, length: float) -> float:
    return round(WIDTH * seconds / max(length, 0.001), 2)


def percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share == 0 or share >= 0.001 else f"{100 * share:.2f} %"


def milliseconds(value: float | None) -> str:
    return "—" if value is None else f"{value:.0f} ms"


def kbits(value: float) -> str:
    return f"{value / 1000:.0f} kbit/s"
