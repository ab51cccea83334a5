"""Real sockets by the batch, on loopback."""

import errno
import socket
import time
from collections.abc import Iterator

import pytest

from media.net.batch import SLOT_BYTES, SLOTS, Address, Batch, address_of
from media.net.udp import Udp

HOSTS = ["127.0.0.1", "::1"]


@pytest.fixture(params=HOSTS)
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[Udp, Udp]]:
    one, other = Udp(request.param), Udp(request.param)
    yield one, other
    one.close()
    other.close()


def queue(batch: Batch, data: bytes, address: Address) -> None:
    batch.views[batch.count][: len(data)] = data
    batch.add(len(data), address)


def test_a_batch_goes_over(pair: tuple[Udp, Udp]) -> None:
    one, other = pair
    out, into = Batch(receives=False), Batch(receives=True)
    sent = [bytes((number,)) * (number * 20) for number in range(SLOTS)]
    for data in sent:
        queue(out, data, address_of(other.host, other.port))
    one.send(out)
    assert (out.count, one.refused) == (0, 0)
    assert other.receive(into) == into.count == SLOTS
    assert [bytes(view[:size]) for view, size in zip(into.views, into.sizes(), strict=True)] == sent
    assert into.addresses() == [address_of(one.host, one.port)] * SLOTS
    assert into.stamps() == pytest.approx([time.time()] * SLOTS, abs=5.0)
    assert other.receive(into) == into.count == 0


def test_a_batch_is_used_again(pair: tuple[Udp, Udp]) -> None:
    one, other = pair
    out, into = Batch(receives=False), Batch(receives=True)
    for data in (b"long enough", b"", b"x"):
        queue(out, data, address_of(other.host, other.port))
        one.send(out)
        assert other.receive(into) == 1
        assert (into.sizes(), len(into.stamps())) == ([len(data)], 1)


def test_a_longer_datagram_is_cut(pair: tuple[Udp, Udp]) -> None:
    one, other = pair
    family = socket.AF_INET6 if ":" in one.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.sendto(bytes(SLOT_BYTES + 500), (other.host, other.port))
    into = Batch(receives=True)
    assert other.receive(into) == 1
    assert into.sizes() == [SLOT_BYTES]


def test_what_the_kernel_refuses_is_counted_and_the_rest_goes_out(pair: tuple[Udp, Udp]) -> None:
    one, other = pair
    out, into = Batch(receives=False), Batch(receives=True)
    queue(out, b"first", address_of(other.host, other.port))
    queue(out, b"nowhere", address_of(other.host, 0))
    queue(out, b"last", address_of(other.host, other.port))
    one.send(out)
    assert (out.count, one.refused) == (0, 1)
    assert other.receive(into) == 2


@pytest.mark.parametrize("host", HOSTS)
def test_a_port_is_bound_once(host: str) -> None:
    one = Udp(host)
    with pytest.raises(OSError) as refusal:
        Udp(host, one.port)
    assert refusal.value.errno == errno.EADDRINUSE
    one.close()
    Udp(host, one.port).close()
