"""What those who wait are told."""

import pytest
from msgspec.structs import replace

from agents.agent import Activity, Agent, Presence
from agents.availability import Snapshot
from agents.waiting import estimate, on_duty, place, takeable
from records.model import AccountId, SkillId
from tests.agents.hall import CENTRE, FIRST, LAND, LIN, SECOND, TAX, THIRD, WANG, ZHAO, waits


def at_work(agent: AccountId, *skills: SkillId) -> Agent:
    known = dict.fromkeys(skills, 3)
    return Agent(agent, known, CENTRE, Presence.AVAILABLE, Activity.IN_CALL, since=0, idle_since=0)


QUEUE = (waits(FIRST, 1, TAX), waits(SECOND, 2, LAND), waits(THIRD, 3, TAX))


def test_calls_of_the_same_skill_are_ahead() -> None:
    snapshot = Snapshot((), QUEUE, ())
    assert [place(snapshot, w.call, 9) for w in QUEUE] == [0, 0, 1]


def test_calls_that_the_same_agent_could_take_are_ahead_as_well() -> None:
    snapshot = Snapshot((at_work(LIN, TAX, LAND),), QUEUE, ())
    assert [place(snapshot, w.call, 9) for w in QUEUE] == [0, 1, 2]


def test_agents_at_lunch_make_nobody_compete() -> None:
    away = replace(at_work(LIN, TAX, LAND), presence=Presence.PAUSED)
    assert place(Snapshot((away,), QUEUE, ()), THIRD, 9) == 1


def test_agents_passed_over_make_nobody_compete_for_the_while() -> None:
    queue = (*QUEUE[:2], replace(QUEUE[2], passed_over={LIN: 40.0}))
    snapshot = Snapshot((at_work(LIN, TAX, LAND),), queue, ())
    assert (place(snapshot, THIRD, 39), place(snapshot, THIRD, 40)) == (1, 2)


def test_a_call_that_does_not_wait_has_nobody_ahead() -> None:
    assert place(Snapshot((), (), ()), FIRST, 9) == 0


def test_on_duty_is_who_is_available_and_has_the_skill() -> None:
    agents = (
        at_work(LIN, TAX),
        replace(at_work(WANG, TAX, LAND), activity=Activity.IDLE),
        replace(at_work(ZHAO, TAX), presence=Presence.PAUSED),
    )
    snapshot = Snapshot(agents, (), ())
    assert (on_duty(snapshot, TAX), on_duty(snapshot, LAND), on_duty(snapshot, SkillId("none"))) == (2, 1, 0)


def test_takeable_is_what_an_agent_could_take_in_order_of_the_queue() -> None:
    snapshot = Snapshot((at_work(LIN, TAX), at_work(WANG, TAX, LAND)), QUEUE, ())
    assert takeable(snapshot, LIN) == (QUEUE[0], QUEUE[2])
    assert takeable(snapshot, WANG) == QUEUE
    assert takeable(snapshot, ZHAO) == ()


def test_who_missed_a_call_still_sees_that_its_resident_waits() -> None:
    queue = (*QUEUE[:2], replace(QUEUE[2], passed_over={WANG: 40.0}))
    snapshot = Snapshot((at_work(WANG, TAX),), queue, ())
    assert takeable(snapshot, WANG) == (queue[0], queue[2])


@pytest.mark.parametrize(
    ("ahead", "agents", "expected"),
    [(0, 1, (0, 600)), (0, 3, (0, 200)), (3, 2, (300, 900)), (3, 4, (150, 450)), (8, 1, (1800, 3600))],
)
def test_the_range_is_one_deviation_to_either_side(
    ahead: int, agents: int, expected: tuple[int, int]
) -> None:
    assert estimate(ahead, agents, [240, 300, 360]) == expected


def test_without_agents_or_talks_there_is_no_basis() -> None:
    assert estimate(0, 0, [300, 300, 300]) is None
    assert estimate(0, 2, [300, 300]) is None
