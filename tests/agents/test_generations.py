"""The lives of a real store: a server that is killed and started again, a failover, a cluster."""

import pytest
from redis.asyncio import Redis

from agents.agent import Acceptance, PauseReason, Presence, Release
from agents.availability import Position
from agents.keys import Keys
from agents.picture import Picture
from agents.redis_store import RedisAvailability
from tests.agents.hall import (
    CALL_1,
    FIRST,
    HALL,
    INTERPRETER,
    LAND,
    LIN,
    PLAN,
    RULES,
    SECOND,
    WANG,
    ZHAO,
    accepts,
    comes_to_work,
    known,
    profile,
    queue,
    rings,
    waits,
)
from tests.agents.servers import Server, free_port, running, until

WITH_DATA = ("--appendonly", "yes", "--appendfsync", "always")
WITHOUT_DATA = ("--appendonly", "no")


async def start_again(server: Server) -> None:
    await server.kill()
    await server.start()


async def position(availability: RedisAvailability) -> Position:
    return (await availability.changes(None)).position


async def test_a_server_that_started_again_without_its_data_is_another_life() -> None:
    async with running(*WITHOUT_DATA) as server, server.client() as client:
        availability = RedisAvailability(client, HALL, RULES)
        await comes_to_work(availability, LIN)
        await availability.enqueue(waits(FIRST))
        fence = (await rings(availability, LIN, FIRST, now=1)).fence
        remembered, before = await known(availability, LIN), await position(availability)
        await start_again(server)
        changes = await availability.changes(before)
        assert changes.whole
        assert changes.position.generation > max(before.generation, fence)
        assert changes.agents == ()
        assert await availability.restore(remembered, now=5)
        await availability.enqueue(waits(FIRST))
        assert (await rings(availability, LIN, FIRST, now=6)).fence > fence


async def test_a_server_that_started_again_with_its_data_is_another_life_too() -> None:
    async with running(*WITH_DATA) as server, server.client() as client:
        availability = RedisAvailability(client, HALL, RULES)
        for agent in (LIN, WANG):
            await comes_to_work(availability, agent)
        for demand in (FIRST, SECOND):
            await availability.enqueue(waits(demand))
        ringing = await rings(availability, LIN, FIRST, now=1)
        await accepts(availability, await rings(availability, WANG, SECOND, now=1), now=2)
        before, snapshot = await position(availability), await availability.snapshot()
        await start_again(server)
        changes = await availability.changes(before)
        assert changes.whole
        assert changes.position.generation > before.generation
        assert await availability.snapshot() == snapshot
        await availability.give_back(ringing.id, Release.LOST, now=4)
        assert (await rings(availability, LIN, FIRST, now=5)).fence > changes.position.generation


async def test_the_first_to_write_after_a_restart_begins_the_new_life() -> None:
    async with running(*WITH_DATA) as server, server.client() as client, server.client() as another:
        one = RedisAvailability(client, HALL, RULES)
        await comes_to_work(one, LIN)
        await one.enqueue(waits(FIRST))
        before = await position(one)
        await start_again(server)
        newcomer = RedisAvailability(another, HALL, RULES)
        reservation = await rings(newcomer, LIN, FIRST, now=1)
        after = await one.changes(before)
        assert after.whole
        assert before.generation < after.position.generation < reservation.fence
        assert after.reservations == (reservation,)


