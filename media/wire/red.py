"""Redundant sound (RFC 2198): a packet with the one before it, or two. Pure."""

from typing import NamedTuple

from media.wire.rtp import Malformed

MAX_BLOCKS = 32  # more than anybody sends


class Redundant(NamedTuple):
    """A packet sent once more: ``offset`` is how much earlier its timestamp is than the primary's."""

    payload_type: int
    offset: int
    payload: bytes


class Red(NamedTuple):
    payload_type: int  # of the primary
    payload: bytes
    redundant: tuple[Redundant, ...]  # in the order sent: oldest first; empty ones are left out


def parse(payload: bytes) -> Red:
    """Raises Malformed."""
    heads: list[tuple[int, int, int]] = []
    at = 0
    while at < len(payload) and payload[at] & 0x80:
        word = int.from_bytes(payload[at : at + 4], "big")
        heads.append((word >> 24 & 127, word >> 10 & 0x3FFF, word & 0x3FF))
        at += 4
        if len(heads) > MAX_BLOCKS:
            raise Malformed("redundant blocks")
    if at >= len(payload):
        raise Malformed("no primary block")
    primary = payload[at]
    at += 1
    redundant: list[Redundant] = []
    for payload_type, offset, size in heads:
        if size:
            redundant.append(Redundant(payload_type, offset, payload[at : at + size]))
        at += size
    if at > len(payload):
        raise Malformed("redundant block")
    return Red(primary, payload[at:], tuple(redundant))


def build(red: Red) -> bytes:
    """Offsets are below 2**14, redundant payloads shorter than 1024 bytes."""
    heads = b"".join(
        (1 << 31 | r.payload_type << 24 | r.offset << 10 | len(r.payload)).to_bytes(4, "big")
        for r in red.redundant
    )
    blocks = b"".join(r.payload for r in red.redundant)
    return heads + bytes([red.payload_type]) + blocks + red.payload
