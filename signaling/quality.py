"""How good each side's network is, by what the media node counts. Pure: messages and times in, signs out.

A participant's path is judged by the traffic between that participant and the node alone, so it is always
said whose network it is. One sample (``QUALITY_S``) is judged by the worst of:

| | weak | bad |
| --- | --- | --- |
| lost before repair, in either direction | > 3 % | > 10 % |
| lost for good, in either direction | > 0.5 % | > 3 % |
| round trip | > 300 ms | > 600 ms |
| what the path carries, when a limit was found | < 500 kbit/s | < 200 kbit/s |
| freezes in the last 10 s | 1 | 3 |

Shares are judged from ``ENOUGH`` packets on: silence has few packets, and one of five lost says nothing. A
freeze of the picture that a participant gets counts against them only when their own path lost something
meanwhile: else it came from whoever sends it. The sign changes for the worse after two samples in a row, for
the better after three, and then to the mildest, or the worst, of these.
"""

from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum

from msgspec import Struct

from media.protocol import LegQuality, NodeId, Quality, TrackQuality
from records.model import CallId, ParticipantId, ParticipantRole, QualityRow

SHOWN_S = 10.0  # without word of a call for this long, nothing is shown of it
SLOT_S = 10  # one row of the kept series lasts so long
FREEZE_SAMPLES = 5  # freezes are counted over so many
ENOUGH = 20  # packets
WORSEN_AFTER, IMPROVE_AFTER = 2, 3


class Judgement(StrEnum):
    GOOD = "good"
    WEAK = "weak"
    BAD = "bad"


_RANK = {Judgement.GOOD: 0, Judgement.WEAK: 1, Judgement.BAD: 2}


class Direction(Struct, frozen=True):
    """All tracks of one direction over one interval; ``bitrate`` in bit/s, ``jitter_ms`` of the worst."""

    packets: int = 0
    lost: int = 0
    unrepaired: int = 0
    bitrate: int = 0
    jitter_ms: float = 0.0
    freezes: int = 0
    key_frames: int = 0

    @property
    def expected(self) -> int:
        return self.packets + self.unrepaired

    @property
    def loss(self) -> float:
        """Share missing before repair, 0 to 1."""
        return min(1.0, self.lost / self.expected) if self.expected else 0.0

    @property
    def loss_for_good(self) -> float:
        """Share that never came, 0 to 1."""
        return self.unrepaired / self.expected if self.expected else 0.0


class Sample(Struct, frozen=True):
    """One participant's connection over one interval: ``up`` towards the node, ``down`` from it."""

    node: NodeId
    role: ParticipantRole
    at: float  # Unix seconds on the node's clock, the interval's end
    rtt_ms: float | None
    limit: int | None
    up: Direction
    down: Direction
    recorder_lag_ms: float = 0.0

    @property
    def loss(self) -> float:
        """The worse direction's."""
        return max(self.up.loss, self.down.loss)

    @property
    def freezes(self) -> int:
        """Those that this participant's path is to blame for."""
        blamed = self.down.freezes if self.down.lost or self.down.unrepaired else 0
        return self.up.freezes + blamed


class Standing(Struct, frozen=True):
    """What is said of a participant's network now, and the last sample behind it."""

    judgement: Judgement
    sample: Sample


Observer = Callable[[CallId, ParticipantId, Sample], None]


def role_of(participant: ParticipantId) -> ParticipantRole:
    """Participants are named by their role, with a number where there may be several (``agent-1``)."""
    return ParticipantRole(participant.partition("-")[0])


def sample_of(quality: Quality, leg: LegQuality, before: LegQuality | None) -> Sample:
    """What happened since ``before``. A connection made anew counts from its beginning; of the first message
    ever heard nothing is counted, for nobody knows how long ago its sums began. Raises ValueError for a
    participant of no known role."""
    same = before is not None and before.generation == leg.generation
    known = before if same else leg if before is None else None
    return Sample(
        node=quality.node,
        role=role_of(leg.participant),
        at=quality.at,
        rtt_ms=leg.rtt_ms,
        limit=leg.limit,
        up=_since(leg.up, known.up if known else ()),
        down=_since(leg.down, known.down if known else ()),
        recorder_lag_ms=leg.recorder_lag_ms,
    )


