"""What each role may ask and is shown: a story each."""

import pytest

from agents.agent import Activity, PauseReason, Presence
from media import protocol
from media.protocol import VideoCodec
from records.model import EndReason, JournalKind, Outcome, ParticipantId
from signaling import events as ev
from signaling import messages as m
from signaling.bus import QUEUE, agent_topic, call_topic
from signaling.messages import CloseCode, ErrorCode
from signaling.snapshot import RESIDENT, State
from tests.signaling.world import ELSEWHERE, ITEM, LIN, SECOND, WANG, Peer, World

SEAT = ParticipantId("agent-1")


async def calls(world: World) -> tuple[Peer, str]:
    station = await world.station().arrives()
    assert await world.lets_in(station) is None
    return station, (await station.sees()).call.id


async def rung(world: World) -> tuple[Peer, Peer, m.Ring]:
    station, _ = await calls(world)
    agent = await world.agent_on_duty()
    await world.dispatch()
    ring = (await agent.sees()).ring
    assert ring is not None
    return station, agent, ring


# --- the station ---


async def test_a_resident_sees_their_place_and_an_estimate(world: World) -> None:
    await world.agent_on_duty()
    other = await world.station(SECOND).arrives()
    await other.asks("call", item=ITEM, consent=True)
    world.clock.now += 1
    station, _ = await calls(world)
    shown = (await station.sees()).call
    assert (shown.phase, shown.ahead, shown.on_duty) == (State.QUEUED, 1, 1)
    assert shown.estimate_s[0] < shown.estimate_s[1]


async def test_a_station_hears_of_its_own_call_only(world: World) -> None:
    station, call = await calls(world)
    other = await world.station(SECOND).arrives()
    assert (await other.sees()).call is None
    assert station.desk.concerns(call_topic(call))  # type: ignore[arg-type]
    assert not other.desk.concerns(call_topic(call))  # type: ignore[arg-type]
    assert not other.desk.concerns(QUEUE)
    for asked in ({"type": "cancel"}, {"type": "hang_up"}, {"type": "dismiss"}, {"type": "rate", "stars": 5}):
        assert await other.asks(call=call, **asked) is ErrorCode.UNKNOWN_CALL


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"item": "no-such-item", "consent": True}, ErrorCode.UNKNOWN_ITEM),
        ({"item": ELSEWHERE, "consent": True}, ErrorCode.NOT_EMPOWERED),
        ({"item": ITEM, "consent": False}, ErrorCode.CONSENT_MISSING),
    ],
)
async def test_a_call_that_may_not_be_is_refused_by_name(
    world: World, fields: dict[str, object], code: ErrorCode
) -> None:
    station = await world.station().arrives()
    assert await station.asks("call", **fields) is code
    assert await world.calls.live() == ()


async def test_a_second_call_of_a_station_is_refused(world: World) -> None:
    station, _ = await calls(world)
    assert await station.asks("call", item=ITEM, consent=True) is ErrorCode.BUSY


async def test_when_no_node_has_room_the_resident_is_told(world: World) -> None:
    world.racks.nodes = []
    station = await world.station().arrives()
    assert await world.lets_in(station) is ErrorCode.NO_MEDIA


async def test_the_resident_rates_once_then_is_done(world: World) -> None:
    talk = await world.talking()
    assert await talk.station.asks("rate", call=talk.call, stars=5) is ErrorCode.OUT_OF_ORDER
    assert await talk.station.asks("hang_up", call=talk.call) is None
    praise = {"call": talk.call, "stars": 5, "reasons": ["attitude"]}
    assert await talk.station.asks("rate", **praise) is ErrorCode.MALFORMED, "reasons are for complaints"
    assert await talk.station.asks("rate", call=talk.call, stars=5) is None
    assert await talk.station.asks("rate", call=talk.call, stars=1) is ErrorCode.ALREADY_RATED
    assert (await talk.station.sees()).call.rated
    assert await talk.station.asks("dismiss", call=talk.call) is None
    assert (await talk.station.sees()).call is None
    assert world.books.ratings[talk.call] == (5, ())


async def test_a_call_that_goes_on_is_not_dismissed(world: World) -> None:
    station, call = await calls(world)
    assert await station.asks("dismiss", call=call) is ErrorCode.OUT_OF_ORDER


async def test_a_revoked_station_is_shown_the_door(world: World) -> None:
    station = await world.station().arrives()
    world.welcome = False
    await station.desk.refresh()
    assert station.session.ending is CloseCode.SIGNED_OUT


