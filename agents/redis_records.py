"""The records as Redis keeps them, in bytes. Pure.

Where a script draws a fence, it writes it in front of the JSON: it alone knows it, and need not parse.
"""

from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from agents.agent import Agent, Reservation, ReservationId, Waiting
from agents.transitions import Held, Taken

ABSENT = b""

encode = msgspec.json.Encoder().encode  # of a record that has no fence, or whose fence a script draws
waiting = msgspec.json.Decoder(Waiting).decode
taken = msgspec.json.Decoder(Taken).decode
_agent = msgspec.json.Decoder(Agent).decode
_held = msgspec.json.Decoder(Held).decode


def encode_agent(agent: Agent) -> bytes:
    return b"%d:%b" % (agent.fence, encode(agent))


def agent(read: bytes) -> Agent:
    fence, _, json = read.partition(b":")
    known = _agent(json)
    return known if known.fence == int(fence) else replace(known, fence=int(fence))


def encode_held(fence: int, held: Held) -> bytes:
    return b"%d:%b" % (fence, encode(held))


def held(read: bytes) -> tuple[int, Held]:
    """With its fence."""
    fence, _, json = read.partition(b":")
    return int(fence), _held(json)


def reservation(id_: ReservationId, read: bytes) -> Reservation:
    fence, known = held(read)
    return known.reservation(id_, fence)


def by_fence(reservations: Iterable[Reservation]) -> tuple[Reservation, ...]:
    return tuple(sorted(reservations, key=lambda r: r.fence))
