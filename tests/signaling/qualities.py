"""Quality messages as a media node publishes them: sums that grow, only what matters to a test is said."""

from itertools import count
from typing import Any

from media.protocol import LegQuality, Mid, NodeId, Quality, RoomId, TrackQuality
from records.model import ParticipantId
from signaling.snapshot import RESIDENT
from tests.signaling.world import HALL, NODE_A, NOW

AGENT = ParticipantId("agent-1")


def track(mid: Mid = Mid.CAMERA, packets: int = 0, lost: int = 0, unrepaired: int = 0, **rest: Any) -> Any:
    given: dict[str, Any] = {"bitrate": 1_100_000, "jitter_ms": 4.0, **rest}
    return TrackQuality(mid, packets, lost, unrepaired, **given)


def leg(who: ParticipantId = RESIDENT, up: Any = (), down: Any = (), **rest: Any) -> LegQuality:
    given: dict[str, Any] = {"generation": 1, "rtt_ms": 40.0, "limit": None, **rest}
    return LegQuality(who, up=tuple(up), down=tuple(down), **given)


def said(call: str, *legs: LegQuality, at: float = NOW, node: NodeId = NODE_A) -> Quality:
    return Quality(HALL, RoomId(call), node, at, legs)


class Stream:
    """One participant's connection that goes on: every ``next`` is 2 s later, 300 packets each way."""

    def __init__(self, who: ParticipantId = RESIDENT) -> None:
        self._who = who
        self._lost = self._freezes = self._unrepaired = 0
        self._steps = count(1)

    def next(self, lost: int = 0, freezes: int = 0, unrepaired: int = 0, **rest: Any) -> LegQuality:
        packets = 300 * next(self._steps)
        self._lost += lost
        self._freezes += freezes
        self._unrepaired += unrepaired
        up = track(
            packets=packets, lost=self._lost, unrepaired=self._unrepaired, freezes=self._freezes, key_frames=1
        )
        return leg(self._who, up=[up], down=[track(packets=packets)], **rest)
