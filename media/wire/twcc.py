"""Transport-wide feedback: when each packet of a connection arrived, written and read. Pure.

draft-holmer-rmcat-transport-wide-cc-extensions-01. A *body* is what follows the two SSRCs of the RTCP
packet. Times are in *ticks* of 250 us on the clock of whoever received the packets; on the wire they wrap
at 2**32 ticks (a reference time of 24 bits of 64 ms, or 12.4 days).
"""

from collections.abc import Sequence
from struct import Struct, error
from typing import NamedTuple

from media.wire.rtp import SEQ_MOD, Malformed

TICKS_PER_S = 4000
TICK_MOD = 1 << 32
MAX_SPAN = 400  # packets that one built body covers: keeps it below 1,000 bytes

_REFERENCE_TICKS = 256  # of one step of the reference time
_LOST, _SMALL, _LARGE = 0, 1, 2  # packet status symbols (3.1.1); 3 is reserved
_LONGEST_RUN = 0x1FFF
_HEAD = Struct("!HHL")
_chunk_at = Struct("!H").unpack_from
_large_at = Struct("!h").unpack_from


class Feedback(NamedTuple):
    """What one body says."""

    first: int  # sequence number of the first packet that it speaks of
    span: int  # of how many it speaks, arrived or not
    number: int  # of the feedback itself, modulo 256
    arrived: list[int]  # which did, as offsets from ``first``, ascending
    ticks: list[int]  # when each of those did, modulo TICK_MOD


def parse(body: memoryview) -> Feedback:
    """Raises Malformed. The work is bounded by the length of the body, whatever its counts say."""
    try:
        first, count, last = _HEAD.unpack_from(body)
        arrived, large, at = _statuses(body, count)
        ticks = _times(body, at, (last >> 8) * _REFERENCE_TICKS, large)
    except (error, IndexError):
        raise Malformed("transport feedback is cut short") from None
    return Feedback(first, count, last & 0xFF, arrived, ticks)


def _statuses(body: memoryview, count: int) -> tuple[list[int], list[bool], int]:
    """Which packets arrived, which of their deltas are large, and where the deltas start (3.1.1 to 3.1.4)."""
    arrived: list[int] = []
    large: list[bool] = []
    at, offset, size = 8, 0, len(body)
    while offset < count:
        chunk = _chunk_at(body, at)[0]
        at += 2
        if chunk < 0x8000:
            symbol, run = chunk >> 13, min(chunk & _LONGEST_RUN, count - offset)
            if symbol:
                # Each needs a byte at least, so a run that cannot be true is not even begun.
                if symbol > _LARGE or run > size - at:
                    raise Malformed("transport feedback: a run of statuses")
                arrived += range(offset, offset + run)
                large += [symbol == _LARGE] * run
            offset += run
        elif chunk < 0xC000:
            for place in range(min(14, count - offset)):
                if chunk >> 13 - place & 1:
                    arrived.append(offset + place)
                    large.append(False)
            offset += 14
        else:
            for place in range(min(7, count - offset)):
                symbol = chunk >> 12 - 2 * place & 3
                if symbol:
                    if symbol > _LARGE:
                        raise Malformed("transport feedback: a reserved status")
                    arrived.append(offset + place)
                    large.append(symbol == _LARGE)
            offset += 7
    return arrived, large, at


def _times(body: memoryview, at: int, tick: int, large: list[bool]) -> list[int]:
    """The deltas, summed (3.1.5)."""
    ticks: list[int] = []
    for wide in large:
        if wide:
            tick += _large_at(body, at)[0]
            at += 2
        else:
            tick += body[at]
            at += 1
        ticks.append(tick % TICK_MOD)
    return ticks


def build(first: int, ticks: Sequence[int | None], number: int) -> tuple[bytes, int]:
    """A body about the packets from ``first`` on, and of how many of ``ticks`` (None: not arrived) it speaks.

    Numbers may be as they come, unwrapped. One packet at least must have arrived. The body ends early at a
    delta of more than 8 s, which its 16 bits cannot hold; the first arrival is always in it.
    """
    at = next(tick for tick in ticks if tick is not None) // _REFERENCE_TICKS * _REFERENCE_TICKS
    reference = at // _REFERENCE_TICKS % (1 << 24)
    symbols = bytearray()
    deltas = bytearray()
    for tick in ticks:
        if tick is None:
            symbols.append(_LOST)
            continue
        delta = tick - at
        if 0 <= delta <= 255:
            symbols.append(_SMALL)
            deltas.append(delta)
        elif -0x8000 <= delta <= 0x7FFF:
            symbols.append(_LARGE)
            deltas += delta.to_bytes(2, "big", signed=True)
        else:
            break
        at = tick
    body = _HEAD.pack(first % SEQ_MOD, len(symbols), reference << 8 | number % 256)
    body += _chunks(symbols) + deltas
    return body + bytes(-len(body) % 4), len(symbols)


def _chunks(symbols: bytearray) -> bytes:
    """A run where it is no longer than a vector would be, else 14 symbols of one bit or seven of two."""
    out = bytearray()
    at, size = 0, len(symbols)
    while at < size:
        symbol = symbols[at]
        run = 1
        while run < _LONGEST_RUN and at + run < size and symbols[at + run] == symbol:
            run += 1
        vector = symbols[at : at + 14]
        narrow = _LARGE not in vector
        if run >= (14 if narrow else 7) or at + run == size:
            chunk, used = symbol << 13 | run, run
        elif narrow:
            chunk, used = 0x8000, len(vector)
            for place, symbol in enumerate(vector):
                chunk |= symbol << 13 - place
        else:
            chunk, used = 0xC000, min(7, len(vector))
            for place, symbol in enumerate(vector[:7]):
                chunk |= symbol << 12 - 2 * place
        out += chunk.to_bytes(2, "big")
        at += used
    return bytes(out)
