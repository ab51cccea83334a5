"""Strangers at the door while handshakes are made.

``python -m tests.media.net.flood handshakes COUNT`` (or ``packets COUNT``) does it in a process of its own,
where what memory grows by is the flood's and no other test's, and prints a line of JSON.
"""

import gc
import json
import os
import sys
from pathlib import Path
from random import Random

from media.net.batch import SLOT_BYTES, address_of
from media.net.dtls import Certificate, Dtls
from tests.media.net.browser import rtp
from tests.media.net.world import World

AT_ONCE = 10
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


def resident_bytes() -> int:
    """Of this process, OpenSSL's and libsrtp's memory included."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def handshakes(count: int) -> dict[str, int]:
    world = World()
    strangers = Strangers(world)
    early = connect_all(world, strangers, 5 * AT_ONCE)  # what is allocated once is allocated now
    before = resident_bytes()
    late = connect_all(world, strangers, count)
    return {
        "lost": early + late,
        "grown": resident_bytes() - before,
        "peers": len(world.port.peers),
        "known": sum(len(inlet.known) for inlet in world.port._inlets),
        "failed": world.port.counters.failed,
        "stranger": world.port.counters.stranger,
    }


def packets(count: int) -> dict[str, int]:
    """Of one running call, each under ten steps of flood."""
    world = World()
    call = world.connected()
    strangers = Strangers(world)
    before = resident_bytes()
    for sequence in range(count):
        call.browser.outgoing.append(call.browser.protected(rtp(7, sequence)))
        for _ in range(10):
            strangers.flood()
            world.step()
    world.run(0.1)
    return {
        "lost": count - len(call.ear.rtp_heard),
        "grown": resident_bytes() - before,
        "ended": call.ear.events != ["connected"],
        "stranger": world.port.counters.stranger,
    }


if __name__ == "__main__":
    print(json.dumps({"handshakes": handshakes, "packets": packets}[sys.argv[1]](int(sys.argv[2]))))
