"""What Prometheus is told, by the running service and by a hall with a call in it; and who may ask."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import make_mocked_request
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from media.protocol import NodeInfo
from signaling.snapshot import RESIDENT
from tests.signaling.qualities import AGENT, Stream, said
from tests.signaling.world import NODE_A, NOW, SECOND, World
from tests.web.running import running
from web.metrics import Metrics

TOKEN = "sixteen-or-more-characters"
LABELS = {"queue", "state", "activity", "presence", "role", "judgement", "node", "direction", "le"}


@asynccontextmanager
async def served(world: World, token: str | None = None) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(Metrics(world.hall, token).routes())
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/metrics"
    finally:
        await runner.cleanup()


async def scraped(url: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    async with ClientSession() as http, http.get(url) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert response.headers["Cache-Control"] == "no-store"
        return read(await response.text())


def read(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    samples: list[Sample] = [sample for family in families for sample in family.samples]
    return {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"bangban_{name}", frozenset(labels.items())


async def test_the_hall_as_it_is() -> None:
    world = World()
    async with served(world) as url:
        await world.talking()
        other = await world.station(SECOND).arrives()
        assert await world.lets_in(other) is None
        world.racks.nodes = [NodeInfo(NODE_A, 1, (), 3, 40, False, NOW, 40000, 0.25, 1.5, "lag")]
        found = await scraped(url)
    assert found[key("calls", state="active")] == 1
    assert found[key("calls", state="queued")] == 1
    assert found[key("calls", state="offered")] == 0
    assert key("calls", state="ended") not in found
    assert found[key("queue_waiting", queue="employment")] == 1
    assert found[key("agents", activity="in_call", presence="available")] == 1
    assert found[key("agents", activity="idle", presence="available")] == 0
    assert found[key("media_nodes")] == 1
    node = {name: found[key(f"media_node_{name}", node=NODE_A)] for name in ("rooms", "capacity_rooms")}
    assert node == {"rooms": 3, "capacity_rooms": 40}
    assert found[key("media_node_cpu_ratio", node=NODE_A)] == 0.25
    assert found[key("media_node_loop_lag_seconds", node=NODE_A)] == 0.0015
    assert found[key("media_node_full", node=NODE_A)] == 1
    assert found[key("media_node_draining", node=NODE_A)] == 0


async def test_what_happened_on_the_connections() -> None:
    world = World()
    async with served(world) as url:
        talk = await world.talking()
        streams = Stream(RESIDENT), Stream(AGENT)
        for _ in range(4):
            world.clock.now += 2
            legs = streams[0].next(lost=20, unrepaired=2, freezes=1), streams[1].next(recorder_lag_ms=30.0)
            world.hall.quality.hear(said(talk.call, *legs, at=world.clock.now), world.clock.now)
        found = await scraped(url)
        assert found[key("legs", role="resident", judgement="weak")] == 1
        assert found[key("legs", role="agent", judgement="good")] == 1
        up = {"role": "resident", "direction": "up"}
        # Of the first message nothing is counted.
        assert found[key("leg_packets_total", **up)] == 900
        assert found[key("leg_lost_packets_total", **up)] == 60
        assert found[key("leg_unrepaired_packets_total", **up)] == 6
        assert found[key("leg_freezes_total", **up)] == 3
        assert found[key("leg_rtt_seconds_count", role="agent")] == 4
        assert found[key("leg_rtt_seconds_bucket", role="agent", le="0.05")] == 4
        assert found[key("leg_loss_ratio_bucket", **up, le="0.03")] == 0
        assert found[key("leg_loss_ratio_bucket", **up, le="0.1")] == 3
        assert found[key("leg_bitrate_bits_per_second_bucket", **up, le="1e+06")] == 0
        assert found[key("leg_bitrate_bits_per_second_bucket", **up, le="1.5e+06")] == 4
        assert found[key("recorder_lag_seconds_bucket", le="0.02")] == 4
        assert found[key("recorder_lag_seconds_bucket", le="0.1")] == 8
        assert {label for _, labels in found for label, _ in labels} <= LABELS
        everything = {value for _, labels in found for label, value in labels if label != "le"}
        assert not everything & {talk.call, RESIDENT + "-1", AGENT, "s1", "lin"}
        world.clock.now += 60
        assert key("legs", role="resident", judgement="weak") not in await scraped(url)


async def test_two_services_in_one_process_count_apart() -> None:
    async with served(World()) as one, served(World()) as two:
        assert (await scraped(one))[key("media_nodes")] == (await scraped(two))[key("media_nodes")] == 1


FORWARDED = {"X-Forwarded-For": "203.0.113.9"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("token", "headers", "status"),
    [
        (None, {}, 200),
        (None, FORWARDED, 403),
        (None, {"Forwarded": "for=203.0.113.9"}, 403),
        (None, {"X-Real-IP": "203.0.113.9"}, 403),
        (None, {**FORWARDED, "Authorization": "Bearer None"}, 403),
        (None, {**FORWARDED, "Authorization": "Bearer "}, 403),
        (TOKEN, {}, 200),
        (TOKEN, FORWARDED, 401),
        (TOKEN, {**FORWARDED, **BEARER}, 200),
        (TOKEN, {**FORWARDED, "Authorization": f"Bearer {TOKEN}x"}, 401),
        (TOKEN, {**FORWARDED, "Authorization": f"Basic {TOKEN}"}, 401),
        # A proxy's claim that the asker is this machine is the asker's own claim.
        (TOKEN, {"X-Forwarded-For": "127.0.0.1"}, 401),
    ],
)
async def test_who_may_ask(token: str | None, headers: dict[str, str], status: int) -> None:
    async with served(World(), token) as url, ClientSession() as http, http.get(url, headers=headers) as got:
        assert got.status == status
        assert ("bangban_calls" in await got.text()) == (status == 200)
        assert ("WWW-Authenticate" in got.headers) == (status == 401)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("10.0.0.7", False),
        ("::ffff:10.0.0.7", False),
        ("fe80::1", False),
        (None, False),
        ("", False),
    ],
)
async def test_from_where(address: str | None, may: bool) -> None:
    request = make_mocked_request("GET", "/metrics").clone(remote=address)
    answer = await Metrics(World().hall, None).show(request)
    assert answer.status == (200 if may else 403)


async def test_the_service_has_them(tmp_path: Path, valkey_socket: Path) -> None:
    async with running(tmp_path, valkey_socket, database=7) as service:
        found = read(await (await service.get("/metrics")).text())
        assert found[key("queue_waiting", queue="general")] == found[key("media_nodes")] == 0
        assert (await service.get("/metrics", x_forwarded_for="203.0.113.9")).status == 403
