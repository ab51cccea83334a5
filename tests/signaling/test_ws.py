"""Sessions over real sockets and a real Valkey: taking over, coming back after a break, silence, floods."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web
from redis.asyncio import Redis

from agents.agent import Activity, PauseReason, Presence
from records.model import AccountId, StationId
from signaling import messages as m
from signaling.agent_desk import AgentDesk
from signaling.holders import agent_identity
from signaling.manager_desk import ManagerDesk
from signaling.messages import CloseCode, ErrorCode
from signaling.station_desk import StationDesk
from signaling.ws import CUT_OFF, BadHello, Pace, Sockets, receive_hello
from tests.eventually import eventually
from tests.signaling.world import FIRST, ITEM, LIN, Names, World, account

Frame = dict[str, Any]
QUICK = Pace(heartbeat=0.05, silence=30.0, resume=10.0, look=0.05, keep=0.05, tick=0.02, goodbye=0.3)


class Place:
    """A server with sessions of its own (one process) on a hall that others may share."""

    def __init__(self, world: World, pace: Pace) -> None:
        self.world = world
        ids = count(1)
        self.clock = world.clock
        self.sockets = Sockets(world.hall, lambda: f"id-{id(self)}-{next(ids)}", world.clock, pace)
        self.url = ""
        self.browsers = ClientSession()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        kind, _, who = request.match_info["who"].partition("-")
        socket = web.WebSocketResponse(max_msg_size=CUT_OFF, timeout=0.3)
        await socket.prepare(request)
        try:
            hello = await receive_hello(socket, m.Hello, 0.5)
        except BadHello as refused:
            await socket.close(code=refused.code)
            return socket
        await self.sockets.serve(socket, hello, lambda session: self.desk(kind, who, session))
        return socket

    def desk(self, kind: str, who: str, session: Any) -> Any:
        world = self.world
        if kind == "station":
            return StationDesk(world.hall, session, Names().cards[StationId(who)], world._is_welcome)
        if kind == "manager":
            return ManagerDesk(world.hall, session, account(AccountId(who)), world._is_welcome)
        card = Names().agent(AccountId(who))
        assert card is not None
        return AgentDesk(world.hall, session, account(AccountId(who)), card, world._is_welcome)

    async def open(self, who: str, resume: str | None = None, seen: int = 0) -> "Browser":
        browser = Browser(await self.browsers.ws_connect(f"{self.url}/{who}", autoclose=False))
        await browser.say(type="hello", protocol=1, resume=resume, seen=seen)
        return browser


class Browser:
    """The page's end of one socket; ``frames`` is all that came but heartbeats."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.pings = 0
        self.code: int | None = None
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while (message := await self.socket.receive()).type is WSMsgType.TEXT:
            frame = msgspec.json.decode(message.data)
            if frame["type"] == "ping":
                self.pings += 1
            else:
                self.frames.append(frame)
        # Read from the frame: aiohttp's close_code is 1006 when our half of the handshake comes too late.
        self.code = message.data if message.type is WSMsgType.CLOSE else self.socket.close_code
        await self.socket.close()

    async def say(self, **frame: Any) -> None:
        await self.socket.send_str(msgspec.json.encode(frame).decode())

    async def gets(self, type: str, nth: int = 1) -> Frame:
        await eventually(lambda: len(self.of(type)) >= nth)
        return self.of(type)[nth - 1]

    def of(self, type: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["type"] == type]

    @property
    def seen(self) -> int:
        return max((frame.get("seq", 0) for frame in self.frames), default=0)

    async def closed(self) -> int | None:
        async with asyncio.timeout(5):
            await self.reader
        return self.code

    async def break_off(self) -> None:
        """The network is gone: no closing handshake, not even a TCP FIN that would be noticed late."""
        transport = self.socket._response.connection.transport  # type: ignore[union-attr]
        transport.abort()  # type: ignore[union-attr]
        await self.reader

    async def leave(self) -> None:
        await self.socket.close()
        await self.reader