async def test_a_new_session_of_the_same_page_is_sent_the_restart_that_it_asks_for(world: World) -> None:
    """The web process went down and with it the session; the connection to the node did not."""
    talk = await world.talking()
    again = await world.station().arrives()
    assert again.all(m.Offer) == []
    assert await again.asks("restart_ice", call=talk.call, generation=1) is None
    await world.node_says(
        protocol.Offered, talk.call, participant=RESIDENT, generation=1, sdp="offer 1.1", restart=1
    )
    await again.sees()
    assert [(o.generation, o.restart) for o in again.all(m.Offer)] == [(1, 1)]


async def test_a_reloaded_station_has_no_use_for_an_older_pages_offer(world: World) -> None:
    _, call = await calls(world)
    await world.offered(call, RESIDENT)  # type: ignore[arg-type]
    reloaded = await world.station().arrives()
    assert reloaded.all(m.Offer) == []
    assert await reloaded.asks("rejoin", call=call, generation=1) is None
    await world.offered(call, RESIDENT, 2)  # type: ignore[arg-type]
    await reloaded.sees()
    assert [o.generation for o in reloaded.all(m.Offer)] == [2]


# --- the agent ---


async def test_who_arrives_is_paused_until_they_say_that_they_are_available(world: World) -> None:
    agent = await world.agent().arrives()
    assert (await agent.sees()).presence is Presence.PAUSED
    await agent.asks("set_presence", presence="available")
    assert (await agent.sees()).presence is Presence.AVAILABLE


@pytest.mark.parametrize(
    "fields",
    [
        {"presence": "paused"},  # without a reason
        {"presence": "available", "reason": "meal"},
        {"presence": "signed_out", "reason": "meal"},
        {"presence": "paused", "reason": "missed_calls"},  # only the system says so
        {"presence": "paused", "reason": "connection_lost"},
    ],
)
async def test_a_pause_has_a_reason_of_ones_own_and_nothing_else_has(
    world: World, fields: dict[str, str]
) -> None:
    agent = await world.agent_on_duty()
    assert await agent.asks("set_presence", **fields) is ErrorCode.MALFORMED
    assert (await agent.sees()).presence is Presence.AVAILABLE


@pytest.mark.parametrize("reason", ["break", "meal", "meeting", "training", "counter"])
async def test_a_pause_is_shown_with_its_reason(world: World, reason: str) -> None:
    agent = await world.agent_on_duty()
    assert await agent.asks("set_presence", presence="paused", reason=reason) is None
    shown = await agent.sees()
    assert (shown.presence, shown.pause_reason) == (Presence.PAUSED, reason)


async def test_the_ring_says_who_and_where_and_what(world: World) -> None:
    _, agent, ring = await rung(world)
    assert ring.item == ITEM
    assert (ring.station.en, ring.site.en) == ("Station s1", "Wanghu")
    assert ring.until == round((world.clock() + 20) * 1000)
    assert agent.desk.concerns(agent_topic(LIN))
    assert not agent.desk.concerns(agent_topic(WANG))


async def test_accepting_starts_the_call_and_accepting_again_is_not_offered(world: World) -> None:
    station, agent, ring = await rung(world)
    assert await agent.asks("accept", call=ring.call, reservation=ring.reservation) is None
    assert (await agent.sees()).call.phase is State.CONNECTING
    assert (await station.sees()).call.agent.badge == "0317"
    again = await agent.asks("accept", call=ring.call, reservation=ring.reservation)
    assert again is ErrorCode.NOT_OFFERED


async def test_a_ring_that_is_over_is_not_offered_and_the_agent_stays_free(world: World) -> None:
    _, agent, ring = await rung(world)
    world.clock.now += 20
    assert await agent.asks("accept", call=ring.call, reservation=ring.reservation) is ErrorCode.NOT_OFFERED
    await world.dispatch()
    assert (await world.call(ring.call)).state is State.QUEUED
    assert (await world.known(LIN)).activity is Activity.IDLE
    assert JournalKind.NO_ANSWER in world.books.kinds(ring.call)


async def test_a_call_cancelled_while_it_rings_is_not_offered_and_the_agent_stays_free(world: World) -> None:
    station, agent, ring = await rung(world)
    await station.asks("cancel", call=ring.call)
    for answer in ("accept", "decline"):
        refused = await agent.asks(answer, call=ring.call, reservation=ring.reservation)
        assert refused is ErrorCode.NOT_OFFERED
    assert (await world.known(LIN)).activity is Activity.IDLE
    assert (await agent.sees()).ring is None


