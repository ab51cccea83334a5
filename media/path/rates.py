"""How much each sender may send, so that the narrowest path of those who look on carries it. Pure.

Sound comes first: what is left of a viewer's path is divided evenly among the pictures it is shown. A sender
is told by REMB (draft-alvestrand-rmcat-remb-03), which covers everything it sends together. The recorder is
no viewer here: it never limits.

Chromium, measured: a REMB below its own estimate is obeyed within half a second and stays in force until the
next; a higher one brings the old rate back within two seconds, because the estimate was kept. But a sender
that was capped before it ever found its bandwidth grows by some 5 % a second afterwards. So a new sender is
left alone for its first moments, in which it finds out.
"""

from collections.abc import Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

SOUND = 80_000  # bit/s kept free for each voice: Opus at 32 kbit/s twice (RED), and headers
LEAST_VIDEO = 40_000  # bit/s a picture; for less Chromium stops it
OPEN = 6_000_000  # bit/s: what lifts a cap
FINDING_S = 1.5  # from its first packet on, a sender is not capped
_CHANGE = 0.03
_GAP_S = 0.1  # between two messages to one sender
_REPEAT_S = 1.0
_LIFTED_TIMES = 3  # a lifted cap is said so often, one message may be lost

S = TypeVar("S")


class Viewer(NamedTuple, Generic[S]):
    """What one viewer is sent."""

    limit: int | None  # bit/s that its path carries; None: no end was seen
    sounds: int  # how many voices
    pictures: Mapping[S, int]  # how many tracks of each sender; none that is not sent or not shown


def caps(viewers: Iterable[Viewer[S]]) -> dict[S, int]:
    """Bit/s for each sender that must be held back, its own voice included."""
    found: dict[S, int] = {}
    for viewer in viewers:
        shown = sum(viewer.pictures.values())
        if viewer.limit is None or not shown:
            continue
        each = max(LEAST_VIDEO, (viewer.limit - viewer.sounds * SOUND) // shown)
        for sender, tracks in viewer.pictures.items():
            found[sender] = min(found.get(sender, OPEN), tracks * each + SOUND)
    return found


class _Told:
    """What one sender was told last."""

    def __init__(self) -> None:
        self.cap = OPEN
        self.at = float("-inf")
        self.times = _LIFTED_TIMES  # how often; nothing need be said to who was never capped

    def due(self, cap: int, now: float) -> bool:
        if now - self.at < _GAP_S:
            return False
        if abs(cap - self.cap) > _CHANGE * self.cap:
            return True
        return now - self.at >= _REPEAT_S and (self.cap < OPEN or self.times < _LIFTED_TIMES)

    def tell(self, cap: int, now: float) -> None:
        self.times = self.times + 1 if cap == self.cap else 1
        self.cap, self.at = cap, now


class Rates(Generic[S]):
    """One room's. ``tick`` often; every 50 ms is enough."""

    def __init__(self) -> None:
        self._told: dict[S, _Told] = {}

    def tick(
        self, senders: Mapping[S, float], viewers: Iterable[Viewer[S]], now: float
    ) -> list[tuple[S, int]]:
        """Whom to send which REMB now, in bit/s. ``senders``: when the first packet of each came."""
        wanted = caps(viewers)
        for gone in self._told.keys() - senders.keys():
            del self._told[gone]
        messages: list[tuple[S, int]] = []
        for sender, began in senders.items():
            told = self._told.setdefault(sender, _Told())
            cap = wanted.get(sender, OPEN) if now - began >= FINDING_S else OPEN
            if told.due(cap, now):
                told.tell(cap, now)
                messages.append((sender, cap))
        return messages