async def test_after_a_failover_that_lost_writes_nothing_has_a_fence_twice() -> None:
    """The replica was cut off before the last reservation, and is the master then."""
    port = free_port()
    listening = ("--port", str(port), "--bind", "127.0.0.1", "--repl-diskless-sync-delay", "0")
    async with running(*listening) as old, running() as new, old.client() as master, new.client() as replica:
        await replica.execute_command("REPLICAOF", "127.0.0.1", port)
        availability = RedisAvailability(master, HALL, RULES)
        await comes_to_work(availability, LIN)
        await availability.enqueue(waits(FIRST))
        before = await position(availability)

        async def has_it_all() -> bool:
            return bool(await replica.hlen(Keys(HALL).waiting))

        await until(has_it_all)
        await replica.execute_command("REPLICAOF", "NO", "ONE")
        lost = await rings(availability, LIN, FIRST, now=1)
        await old.kill()
        elsewhere = RedisAvailability(replica, HALL, RULES)
        won = await rings(elsewhere, LIN, FIRST, now=2)
        assert won.fence > lost.fence
        assert await elsewhere.accept(lost.id, LIN, now=3) is Acceptance.REFUSED
        changes = await elsewhere.changes(before)
        assert changes.whole
        assert changes.position.generation > before.generation


@pytest.fixture
async def back_again(redis: Redis) -> tuple[RedisAvailability, Position]:
    """A master that was one before, got another's data in between (which names the other's run), and still
    has its scripts; and where somebody was who followed it all the time. Lin is free, a call waits."""
    availability = RedisAvailability(redis, HALL, RULES)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(reservation.id, Release.LOST, now=2)
    before = await position(availability)
    await redis.hset(Keys(HALL).generation, "run_id", "0" * 40)
    return availability, before


async def test_a_reservation_finds_out_that_the_master_is_another(
    back_again: tuple[RedisAvailability, Position],
) -> None:
    availability, before = back_again
    reservation = await rings(availability, LIN, FIRST, now=3)
    after = await position(availability)
    assert reservation.fence > after.generation > before.generation


async def test_any_other_verb_finds_out_that_the_master_is_another(
    back_again: tuple[RedisAvailability, Position], redis: Redis
) -> None:
    availability, before = back_again
    await availability.withdraw(FIRST)
    named = await redis.hget(Keys(HALL).generation, "id")
    assert named is not None
    assert int(named) > before.generation


async def test_who_follows_finds_out_that_the_master_is_another(
    back_again: tuple[RedisAvailability, Position],
) -> None:
    availability, before = back_again
    changes = await availability.changes(before)
    assert changes.whole
    assert changes.position.generation > before.generation


async def test_every_verb_runs_on_a_redis_cluster() -> None:
    """Of one node that has all slots: a script that touched keys of two slots would be refused."""
    listening = ("--port", str(free_port()), "--bind", "127.0.0.1", "--cluster-enabled", "yes")
    async with running(*listening) as server, server.client() as client:
        await client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)

        async def is_ready() -> bool:
            return bool((await client.cluster("INFO"))["cluster_state"] == "ok")

        await until(is_ready)
        await _every_verb(RedisAvailability(client, HALL, RULES))


async def _every_verb(availability: RedisAvailability) -> None:
    picture = Picture(PLAN)
    picture.apply(await availability.changes(None))
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG, skills=(LAND,))
    await availability.enqueue(waits(FIRST, second=INTERPRETER))
    await availability.enqueue(waits(SECOND))
    await availability.withdraw(SECOND)
    declined = await rings(availability, (LIN, WANG), FIRST, now=1)
    assert await availability.give_back(declined.id, Release.DECLINED, now=2, by=LIN)
    picture.apply(await availability.changes(picture.position))
    assert list(picture.waiting) == list(await queue(availability)) == [FIRST]
    await accepts(availability, await rings(availability, (LIN, WANG), FIRST, now=50), now=51)
    assert not await availability.restore(await known(availability, LIN), now=52)
    assert await availability.release(LIN, CALL_1, Release.ENDED, now=53)
    assert await availability.extend(LIN, CALL_1, now=54) is not None
    assert await availability.release(LIN, CALL_1, Release.READY, now=55)
    await availability.declare(LIN, Presence.PAUSED, PauseReason.MEAL, now=56)
    await availability.sign_in(ZHAO, profile(), now=57)
    picture.apply(await availability.changes(picture.position))
    assert (
        tuple(sorted(picture.agents.values(), key=lambda a: a.id)) == (await availability.snapshot()).agents
    )