@asynccontextmanager
async def place(world: World, pace: Pace = QUICK) -> AsyncIterator[Place]:
    made = Place(world, pace)
    app = web.Application()
    app.router.add_get("/{who}", made.serve)
    app.on_shutdown.append(lambda _: made.sockets.close())
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield made
    finally:
        await runner.cleanup()
        await made.browsers.close()


@pytest.fixture
async def here(redis: Redis) -> AsyncIterator[Place]:
    async with place(World(redis)) as made:
        yield made


async def available(browser: Browser) -> None:
    await browser.say(type="set_presence", ref=1, presence="available")
    await browser.gets("ack")


async def test_a_session_begins_with_welcome_and_the_whole_state(here: Place) -> None:
    page = await here.open("agent-lin")
    welcome = await page.gets("welcome")
    assert (welcome["resumed"], welcome["heartbeat_ms"]) == (False, 50)
    assert "seq" not in welcome
    state = await page.gets("agent_state")
    assert (state["agent"], state["presence"], state["seq"]) == ("lin", "paused", 1)
    await page.leave()


async def test_both_sides_keep_the_heartbeat(here: Place) -> None:
    page = await here.open("agent-lin")
    await page.gets("welcome")
    await page.say(type="ping")
    await page.gets("pong")
    for beat in range(1, 4):
        here.clock.now += 0.06
        await eventually(lambda beat=beat: page.pings >= beat)  # type: ignore[misc]
    await page.leave()


async def test_a_second_tab_takes_over_and_the_first_is_told(here: Place) -> None:
    first = await here.open("agent-lin")
    await available(first)
    second = await here.open("agent-lin")
    await second.gets("agent_state")
    assert await first.closed() == CloseCode.TAKEN_OVER
    assert first.frames[-1]["type"] == "taken_over"
    assert (await here.world.known(LIN)).presence is Presence.AVAILABLE
    late = await here.open("agent-lin", resume=first.of("welcome")[0]["resume"])
    assert not (await late.gets("welcome"))["resumed"], "a session that was taken over is over"
    await second.closed()
    await late.leave()


async def test_a_tab_in_another_process_takes_over_too(redis: Redis) -> None:
    world = World(redis)
    async with place(world) as here, place(world) as there:
        first = await here.open("agent-lin")
        await first.gets("agent_state")
        second = await there.open("agent-lin")
        await second.gets("agent_state")
        here.clock.now += 1  # pub/sub may lose the word: the next heartbeat in Redis finds out
        assert await first.closed() == CloseCode.TAKEN_OVER
        await second.leave()


async def test_managers_may_have_as_many_pages_as_they_like(here: Place) -> None:
    pages = [await here.open("manager-boss") for _ in range(3)]
    for page in pages:
        await page.gets("manager_state")
    assert not any(page.reader.done() for page in pages)
    for page in pages:
        await page.leave()


async def test_a_connection_that_breaks_is_resumed_without_loss_and_without_doing_twice(here: Place) -> None:
    await here.world.agent_on_duty()
    station = await here.open("station-s1")
    await station.gets("station_state")
    seen = station.seen
    await station.say(type="call", ref=1, item=ITEM, consent=True)
    await station.gets("ack")
    await station.break_off()
    token = station.of("welcome")[0]["resume"]
    again = await here.open("station-s1", resume=token, seen=seen)
    assert (await again.gets("welcome"))["resumed"]
    await again.say(type="call", ref=1, item=ITEM, consent=True)
    first, second = await again.gets("ack"), await again.gets("ack", 2)
    assert (first["ref"], second["ref"]) == (1, 1)
    assert [f["seq"] for f in again.frames if "seq" in f] == list(range(seen + 1, again.seen + 1))
    assert len(await here.world.calls.live()) == 1
    await again.leave()


async def test_a_resume_is_answered_while_the_old_socket_still_seems_open(here: Place) -> None:
    """The browser changed networks: we have not noticed that the old socket is dead."""
    page = await here.open("agent-lin")
    await available(page)
    again = await here.open("agent-lin", resume=page.of("welcome")[0]["resume"], seen=page.seen)
    assert (await again.gets("welcome"))["resumed"]
    await page.closed()
    assert page.of("taken_over") == []
    assert (await here.world.known(LIN)).presence is Presence.AVAILABLE
    await again.say(type="set_presence", ref=1, presence="available")
    assert (await again.gets("ack"))["ref"] == 1
    await again.leave()


