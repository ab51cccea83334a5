"""When the packets of one participant's connection arrived, and the feedback that tells the sender.

A browser finds its bandwidth within seconds by it, whether anybody watches or not: nothing here knows of
viewers. Pure: times are monotonic seconds and arguments.
"""

from math import inf

from media.wire.rtp import SEQ_MOD
from media.wire.twcc import MAX_SPAN, TICKS_PER_S, build

_INTERVAL_S = 0.1  # between two reports; libwebrtc's own choice
_FINDING_INTERVAL_S = 0.05  # while a sender finds out what its path carries, in its first seconds
_FINDING_S = 5.0
_MAX_PENDING = 8192  # arrivals kept until the next report; 50 ms of more than 1 Gbit/s
_MAX_GAP = 1600  # a larger jump is a new start: what lies between is not spoken of
_MAX_MISSING = 512  # packets reported as lost that may still come


class Arrivals:
    """``add`` every packet, ``drain`` every few milliseconds."""

    def __init__(self) -> None:
        self._seqs: list[int] = []
        self._times: list[float] = []
        self._drained = -inf
        self._finding_until = -inf
        self._next: int | None = None  # the first sequence number not reported on, extended
        self._missing: dict[int, None] = {}  # reported as lost, extended, oldest first
        self._number = 0

    def add(self, transport_seq: int, arrived: float) -> None:
        """One packet (0 <= transport_seq < 2**16). What it means is found out in ``drain``."""
        seqs = self._seqs
        if len(seqs) < _MAX_PENDING:
            seqs.append(transport_seq)
            self._times.append(arrived)

    def drain(self, now: float) -> list[bytes]:
        """The bodies of transport-wide feedback that are due: each packet is reported on once, as arrived or
        lost. One that was reported as lost and came after all is reported again."""
        waiting = len(self._seqs)
        interval = _FINDING_INTERVAL_S if now < self._finding_until else _INTERVAL_S
        passed = now - self._drained
        if not waiting or 0 <= passed < interval:
            return []
        if self._next is None:
            self._finding_until = now + _FINDING_S
        # In step with the time before: after a pause of the whole node its connections do not all report in
        # the same moment, and for ever after.
        self._drained = now - (passed % interval if 0 <= passed < inf else 0.0)
        arrived, late = self._sort()
        return self._report(arrived) + self._amend(late)

    def _sort(self) -> tuple[dict[int, int], dict[int, int]]:
        """What is new and what was thought lost: extended sequence numbers to ticks."""
        new: dict[int, int] = {}
        late: dict[int, int] = {}
        first = self._seqs[0] if self._next is None else self._next
        if self._next is None:
            # What was sent before it may have been overtaken; the numbers may not become negative.
            first += SEQ_MOD
            self._next = first
        last = first - 1
        half = SEQ_MOD >> 1
        for seq, arrived in zip(self._seqs, self._times, strict=True):
            seq = last + ((seq - last + half) % SEQ_MOD) - half
            if seq < self._next:
                if seq in self._missing:
                    late[seq] = int(arrived * TICKS_PER_S)
                continue
            if seq - last > _MAX_GAP:
                new.clear()
                self._next = seq
            if seq > last:
                last = seq
            new.setdefault(seq, int(arrived * TICKS_PER_S))
        self._seqs.clear()
        self._times.clear()
        return new, late

    def _report(self, arrived: dict[int, int]) -> list[bytes]:
        bodies: list[bytes] = []
        if not arrived or self._next is None:
            return bodies
        last = max(arrived)
        while self._next <= last:
            first = self._next
            ticks = [arrived.get(seq) for seq in range(first, min(first + MAX_SPAN, last + 1))]
            if ticks.count(None) == len(ticks):
                used = len(ticks)  # a body must hold an arrival: a gap this long goes unsaid
            else:
                body, used = build(first, ticks, self._count())
                bodies.append(body)
            for seq in range(first, first + used):
                if seq not in arrived:
                    self._missing[seq] = None
            self._next = first + used
        while len(self._missing) > _MAX_MISSING:
            del self._missing[next(iter(self._missing))]
        return bodies

    def _amend(self, late: dict[int, int]) -> list[bytes]:
        """A body for each unbroken run of late ones, so that nothing known to have arrived is called lost."""
        bodies: list[bytes] = []
        run: list[int] = []
        for seq in sorted(late):
            del self._missing[seq]
            if run and seq != run[-1] + 1:
                bodies.append(build(run[0], [late[s] for s in run], self._count())[0])
                run = []
            run.append(seq)
        if run:
            bodies.append(build(run[0], [late[s] for s in run], self._count())[0])
        return bodies

    def _count(self) -> int:
        self._number = (self._number + 1) % 256
        return self._number
