"""Which sockets are opened, and what is offered of them."""

import errno
import logging
import socket
from contextlib import closing
from ipaddress import ip_address
from pathlib import Path

import pytest

from media.net.network import SMALL_BUFFER, Network, host_addresses
from media.net.udp import Udp

ELSEWHERE = "203.0.113.7"  # nobody's: documentation


def close(wires: list[Udp]) -> None:
    for wire in wires:
        wire.close()


def test_every_address_gets_a_socket_on_the_same_port() -> None:
    network = Network(("127.0.0.1", "127.0.0.2", "::1"))
    wires = network.bind()
    assert [wire.host for wire in wires] == ["127.0.0.1", "127.0.0.2", "::1"]
    assert len({wire.port for wire in wires}) == 1
    close(wires)


def test_candidates_are_ranked_and_the_public_address_comes_first() -> None:
    network = Network(("127.0.0.1", "::1"), public_address=ELSEWHERE)
    wires = network.bind()
    fields = [candidate.split() for candidate in network.candidates(wires)]
    close(wires)
    assert [field[4] for field in fields] == [ELSEWHERE, "127.0.0.1", "::1"]
    assert {tuple(field[1:3] + field[5:]) for field in fields} == {
        ("1", "udp", str(wires[0].port), "typ", "host")
    }
    assert int(fields[0][3]) == (126 << 24) + (65535 << 8) + 255
    assert [int(field[3]) for field in fields] == sorted((int(field[3]) for field in fields), reverse=True)
    assert len({field[0] for field in fields}) == 3  # foundations


def test_a_public_address_that_is_a_local_one_is_offered_once() -> None:
    network = Network(("127.0.0.1", "127.0.0.2"), public_address="127.0.0.2")
    wires = network.bind()
    close(wires)
    assert [candidate.split()[4] for candidate in network.candidates(wires)] == ["127.0.0.2", "127.0.0.1"]


def test_the_port_is_from_the_range_and_free_on_every_address() -> None:
    taken = Udp("127.0.0.1")
    network = Network(("127.0.0.2", "127.0.0.1"), port_min=taken.port, port_max=taken.port)
    with pytest.raises(OSError) as refusal:
        network.bind()
    assert refusal.value.errno == errno.EADDRINUSE
    taken.close()
    wires = network.bind()  # nothing was left open by the failure
    assert {wire.port for wire in wires} == {taken.port}
    close(wires)


def test_an_address_that_is_not_here_is_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        wires = Network((ELSEWHERE, "127.0.0.1")).bind()
    assert [wire.host for wire in wires] == ["127.0.0.1"]
    assert ELSEWHERE in caplog.text
    close(wires)
    with pytest.raises(OSError) as refusal:
        Network((ELSEWHERE,)).bind()
    assert refusal.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(("given", "is_said"), [(212_992, True), (4 << 20, False)])
def test_a_receive_buffer_that_is_too_small_is_said(
    given: int, is_said: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("media.net.udp.RECEIVE_BUFFER", given)
    with caplog.at_level(logging.WARNING):
        wires = Network(("127.0.0.1",)).bind()
    limit = int(Path("/proc/sys/net/core/rmem_max").read_text())
    assert wires[0].receive_buffer == min(given, limit)
    assert ("net.core.rmem_max" in caplog.text) is (is_said or limit < SMALL_BUFFER)
    close(wires)


@pytest.mark.parametrize(
    "wrong",
    [
        {"port_min": 5000, "port_max": 4000},
        {"port_max": 4000},
        {"port_min": -1},
        {"port_min": 1, "port_max": 65536},
        {"addresses": ("localhost",)},
        {"public_address": "media.example"},
    ],
)
def test_what_is_no_network(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        Network(**wrong)  # type: ignore[arg-type]


def test_addresses_are_this_hosts() -> None:
    hosts = host_addresses()
    assert hosts
    for host in hosts:
        assert not ip_address(host).is_link_local
        assert not ip_address(host).is_loopback or hosts == ["127.0.0.1"]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as probe:
            probe.bind((host, 0))
    assert hosts == sorted(hosts, key=lambda host: ":" in host)
