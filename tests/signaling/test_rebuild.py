"""A live store that lost everything is told again by the sockets that are open."""

from redis.asyncio import Redis

from agents.agent import Activity, Presence
from signaling.snapshot import State
from tests.signaling.world import LIN, SECOND, World


async def test_the_queue_comes_back_in_its_old_order(redis_world: World, redis: Redis) -> None:
    world = redis_world
    second, first = world.station(SECOND), world.station()
    assert await world.lets_in(await second.arrives()) is None
    world.clock.now += 5
    assert await world.lets_in(await first.arrives()) is None
    for peer in (first, second):
        await peer.sees()
    await world.dispatch()
    before = await world.queue()
    await redis.flushall()
    await world.dispatch()
    for peer in (first, second):
        await peer.sees()
    assert await world.queue() == before
    assert len(before) == 2


async def test_a_call_in_progress_and_its_agent_go_on(redis_world: World, redis: Redis) -> None:
    world = redis_world
    talk = await world.talking()
    await world.dispatch()
    await talk.station.sees()
    await talk.agent.sees()
    before = await world.call(talk.call)
    await redis.flushall()
    await world.dispatch()
    await talk.station.sees()
    await talk.agent.sees()
    assert await world.call(talk.call) == before
    assert before.state is State.ACTIVE
    lin = await world.known(LIN)
    assert (lin.presence, lin.activity, lin.call) == (Presence.AVAILABLE, Activity.IN_CALL, talk.call)
