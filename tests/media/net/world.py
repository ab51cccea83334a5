"""A simulated network with a node's port and browsers in it, stepped through time that nobody waits for."""

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from media.net.batch import SLOTS, Address, Batch, address_of
from media.net.dtls import Certificate
from media.net.peer import Peer
from media.net.port import Port
from tests.media.net.browser import Browser

STEP_S = 0.005
NODE = Certificate()
HOSTS = ("192.0.2.1", "2001:db8::1")  # the node's, wire 0 and wire 1
NODE_PORT = 40_000


class Network:
    """Datagrams are lost with probability ``loss``; the others take ``delay`` to twice that, so some overtake
    others."""

    def __init__(self, loss: float = 0.0, seed: int = 1, delay: float = 0.01) -> None:
        self.now = 1000.0
        self.loss, self.delay = loss, delay
        self._random = Random(seed)
        self._sent = 0
        self._under_way: list[tuple[float, int, Address, Address, bytes]] = []
        self._arrived: dict[Address, deque[tuple[Address, bytes]]] = defaultdict(deque)

    def send(self, source: Address, target: Address, data: bytes) -> None:
        if self._random.random() >= self.loss:
            self._sent += 1
            due = self.now + self.delay * (1 + self._random.random())
            heappush(self._under_way, (due, self._sent, source, target, data))

    def advance(self, seconds: float) -> None:
        self.now += seconds
        while self._under_way and self._under_way[0][0] <= self.now:
            _, _, source, target, data = heappop(self._under_way)
            self._arrived[target].append((source, data))

    def take(self, target: Address) -> list[tuple[Address, bytes]]:
        queue = self._arrived.pop(target, deque())
        return list(queue)


class SimulatedWire:
    """A ``Wire``. What is put in front of it by ``inject`` arrives at once and is never lost."""

    def __init__(self, network: Network, address: Address) -> None:
        self.address = address
        self._network = network
        self._waiting: deque[tuple[Address, bytes]] = deque()

    def inject(self, source: Address, data: bytes) -> None:
        self._waiting.append((source, data))

    def receive(self, batch: Batch) -> int:
        self._waiting += self._network.take(self.address)
        batch.prepare()
        while self._waiting and batch.count < SLOTS:
            source, data = self._waiting.popleft()
            batch.incoming(data, source)
        return batch.count

    def send(self, batch: Batch) -> None:
        for slot in range(batch.count):
            data, target = batch.outgoing(slot)
            self._network.send(self.address, target, data)
        batch.count = 0


@dataclass
class Ear:
    """A ``Receiver`` that writes down what it hears."""

    rtp_heard: list[bytes] = field(default_factory=list)
    rtcp_heard: list[bytes] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def rtp(self, packet: memoryview, size: int, arrived: float) -> None:
        self.rtp_heard.append(bytes(packet[:size]))
        self.arrivals.append(arrived)

    def rtcp(self, packet: memoryview, size: int, arrived: float) -> None:
        self.rtcp_heard.append(bytes(packet[:size]))

    def connected(self) -> None:
        self.events.append("connected")

    def closed(self, reason: str) -> None:
        self.events.append(reason)


@dataclass
class Call:
    """A browser, where it is, the node's peer for it, and what that peer's receiver heard."""

    browser: Browser
    address: Address
    peer: Peer
    ear: Ear
    wire: int = 0

    @property
    def is_up(self) -> bool:
        return self.peer.connected and self.browser.is_connected


class World:
    def __init__(self, loss: float = 0.0, seed: int = 1) -> None:
        self.network = Network(loss, seed)
        self.wires = [SimulatedWire(self.network, address_of(host, NODE_PORT)) for host in HOSTS]
        self.port = Port(self.wires, NODE)
        self.calls: list[Call] = []

    @property
    def now(self) -> float:
        return self.network.now

    def call(self, host: str | None = None, answers: bool = True, ear: Ear | None = None) -> Call:
        """A browser that got its offer, and whose answer has arrived if it ``answers``."""
        ear = ear or Ear()
        number = len(self.calls)
        host = host or f"198.51.{100 + number // 250}.{number % 250 + 1}"
        call = self.join(self.port.open(ear, self.now), host, ear)
        if answers:
            call.peer.accept(call.browser.remote, self.now)
        return call

    def join(self, peer: Peer, host: str, ear: Ear | None = None) -> Call:
        """A browser that got the offer of a peer which is there already."""
        browser = Browser(NODE.fingerprint)
        browser.offered(peer.ufrag, peer.password)
        call = Call(browser, address_of(host, 5000), peer, ear or Ear(), 1 if ":" in host else 0)
        self.calls.append(call)
        return call

    def move(self, call: Call, host: str) -> None:
        """The browser is on another network now."""
        call.address = address_of(host, 6000)

    def connected(self, host: str | None = None) -> Call:
        call = self.call(host)
        self.until(lambda: call.is_up)
        return call

    def step(self) -> None:
        for call in self.calls:
            call.browser.step(self.now)
            outgoing, call.browser.outgoing = call.browser.outgoing, []
            for data in outgoing:
                self.network.send(call.address, self.wires[call.wire].address, data)
        self.network.advance(STEP_S)
        self.port.drain(self.now)
        self.port.tick(self.now)
        self.port.flush()
        for call in self.calls:
            for _, data in self.network.take(call.address):
                call.browser.receive(data, self.now)

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_S)):
            self.step()

    def until(self, condition: Callable[[], bool], within: float = 10.0) -> float:
        """Step until it holds; how long that took. AssertionError when it does not within the time."""
        begun = self.now
        while not condition():
            assert self.now < begun + within, "it did not happen in time"
            self.step()
        return self.now - begun