async def test_a_call_that_goes_away_between_the_two_steps_of_accepting_frees_the_agent(world: World) -> None:
    _, agent, ring = await rung(world)
    accept = world.availability.accept

    async def meanwhile(reservation, me, now):  # type: ignore[no-untyped-def]
        taken = await accept(reservation, me, now)
        await world.switchboard.tell(ring.call, ev.LeftByResident())
        return taken

    world.availability.accept = meanwhile  # type: ignore[method-assign]
    assert await agent.asks("accept", call=ring.call, reservation=ring.reservation) is ErrorCode.NOT_OFFERED
    lin = await world.known(LIN)
    assert (lin.presence, lin.activity) == (Presence.AVAILABLE, Activity.IDLE)
    assert (await world.call(ring.call)).end_reason is EndReason.CANCELLED


async def test_a_ring_that_ends_between_the_two_steps_goes_back_to_the_queue(
    world: World,
) -> None:
    """Clocks of two machines differ: one says that the ring is over while the other takes it."""
    _, agent, ring = await rung(world)
    accept = world.availability.accept

    async def meanwhile(reservation, me, now):  # type: ignore[no-untyped-def]
        taken = await accept(reservation, me, now)
        await world.switchboard.tell(ring.call, ev.RingExpired(ring.reservation))
        return taken

    world.availability.accept = meanwhile  # type: ignore[method-assign]
    assert await agent.asks("accept", call=ring.call, reservation=ring.reservation) is ErrorCode.NOT_OFFERED
    assert (await world.known(LIN)).activity is Activity.IDLE
    assert await world.queue() == [ring.call]


async def test_declining_sends_the_call_to_somebody_else(world: World) -> None:
    _, agent, ring = await rung(world)
    other = await world.agent_on_duty(WANG)
    assert await agent.asks("decline", call=ring.call, reservation=ring.reservation) is None
    await world.dispatch()
    assert (await agent.sees()).ring is None
    assert (await other.sees()).ring.call == ring.call


async def test_who_declined_and_is_rung_again_is_sent_the_offer_of_the_new_seat(world: World) -> None:
    _, agent, ring = await rung(world)
    await world.offered(ring.call, SEAT)
    await agent.sees()
    assert await agent.asks("decline", call=ring.call, reservation=ring.reservation) is None
    await agent.sees()
    world.clock.now += 600
    await world.dispatch()
    assert (await agent.sees()).ring.call == ring.call
    await world.offered(ring.call, ParticipantId("agent-2"))
    await agent.sees()
    assert [(o.call, o.generation) for o in agent.all(m.Offer)] == [(ring.call, 1), (ring.call, 1)]


async def test_an_agent_hears_of_another_agents_call_as_of_none(world: World) -> None:
    talk = await world.talking()
    other = await world.agent_on_duty(WANG)
    for asked in (
        {"type": "hang_up"},
        {"type": "share", "on": True},
        {"type": "add_note", "text": "x"},
        {"type": "wrap_up", "outcome": "other"},
        {"type": "ready"},
        {"type": "answer", "generation": 1, "sdp": "v=0"},
        {"type": "rejoin", "generation": 1},
        {"type": "devices", "mic": False, "camera": True},
    ):
        assert await other.asks(call=talk.call, **asked) is ErrorCode.UNKNOWN_CALL


async def test_an_agent_is_told_in_which_codecs_the_resident_can_be_shown_a_screen(world: World) -> None:
    talk = await world.talking()
    assert (await talk.agent.sees()).call.share_codecs == (VideoCodec.VP8,)
    assert await talk.station.asks("rejoin", call=talk.call, generation=1) is None
    await world.node_says(
        protocol.Connected, talk.call, participant=RESIDENT, generation=2, takes=tuple(VideoCodec)
    )
    assert (await talk.agent.sees()).call.share_codecs == (VideoCodec.AV1, VideoCodec.VP9, VideoCodec.VP8)


async def test_after_the_call_comes_the_wrap_up_and_an_outcome_before_ready(world: World) -> None:
    talk = await world.talking()
    assert await talk.agent.asks("add_note", call=talk.call, text="材料已补齐") is None
    assert await talk.agent.asks("share", call=talk.call, on=True) is None
    assert (await talk.station.sees()).call.sharing
    assert await talk.agent.asks("wrap_up", call=talk.call, outcome="resolved") is ErrorCode.OUT_OF_ORDER
    assert await talk.agent.asks("hang_up", call=talk.call) is None
    shown = await talk.agent.sees()
    assert shown.activity is Activity.WRAP_UP
    assert shown.wrap_up_until is not None
    assert await talk.agent.asks("ready", call=talk.call) is ErrorCode.OUT_OF_ORDER, "no outcome yet"
    for outcome in ("guided", "resolved"):
        assert await talk.agent.asks("wrap_up", call=talk.call, outcome=outcome, note="好") is None
    assert (await talk.agent.sees()).call.outcome is Outcome.RESOLVED
    assert await talk.agent.asks("ready", call=talk.call) is None
    assert (await talk.agent.sees()).activity is Activity.IDLE
    assert world.books.summaries[talk.call].outcome is Outcome.RESOLVED


