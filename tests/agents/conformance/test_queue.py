"""Who waits, and in which order: enqueue, withdraw and the snapshot."""

from msgspec.structs import replace

from agents.agent import DemandId, Lane, Release
from agents.availability import Availability, Snapshot
from tests.agents.hall import (
    CALL_1,
    FIRST,
    LAND,
    LIN,
    SECOND,
    THIRD,
    WANG,
    ZHAO,
    accepts,
    comes_to_work,
    queue,
    rings,
    waits,
)


async def test_an_empty_hall(availability: Availability) -> None:
    assert await availability.snapshot() == Snapshot(agents=(), waiting=(), reservations=())


async def test_the_queue_is_in_order_of_asking_then_of_id(availability: Availability) -> None:
    for waiting in (waits(THIRD, since=5), waits(SECOND, since=7), waits(FIRST, since=7)):
        await availability.enqueue(waiting)
    assert await queue(availability) == (THIRD, FIRST, SECOND)


async def test_agents_are_listed_by_id_and_reservations_by_fence(availability: Availability) -> None:
    for agent in (ZHAO, LIN, WANG):
        await comes_to_work(availability, agent)
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    made = (await rings(availability, ZHAO, SECOND, now=1), await rings(availability, LIN, FIRST, now=2))
    snapshot = await availability.snapshot()
    assert [agent.id for agent in snapshot.agents] == [LIN, WANG, ZHAO]
    assert snapshot.reservations == made
    assert snapshot.waiting == ()


async def test_enqueueing_again_changes_nothing(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, since=3))
    reservation = await rings(availability, LIN, FIRST, now=4)
    await availability.give_back(reservation.id, Release.DECLINED, now=5)
    await availability.enqueue(waits(FIRST, since=3))
    (waiting,) = (await availability.snapshot()).waiting
    assert waiting == replace(waits(FIRST, since=3), passed_over={LIN: 35})


async def test_a_call_that_somebody_has_does_not_wait_as_well(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == ()
    await accepts(availability, reservation, now=2)
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == ()


async def test_after_its_end_a_call_may_be_enqueued_again(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await accepts(availability, reservation, now=2)
    await availability.release(LIN, CALL_1, Release.ENDED, now=3)
    await availability.enqueue(waits(FIRST))
    assert await queue(availability) == (FIRST,)


async def test_withdrawing_takes_a_call_out_and_twice_is_no_harm(availability: Availability) -> None:
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    await availability.withdraw(FIRST)
    await availability.withdraw(FIRST)
    await availability.withdraw(THIRD)
    assert await queue(availability) == (SECOND,)


async def test_withdrawing_does_not_touch_a_reservation(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await availability.withdraw(FIRST)
    assert (await availability.snapshot()).reservations == (reservation,)


async def test_one_that_waits_is_replaced_and_keeps_who_is_passed_over(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST, since=1))
    reservation = await rings(availability, LIN, FIRST, now=2)
    await availability.give_back(reservation.id, Release.DECLINED, now=3)
    other = replace(waits(FIRST, since=1, skill=LAND), lane=Lane.ESCALATED, wanted=WANG, wanted_until=9.0)
    await availability.enqueue(other)
    assert (await availability.snapshot()).waiting == (replace(other, passed_over={LIN: 33}),)


async def test_a_call_may_have_several_demands(availability: Availability) -> None:
    more = DemandId(f"{FIRST}.1")
    await comes_to_work(availability, LIN)
    await comes_to_work(availability, WANG)
    await availability.enqueue(waits(FIRST))
    await accepts(availability, await rings(availability, LIN, FIRST, now=1), now=2)
    await availability.enqueue(waits(more))
    assert await queue(availability) == (more,)
    reservation = await rings(availability, WANG, more, now=3)
    assert (reservation.demand, reservation.call) == (more, CALL_1)
    await accepts(availability, reservation, now=4)
    assert await availability.release(LIN, CALL_1, Release.ENDED, now=5)
    await availability.enqueue(waits(more))
    assert await queue(availability) == ()
