"""``GET /metrics``: what Prometheus is told of this hall. docs/operations.md lists the names.

Who waits and who talks is read when it is asked for; what happened on the connections is counted as the media
nodes tell it, by every web process alike: take one of them, or the largest. No name of a call, a person or a
station is ever a label.
"""

import hmac
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus

import structlog
from aiohttp import hdrs, web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from agents.agent import Activity, Presence
from agents.picture import Picture
from media.protocol import NodeInfo
from records.model import CallId, ParticipantId, QueueId
from signaling.hall import Hall
from signaling.quality import ENOUGH, Direction, Judgement, Sample, Standing
from signaling.snapshot import Call, State
from signaling.views.duty import Duty

log = structlog.get_logger(__name__)

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")

RTT_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.6, 1.2, 2.5)
SHARES = (0.0, 0.005, 0.01, 0.03, 0.1, 0.2, 0.5)
BITRATES = (50e3, 100e3, 200e3, 500e3, 1e6, 1.5e6, 2.5e6, 4e6, 8e6)
LAG_S = (0.001, 0.005, 0.02, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0)


class Connections:
    """What happened on everybody's connections, added up. Labels: ``role`` (resident, agent …) and
    ``direction`` (``up`` is towards the node)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        both = ("role", "direction")

        def counter(name: str, about: str) -> Counter:
            return Counter(f"bangban_leg_{name}", about, both, registry=registry)

        def histogram(name: str, about: str, labels: Iterable[str], buckets: tuple[float, ...]) -> Histogram:
            return Histogram(f"bangban_{name}", about, labels, buckets=buckets, registry=registry)

        self._packets = counter("packets", "RTP packets that arrived (up) or were sent (down)")
        self._lost = counter("lost_packets", "RTP packets missing on arrival, before repair")
        self._unrepaired = counter("unrepaired_packets", "RTP packets that never came")
        self._freezes = counter("freezes", "Times that a picture stood still for more than 0.5 s")
        self._key_frames = counter("key_frames", "Key frames")
        self._rtt = histogram("leg_rtt_seconds", "Round trip between node and participant", ("role",), RTT_S)
        self._loss = histogram(
            "leg_loss_ratio", "Share of packets lost before repair, by interval", both, SHARES
        )
        self._bitrate = histogram("leg_bitrate_bits_per_second", "Bitrate, by interval", both, BITRATES)
        self._recorder = histogram(
            "recorder_lag_seconds", "How long recorded frames waited for the disk", (), LAG_S
        )

    def observe(self, call: CallId, participant: ParticipantId, sample: Sample) -> None:
        role = sample.role.value
        if sample.rtt_ms is not None:
            self._rtt.labels(role).observe(sample.rtt_ms / 1000)
        self._recorder.observe(sample.recorder_lag_ms / 1000)
        self._count(role, "up", sample.up)
        self._count(role, "down", sample.down)

    def _count(self, role: str, way: str, seen: Direction) -> None:
        self._packets.labels(role, way).inc(seen.packets)
        self._lost.labels(role, way).inc(seen.lost)
        self._unrepaired.labels(role, way).inc(seen.unrepaired)
        self._freezes.labels(role, way).inc(seen.freezes)
        self._key_frames.labels(role, way).inc(seen.key_frames)
        self._bitrate.labels(role, way).observe(seen.bitrate)
        if seen.expected >= ENOUGH:
            self._loss.labels(role, way).observe(seen.loss)


class _Moment(Collector):
    """The hall at the moment of the scrape."""

    def __init__(
        self,
        now: float,
        calls: tuple[Call, ...],
        picture: Picture,
        duty: Mapping[QueueId, Duty],
        nodes: tuple[NodeInfo, ...],
        standings: tuple[Standing, ...],
        reservations: int,
    ) -> None:
        self._now = now
        self._calls = calls
        self._picture = picture
        self._duty = duty
        self._nodes = nodes
        self._standings = standings
        self._reservations = reservations

    def collect(self) -> Iterator[Metric]:
        yield self._of_calls()
        yield self._of_agents()
        yield from self._of_queues()
        yield CounterMetricFamily(
            "bangban_reservations", "Reservations that this process made", self._reservations
        )
        yield self._of_connections()
        yield from self._of_nodes()

    def _of_calls(self) -> Metric:
        family = GaugeMetricFamily("bangban_calls", "Calls that are not over", labels=("state",))
        for state in State:
            if state is not State.ENDED:
                family.add_metric((state.value,), sum(call.state is state for call in self._calls))
        return family

    def _of_agents(self) -> Metric:
        agents = self._picture.agents.values()
        family = GaugeMetricFamily("bangban_agents", "Agents known", labels=("activity", "presence"))
        for activity in Activity:
            for presence in Presence:
                count = sum((a.activity, a.presence) == (activity, presence) for a in agents)
                family.add_metric((activity.value, presence.value), count)
        return family

    def _of_queues(self) -> Iterator[Metric]:
        for name, about, value in QUEUE_GAUGES:
            family = GaugeMetricFamily(f"bangban_queue_{name}", about, labels=("queue",))
            for queue, duty in self._duty.items():
                enqueued = [waiting.enqueued_at for waiting in self._picture.queue(queue)]
                longest = max(0.0, self._now - min(enqueued)) if enqueued else 0.0
                family.add_metric((queue,), value(len(enqueued), longest, duty))
            yield family

    def _of_connections(self) -> Metric:
        about = "Connections in calls, by what is said of the participant's network"
        family = GaugeMetricFamily("bangban_legs", about, labels=("role", "judgement"))
        for role in sorted({standing.sample.role for standing in self._standings}):
            for judgement in Judgement:
                count = sum((s.sample.role, s.judgement) == (role, judgement) for s in self._standings)
                family.add_metric((role.value, judgement.value), count)
        return family

    def _of_nodes(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("bangban_media_nodes", "Media nodes that are alive", len(self._nodes))
        for name, about, value in NODE_GAUGES:
            family = GaugeMetricFamily(f"bangban_media_node_{name}", about, labels=("node",))
            for node in self._nodes:
                family.add_metric((node.node,), value(node))
            yield family


QUEUE_GAUGES: tuple[tuple[str, str, Callable[[int, float, Duty], float]], ...] = (
    ("waiting", "Calls that wait for an agent", lambda waiting, longest, duty: waiting),
    ("longest_wait_seconds", "How long the first of them has waited", lambda waiting, longest, duty: longest),
    ("on_duty", "Agents who could take its calls, free or busy", lambda waiting, longest, duty: duty.on_duty),
    ("free", "And those of them who are free", lambda waiting, longest, duty: duty.free),
)
NODE_GAUGES = (
    ("rooms", "Calls that the node carries", lambda node: node.rooms),
    ("capacity_rooms", "Calls that it takes", lambda node: node.capacity),
    ("cpu_ratio", "Share of one core that it uses", lambda node: node.cpu),
    ("loop_lag_seconds", "How late its loop ran, 99th percentile", lambda node: node.lag_ms / 1000),
    ("full", "1 when it takes no more calls", lambda node: int(node.full is not None)),
    ("draining", "1 when it takes no more calls because it is to stop", lambda node: int(node.draining)),
)


class Tally:
    """What this process did since it began."""

    def __init__(self) -> None:
        self.reservations = 0


class Metrics:
    """``token`` None: only this machine may ask. One registry a process of the service, none of it global."""

    def __init__(self, hall: Hall, token: str | None, tally: Tally | None = None) -> None:
        self._hall = hall
        self._token = token
        self._tally = tally or Tally()
        self._registry = CollectorRegistry()
        hall.quality.listen(Connections(self._registry).observe)

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/metrics", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        if not self._may_ask(request):
            return self._refused()
        try:
            moment = await self._moment()
        except (RedisError, OSError) as away:
            log.warning("no metrics", error=str(away))
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE, text="The live store is away.\n")
        now = CollectorRegistry()
        now.register(moment)
        body = generate_latest(now) + generate_latest(self._registry)
        return web.Response(
            body=body,
            headers={hdrs.CONTENT_TYPE: CONTENT_TYPE_LATEST, hdrs.CACHE_CONTROL: "no-store"},
        )

    async def _moment(self) -> _Moment:
        hall = self._hall
        now = hall.clock()
        return _Moment(
            now,
            await hall.calls.live(),
            await hall.picture(),
            await hall.duty(),
            await hall.nodes(),
            hall.quality.everything(now),
            self._tally.reservations,
        )

    def _may_ask(self, request: web.Request) -> bool:
        """Behind a proxy everybody comes from loopback: whoever was forwarded needs the token."""
        if self._token is not None:
            given = request.headers.get(hdrs.AUTHORIZATION, "")
            if hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode()):
                return True
        forwarded = any(name in request.headers for name in FORWARDED)
        return not forwarded and _is_loopback(request.remote)

    def _refused(self) -> web.Response:
        if self._token is None:
            text = "Only this machine may ask for metrics: set metrics.token to ask from elsewhere.\n"
            return web.Response(status=HTTPStatus.FORBIDDEN, text=text)
        headers = {hdrs.WWW_AUTHENTICATE: 'Bearer realm="metrics"'}
        return web.Response(status=HTTPStatus.UNAUTHORIZED, text="A token is needed.\n", headers=headers)


def _is_loopback(address: str | None) -> bool:
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback
