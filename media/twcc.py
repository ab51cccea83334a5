"""Transport-wide feedback: when each packet of a connection arrived.

draft-holmer-rmcat-transport-wide-cc-extensions-01. A browser that gets this finds its bandwidth within
seconds; one that does not stays at a few hundred kbit/s. Pure: arrival times are arguments.
"""

from collections.abc import Sequence
from struct import pack

from media.rtp import SEQ_MOD, extend

_REFERENCE_S = 0.064  # unit of the reference time
_DELTA_S = 0.00025  # unit of a delta
_MAX_SPAN = 400  # packets covered by one message; keeps it below a datagram


class ArrivalLog:
    def __init__(self) -> None:
        self._arrivals: dict[int, float] = {}  # extended sequence -> monotonic seconds
        self._next: int | None = None  # first sequence not reported yet
        self._highest = 0
        self._count = 0

    def add(self, transport_seq: int, now: float) -> None:
        """A packet older than what was reported already is left out."""
        if self._next is None:
            self._next = self._highest = transport_seq
        seq = extend(transport_seq, self._highest)
        if seq < self._next:
            return
        if seq - self._next > 4 * _MAX_SPAN:
            # A jump: what lies between will never come.
            self._arrivals.clear()
            self._next = seq
        self._highest = max(self._highest, seq)
        self._arrivals.setdefault(seq, now)

    def drain(self) -> list[bytes]:
        """The bodies (after the two SSRCs) that report everything since the last call."""
        bodies: list[bytes] = []
        while self._arrivals:
            first, last = min(self._arrivals), max(self._arrivals)
            last = min(last, first + _MAX_SPAN - 1)
            times = [self._arrivals.pop(seq, None) for seq in range(first, last + 1)]
            # Losses right before ``first`` belong to this message, as far as they fit.
            lead = min(first - (self._next or first), _MAX_SPAN - len(times))
            blanks: list[float | None] = [None] * lead
            body, used = encode(first - lead, blanks + times, self._count)
            for seq in range(first - lead + used, last + 1):
                late = times[seq - first]
                if late is not None:
                    self._arrivals[seq] = late
            self._next = first - lead + used
            self._count = (self._count + 1) % 256
            bodies.append(body)
        return bodies


def encode(first: int, times: Sequence[float | None], count: int) -> tuple[bytes, int]:
    """One feedback body and how many of ``times`` (None: not received) it covers.

    It ends early at a delta that 16 bits of 250 us cannot hold; at least one arrival is covered.
    """
    arrived = next(t for t in times if t is not None)
    reference = int(arrived / _REFERENCE_S)
    at = reference * round(_REFERENCE_S / _DELTA_S)  # in deltas
    symbols: list[int] = []
    deltas = b""
    for time in times:
        if time is None:
            symbols.append(0)
            continue
        delta = round(time / _DELTA_S) - at
        if not -32768 <= delta <= 32767:
            break
        at += delta
        small = 0 <= delta <= 255
        symbols.append(1 if small else 2)
        deltas += pack("!B", delta) if small else pack("!h", delta)
    head = pack("!HH", first % SEQ_MOD, len(symbols)) + (reference % (1 << 24)).to_bytes(3, "big")
    body = head + bytes([count]) + _chunks(symbols) + deltas
    return body + bytes(-len(body) % 4), len(symbols)


def _chunks(symbols: list[int]) -> bytes:
    """Packet status chunks: a run of one symbol (3.1.3) or a vector of seven two-bit symbols (3.1.4)."""
    out = b""
    at = 0
    while at < len(symbols):
        run = 1
        while at + run < len(symbols) and symbols[at + run] == symbols[at] and run < 8191:
            run += 1
        if run >= 7:
            out += pack("!H", symbols[at] << 13 | run)
            at += run
            continue
        seven = symbols[at : at + 7]
        vector = 0b11 << 14
        for position, symbol in enumerate(seven):
            vector |= symbol << (12 - 2 * position)
        out += pack("!H", vector)
        at += len(seven)
    return out
