"""Which packets are missing, when they are asked for and when they are given up (RFC 4585, 6.2.1). Pure.

A packet that is missing may only have been overtaken, so it is first asked for a little later, unless so many
are missing that it cannot be that; then once per round trip, until its time or its tries are over. Where much
is lost, requests are lost too, so each is said twice there: a sender heeds one of them (libwebrtc sends
nothing again within a round trip).
"""

from collections.abc import Iterator
from math import inf

from msgspec import Struct

OVERTAKEN_S = 0.01  # what reordering is given; the clock that asks comes every 5 to 10 ms
SURELY_LOST = 6  # packets missing in a row are not overtaken
TRIES = 10
# How long a packet is worth waiting for. Sound that late is of use to the recording only.
VIDEO_S, SOUND_S = 1.5, 1.0
MAX_MISSING = 256  # more is hopeless: a key frame is better
_RTT_S, _MIN_RTT_S, _MAX_RTT_S = 0.1, 0.02, 0.5
_SOON = 0.8  # of a round trip: no answer comes that early
_ANSWER_S = 0.01  # what a sender takes to answer, and ...
_SPREAD = 1.15  # ... how much longer than usual a round trip is, now and then
_ECHO_S = 0.012  # from a request to its repetition
_OFTEN = 30  # packets from one gap to the next, on average: more gaps are much
_RARELY = 1000
_PATIENT_TRIES, _LATER_S = 5, 0.1  # a path that is short and still does not answer is down for a moment


class _Missing(Struct, gc=False):
    since: float
    until: float
    due: float
    tries: int = 0
    again: float = 0.0  # the request is to be said a second time, and then this is due; 0: it is not
    first: float = 0.0  # when it was asked for first, before the last time, and last
    before: float = 0.0
    last: float = 0.0


class Nack:
    """The missing packets of one track. ``lost`` counts those not merely overtaken, ``given_up`` those that
    never came; ``due`` is when ``tick`` has something to do next (infinite: nothing missing); ``missed_at``
    is since when the last one given up was missing. ``rtt`` is learnt from the answers: an estimate that is
    too long where many requests are lost. Who knows the ``round_trip`` better says so."""

    def __init__(self, patience: float) -> None:
        self.due = inf
        self.rtt = _RTT_S
        self.round_trip: float | None = None
        self.lost = self.given_up = 0
        self.missed_at = -inf
        self._patience = patience
        self._newest = 0  # where the last gap ended ...
        self._spacing = float(_RARELY)  # ... and how far apart gaps are
        self._missing: dict[int, _Missing] = {}

    def __contains__(self, seq: int) -> bool:
        return seq in self._missing

    def __iter__(self) -> Iterator[int]:
        return iter(self._missing)

    def __len__(self) -> int:
        return len(self._missing)

    def add(self, start: int, stop: int, now: float) -> bool:
        """Packets ``start`` up to ``stop`` are missing. False when there are too many to ask for: they are
        not noted, ``clear`` is due."""
        if stop - start + len(self._missing) > MAX_MISSING:
            return False
        self._spacing += (min(stop - self._newest, _RARELY) - self._spacing) / 8
        self._newest = stop
        due = now if stop - start >= SURELY_LOST else now + OVERTAKEN_S
        for seq in range(start, stop):
            self._missing[seq] = _Missing(now, now + self._patience, due)
        self.due = min(self.due, due)
        return True

    def found(self, seq: int, now: float) -> float | None:
        """It came: how long it was missing, in seconds. None when it was not missing."""
        entry = self._missing.pop(seq, None)
        if entry is None:
            return None
        self._measure(entry, now)
        if not self._missing:
            self.due = inf
        return now - entry.since

    def _measure(self, entry: _Missing, now: float) -> None:
        """Which request is answered is known for sure when there was one only (Karn). But where the round
        trip is longer than thought there are always more: an answer so soon after the last request is to the
        one before, and after three it is likelier that all were early than that two were lost."""
        if not entry.tries:
            return
        took = now - entry.last
        if entry.tries > 2:
            took = now - entry.first
        elif entry.tries == 2:
            if took >= _SOON * self.rtt:
                return
            took = now - entry.before
        self.rtt += (min(max(took, _MIN_RTT_S), _MAX_RTT_S) - self.rtt) / 8

    def restored(self, seq: int) -> None:
        """It was made out of another packet: lost, and not missing any more."""
        if (entry := self._missing.pop(seq, None)) is not None and not entry.tries:
            self.lost += 1

    def tick(self, now: float) -> tuple[list[int], list[int]]:
        """Which to ask for now, ascending, and which are given up now."""
        ask: list[int] = []
        over: list[int] = []
        for seq, entry in self._missing.items():
            if entry.due > now:
                continue
            if entry.again:
                entry.due, entry.again = entry.again, 0.0
                ask.append(seq)
                continue
            if entry.tries >= TRIES or now >= entry.until:
                over.append(seq)
                continue
            if not entry.tries:
                self.lost += 1
                entry.first = now
            entry.tries += 1
            entry.before, entry.last = entry.last, now
            entry.due = min(now + self._pause(entry.tries), entry.until)
            if self._spacing < _OFTEN and now + _ECHO_S < entry.due:
                entry.due, entry.again = now + _ECHO_S, entry.due
            ask.append(seq)
        for seq in over:
            self.missed_at = self._missing.pop(seq).since
        self.given_up += len(over)
        self.due = min((entry.due for entry in self._missing.values()), default=inf)
        return sorted(ask), sorted(over)

    def _pause(self, tries: int) -> float:
        rtt = self.rtt
        if self.round_trip is not None:
            rtt = min(rtt, _SPREAD * self.round_trip + _ANSWER_S)
        return max(rtt, _LATER_S if tries > _PATIENT_TRIES else _MIN_RTT_S)

    def clear(self, more: int = 0) -> list[int]:
        """Give up everything; what it was, ascending. ``more`` packets that were not noted are counted
        too."""
        over = sorted(self._missing)
        self.missed_at = min((entry.since for entry in self._missing.values()), default=inf)
        self.lost += sum(not entry.tries for entry in self._missing.values()) + more
        self.given_up += len(over) + more
        self._missing.clear()
        self.due = inf
        return over
