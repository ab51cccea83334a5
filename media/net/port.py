"""One UDP port for all calls of a worker: whose is this datagram?

Known addresses are looked up as the kernel wrote them. A new address is learnt only from a STUN request
whose MESSAGE-INTEGRITY verifies; what a stranger sends costs a look-up and nothing else. No I/O but through
the wires it is given, no clock but ``clock_offset``.
"""

import logging
import time
from collections.abc import Callable, Sequence

from media.net import stun
from media.net.batch import SLOTS, Address, Batch
from media.net.dtls import Certificate
from media.net.ice import Path
from media.net.peer import Counters, Outlet, Peer, Receiver, Wire

logger = logging.getLogger(__name__)

DRAIN_LIMIT = 512  # datagrams at a time, so that sending and timers get their turn
MAX_DATAGRAM = 1500  # bytes of what a browser sends at most
_STAMP_SLACK_S = 1.0  # a kernel stamp farther from now than this is the clock's fault: it was set


def _monotonic_minus_unix() -> float:
    return time.monotonic() - time.time()


class _Inlet:
    """What comes in over one wire, and who is known there."""

    def __init__(self, number: int, wire: Wire) -> None:
        self.number = number
        self.wire = wire
        self.batch = Batch(receives=True)
        self.known: dict[Address, Peer] = {}


class Port:
    """``wires``: one a local address, all on the same port number. ``candidates``: what to offer of them (SDP
    values). ``clock_offset``: monotonic minus Unix seconds, for the kernel's stamps."""

    def __init__(
        self,
        wires: Sequence[Wire],
        certificate: Certificate,
        candidates: tuple[str, ...] = (),
        clock_offset: Callable[[], float] = _monotonic_minus_unix,
    ) -> None:
        self.certificate = certificate
        self.candidates = candidates
        self.counters = Counters()  # of datagrams that belong to no peer
        self.outlets = [Outlet(wire) for wire in wires]
        self._inlets = [_Inlet(number, wire) for number, wire in enumerate(wires)]
        self._peers: dict[bytes, Peer] = {}  # by ufrag; by two for a while after a restart
        self._clock_offset = clock_offset

    @property
    def peers(self) -> set[Peer]:
        return set(self._peers.values())

    def open(self, receiver: Receiver, now: float) -> Peer:
        """A connection, which waits for its answer: without a limit, that is the receiver's to set. It lives
        until it ends by itself or ``Peer.close``."""
        peer = Peer(self, receiver, now)
        self.register(peer, None)
        return peer

    def drain(self, now: float) -> int:
        """Receive and handle what is there, up to about DRAIN_LIMIT; how many datagrams. Nothing that they
        hold, and no fault of a receiver, is raised here."""
        handled = 0
        offset = self._clock_offset()
        waiting = self._inlets
        while waiting and handled < DRAIN_LIMIT:
            full = []
            for inlet in waiting:
                count = inlet.wire.receive(inlet.batch)
                if count:
                    self._sort(inlet, now, offset)
                if count == SLOTS:
                    full.append(inlet)
                handled += count
            waiting = full
        return handled

    def flush(self) -> None:
        """Send what was queued."""
        for outlet in self.outlets:
            outlet.flush()

    def tick(self, now: float) -> None:
        """Handshake timers, silence and time-outs of every peer."""
        for peer in self.peers:
            try:
                peer.tick(now)
            except Exception:
                self._fault(peer.counters)

    def _sort(self, inlet: _Inlet, now: float, offset: float) -> None:
        """By the first byte (RFC 7983) and the sender's address. The hot loop, hence its length: media is
        handled where it lies, all else is copied."""
        batch, known, counters = inlet.batch, inlet.known, self.counters
        sizes = batch.sizes()
        stamps = [stamp + offset for stamp in batch.stamps()]
        if not stamps or abs(stamps[0] - now) > _STAMP_SLACK_S:
            stamps = [now] * len(sizes)
        datagrams = zip(sizes, batch.addresses(), stamps, batch.views, batch.pointers, strict=False)
        for size, address, arrived, view, pointer in datagrams:
            try:
                first = view[0]
                peer = known.get(address)
                if not 0 < size <= MAX_DATAGRAM:
                    self._count_misfit(size)
                elif first < 4:
                    self._check(bytes(view[:size]), inlet, address, now)
                elif peer is None:
                    counters.stranger += 1
                elif 127 < first < 192:
                    if 191 < view[1] < 224:  # RFC 5761, 4
                        peer.rtcp(view, pointer, size, arrived)
                    else:
                        peer.rtp(view, pointer, size, arrived)
                elif 19 < first < 64:
                    peer.dtls(bytes(view[:size]), now)
                else:
                    peer.counters.malformed += 1
            except Exception:
                # Whatever a datagram holds, the next one must be read.
                self._fault(counters if peer is None else peer.counters)

    def _count_misfit(self, size: int) -> None:
        if size == 0:
            self.counters.empty += 1
        else:
            self.counters.oversized += 1

    def _check(self, data: bytes, inlet: _Inlet, address: Address, now: float) -> None:
        """A connectivity check, if it is one. An address stays with the peer that proved to be there for as
        long as that peer lives: nobody takes another's by forging it."""
        ufrag = stun.local_ufrag(data)
        peer = self._peers.get(ufrag) if ufrag is not None else None
        if ufrag is None or peer is None or inlet.known.get(address, peer) is not peer:
            self.counters.stranger += 1
            return
        try:
            request = stun.parse(data)
        except stun.Malformed:
            peer.counters.malformed += 1
            return
        outcome = peer.check(request, ufrag.decode(), Path(inlet.number, address), now)
        if outcome is None:
            return
        self.outlets[inlet.number].send(outcome.response, address)
        if outcome.learnt:
            inlet.known[address] = peer
        if outcome.forgotten is not None:
            self._forget_path(outcome.forgotten)
        if outcome.retired is not None:
            del self._peers[outcome.retired.encode()]

    def _fault(self, counters: Counters) -> None:
        counters.failed += 1
        # Named once for each connection: a fault must be seen, thousands are a flood.
        level = logging.ERROR if counters.failed == 1 else logging.DEBUG
        logger.log(level, "a datagram or a timer of a peer", exc_info=True)

    # --- what peers ask for ---

    def register(self, peer: Peer, retired: str | None) -> None:
        self._peers[peer.ufrag.encode()] = peer
        if retired is not None:
            del self._peers[retired.encode()]

    def forget(self, peer: Peer) -> None:
        for credentials in (peer.ice.credentials, peer.ice.retiring):
            if credentials is not None:
                self._peers.pop(credentials.ufrag.encode(), None)
        for path in peer.ice.paths:
            self._forget_path(path)

    def _forget_path(self, path: Path) -> None:
        self._inlets[path.wire].known.pop(path.address, None)