async def test_an_agent_whose_socket_is_gone_is_not_rung_and_back_soon_enough_is_available(
    world: World,
) -> None:
    agent = await world.agent_on_duty()
    await agent.desk.lost()
    lin = await world.known(LIN)
    assert (lin.presence, lin.pause_reason) == (Presence.PAUSED, PauseReason.CONNECTION_LOST)
    await calls(world)
    await world.dispatch()
    assert (await world.known(LIN)).activity is Activity.IDLE
    world.clock.now += 59
    await world.agent().arrives()
    assert (await world.known(LIN)).presence is Presence.AVAILABLE


async def test_an_agent_back_too_late_says_anew_that_they_are_available(world: World) -> None:
    agent = await world.agent_on_duty()
    await agent.desk.lost()
    world.clock.now += 61
    back = await world.agent().arrives()
    assert (await back.sees()).pause_reason is PauseReason.CONNECTION_LOST


async def test_a_pause_of_ones_own_is_not_ended_by_coming_back(world: World) -> None:
    agent = await world.agent_on_duty()
    await agent.asks("set_presence", presence="paused", reason="meal")
    await agent.desk.lost()
    back = await world.agent().arrives()
    assert (await back.sees()).pause_reason is PauseReason.MEAL


async def test_who_signs_out_is_signed_out_for_everybody(world: World) -> None:
    agent = await world.agent_on_duty()
    world.welcome = False
    await agent.desk.refresh()
    assert agent.session.ending is CloseCode.SIGNED_OUT
    await agent.desk.lost()
    await agent.desk.over()
    assert (await world.known(LIN)).presence is Presence.SIGNED_OUT


async def test_an_agents_page_that_comes_back_during_a_call_goes_on(world: World) -> None:
    talk = await world.talking()
    await talk.agent.desk.lost()
    await talk.agent.desk.over()
    assert (await talk.station.sees()).call.agent_away
    back = await world.agent().arrives()
    shown = await back.sees()
    assert (shown.call.id, shown.activity) == (talk.call, Activity.IN_CALL)
    assert not (await talk.station.sees()).call.agent_away


async def test_each_is_told_what_the_other_has_switched_off(world: World) -> None:
    station, agent, ring = await rung(world)
    assert await agent.asks("devices", call=ring.call, mic=True, camera=False) is None
    shown = (await station.sees()).call
    assert (shown.agent_mic, shown.agent_camera) == (True, True)  # nobody has answered yet
    assert await agent.asks("accept", call=ring.call, reservation=ring.reservation) is None
    shown = (await station.sees()).call
    assert (shown.agent_mic, shown.agent_camera) == (True, False)
    assert await station.asks("devices", call=ring.call, mic=False, camera=True) is None
    heard = (await agent.sees()).call
    assert (heard.resident_mic, heard.resident_camera) == (False, True)


# --- the manager ---


async def test_a_manager_sees_who_waits_who_talks_and_who_is_there(world: World) -> None:
    manager = await world.manager().arrives()
    station, _ = await calls(world)
    assert [row.station.en for row in (await manager.sees()).waiting] == ["Station s1"]
    await station.asks("cancel", call=(await station.sees()).call.id)
    talk = await world.talking()
    shown = await manager.sees()
    assert [(r.call, r.agent.en, r.phase) for r in shown.live] == [(talk.call, "Agent lin", State.ACTIVE)]
    assert [(r.agent, r.activity) for r in shown.agents] == [(LIN, Activity.IN_CALL)]
    assert [r.node for r in shown.nodes] == ["node-a"]
    seen = len(manager.got)
    world.clock.now += 1
    await manager.sees()
    assert len(manager.got) == seen, "the time alone is no news"


async def test_a_manager_who_signed_out_is_shown_the_door(world: World) -> None:
    manager = await world.manager().arrives()
    world.welcome = False
    await manager.desk.refresh()
    assert manager.session.ending is CloseCode.SIGNED_OUT
