"""Which of the packets that a viewer asks for are sent again: each once per round trip, and never so many
that they fill the path which lost them. Pure."""

SHARE = 0.25  # of the bytes sent
FLOOR = 16_000  # bytes/s that may be sent again anyhow
_MAX_SAVED = 64_000  # bytes
_KEPT = 1024  # numbers remembered


class Retransmission:
    """``rtt`` is the viewer's, in seconds: whoever measures it says so."""

    def __init__(self) -> None:
        self.rtt = 0.1
        self._sent_at: dict[int, float] = {}  # by number, oldest first
        self._saved = float(_MAX_SAVED)
        self._bytes = 0
        self._filled_at = 0.0

    def fill(self, sent: int, now: float) -> None:
        """``sent`` is the sum of all bytes sent so far, those sent again left out."""
        earned = SHARE * (sent - self._bytes) + FLOOR * max(0.0, now - self._filled_at)
        self._saved = min(_MAX_SAVED, self._saved + earned)
        self._bytes, self._filled_at = sent, now

    def allows(self, seq: int, now: float) -> bool:
        """Whether the answer to an earlier request cannot be under way any more, and the share is not used
        up."""
        return self._saved > 0 and now - self._sent_at.get(seq, -self.rtt) >= self.rtt

    def sent(self, seq: int, size: int, now: float) -> None:
        self._saved -= size
        self._sent_at.pop(seq, None)
        self._sent_at[seq] = now
        if len(self._sent_at) > _KEPT:
            del self._sent_at[next(iter(self._sent_at))]
