"""The port: whose a datagram is, what it costs to be nobody, and that nothing that arrives gets through as an
exception or at another's expense."""

import logging
import os
from dataclasses import asdict
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.net import stun
from media.net.batch import SLOT_BYTES, SLOTS, Batch, address_of
from media.net.peer import SILENCE_S
from media.net.port import DRAIN_LIMIT, MAX_DATAGRAM, Port
from media.net.stun import Attribute, Kind
from tests.media.net.browser import rtcp, rtp
from tests.media.net.world import NODE, Ear, SimulatedWire, World

STRANGER = address_of("203.0.113.66", 6666)


class FaultyEar(Ear):
    """A receiver with a bug in it."""

    def rtp(self, packet: memoryview, size: int, arrived: float) -> None:
        super().rtp(packet, size, arrived)
        if b"poison" in bytes(packet[:size]):
            raise RuntimeError("bug")

    def closed(self, reason: str) -> None:
        super().closed(reason)
        raise RuntimeError("another bug")


def test_everybody_gets_his_own() -> None:
    world = World()
    calls = [world.call(host) for host in (None, "2001:db8:1::1", None, "2001:db8:1::2")]
    world.until(lambda: all(call.is_up for call in calls))
    for number, call in enumerate(calls):
        call.browser.outgoing.append(call.browser.protected(rtp(number, 1)))
        call.peer.send_rtcp(rtcp(number))
    world.run(0.1)
    assert [call.ear.rtp_heard for call in calls] == [[rtp(number, 1)] for number in range(4)]
    assert [call.browser.rtcp for call in calls] == [[rtcp(number)] for number in range(4)]


def test_a_stranger_is_counted_and_gets_no_answer() -> None:
    world = World()
    call = world.call()
    guess = call.browser.check(password="guess" * 5)
    nobody = stun.build(Kind.REQUEST, bytes(12), [(Attribute.USERNAME, b"nobody:x")], b"x")
    anonymous = stun.build(Kind.REQUEST, bytes(12), [], b"x")
    colonless = stun.build(Kind.REQUEST, bytes(12), [(Attribute.USERNAME, call.peer.ufrag.encode())])
    sent = [
        guess,
        nobody,
        anonymous,
        colonless,
        stun.build(Kind.INDICATION, bytes(12)),
        *call.browser.dtls.start(0.0),
        rtp(1, 1),
        rtcp(1),
        b"\xff",
        b"\x46",
        b"",
        bytes(MAX_DATAGRAM + 1),
        bytes(5000),
    ]
    for data in sent:
        world.wires[0].inject(STRANGER, data)
    assert world.port.drain(world.now) == len(sent)
    world.port.flush()
    assert {name: count for name, count in asdict(world.port.counters).items() if count} == {
        "stranger": 9,
        "empty": 1,
        "oversized": 2,
    }
    assert call.peer.counters.unauthentic == 1
    world.network.advance(1.0)
    assert world.network.take(STRANGER) == []
    assert all(not inlet.known for inlet in world.port._inlets)


def test_an_address_is_not_taken_from_whoever_has_it() -> None:
    world = World()
    victim, thief = world.connected(), world.connected()
    for _ in range(10):
        world.wires[0].inject(victim.address, thief.browser.check())
    world.run(0.1)
    victim.browser.outgoing.append(victim.browser.protected(rtp(7, 1)))
    thief.peer.send_rtcp(rtcp(9))
    world.run(0.1)
    assert victim.ear.rtp_heard == [rtp(7, 1)]
    assert thief.browser.rtcp == [rtcp(9)]
    assert world.port.counters.stranger == 10


def test_an_address_is_free_again_when_its_peer_is_gone() -> None:
    world = World()
    first = world.connected()
    first.peer.close()
    second = world.call()
    second.address = first.address
    world.calls.remove(first)
    world.until(lambda: second.is_up)


