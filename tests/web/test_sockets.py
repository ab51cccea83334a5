"""The doors to signaling: a station proves its key, people their cookie; what is revoked is shut out."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError

from records.model import StationId
from signaling.messages import CloseCode
from tests.web.running import ORIGIN, Device, Service, an_address, closed, running

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory, valkey_socket: Path) -> AsyncIterator[Service]:
    async with running(tmp_path_factory.mktemp("doors"), valkey_socket, database=3) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def device(service: Service) -> Device:
    """The key of station s1, enrolled."""
    return await enrolled(service, "s1")


async def enrolled(service: Service, station: str) -> Device:
    device = Device()
    code = await service.store.devices.new_enrolment_code(StationId(station), 0.0, 4e9)
    made = await service.post("/station/enrol", json.dumps({"code": code, "public_key": device.public}))
    assert made.status == 200
    return device


async def challenged(service: Service) -> tuple[ClientWebSocketResponse, str]:
    socket = await service.socket("/ws/station")
    challenge = await socket.receive_json()
    assert challenge["type"] == "challenge"
    return socket, challenge["nonce"]


async def says(socket: ClientWebSocketResponse, signed: str, station: str = "s1", **more: Any) -> None:
    hello = {"type": "station_hello", "protocol": 1, "station": station, "signature": signed}
    await socket.send_json(hello | more)


async def test_the_right_key_opens_the_door(service: Service, device: Device) -> None:
    socket, nonce = await challenged(service)
    await says(socket, device.signs(nonce, station="s1"))
    assert (await socket.receive_json())["type"] == "welcome"
    state = await socket.receive_json()
    while state["type"] != "station_state":
        state = await socket.receive_json()
    assert (state["station"], state["name"]["en"], state["call"]) == ("s1", "Station s1", None)
    await socket.close()


async def test_who_says_nothing_cannot_have_sockets_without_end(
    service: Service, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.sockets.UNKNOWN", 3)
    silent = [(await challenged(service))[0] for _ in range(2)]
    known, nonce = await challenged(service)
    await says(known, device.signs(nonce, station="s1"))
    assert (await known.receive_json())["type"] == "welcome"
    silent.append((await challenged(service))[0])
    for path in ("/ws/station", "/ws/agent"):
        with pytest.raises(WSServerHandshakeError) as refused:
            await service.socket(path)
        assert refused.value.status == 429
    elsewhere = await service.socket("/ws/station", x_forwarded_for=an_address())
    for socket in (*silent, elsewhere, known):
        await socket.close()
    again, _ = await challenged(service)
    await again.close()


async def test_every_challenge_is_another(service: Service) -> None:
    nonces = set()
    for _ in range(3):
        socket, nonce = await challenged(service)
        nonces.add(nonce)
        await socket.close()
    assert len(nonces) == 3
    assert all(len(nonce) == 43 for nonce in nonces)


async def test_a_wrong_key_is_shut_out(service: Service, device: Device) -> None:
    socket, nonce = await challenged(service)
    await says(socket, Device().signs(nonce, station="s1"))
    assert await closed(socket) == CloseCode.NOT_SIGNED_IN


async def test_a_signature_heard_before_is_shut_out(service: Service, device: Device) -> None:
    first, nonce = await challenged(service)
    heard = device.signs(nonce, station="s1")
    await says(first, heard)
    assert (await first.receive_json())["type"] == "welcome"
    second, _ = await challenged(service)
    await says(second, heard)
    assert await closed(second) == CloseCode.NOT_SIGNED_IN
    await first.close()


async def test_a_signature_for_another_origin_or_station_is_shut_out(
    service: Service, device: Device
) -> None:
    await enrolled(service, "s2")
    for origin, signed_as, says_to_be in (
        ("https://evil.example", "s1", "s1"),
        (ORIGIN, "s2", "s1"),
        (ORIGIN, "s1", "s2"),
        (ORIGIN, "s2", "s2"),  # with the key of s1
        (ORIGIN, "nobody", "nobody"),
    ):
        socket, nonce = await challenged(service)
        await says(socket, device.signs(nonce, station=signed_as, origin=origin), says_to_be)
        assert await closed(socket) == CloseCode.NOT_SIGNED_IN


@pytest.mark.parametrize("signature", ["", "x", "é", "!" * 86, "A" * 128])
async def test_what_is_no_signature_is_shut_out(service: Service, device: Device, signature: str) -> None:
    socket, _ = await challenged(service)
    await says(socket, signature)
    assert await closed(socket) == CloseCode.NOT_SIGNED_IN


@pytest.mark.parametrize(
    "wrong", [{"protocol": 2}, {"extra": 1}, {"signature": "A" * 129}, {"type": "hello"}]
)
async def test_a_hello_that_is_none_is_closed_by_name(service: Service, wrong: dict[str, Any]) -> None:
    socket, _ = await challenged(service)
    await says(socket, "x", **wrong)
    assert await closed(socket) == CloseCode.BAD_HELLO


async def test_a_revoked_station_is_shut_out(service: Service) -> None:
    device = await enrolled(service, "s2")
    await service.store.devices.revoke(StationId("s2"))
    socket, nonce = await challenged(service)
    await says(socket, device.signs(nonce, station="s2"), "s2")
    assert await closed(socket) == CloseCode.NOT_SIGNED_IN


async def test_a_station_revoked_while_it_is_connected_is_put_out(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.sockets.CHECK_AGAIN_S", 0.0)
    device = await enrolled(service, "s2")
    socket, nonce = await challenged(service)
    await says(socket, device.signs(nonce, station="s2"), "s2")
    assert (await socket.receive_json())["type"] == "welcome"
    await service.store.devices.revoke(StationId("s2"))
    assert await closed(socket) == CloseCode.SIGNED_OUT


async def test_who_signs_out_on_another_page_is_put_out(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.sockets.CHECK_AGAIN_S", 0.0)
    cookie = await service.cookie("agent")
    socket = await service.socket("/ws/agent", cookie=cookie)
    await socket.send_json({"type": "hello", "protocol": 1})
    assert (await socket.receive_json())["type"] == "welcome"
    await service.post("/agent/logout", cookie=cookie)
    assert await closed(socket) == CloseCode.SIGNED_OUT


async def test_the_manager_sees_the_hall(service: Service) -> None:
    socket = await service.socket("/ws/manager", cookie=await service.cookie("manager"))
    await socket.send_json({"type": "hello", "protocol": 1})
    frames = [await socket.receive_json() for _ in range(3)]
    state = next(frame for frame in frames if frame["type"] == "manager_state")
    assert {row["station"] for row in state["stations"]} == {"s1", "s2"}
    await socket.close()
