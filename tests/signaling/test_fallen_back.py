"""Another server took Redis's place, and knows an older state than the sockets' owners do."""

from typing import NamedTuple

import pytest
from redis.asyncio import Redis

from agents.agent import Activity
from agents.keys import Keys
from records.model import HallId
from tests.signaling.world import HALL, ITEM, LIN, World


class Kept(NamedTuple):
    """What routing has in Redis at one moment."""

    redis: Redis
    values: dict[str, bytes | None]

    @classmethod
    async def of(cls, redis: Redis) -> "Kept":
        keys = Keys(HallId(HALL))
        names = (keys.agents, keys.waiting, keys.reservations, keys.taken)
        return cls(redis, {name: await redis.dump(name) for name in names})

    async def is_all_there_is(self) -> None:
        for name, value in self.values.items():
            await self.redis.delete(name)
            if value is not None:
                await self.redis.restore(name, 0, value)


@pytest.mark.parametrize("lost", ["the answer", "the ring and the answer"])
async def test_a_call_that_was_answered_goes_on(redis_world: World, redis: Redis, lost: str) -> None:
    world = redis_world
    station, agent = await world.station().arrives(), await world.agent_on_duty()
    await station.asks("call", item=ITEM, consent=True)
    before = await Kept.of(redis)
    await world.dispatch()
    ring = (await agent.sees()).ring
    if lost == "the answer":
        before = await Kept.of(redis)
    assert await agent.asks("accept", call=ring.call, reservation=ring.reservation) is None
    await agent.sees()
    await before.is_all_there_is()
    assert (await world.known(LIN)).activity is not Activity.IN_CALL
    await agent.desk.refresh()
    known = await world.known(LIN)
    assert (known.activity, known.call, known.reservation) == (Activity.IN_CALL, ring.call, ring.reservation)
    assert await world.queue() == []
    await world.dispatch()
    assert (await world.known(LIN)) == known
