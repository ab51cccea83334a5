"""Where a node listens, and what it tells browsers of it: local addresses, one UDP port, ICE candidates."""

import errno
import logging
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from zlib import crc32

from aioice.ice import get_host_addresses

from media.net.udp import RECEIVE_BUFFER, Udp

logger = logging.getLogger(__name__)

SMALL_BUFFER = 1 << 20  # bytes; with less, a pause of 20 ms overflows it under load
_ANY_PORT_TRIES = 16  # the port that one address was given may be taken on another
_HOST_PREFERENCE = 126  # RFC 8445, 5.1.2.1


@dataclass(frozen=True)
class Network:
    """``addresses``: IP address literals; empty means every address of this host but loopback (loopback when
    there is no other). ``public_address`` is advertised besides, for a 1:1 NAT. A port in ``port_min`` to
    ``port_max`` (both included), or any when they are 0. Raises ValueError."""

    addresses: tuple[str, ...] = ()
    public_address: str | None = None
    port_min: int = 0
    port_max: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.port_min <= self.port_max < 1 << 16 or (self.port_max and not self.port_min):
            raise ValueError(f"no port range: {self.port_min} to {self.port_max}")
        for address in (*self.addresses, *([self.public_address] if self.public_address else [])):
            ip_address(address)

    def bind(self) -> list[Udp]:
        """One socket a local address, all on the same port; an address that is not this host's is passed
        over. Raises OSError when no port is free."""
        hosts = self.addresses or tuple(host_addresses())
        for port in self._ports():
            try:
                wires = _bind(hosts, port)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
            else:
                _warn_of_small_buffer(wires[0])
                return wires
        raise OSError(errno.EADDRINUSE, f"no UDP port free from {self.port_min} to {self.port_max}")

    def candidates(self, wires: Sequence[Udp]) -> tuple[str, ...]:
        """Of sockets from ``bind``, as SDP candidate values (RFC 8839, 5.1), best first."""
        hosts = [wire.host for wire in wires]
        if self.public_address is not None:
            hosts = [self.public_address, *(host for host in hosts if host != self.public_address)]
        return tuple(_candidate(rank, host, wires[0].port) for rank, host in enumerate(hosts))

    def _ports(self) -> Iterable[int]:
        if not self.port_min:
            return [0] * _ANY_PORT_TRIES
        # Shuffled: workers that start together do not all try the same one.
        return random.sample(range(self.port_min, self.port_max + 1), self.port_max + 1 - self.port_min)


def _bind(hosts: Iterable[str], port: int) -> list[Udp]:
    """Raises OSError, having closed what was open already."""
    wires: list[Udp] = []
    missing: OSError | None = None
    for host in hosts:
        try:
            wires.append(Udp(host, wires[0].port if wires else port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                for wire in wires:
                    wire.close()
                raise
            logger.warning("cannot listen on %s: %s", host, error)
            missing = error
    if not wires:
        raise missing or OSError(errno.EADDRNOTAVAIL, "no address to listen on")
    return wires


def _warn_of_small_buffer(wire: Udp) -> None:
    if wire.receive_buffer < SMALL_BUFFER:
        logger.warning(
            "the receive buffer is only %d bytes: packets will be lost under load; set net.core.rmem_max=%d",
            wire.receive_buffer,
            RECEIVE_BUFFER,
        )


def _candidate(rank: int, host: str, port: int) -> str:
    """A host candidate of component 1 (RFC 8445, 5.1.1.3 and 5.1.2.1). ``rank`` 0 is preferred most."""
    priority = (_HOST_PREFERENCE << 24) + (65535 - rank << 8) + 255
    return f"{crc32(host.encode())} 1 udp {priority} {host} {port} typ host"


def host_addresses() -> list[str]:
    """The addresses of this host that others may reach: neither loopback nor link-local, IPv4 first. Loopback
    when there is no other."""
    found = [(ip_address(host), host) for host in get_host_addresses(use_ipv4=True, use_ipv6=True)]
    others = [host for address, host in found if not (address.is_loopback or address.is_link_local)]
    return sorted(others, key=lambda host: (":" in host, host)) or ["127.0.0.1"]
