"""Following the store: changes since a position, and the lives of the store."""

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from agents.agent import Activity, Presence, Release, ReservationId
from agents.availability import Ask, Availability, Changes, Position
from agents.picture import Picture
from agents.transitions import in_order
from tests.agents.hall import (
    CALL_1,
    FIRST,
    INTERPRETER,
    LIN,
    PLAN,
    SECOND,
    THIRD,
    WANG,
    ZHAO,
    accepts,
    comes_to_work,
    known,
    profile,
    reserves,
    rings,
    waits,
)

Lose = Callable[[], Awaitable[object]]


async def here(availability: Availability) -> Position:
    return (await availability.changes(None)).position


async def test_the_first_changes_are_everything(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(SECOND, since=2))
    await availability.enqueue(waits(FIRST, since=2))
    changes = await availability.changes(None)
    assert changes.whole
    assert changes.agents == (await known(availability, LIN),)
    assert [waiting.id for waiting in changes.waiting] == [FIRST, SECOND]


async def test_nothing_happened(availability: Availability) -> None:
    position = await here(availability)
    assert await availability.changes(position) == Changes(position, whole=False)


async def test_what_happened_is_told_once_as_it_is_now(availability: Availability) -> None:
    position = await here(availability)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await availability.enqueue(waits(SECOND))
    changes = await availability.changes(position)
    assert not changes.whole
    assert changes.agents == (await known(availability, LIN),)
    assert changes.waiting == (waits(FIRST), waits(SECOND))
    reservation = await rings(availability, LIN, FIRST, now=1)
    changes = await availability.changes(changes.position)
    assert changes.agents == (await known(availability, LIN),)
    assert (changes.waiting, changes.gone_waiting) == ((), (FIRST,))
    assert changes.reservations == (reservation,)
    await accepts(availability, reservation, now=2)
    changes = await availability.changes(changes.position)
    assert (changes.reservations, changes.gone_reservations) == ((), (reservation.id,))
    assert [agent.activity for agent in changes.agents] == [Activity.IN_CALL]


async def test_what_came_and_went_in_between_is_gone(availability: Availability) -> None:
    position = await here(availability)
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    reservation = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(reservation.id, Release.WITHDRAWN, now=2)
    changes = await availability.changes(position)
    assert (changes.gone_waiting, changes.gone_reservations) == ((FIRST,), (reservation.id,))
    assert (changes.waiting, changes.reservations) == ((), ())


async def test_what_changes_nothing_is_not_told(availability: Availability) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    position = await here(availability)
    await availability.sign_in(LIN, profile(), now=5)
    await availability.declare(LIN, Presence.AVAILABLE, None, now=5)
    await availability.enqueue(waits(FIRST))
    await availability.withdraw(SECOND)
    assert await availability.release(LIN, CALL_1, Release.ENDED, now=5) is False
    assert await availability.changes(position) == Changes(position, whole=False)


async def test_every_verb_is_told(availability: Availability) -> None:
    picture = Picture(PLAN)

    async def follow() -> None:
        before = picture.position
        picture.apply(await availability.changes(before))
        assert picture.position != before
        snapshot = await availability.snapshot()
        assert tuple(sorted(picture.agents.values(), key=lambda a: a.id)) == snapshot.agents
        assert in_order(picture.waiting.values()) == snapshot.waiting
        assert tuple(picture.reservations.values()) == snapshot.reservations

    for agent in (LIN, WANG):
        await availability.sign_in(agent, profile(), now=0)
        await follow()
        await availability.declare(agent, Presence.AVAILABLE, None, now=1)
        await follow()
    for demand in (FIRST, SECOND, THIRD):
        await availability.enqueue(waits(demand, second=INTERPRETER if demand is SECOND else None))
        await follow()
    await availability.withdraw(THIRD)
    await follow()
    declined = await rings(availability, LIN, FIRST, now=2)
    await follow()
    await availability.give_back(declined.id, Release.DECLINED, now=3)
    await follow()
    joint = await rings(availability, (LIN, WANG), SECOND, now=4)
    await follow()
    for agent in (LIN, WANG):
        await availability.accept(joint.id, agent, now=5)
        await follow()
    await availability.release(LIN, joint.call, Release.ENDED, now=6)
    await follow()
    await availability.extend(LIN, joint.call, now=7)
    await follow()
    await availability.release(LIN, joint.call, Release.READY, now=8)
    await follow()
    await availability.restore(replace(await known(availability, LIN), id=ZHAO), now=9)
    await follow()


async def test_a_position_that_was_never_reached_is_answered_with_everything(
    availability: Availability,
) -> None:
    await comes_to_work(availability, LIN)
    position = await here(availability)
    for elsewhere in (
        Position(position.generation, position.seq + 1),
        Position(position.generation - 1, position.seq),
        Position(position.generation + 1, position.seq),
    ):
        changes = await availability.changes(elsewhere)
        assert changes.whole
        assert changes.position == position
        assert [agent.id for agent in changes.agents] == [LIN]


async def test_an_emptied_store_begins_a_new_generation(
    availability: Availability, lose_everything: Lose
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    before = await here(availability)
    await lose_everything()
    changes = await availability.changes(before)
    assert changes == Changes(changes.position, whole=True)
    assert changes.position.generation > before.generation
    assert await here(availability) == changes.position


async def test_the_first_verb_may_find_out(availability: Availability, lose_everything: Lose) -> None:
    await comes_to_work(availability, LIN)
    before = await here(availability)
    await lose_everything()
    await availability.enqueue(waits(FIRST))
    changes = await availability.changes(before)
    assert changes.whole
    assert changes.position.generation > before.generation
    assert (changes.agents, changes.waiting) == ((), (waits(FIRST),))


async def test_a_reservation_finds_out_and_is_refused_for_what_was_lost(
    availability: Availability, lose_everything: Lose
) -> None:
    await comes_to_work(availability, LIN)
    await availability.enqueue(waits(FIRST))
    await availability.changes(None)
    reservation = await rings(availability, LIN, FIRST, now=1)
    await availability.give_back(reservation.id, Release.DECLINED, now=2)
    await availability.changes(None)
    await lose_everything()
    ask = Ask(FIRST, (LIN,), ReservationId("r"), until=70.0)
    assert await reserves(availability, ask, now=50) is None
    assert (await availability.snapshot()).agents == ()


async def test_the_fence_grows_over_the_loss(availability: Availability, lose_everything: Lose) -> None:
    fences = []
    for _ in range(3):
        await comes_to_work(availability, LIN)
        await availability.enqueue(waits(FIRST))
        fences.append((await rings(availability, LIN, FIRST, now=1)).fence)
        await lose_everything()
    assert fences == sorted(set(fences))