def _since(tracks: Sequence[TrackQuality], before: Sequence[TrackQuality]) -> Direction:
    """Track by track: one that ended takes its sums with it."""
    known = {track.mid: track for track in before}

    def grown(name: str) -> int:
        return sum(max(0, getattr(t, name) - getattr(known.get(t.mid), name, 0)) for t in tracks)

    return Direction(
        packets=grown("packets"),
        lost=grown("lost"),
        unrepaired=grown("unrepaired"),
        bitrate=sum(track.bitrate for track in tracks),
        jitter_ms=max((track.jitter_ms for track in tracks), default=0.0),
        freezes=grown("freezes"),
        key_frames=grown("key_frames"),
    )


def judged(sample: Sample, freezes: int) -> Judgement:
    """One sample by the table above; ``freezes`` are those of the last samples, this one included."""
    shares = [d for d in (sample.up, sample.down) if d.expected >= ENOUGH]
    loss = max((d.loss for d in shares), default=0.0)
    unrepaired = max((d.loss_for_good for d in shares), default=0.0)
    rtt, limit = sample.rtt_ms or 0.0, sample.limit
    if loss > 0.10 or unrepaired > 0.03 or rtt > 600 or freezes >= 3 or _below(limit, 200_000):
        return Judgement.BAD
    if loss > 0.03 or unrepaired > 0.005 or rtt > 300 or freezes >= 1 or _below(limit, 500_000):
        return Judgement.WEAK
    return Judgement.GOOD


def _below(limit: int | None, least: int) -> bool:
    return limit is not None and limit < least


class Sign:
    """The judgement that is shown of one participant: it does not flicker."""

    def __init__(self) -> None:
        self.shown = Judgement.GOOD
        self._worse: list[Judgement] = []
        self._better: list[Judgement] = []
        self._freezes: deque[int] = deque(maxlen=FREEZE_SAMPLES)

    def take(self, sample: Sample) -> Judgement:
        self._freezes.append(sample.freezes)
        return self.show(judged(sample, sum(self._freezes)))

    def show(self, found: Judgement) -> Judgement:
        self._worse = [*self._worse, found] if _RANK[found] > _RANK[self.shown] else []
        self._better = [*self._better, found] if _RANK[found] < _RANK[self.shown] else []
        if len(self._worse) >= WORSEN_AFTER:
            self._change(min(self._worse, key=_RANK.__getitem__))
        elif len(self._better) >= IMPROVE_AFTER:
            self._change(max(self._better, key=_RANK.__getitem__))
        return self.shown

    def _change(self, to: Judgement) -> None:
        self.shown = to
        self._worse, self._better = [], []


class _Leg:
    def __init__(self, leg: LegQuality) -> None:
        self.last = leg
        self.sign = Sign()
        self.standing: Standing | None = None
        self.heard = 0.0


