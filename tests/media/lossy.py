"""A UDP proxy that stands between a browser and the node, and is as bad as a ``Link`` each way.

Its address takes the place of the node's in the offer. It runs in a thread of its own, which sleeps in the
kernel until a datagram comes or is due, and takes and gives them by the batch: late by far less than a
millisecond unless the machine itself is busy.
"""

import re
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from media.net.batch import SLOTS, Address, Batch, address_of
from media.net.udp import Udp
from tests.media.link import Link

_HOST = "127.0.0.1"
_CANDIDATE = re.compile(r"(a=candidate:\S+ 1 udp \d+ 127\.0\.0\.1) (\d+)", re.IGNORECASE)
_LOOK_S = 0.05  # how often it looks whether it is to end
_TOGETHER_S = 0.0005  # what is due so soon leaves with what is due now


class Lossy:
    """One browser's way to the node: ``up`` to the node, ``down`` from it. Change them as you like."""

    def __init__(self, seed: int, delay: float = 0.0, spare_setup: bool = True) -> None:
        """``delay``: one way, in seconds. ``spare_setup``: STUN and DTLS are delayed only."""
        self.up = Link(2 * seed, delay=delay)
        self.down = Link(2 * seed + 1, delay=delay)
        self._spare_setup = spare_setup
        self._outside, self._inside = Udp(_HOST), Udp(_HOST)
        self._received, self._leaving = Batch(receives=True), Batch(receives=False)
        self._browser: Address | None = None
        self._node: Address | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lossy")
        self._thread.start()

    def through(self, offer: str) -> str:
        """The offer, leading through here."""
        found = _CANDIDATE.search(offer)
        assert found is not None, offer
        self._node, self._browser = address_of(_HOST, int(found[2])), None
        return _CANDIDATE.sub(rf"\1 {self._outside.port}", offer)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._outside.close()
        self._inside.close()

    def _run(self) -> None:
        sockets = [self._outside, self._inside]
        while not self._over.is_set():
            dues = [due for due in (self.up.next, self.down.next) if due is not None]
            wait = min([_LOOK_S, *(due - time.monotonic() for due in dues)])
            ready, _, _ = select.select(sockets, [], [], max(0.0, wait))
            if self._outside in ready:
                self._take(self._outside, self.up)
            if self._inside in ready:
                self._take(self._inside, self.down)
            now = time.monotonic() + _TOGETHER_S
            self._give(self.up, now, self._inside, self._node)
            self._give(self.down, now, self._outside, self._browser)

    def _take(self, wire: Udp, link: Link) -> None:
        batch, count = self._received, SLOTS
        while count == SLOTS:
            count = wire.receive(batch)
            now = time.monotonic()
            offset = now - time.time()
            for size, stamp, view in zip(batch.sizes(), batch.stamps(), batch.views, strict=False):
                data = bytes(view[:size])
                arrived = min(stamp + offset, now)
                if self._spare_setup and size and not 127 < data[0] < 192:  # RFC 7983
                    link.spare(data, arrived)
                else:
                    link.send(data, arrived)
            if wire is self._outside and count:
                self._browser = batch.addresses()[-1]

    def _give(self, link: Link, now: float, wire: Udp, address: Address | None) -> None:
        batch = self._leaving
        for _, data in link.arrived(now):
            if address is None:
                continue  # nobody has come from there yet
            if batch.count == SLOTS:
                wire.send(batch)
            batch.views[batch.count][: len(data)] = data
            batch.add(len(data), address)
        if batch.count:
            wire.send(batch)


@contextmanager
def lossy(seed: int, delay: float = 0.0, spare_setup: bool = True) -> Iterator[Lossy]:
    proxy = Lossy(seed, delay, spare_setup)
    try:
        yield proxy
    finally:
        proxy.close()
