"""Strangers: host port datagrams_per_second, until standard input ends; then it says how many were sent.

Each line of input is the ufrag of somebody's connection: a stranger who heard of it tries it with a wrong
password. Everything else anybody could send: DTLS hellos, RTP, RTCP and STUN that are none, nothing at all,
and more than a datagram of a call ever holds. They come from sixteen addresses.
"""

import select
import socket
import sys
import time
from collections.abc import Iterator
from random import Random

from aioice.stun import Class, Message, Method

from media.net.batch import SLOT_BYTES, SLOTS, Batch, address_of
from media.net.udp import Udp
from tests.media.caller_dtls import Dtls, Identity

STRANGERS = 16
BATCHES = 32
TURN_S = 0.002
JUMBO = bytes(60_000)
JUMBO_S = 0.05  # between two of them
LATE_S = 0.1  # what could not be sent in time is left out


class Strangers:
    def __init__(self, host: str, port: int, seed: int = 1) -> None:
        self._random = Random(seed)
        self._to = address_of(host, port)
        self._jumbo_to = (host, port)
        # Loopback has a whole network of addresses; elsewhere they are ports of the one address.
        local = host.startswith("127.")
        self._wires = [Udp(f"127.0.1.{n + 1}" if local else host) for n in range(STRANGERS)]
        self._jumbo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._hello = Dtls(Identity(), False, "").start()
        self._batches = [Batch(receives=False) for _ in range(BATCHES)]
        self._turn = 0
        self.prepare(())

    def prepare(self, ufrags: tuple[str, ...]) -> None:
        """Write what is sent from now on."""
        kinds = self._kinds(ufrags)
        for batch in self._batches:
            batch.count = 0
            for _ in range(SLOTS):
                datagram = next(kinds)
                batch.views[batch.count][: len(datagram)] = datagram
                batch.add(len(datagram), self._to)

    def _kinds(self, ufrags: tuple[str, ...]) -> Iterator[bytes]:
        """As many of each kind."""
        random = self._random
        while True:
            yield from self._hello
            yield b""
            yield bytes(SLOT_BYTES)
            yield bytes([128 + random.randrange(64), 96]) + random.randbytes(1200)
            yield bytes([128, 200 + random.randrange(8)]) + random.randbytes(60)
            yield bytes([20 + random.randrange(44), 254, 253]) + random.randbytes(80)
            yield bytes([random.randrange(4)]) + random.randbytes(40)
            yield random.randbytes(random.randrange(1, 300))
            yield check("nobody", "wrong" * 5)
            if ufrags:
                yield check(random.choice(ufrags), "wrong" * 5)

    def send(self) -> None:
        """One batch."""
        self._turn += 1
        batch = self._batches[self._turn % BATCHES]
        batch.count = SLOTS
        self._wires[self._turn % STRANGERS].send(batch)

    def send_jumbo(self) -> None:
        self._jumbo.sendto(JUMBO, self._jumbo_to)


def check(ufrag: str, password: str) -> bytes:
    request = Message(Method.BINDING, Class.REQUEST)
    request.attributes["USERNAME"] = f"{ufrag}:stranger"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 1
    request.attributes["USE-CANDIDATE"] = None
    request.add_message_integrity(password.encode())
    return bytes(request)


def main(host: str, port: int, rate: float) -> int:
    """Datagrams that were sent."""
    strangers = Strangers(host, port)
    ufrags: tuple[str, ...] = ()
    began = due = jumbo_at = time.monotonic()
    sent = 0
    while True:
        now = time.monotonic()
        due = max(due, now - LATE_S)
        while due <= now:
            strangers.send()
            sent += SLOTS
            due += SLOTS / rate
        if now >= jumbo_at:
            jumbo_at = now + JUMBO_S
            strangers.send_jumbo()
        if select.select([sys.stdin], [], [], TURN_S)[0]:
            line = sys.stdin.readline()
            if not line:
                print(f"{sent} {time.monotonic() - began:.3f}", flush=True)
                return sent
            ufrags = (*ufrags, line.strip())[-8:]
            strangers.prepare(ufrags)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