async def test_what_was_asked_just_before_the_break_is_done_and_answered_after_it(here: Place) -> None:
    await here.world.agent_on_duty()
    station = await here.open("station-s1")
    await station.gets("station_state")
    await station.say(type="call", ref=1, item=ITEM, consent=True)
    seen = station.seen
    await station.leave()
    again = await here.open("station-s1", resume=station.of("welcome")[0]["resume"], seen=seen)
    assert (await again.gets("ack"))["ref"] == 1
    await again.leave()


@pytest.mark.parametrize("who", ["agent-wang", "station-s1"])
async def test_anothers_token_resumes_nothing(here: Place, who: str) -> None:
    page = await here.open("agent-lin")
    token = (await page.gets("welcome"))["resume"]
    await page.break_off()
    thief = await here.open(who, resume=token)
    assert not (await thief.gets("welcome"))["resumed"]
    await thief.leave()


async def test_an_agent_who_is_lost_is_not_rung_and_resumed_is_available(here: Place) -> None:
    page = await here.open("agent-lin")
    await available(page)
    await page.break_off()

    async def presence() -> tuple[Presence, PauseReason | None]:
        lin = await here.world.known(LIN)
        return lin.presence, lin.pause_reason

    await becomes(presence, (Presence.PAUSED, PauseReason.CONNECTION_LOST))
    again = await here.open("agent-lin", resume=page.of("welcome")[0]["resume"], seen=page.seen)
    await becomes(presence, (Presence.AVAILABLE, None))
    await again.leave()


async def test_who_does_not_come_back_in_time_is_away(redis: Redis) -> None:
    async with place(World(redis), Pace(resume=0.05, tick=0.02, goodbye=0.3)) as here:
        talk = await here.world.talking()
        page = await here.open("station-s1")
        await page.gets("station_state")
        await page.break_off()

        async def away() -> list[bool]:
            return [seat.away_until is not None for seat in (await here.world.call(talk.call)).seats]

        await becomes(away, [True, False])
        back = await here.open("station-s1", resume=page.of("welcome")[0]["resume"])
        assert not (await back.gets("welcome"))["resumed"]
        await becomes(away, [False, False])
        await back.leave()


async def test_a_silent_peer_is_closed_by_name_and_may_still_resume(here: Place) -> None:
    page = await here.open("agent-lin")
    await page.gets("agent_state")
    here.clock.now += QUICK.silence + 1
    assert await page.closed() == CloseCode.SILENT
    again = await here.open("agent-lin", resume=page.of("welcome")[0]["resume"], seen=page.seen)
    assert (await again.gets("welcome"))["resumed"]
    await again.leave()


async def test_a_service_that_stops_says_so(redis: Redis) -> None:
    world = World(redis)
    async with place(world) as here:
        page = await here.open("agent-lin")
        await available(page)
    assert await page.closed() == CloseCode.RESTARTING
    assert (await world.known(LIN)).pause_reason is PauseReason.CONNECTION_LOST


async def test_who_is_signed_out_is_closed_by_name(here: Place) -> None:
    page = await here.open("agent-lin")
    await page.gets("agent_state")
    here.world.welcome = False
    here.clock.now += 1
    assert await page.closed() == CloseCode.SIGNED_OUT

    async def presence() -> Presence:
        return (await here.world.known(LIN)).presence

    await becomes(presence, Presence.SIGNED_OUT)
    assert await here.world.holders.held((agent_identity(LIN),)) == frozenset()


async def test_a_flood_is_closed_by_name(here: Place) -> None:
    page = await here.open("agent-lin")
    await page.gets("welcome")
    for _ in range(30):
        await page.socket.send_str("{")
    assert await page.closed() == CloseCode.TOO_MANY
    assert {frame["code"] for frame in page.of("error")} == {ErrorCode.MALFORMED}


