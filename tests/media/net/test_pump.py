"""The shell on real event loops and real sockets."""

import asyncio
import itertools
import socket
import time
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

import pytest
import uvloop

from media.net.batch import SLOTS
from media.net.dtls import State
from media.net.network import Network
from media.net.port import Port
from media.net.pump import IDLE_TICK_S, Pump
from tests.eventually import eventually
from tests.media.net.browser import Browser, rtp
from tests.media.net.world import NODE, Ear

HOST = "127.0.0.1"
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    def run(test: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(asyncio.wait_for(test, 20.0))

    return run


class Echo(Ear):
    """Sends every packet back under another SSRC."""

    def attach(self, port: Port) -> None:
        self.peer = port.open(self, time.monotonic())

    def rtp(self, packet: memoryview, size: int, arrived: float) -> None:
        super().rtp(packet, size, arrived)
        buffer = self.peer.buffer()
        buffer[:size] = packet[:size]
        buffer[11] = 99
        self.peer.send_rtp(size)


class Node:
    def __init__(self, on_tick: Callable[[float], None] | None = None) -> None:
        network = Network((HOST, "::1"))
        self.wires = network.bind()
        self.port = Port(self.wires, NODE, network.candidates(self.wires))
        self.ticks: list[float] = []
        self.pump = Pump(self.port, self.wires, on_tick or self.ticks.append)
        self.drains = 0
        self._drain = self.port.drain
        self.port.drain = self.count_drain  # type: ignore[method-assign]

    def count_drain(self, now: float) -> int:
        self.drains += 1
        return self._drain(now)

    def close(self) -> None:
        self.pump.close()
        for wire in self.wires:
            wire.close()


class Station:
    """A browser on a real socket."""

    def __init__(self, node: Node, host: str = HOST) -> None:
        self.ear = Echo()
        self.ear.attach(node.port)
        self.browser = Browser(NODE.fingerprint)
        self.browser.offered(self.ear.peer.ufrag, self.ear.peer.password)
        self.ear.peer.accept(self.browser.remote, time.monotonic())
        self._socket = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        )
        self._socket.connect((host, node.wires[0].port))

    def turn(self) -> None:
        while True:
            try:
                data = self._socket.recv(2048)
            except BlockingIOError:
                break
            self.browser.receive(data, time.monotonic())
        self.browser.step(time.monotonic())
        outgoing, self.browser.outgoing = self.browser.outgoing, []
        for data in outgoing:
            self._socket.send(data)

    def after_turn(self, condition: Callable[[], bool]) -> Callable[[], bool]:
        def turned() -> bool:
            self.turn()
            return condition()

        return turned

    async def connect(self) -> None:
        await eventually(self.after_turn(lambda: self.ear.peer.connected and self.browser.is_connected))

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("host", [HOST, "::1"])
def test_packets_go_through_real_sockets(run: Run, host: str) -> None:
    async def test() -> None:
        with closing(Node()) as node, closing(Station(node, host)) as station:
            node.pump.start()
            await station.connect()
            for sequence in range(100):
                station.browser.outgoing.append(station.browser.protected(rtp(7, sequence)))
            await eventually(station.after_turn(lambda: len(station.browser.rtp) == 100))
            assert set(station.browser.rtp) == {rtp(99, sequence) for sequence in range(100)}
            assert all(abs(time.monotonic() - arrived) < 20 for arrived in station.ear.arrivals)

    run(test())


def test_nothing_polls_while_nothing_comes(run: Run) -> None:
    async def test() -> None:
        with closing(Node()) as node, closing(Station(node)) as station:
            node.pump.start()
            await station.connect()
            ticks = len(node.ticks)  # what is in the sockets still is taken in the meantime
            await eventually(lambda: node.pump._poll is None and len(node.ticks) > ticks + 2)
            drains, ticks = node.drains, len(node.ticks)
            await eventually(lambda: len(node.ticks) >= ticks + 3)  # time goes on
            assert node.drains == drains
            station.browser.outgoing.append(station.browser.protected(rtp(7, 1)))
            await eventually(station.after_turn(lambda: station.browser.rtp != []))

    run(test())


def test_ticks_go_on_for_a_while_after_the_last_datagram(run: Run) -> None:
    """Who speaks sends a packet each 20 or 400 ms; what is missing is asked for between them."""

    async def test() -> None:
        with closing(Node()) as node, closing(Station(node)) as station:
            node.pump.start()
            await station.connect()
            station.browser.outgoing.append(station.browser.protected(rtp(7, 1)))
            await eventually(station.after_turn(lambda: station.browser.rtp != []))
            before = len(node.ticks)
            await eventually(lambda: len(node.ticks) >= before + 8)
            gaps = sorted(b - a for a, b in itertools.pairwise(node.ticks[before:]))
            assert gaps[3] < IDLE_TICK_S / 2

    run(test())


def test_who_was_not_heard_because_we_were_stopped_is_not_silent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("media.net.peer.SILENCE_S", 0.3)
    monkeypatch.setattr("media.net.pump.STALL_S", 0.3)

    async def test() -> None:
        with closing(Node()) as node, closing(Station(node)) as station:
            node.pump.start()
            await station.connect()
            time.sleep(0.5)  # noqa: ASYNC251 - the process is stopped
            station.browser.outgoing.append(station.browser.protected(rtp(7, 1)))
            station.turn()
            await eventually(lambda: len(station.ear.rtp_heard) == 1)
            assert station.ear.events == ["connected"]

    run(test())


def test_what_one_drain_leaves_the_next_takes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("media.net.port.DRAIN_LIMIT", SLOTS)
    monkeypatch.setattr("media.net.pump.DRAIN_LIMIT", SLOTS)

    async def test() -> None:
        with closing(Node()) as node, closing(Station(node)) as station:
            station.browser.outgoing += [b"\xff"] * 3 * SLOTS
            station.turn()
            node.pump.start()
            await eventually(lambda: node.port.counters.stranger == 3 * SLOTS)
            await eventually(lambda: node.pump._poll is None)

    run(test())


def test_a_fault_does_not_stop_it(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        faults = []

        def on_tick(now: float) -> None:
            faults.append(now)
            raise RuntimeError("bug in a tick")

        with closing(Node(on_tick)) as node, closing(Station(node)) as station:
            node.pump.start()
            await station.connect()
            await eventually(lambda: len(faults) > 2)

    run(test())
    assert "bug in a tick" in caplog.text


def test_after_close_nothing_is_left_on_the_loop(run: Run) -> None:
    async def test() -> None:
        with closing(Node()) as node, closing(Station(node)) as station:
            node.pump.start()
            await station.connect()
            station.ear.peer.close()
            node.pump.close()
            node.pump.close()
            await eventually(station.after_turn(lambda: station.browser.dtls.state is State.CLOSED))
            drains, ticks = node.drains, len(node.ticks)
            loop = asyncio.get_running_loop()
            assert not any(loop.remove_reader(wire.fileno()) for wire in node.wires)
            station.browser.outgoing.append(b"to whom")
            station.turn()
            later = asyncio.Event()
            loop.call_later(2 * IDLE_TICK_S, later.set)
            await later.wait()
            assert (node.drains, len(node.ticks)) == (drains, ticks)

    run(test())


def test_it_can_be_closed_from_within(run: Run) -> None:
    async def test() -> None:
        with closing(Node(lambda now: node.pump.close())) as node:
            node.pump.start()
            assert node.pump._timer is None
            loop = asyncio.get_running_loop()
            assert not any(loop.remove_reader(wire.fileno()) for wire in node.wires)

    run(test())
