"""When a sender is asked for a key frame: one request for all who want it, at a time when it is heeded.
Pure."""

from math import inf

AGAIN_S, MAX_AGAIN_S = 0.15, 1.2  # from one request to the next, doubled while no key frame comes
# libwebrtc ignores a request within 300 ms of the one that it answered last. Counted from the arrival of that
# answer, which is later, the next request is never ignored.
INTERVAL_S = 0.3


class KeyFrames:
    """Requests and answers of one track. A wish stays open until a key frame comes: requests may be lost, and
    so may their answers."""

    def __init__(self) -> None:
        self.due = inf  # when to ask again; infinite while nobody waits
        self._asked_at = self._came_at = -inf
        self._pause = AGAIN_S
        self._asked_with = -1

    def want(self, newest: int, now: float) -> bool:
        """Whether to ask at once; if not, ``due`` says when. ``newest`` is the newest packet so far: a key
        frame before that is no answer."""
        at = max(self._asked_at + AGAIN_S, self._came_at + INTERVAL_S)
        self._asked_with = newest
        if now < at:
            self.due = min(self.due, at)
            return False
        self._asked_at, self.due = now, now + self._pause
        self._pause = min(2 * self._pause, MAX_AGAIN_S)
        return True

    def came(self, seq: int, now: float) -> None:
        """A key frame begins with ``seq``: an answer to all who asked before it. Who comes later asks
        again."""
        self._came_at, self._pause = now, AGAIN_S
        if seq > self._asked_with:
            self.due = inf