async def test_too_large_is_an_error_by_name_and_far_too_large_closes(here: Place) -> None:
    page = await here.open("agent-lin")
    await page.gets("welcome")
    await page.socket.send_bytes(b"\x00")
    assert (await page.gets("error"))["code"] == ErrorCode.MALFORMED
    await page.socket.send_str("x" * (m.MAX_FRAME + 1))
    assert (await page.gets("error", 2))["code"] == ErrorCode.TOO_LARGE
    await page.socket.send_str("x" * (CUT_OFF + 1))
    assert await page.closed() == CloseCode.TOO_LARGE


@pytest.mark.parametrize(
    "first",
    [
        "{",
        '{"type":"ping"}',
        '{"type":"hello","protocol":2}',
        '{"type":"hello","protocol":1,"extra":1}',
        '{"type":"station_hello","protocol":1,"station":"s1","signature":"x"}',
        '{"type":"hello","protocol":1,"resume":"' + "x" * m.MAX_FRAME + '"}',
        None,
    ],
)
async def test_without_a_right_hello_there_is_no_session(here: Place, first: str | None) -> None:
    page = Browser(await here.browsers.ws_connect(f"{here.url}/agent-lin", autoclose=False))
    if first is not None:
        await page.socket.send_str(first)
    assert await page.closed() == CloseCode.BAD_HELLO
    assert page.frames == []
    assert await here.world.availability.agent(LIN) is None


async def test_with_redis_away_a_page_is_told_to_come_again(here: Place) -> None:
    async def away(identity: str, session: str) -> None:
        raise OSError("Redis is away")

    here.world.holders.take = away  # type: ignore[method-assign]
    page = await here.open("agent-lin")
    assert await page.closed() == CloseCode.RESTARTING


async def test_what_failed_while_redis_was_away_is_made_up_for(here: Place) -> None:
    """Signing in fails, then works: nobody has to reload."""
    sign_in, times = here.world.availability.sign_in, []

    async def fails_twice(*args: Any) -> Any:
        times.append(1)
        if len(times) <= 2:
            raise OSError("Redis is away")
        return await sign_in(*args)

    here.world.availability.sign_in = fails_twice  # type: ignore[assignment, method-assign]
    page = await here.open("agent-lin")
    await page.gets("welcome")
    for _ in range(2):
        here.clock.now += 1
        await eventually(lambda: len(times) >= 2)
    here.clock.now += 1
    await page.gets("agent_state")
    await page.leave()


async def test_the_heartbeat_goes_on_while_redis_hangs(redis: Redis) -> None:
    world = World(redis)
    pace = Pace(heartbeat=0.05, look=0.05, keep=0.05, tick=0.02, goodbye=0.3, answer=0.05)
    async with place(world, pace) as here:
        page = await here.open("agent-lin")
        await page.gets("agent_state")

        async def hangs(*_: Any) -> Any:
            await asyncio.Event().wait()

        world.availability.agent = hangs  # type: ignore[assignment, method-assign]
        world.holders.keep = hangs  # type: ignore[assignment, method-assign]
        for beat in range(page.pings + 1, page.pings + 4):
            here.clock.now += 0.1
            await eventually(lambda beat=beat: page.pings >= beat)  # type: ignore[misc]
        assert not page.reader.done(), "nobody is thrown out for want of an answer"
        await page.leave()


async def test_a_whole_call_over_sockets(here: Place) -> None:
    station, agent = await here.open("station-s1"), await here.open("agent-lin")
    await available(agent)
    await station.say(type="call", ref=1, item=ITEM, consent=True)
    await station.gets("ack")
    await here.world.dispatch()
    await eventually(lambda: any(s["ring"] for s in agent.of("agent_state")))
    ring = next(s["ring"] for s in agent.of("agent_state") if s["ring"])
    await agent.say(type="accept", ref=2, call=ring["call"], reservation=ring["reservation"])
    await eventually(lambda: any((s["call"] or {}).get("agent") for s in station.of("station_state")))
    await station.say(type="hang_up", ref=2, call=ring["call"])
    await eventually(lambda: agent.of("agent_state")[-1]["activity"] == Activity.WRAP_UP)
    assert (await here.world.calls.of_station(FIRST)) == ring["call"]
    for page in (station, agent):
        await page.leave()


async def becomes(look: Any, value: Any) -> None:
    async with asyncio.timeout(5):
        while await look() != value:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