class Board:
    """What was last heard of the calls of a hall, in this process. Times are Unix seconds of this process."""

    def __init__(self) -> None:
        self._calls: dict[CallId, dict[ParticipantId, _Leg]] = {}
        self._latest: dict[CallId, tuple[NodeId, float]] = {}
        self._observers: list[Observer] = []
        self._swept = 0.0

    def listen(self, observer: Observer) -> None:
        """Have it told of every sample."""
        self._observers.append(observer)

    def hear(self, quality: Quality, now: float) -> None:
        """A message that was overtaken by a later one of the same node says nothing."""
        self._sweep(now)
        call = CallId(quality.room)
        node, at = self._latest.get(call, (quality.node, 0.0))
        if node == quality.node and quality.at <= at:
            return
        self._latest[call] = (quality.node, quality.at)
        legs = self._calls.setdefault(call, {})
        for leg in quality.legs:
            self._hear_leg(call, quality, leg, legs, now)

    def of(self, call: CallId, now: float) -> dict[ParticipantId, Standing]:
        """By participant; whoever was not heard of for ``SHOWN_S`` is not in it."""
        return {
            participant: leg.standing
            for participant, leg in self._calls.get(call, {}).items()
            if leg.standing is not None and now - leg.heard <= SHOWN_S
        }

    def everything(self, now: float) -> tuple[Standing, ...]:
        """What stands of all calls."""
        return tuple(standing for call in self._calls for standing in self.of(call, now).values())

    def _hear_leg(
        self, call: CallId, quality: Quality, leg: LegQuality, legs: dict[ParticipantId, _Leg], now: float
    ) -> None:
        known = legs.get(leg.participant)
        try:
            sample = sample_of(quality, leg, None if known is None else known.last)
        except ValueError:
            return
        if known is None:
            known = legs[leg.participant] = _Leg(leg)
        known.last, known.heard = leg, now
        known.standing = Standing(known.sign.take(sample), sample)
        for observe in self._observers:
            observe(call, leg.participant, sample)

    def _sweep(self, now: float) -> None:
        if now - self._swept < 1.0:
            return
        self._swept = now
        for call, legs in tuple(self._calls.items()):
            for participant in [p for p, leg in legs.items() if now - leg.heard > SHOWN_S]:
                del legs[participant]
            if not legs:
                del self._calls[call], self._latest[call]


class _Open(Struct):
    """The row that is being filled."""

    slot: int
    role: ParticipantRole
    samples: list[Sample]
    heard: float


class Series:
    """Samples into rows, one a participant and ``SLOT_S`` seconds of the node's clock; as many are open as
    there are participants in calls. ``now`` is this process's clock, which may be another."""

    def __init__(self) -> None:
        self._open: dict[tuple[CallId, ParticipantId], _Open] = {}

    def add(self, call: CallId, participant: ParticipantId, sample: Sample, now: float) -> QualityRow | None:
        """The row that this sample is too late for, if there is one."""
        slot = int(sample.at // SLOT_S)
        row = self._open.get((call, participant))
        if row is not None and row.slot == slot:
            row.samples.append(sample)
            row.heard = now
            return None
        self._open[call, participant] = _Open(slot, sample.role, [sample], now)
        return None if row is None else _row(call, participant, row)

    def over(self, now: float) -> list[QualityRow]:
        """Rows of connections that nothing was heard of for a while: the call ended, or its node did."""
        gone = [key for key, row in self._open.items() if now - row.heard > SHOWN_S]
        return [_row(*key, self._open.pop(key)) for key in gone]


def _row(call: CallId, participant: ParticipantId, row: _Open) -> QualityRow:
    """Counts are sums, rates and the round trip means; of what is to be small the worst."""
    samples = row.samples
    trips = [s.rtt_ms for s in samples if s.rtt_ms is not None]
    ups, downs = [s.up for s in samples], [s.down for s in samples]
    return QualityRow(
        call=call,
        participant=participant,
        at=float(row.slot * SLOT_S),
        role=row.role,
        rtt_ms=round(sum(trips) / len(trips), 1) if trips else None,
        bitrate_limit=min((s.limit for s in samples if s.limit is not None), default=None),
        up_bitrate=sum(d.bitrate for d in ups) // len(ups),
        down_bitrate=sum(d.bitrate for d in downs) // len(downs),
        up_packets=sum(d.packets for d in ups),
        up_lost=sum(d.lost for d in ups),
        up_unrepaired=sum(d.unrepaired for d in ups),
        down_packets=sum(d.packets for d in downs),
        down_lost=sum(d.lost for d in downs),
        down_unrepaired=sum(d.unrepaired for d in downs),
        jitter_ms=round(max(d.jitter_ms for d in ups + downs), 1),
        freezes=sum(d.freezes for d in ups + downs),
        key_frames=sum(d.key_frames for d in ups + downs),
        recorder_lag_ms=round(max(s.recorder_lag_ms for s in samples), 1),
    )