def test_a_fault_of_one_receiver_is_logged_once_and_nobody_else_feels_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    faulty, sound = world.call(ear=FaultyEar()), world.call()
    world.until(lambda: faulty.is_up and sound.is_up)
    for sequence in range(5):
        faulty.browser.outgoing.append(faulty.browser.protected(rtp(7, sequence, b"poison")))
        sound.browser.outgoing.append(sound.browser.protected(rtp(7, sequence)))
    with caplog.at_level(logging.ERROR):
        world.run(0.1)
    assert (faulty.peer.counters.failed, sound.peer.counters.failed) == (5, 0)
    assert len(sound.ear.rtp_heard) == len(faulty.ear.rtp_heard) == 5
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_fault_in_a_farewell_keeps_nobody_else_waiting(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    calls = [world.call(ear=FaultyEar()) for _ in range(3)]
    world.until(lambda: all(call.is_up for call in calls))
    world.network.loss = 1.0
    with caplog.at_level(logging.ERROR):
        world.run(SILENCE_S + 0.1)
    assert [call.ear.events for call in calls] == [["connected", "silent"]] * 3
    assert world.port.peers == set()
    assert len(caplog.records) == 3


def test_a_drain_is_bounded_and_fair() -> None:
    world = World()
    for wire in world.wires:
        for _ in range(2 * DRAIN_LIMIT):
            wire.inject(STRANGER, b"\x80" + bytes(20))
    assert world.port.drain(world.now) == DRAIN_LIMIT
    assert [len(wire._waiting) for wire in world.wires] == [2 * DRAIN_LIMIT - DRAIN_LIMIT // 2] * 2
    handled = DRAIN_LIMIT
    while count := world.port.drain(world.now):
        handled += count
    assert handled == 4 * DRAIN_LIMIT


class StampedWire(SimulatedWire):
    """As the kernel does it: every datagram has the Unix time of its arrival on it."""

    stamp = 0.0

    def receive(self, batch: Batch) -> int:
        batch.prepare()
        while self._waiting and batch.count < SLOTS:
            source, data = self._waiting.popleft()
            batch.incoming(data, source, self.stamp)
        return batch.count


@pytest.mark.parametrize(("stamp", "arrived"), [(1.7e9 - 0.25, -0.25), (0.0, 0.0), (1.7e9 - 900.0, 0.0)])
def test_arrival_is_by_the_kernels_stamp_unless_that_is_out_of_all_reason(
    stamp: float, arrived: float
) -> None:
    world = World()
    call = world.connected()
    wire = StampedWire(world.network, world.wires[0].address)
    wire.stamp = stamp
    world.port._inlets[0].wire = wire
    world.port._clock_offset = lambda: world.now - 1.7e9
    wire.inject(call.address, call.browser.protected(rtp(7, 1)))
    world.port.drain(world.now)
    assert call.ear.arrivals == [pytest.approx(world.now + arrived, abs=1e-6)]


# --- bytes ---

FUZZ = int(os.environ.get("BANGBAN_FUZZ_EXAMPLES", "80"))
first_bytes = st.sampled_from([0, 1, 20, 22, 23, 63, 64, 128, 191, 192, 255])
datagrams = st.one_of(
    st.binary(max_size=120),
    st.builds(lambda first, rest: bytes((first,)) + rest, first_bytes, st.binary(max_size=120)),
    st.builds(
        lambda second, rest: bytes((0x90, second)) + rest, st.integers(0, 255), st.binary(max_size=120)
    ),
    st.sampled_from([b"", bytes(MAX_DATAGRAM), bytes(SLOT_BYTES), bytes((128,)) * 1500]),
)


@given(st.lists(datagrams, max_size=20), st.booleans())
@settings(max_examples=FUZZ, deadline=None)
def test_any_datagrams_from_a_peer_and_from_strangers_end_nobody_elses_connection(
    sent: list[bytes], while_connecting: bool
) -> None:
    world = World()
    bystander = world.connected()
    attacker = world.call() if while_connecting else world.connected()
    world.run(0.02)
    for data in sent:
        world.wires[0].inject(attacker.address, data)
        world.wires[0].inject(STRANGER, data)
        world.wires[1].inject(address_of("2001:db8::bad", 1), data)
    world.run(0.2)
    bystander.browser.outgoing.append(bystander.browser.protected(rtp(7, 1)))
    world.run(0.1)
    assert bystander.ear.rtp_heard == [rtp(7, 1)]
    assert bystander.ear.events == ["connected"]
    assert world.port.counters.failed == attacker.peer.counters.failed == 0


@given(st.integers(0, 2**32), st.integers(1, 30))
@settings(max_examples=FUZZ, deadline=None)
def test_any_change_of_what_a_browser_sends_never_leaves_the_drain(seed: int, changes: int) -> None:
    random = Random(seed)
    world = World()
    call = world.connected()
    genuine = [
        call.browser.check(),
        *call.browser.dtls.close(),
        call.browser.protected(rtp(7, 1)),
        call.browser.protected_rtcp(rtcp(7)),
    ]
    for _ in range(changes):
        data = bytearray(random.choice(genuine))
        data[random.randrange(len(data))] = random.randrange(256)
        world.wires[0].inject(call.address, bytes(data[: random.randrange(len(data) + 1)]))
    world.port.drain(world.now)
    assert world.port.counters.failed == call.peer.counters.failed == 0
    assert set(map(len, call.ear.rtp_heard)) <= {len(rtp(7, 1))}


def test_a_port_needs_no_peer() -> None:
    world = World()
    port = Port(world.wires, NODE, ("1 1 udp 1 192.0.2.1 40000 typ host",))
    assert (port.drain(0.0), port.peers) == (0, set())
    port.tick(0.0)
    port.flush()
    assert port.candidates == ("1 1 udp 1 192.0.2.1 40000 typ host",)
