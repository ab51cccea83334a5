"""What a connection looks like in numbers, for people: see ``LegQuality`` in protocol.py. Pure."""

from media.leg import SOURCE_OF, Leg
from media.path.slot import Slot
from media.path.upstream import Upstream
from media.protocol import LegQuality, Mid, TrackQuality
from records.model import ParticipantId


class Gauge:
    """Reads one leg again and again; rates are those since the reading before."""

    def __init__(self, now: float) -> None:
        self._at = now
        self._bytes: dict[tuple[Mid, bool], int] = {}

    def read(
        self, leg: Leg, participant: ParticipantId, generation: int, recorder_lag_ms: float, now: float
    ) -> LegQuality:
        """Tracks and slots on which nothing ever went are left out."""
        passed, self._at = max(now - self._at, 1e-3), now
        up = [
            self._track(mid, track, passed)
            for mid, source in SOURCE_OF.items()
            if (track := leg.tracks[source]).packets
        ]
        down = [self._slot(mid, slot, passed) for mid, slot in leg.slots.items() if slot.packets]
        return LegQuality(
            participant=participant,
            generation=generation,
            up=tuple(up),
            down=tuple(down),
            rtt_ms=None if leg.round_trip is None else round(leg.round_trip * 1000, 1),
            limit=leg.downlink.limit,
            recorder_lag_ms=round(recorder_lag_ms, 1),
        )

    def _track(self, mid: Mid, track: Upstream, passed: float) -> TrackQuality:
        return TrackQuality(
            mid=mid,
            packets=track.packets,
            lost=track.lost,
            unrepaired=track.unrepaired,
            bitrate=self._rate(mid, True, track.bytes, passed),
            jitter_ms=round(track.jitter_ms, 1),
            key_frames=track.key_frames,
            freezes=track.freezes,
        )

    def _slot(self, mid: Mid, slot: Slot, passed: float) -> TrackQuality:
        return TrackQuality(
            mid=mid,
            packets=slot.packets,
            lost=max(0, slot.lost),
            unrepaired=slot.unrepaired,
            bitrate=self._rate(mid, False, slot.bytes, passed),
            jitter_ms=round(slot.jitter_ms, 1),
            key_frames=slot.key_frames,
            freezes=slot.freezes,
        )

    def _rate(self, mid: Mid, up: bool, total: int, passed: float) -> int:
        before = self._bytes.get((mid, up), 0)
        self._bytes[mid, up] = total
        return round(8 * (total - before) / passed)
