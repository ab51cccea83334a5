"""Strangers at the door, before and during everybody's handshake: nobody is kept out, nothing is kept of it.

``BANGBAN_HANDSHAKES`` sets how many handshakes are made under the flood.
"""

import gc
import os
from pathlib import Path
from random import Random

from media.net.batch import SLOT_BYTES, address_of
from media.net.dtls import Certificate, Dtls
from media.net.port import DRAIN_LIMIT
from tests.media.net.browser import rtp
from tests.media.net.world import World

HANDSHAKES = int(os.environ.get("BANGBAN_HANDSHAKES", "1000"))
AT_ONCE = 10
MAX_GROWTH = 5 << 20  # bytes
FLOOD = 20  # datagrams a simulated step of 5 ms


class Strangers:
    """Each datagram is from another address, none of it from where a browser is."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._random = Random(7)
        hello = Dtls(Certificate(), [], is_server=False)
        self._hellos = hello.start(0.0)

    def flood(self) -> None:
        random, world = self._random, self._world
        for _ in range(FLOOD):
            host = f"10.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(256)}"
            source = address_of(host, random.randrange(1, 65536))
            victim = random.choice(world.calls) if world.calls else None
            wrong = [victim.browser.check(password="wrong" * 5)] if victim else []
            kinds = [
                *self._hellos,
                *wrong,
                b"",
                bytes(SLOT_BYTES + 100),
                random.randbytes(random.randrange(1, 200)),
                bytes((128 + random.randrange(64),)) + random.randbytes(60),
                rtp(7, random.randrange(65536)),
            ]
            world.wires[0].inject(source, random.choice(kinds))


def connect_all(world: World, strangers: Strangers, count: int) -> int:
    """How many of ``count`` handshakes were lost under the flood."""
    lost = 0
    for _ in range(count // AT_ONCE):
        strangers.flood()
        calls = [world.call() for _ in range(AT_ONCE)]
        for _ in range(200):
            strangers.flood()
            world.step()
            if all(call.is_up for call in calls):
                break
        for number, call in enumerate(calls):
            if call.is_up:
                call.browser.outgoing.append(call.browser.protected(rtp(number, 1)))
        for _ in range(10):
            strangers.flood()
            world.step()
        lost += sum(call.ear.rtp_heard != [rtp(number, 1)] for number, call in enumerate(calls))
        lost += sum(call.ear.events != ["connected"] for call in calls)
        for call in calls:
            call.peer.close()
        world.run(0.05)
        world.calls.clear()
    return lost


def test_no_handshake_is_lost_in_a_flood_and_no_memory() -> None:
    world = World()
    strangers = Strangers(world)
    assert connect_all(world, strangers, 5 * AT_ONCE) == 0  # what is allocated once is allocated now
    before = resident_bytes()
    assert connect_all(world, strangers, HANDSHAKES) == 0
    assert resident_bytes() - before < MAX_GROWTH
    assert world.port.peers == set()
    assert not any(inlet.known for inlet in world.port._inlets)
    assert world.port.counters.failed == 0
    assert world.port.counters.stranger > HANDSHAKES


def test_a_flood_ends_no_running_call_and_is_not_kept() -> None:
    world = World()
    call = world.connected()
    strangers = Strangers(world)
    before = resident_bytes()
    for sequence in range(2000):
        strangers.flood()
        if sequence % 10 == 0:
            call.browser.outgoing.append(call.browser.protected(rtp(7, sequence)))
        world.step()
    world.run(0.1)
    assert len(call.ear.rtp_heard) == 200
    assert call.ear.events == ["connected"]
    assert resident_bytes() - before < MAX_GROWTH


def test_more_than_a_drain_holds_delays_nobody_for_long() -> None:
    world = World()
    strangers = Strangers(world)
    call = world.call()
    for _ in range(10 * DRAIN_LIMIT // FLOOD):
        strangers.flood()
    assert world.until(lambda: call.is_up) < 1.0


def resident_bytes() -> int:
    """Of this process, OpenSSL's and libsrtp's memory included."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
