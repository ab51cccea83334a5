"""What holds after every step."""

from collections import Counter

from agents.agent import Activity, DemandId
from agents.availability import Snapshot
from tests.agents.stateful.world import World


async def look(world: World) -> None:
    if world.failures:
        raise world.failures[0]
    snapshot = await world.snapshot()
    every_reservation_is_its_agents(snapshot)
    a_demand_is_in_one_place(snapshot)
    if not world.lost:
        what_is_served_is_what_the_owners_let_through(world, snapshot)
        no_call_is_lost(world, snapshot)
    await nothing_is_left_of_an_ended_call(world)


def every_reservation_is_its_agents(snapshot: Snapshot) -> None:
    reserved = {a.id: a.reservation for a in snapshot.agents if a.activity is Activity.RESERVED}
    held = [(agent, r.id) for r in snapshot.reservations for agent in r.agents]
    assert len(held) == len(dict(held)), "two reservations for one agent"
    assert dict(held) == reserved


def a_demand_is_in_one_place(snapshot: Snapshot) -> None:
    in_call = {(a.demand, a.reservation) for a in snapshot.agents if a.activity is Activity.IN_CALL}
    places = Counter[DemandId | None](demand for demand, _ in in_call)
    places.update(waiting.id for waiting in snapshot.waiting)
    places.update(reservation.demand for reservation in snapshot.reservations)
    assert set(places.values()) <= {1}, f"in two places: {places}"


def what_is_served_is_what_the_owners_let_through(world: World, snapshot: Snapshot) -> None:
    in_call = {a.id: a.reservation for a in snapshot.agents if a.activity is Activity.IN_CALL}
    desks = [desk for desk in world.desks.values() if desk.serving is not None]
    truth = {desk.id: desk.serving.id for desk in desks if desk.serving is not None}
    assert in_call.items() <= truth.items()
    assert {desk.id for desk in desks if not desk.alone} <= in_call.keys()
    for case in world.cases.values():
        for served in case.serving.values():
            assert [world.desks[agent].serving for agent in served.agents] == [served] * len(served.agents)


def no_call_is_lost(world: World, snapshot: Snapshot) -> None:
    found = {waiting.id for waiting in snapshot.waiting} | {r.demand for r in snapshot.reservations}
    for case in world.cases.values():
        if not case.ended:
            lost = case.demands.keys() - found - case.serving.keys()
            assert not lost, f"nobody knows of {lost}"


async def nothing_is_left_of_an_ended_call(world: World) -> None:
    clean = [case.id for case in world.cases.values() if case.clean]
    if clean:
        left = [text for text in await world.store.fields() if any(id_ in text for id_ in clean)]
        assert not left, f"left of a call that is over: {left}"


async def nothing_is_left_at_all(world: World) -> None:
    await world.comes_to_rest()
    snapshot = await world.snapshot()
    assert snapshot.waiting == snapshot.reservations == ()
    assert {agent.activity for agent in snapshot.agents} <= {Activity.IDLE}
    for case in world.cases.values():
        case.clean = True
    await nothing_is_left_of_an_ended_call(world)
