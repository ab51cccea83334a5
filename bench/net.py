"""What media/net/ adds to the kernel and to SRTP, in microseconds a packet: `python -m bench.net`.

Two sockets on loopback, one browser and the node, 1000-byte packets, AES-128-GCM. The floor is the same work
with nothing around it: recvmmsg and unprotect, protect and sendmmsg. Medians over ROUNDS.
"""

import secrets
import statistics
import time
from collections.abc import Callable

from media.net import stun
from media.net.batch import SLOTS, Batch, address_of
from media.net.dtls import Certificate, Dtls
from media.net.peer import Peer
from media.net.port import Port
from media.net.srtp import Srtp
from media.net.stun import Attribute, Kind
from media.net.udp import Udp
from media.sdp import Remote

ROUNDS = 300
SIZE = 1000  # bytes of a plain packet
SSRC = 7


class Sink:
    """Takes everything, does nothing."""

    def rtp(self, packet: memoryview, size: int, arrived: float) -> None: ...
    def rtcp(self, packet: memoryview, size: int, arrived: float) -> None: ...
    def connected(self) -> None: ...
    def closed(self, reason: str) -> None: ...


class Bench:
    def __init__(self) -> None:
        self.node, self.browser = Udp("127.0.0.1"), Udp("127.0.0.1")
        self.there = address_of("127.0.0.1", self.node.port)
        self.here = address_of("127.0.0.1", self.browser.port)
        certificate, theirs = Certificate(), Certificate()
        self.port = Port([self.node], certificate)
        self.peer = self.port.open(Sink(), time.monotonic())
        self.peer.ssrcs.add(SSRC)
        self.peer.accept(Remote("u" * 4, "p" * 22, (("sha-256", theirs.fingerprint),), False), 0.0)
        self.dtls = Dtls(theirs, [("sha-256", certificate.fingerprint)], is_server=False)
        self.batch, self.scratch = Batch(receives=False), Batch(receives=True)
        self.sequence = 0
        self._connect(self.peer)

    def _connect(self, peer: Peer) -> None:
        attributes = [
            (Attribute.USERNAME, f"{peer.ufrag}:uuuu".encode()),
            (Attribute.PRIORITY, b"\0\0\1\0"),
            (Attribute.USE_CANDIDATE, b""),
        ]
        check = stun.build(Kind.REQUEST, secrets.token_bytes(12), attributes, peer.password.encode())
        outgoing = [check, *self.dtls.start(0.0)]
        while not peer.connected or self.dtls.srtp is None:
            for datagram in outgoing:
                self.batch.views[self.batch.count][: len(datagram)] = datagram
                self.batch.add(len(datagram), self.there)
            self.browser.send(self.batch)
            self.port.drain(time.monotonic())
            self.port.flush()
            outgoing = []
            for size, view in zip(
                range(self.browser.receive(self.scratch)), self.scratch.views, strict=False
            ):
                datagram = bytes(view[: self.scratch.sizes()[size]])
                if datagram[0] > 19:
                    outgoing += self.dtls.receive(datagram, 0.0)

    @property
    def theirs(self) -> Srtp:
        assert self.dtls.srtp is not None
        return self.dtls.srtp

    @property
    def ours(self) -> Srtp:
        assert self.peer._srtp is not None
        return self.peer._srtp

    def packet(self, view: memoryview) -> None:
        self.sequence += 1
        view[:12] = bytes((128, 96)) + (self.sequence & 0xFFFF).to_bytes(2, "big") + bytes(7) + bytes((SSRC,))

    def fill(self) -> None:
        """A batch of protected packets on its way to the node."""
        for slot in range(SLOTS):
            self.packet(self.batch.views[slot])
            self.batch.add(self.theirs.protect(self.batch.pointers[slot], SIZE), self.there)
        self.browser.send(self.batch)

    def empty(self) -> None:
        while self.browser.receive(self.scratch):
            pass

    def receive_floor(self) -> None:
        count = self.node.receive(self.scratch)
        unprotect = self.ours.unprotect
        for pointer, size in zip(self.scratch.pointers[:count], self.scratch.sizes(), strict=True):
            unprotect(pointer, size)

    def receive(self) -> None:
        self.port.drain(time.monotonic())

    def send_floor(self) -> None:
        protect, batch = self.ours.protect, self.port.outlets[0].batch
        for slot, pointer in enumerate(batch.pointers):
            self.packet(batch.views[slot])
            protect(pointer, SIZE)
        batch.count = SLOTS  # the addresses are from last time
        self.node.send(batch)

    def send(self) -> None:
        for _ in range(SLOTS):
            self.packet(self.peer.buffer())
            self.peer.send_rtp(SIZE)
        self.port.flush()


def measure(prepare: Callable[[], None], step: Callable[[], None], after: Callable[[], None]) -> float:
    """Median CPU microseconds a packet."""
    spent = []
    for _ in range(ROUNDS):
        prepare()
        begun = time.perf_counter()
        step()
        spent.append((time.perf_counter() - begun) / SLOTS * 1e6)
        after()
    return statistics.median(spent)


def main() -> None:
    bench = Bench()
    nothing: Callable[[], None] = lambda: None  # noqa: E731
    measure(bench.fill, bench.receive, nothing)  # warm
    floor, whole = (measure(bench.fill, step, nothing) for step in (bench.receive_floor, bench.receive))
    print(f"in:  floor {floor:.2f} us, port {whole:.2f} us, added {whole - floor:.2f} us")
    measure(nothing, bench.send, bench.empty)
    floor, whole = (measure(nothing, step, bench.empty) for step in (bench.send_floor, bench.send))
    print(f"out: floor {floor:.2f} us, peer {whole:.2f} us, added {whole - floor:.2f} us")


if __name__ == "__main__":
    main()
