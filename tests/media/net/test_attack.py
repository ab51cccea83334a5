"""Strangers at the door, before and during everybody's handshake: nobody is kept out, nothing is kept of it.

``BANGBAN_HANDSHAKES`` sets how many handshakes are made under the flood.
"""

import json
import os
import subprocess
import sys

from media.net.port import DRAIN_LIMIT
from tests.media.net.flood import FLOOD, Strangers
from tests.media.net.world import World

HANDSHAKES = int(os.environ.get("BANGBAN_HANDSHAKES", "1000"))
MAX_GROWTH = 5 << 20  # bytes


def flooded(what: str, count: int) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.media.net.flood", what, str(count)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout
    seen: dict[str, int] = json.loads(told)
    return seen


def test_no_handshake_is_lost_in_a_flood_and_no_memory() -> None:
    seen = flooded("handshakes", HANDSHAKES)
    assert seen["grown"] < MAX_GROWTH
    assert (seen["lost"], seen["peers"], seen["known"], seen["failed"]) == (0, 0, 0, 0)
    assert seen["stranger"] > HANDSHAKES


def test_a_flood_ends_no_running_call_and_is_not_kept() -> None:
    seen = flooded("packets", 200)
    assert seen["grown"] < MAX_GROWTH
    assert (seen["lost"], seen["ended"]) == (0, 0)
    assert seen["stranger"] > 200 * 10


def test_more_than_a_drain_holds_delays_nobody_for_long() -> None:
    world = World()
    strangers = Strangers(world)
    call = world.call()
    for _ in range(10 * DRAIN_LIMIT // FLOOD):
        strangers.flood()
    assert world.until(lambda: call.is_up) < 1.0
