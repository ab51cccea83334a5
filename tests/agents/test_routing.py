"""Who is rung for which call."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.agent import Activity, Agent, Presence, Waiting
from agents.availability import Snapshot
from agents.routing import match
from records.model import AccountId, CallId, SkillId
from tests.agents.hall import CENTRE, FIRST, LAND, LIN, SECOND, TAX, THIRD, WANG, ZHAO, waits


def idle(agent: AccountId, since: float = 0.0, *skills: SkillId) -> Agent:
    known = dict.fromkeys(skills or (TAX,), 3)
    return Agent(agent, known, CENTRE, Presence.AVAILABLE, Activity.IDLE, since=since, idle_since=since)


def hall(agents: list[Agent], waiting: list[Waiting]) -> Snapshot:
    return Snapshot(tuple(agents), tuple(waiting), ())


def test_the_longest_idle_agent_is_rung_first() -> None:
    agents = [idle(LIN, 30), idle(WANG, 10), idle(ZHAO, 20)]
    assert match(hall(agents, [waits(FIRST), waits(SECOND)]), 50) == ((FIRST, WANG), (SECOND, ZHAO))


def test_equally_long_idle_agents_are_rung_in_order_of_their_ids() -> None:
    assert match(hall([idle(ZHAO), idle(LIN)], [waits(FIRST)]), 5) == ((FIRST, LIN),)


def test_only_agents_with_the_skill_are_rung() -> None:
    agents = [idle(LIN, 0, LAND), idle(WANG, 9, TAX)]
    assert match(hall(agents, [waits(FIRST)]), 10) == ((FIRST, WANG),)


def test_a_call_that_nobody_can_take_holds_up_nobody() -> None:
    waiting = [waits(FIRST, 0, LAND), waits(SECOND, 1, TAX)]
    assert match(hall([idle(LIN)], waiting), 5) == ((SECOND, LIN),)


def test_the_earlier_call_has_the_agent_even_when_only_the_later_has_no_other() -> None:
    agents = [idle(LIN, 0, TAX, LAND), idle(WANG, 5, TAX)]
    waiting = [waits(FIRST, 0, TAX), waits(SECOND, 1, LAND)]
    assert match(hall(agents, waiting), 9) == ((FIRST, LIN),)


def test_an_agent_is_passed_over_until_its_time_is_over() -> None:
    waiting = replace(waits(FIRST), passed_over={LIN: 40.0})
    assert match(hall([idle(LIN, 0), idle(WANG, 5)], [waiting]), 39.9) == ((FIRST, WANG),)
    assert match(hall([idle(LIN, 0), idle(WANG, 5)], [waiting]), 40) == ((FIRST, LIN),)


def test_who_is_passed_over_for_one_call_takes_the_next() -> None:
    waiting = [replace(waits(FIRST), passed_over={LIN: 40.0}), waits(SECOND), waits(THIRD)]
    assert match(hall([idle(LIN)], waiting), 9) == ((SECOND, LIN),)


def test_nobody_is_rung_who_is_not_available_and_idle() -> None:
    agents = [
        replace(idle(AccountId(f"{presence}-{activity}")), presence=presence, activity=activity)
        for presence in Presence
        for activity in Activity
        if (presence, activity) != (Presence.AVAILABLE, Activity.IDLE)
    ]
    assert match(hall(agents, [waits(FIRST)]), 5) == ()


@st.composite
def halls(draw: st.DrawFn) -> Snapshot:
    skills = st.lists(st.sampled_from([TAX, LAND]), unique=True, min_size=1)
    agents = [
        replace(
            idle(AccountId(f"a{n}"), draw(st.integers(0, 3)), *draw(skills)),
            presence=draw(st.sampled_from([Presence.AVAILABLE, Presence.PAUSED])),
        )
        for n in range(draw(st.integers(0, 5)))
    ]
    waiting = [
        replace(
            waits(CallId(f"c{n}"), n, draw(st.sampled_from([TAX, LAND]))),
            passed_over={a.id: draw(st.sampled_from([0.0, 99.0])) for a in agents},
        )
        for n in range(draw(st.integers(0, 5)))
    ]
    return hall(agents, waiting)


@given(halls())
def test_whoever_is_left_has_nobody_left(snapshot: Snapshot) -> None:
    pairs = match(snapshot, now=10)
    calls, agents = [call for call, _ in pairs], [agent for _, agent in pairs]
    assert len(set(calls)) == len(calls)
    assert len(set(agents)) == len(agents)
    idle_left = [a for a in snapshot.agents if a.routable and a.id not in agents]
    for waiting in snapshot.waiting:
        if waiting.call not in calls:
            takers = [a for a in idle_left if waiting.skill in a.skills and waiting.passed_over[a.id] <= 10]
            assert not takers
