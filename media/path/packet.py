"""What travels inside the node: one packet of a track, and who takes it."""

from typing import NamedTuple, Protocol

from msgspec import Struct


class Packet(Struct, gc=False):
    """One packet of a track, decrypted, without header, extensions, padding and RED. Never changed once made.

    ``seq`` and ``timestamp`` are extended: they never wrap. ``arrived`` is monotonic seconds, by the kernel's
    stamp. ``key``: a key frame starts with this packet (video).
    """

    seq: int
    timestamp: int
    marker: bool
    payload_type: int
    payload: bytes
    arrived: float
    key: bool


class SenderReport(NamedTuple):
    """RFC 3550, 6.4.1. ``ntp`` is seconds since 1900, moved to the node's clock; ``timestamp`` is as on
    the wire."""

    ntp: float
    timestamp: int


class Sink(Protocol):
    """Whoever gets a track: a viewer's slot, or the recorder."""

    def packet(self, packet: Packet) -> None:
        """In order of arrival, each once; what was repaired comes late, with the sequence number it had."""

    def report(self, report: SenderReport) -> None: ...


class Track(Protocol):
    """A track, as those see it who take it."""

    video: bool
    sinks: list[Sink]

    def begin(self, sink: Sink, now: float) -> None:
        """``sink`` has nothing yet to begin with: it gets what is kept since the last key frame, or one is
        asked for."""

    def request_key_frame(self, now: float) -> None: ...
