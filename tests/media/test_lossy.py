import select
import socket
import time
from collections.abc import Iterator

import pytest

from tests.media.link import Uniform
from tests.media.lossy import Lossy, lossy

MEDIA, STUN = b"\x80", b"\x00"


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Browser and node."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as browser,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node,
    ):
        for end in (browser, node):
            end.bind(("127.0.0.1", 0))
            end.settimeout(5)
        yield browser, node


def between(proxy: Lossy, browser: socket.socket, node: socket.socket) -> None:
    """The browser is connected to where the offer leads."""
    line = "a=candidate:1 1 udp 2130706431 127.0.0.1 {} typ host"
    offer = proxy.through(line.format(node.getsockname()[1]))
    port = int(offer.split()[5])
    assert offer == line.format(port)
    browser.connect(("127.0.0.1", port))


def numbers(end: socket.socket, until: int) -> list[int]:
    found: list[int] = []
    while not found or found[-1] != until:
        found.append(int.from_bytes(end.recv(2000)[1:], "big"))
    return found


def sent(browser: socket.socket, node: socket.socket, kind: bytes, seed: int) -> list[int]:
    """Which of 200 come through, a fifth being lost. The last one is spared."""
    with lossy(seed) as proxy:
        between(proxy, browser, node)
        proxy.up.loss = Uniform(0.2)
        for number in range(200):
            browser.send(kind + number.to_bytes(2, "big"))
        browser.send(STUN + (200).to_bytes(2, "big"))
        return numbers(node, 200)


def test_the_same_packets_are_lost_each_time(ends: tuple[socket.socket, socket.socket]) -> None:
    browser, node = ends
    first, again, other = (sent(browser, node, MEDIA, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert 140 < len(first) < 185


def test_what_sets_a_connection_up_is_spared(ends: tuple[socket.socket, socket.socket]) -> None:
    assert sent(*ends, STUN, 1) == list(range(201))


def test_both_ways_take_their_time(ends: tuple[socket.socket, socket.socket]) -> None:
    browser, node = ends
    with lossy(1, delay=0.05) as proxy:
        between(proxy, browser, node)
        began = time.monotonic()
        browser.send(MEDIA + b"there")
        data, way = node.recvfrom(2000)
        there = time.monotonic()
        node.sendto(MEDIA + b"back", way)
        assert (data, browser.recv(2000)) == (MEDIA + b"there", MEDIA + b"back")
        assert there - began >= 0.049
        assert time.monotonic() - there >= 0.049
        proxy.down.loss = Uniform(1.0)
        node.sendto(MEDIA, way)
        assert not select.select([browser], [], [], 0.15)[0]
        assert (proxy.up.sent, proxy.down.sent, proxy.down.dropped) == (1, 2, 1)
