"""Made-up streams for tests without a network."""

from dataclasses import dataclass, field

from media.protocol import Source
from media.upstream import Packet, Upstream

KEY = b"\x10\x00\x00\x00\x9d\x01\x2a" + (640).to_bytes(2, "little") + (480).to_bytes(2, "little") + b"picture"
DELTA = b"\x10\x01\x00\x00more"
REST = b"\x00rest"


@dataclass
class Asked:
    """A ``Feedback`` that remembers."""

    nacks: list[list[int]] = field(default_factory=list)
    plis: int = 0

    def send_nack(self, ssrc: int, lost: list[int]) -> None:
        self.nacks.append(lost)

    def send_pli(self, ssrc: int) -> None:
        self.plis += 1


@dataclass
class Seen:
    """A ``Sink`` that remembers."""

    packets: list[Packet] = field(default_factory=list)
    reports: list[object] = field(default_factory=list)

    def packet(self, track: Upstream, packet: Packet) -> None:
        self.packets.append(packet)

    def report(self, track: Upstream, report: object) -> None:
        self.reports.append(report)


def upstream(source: Source = Source.CAMERA) -> tuple[Upstream, Asked, Seen]:
    asked, seen = Asked(), Seen()
    track = Upstream(source, asked)
    track.ssrc = 77
    track.sinks.append(seen)
    return track, asked, seen
