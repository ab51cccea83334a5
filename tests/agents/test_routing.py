"""Who may take a demand, and who is rung for which."""

import random
from heapq import heappop, heappush
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.agent import Activity, Agent, DemandId, Lane, Party, Presence, Waiting
from agents.plan import Plan, Policy, Ring, Scope
from agents.routing import match, matches, may_take
from records.model import AccountId, Hours, ItemId, ParticipantRole, QueueId
from tests.agents.district import (
    EVERYWHERE,
    FORD,
    HALL,
    HELPER,
    HOUSING,
    LAND,
    MILL,
    NORTH,
    PLAN,
    REVENUE,
    SIGN,
    SIGNER,
    SOUTH,
    TAX,
    WELL,
    away,
    busy,
    for_land,
    free,
    picture,
    plan,
    queue,
    waits,
)
from tests.agents.naive import naive_match, overtaken

LIN, WANG, ZHAO = free("lin", since=10), free("wang", since=20), free("zhao", since=30)
NEVER = Hours(())


def rung(agents: list[Agent], waiting: list[Waiting], of: Plan = PLAN, now: float = 100.0) -> dict[str, str]:
    """Demand to agents, in the order in which they were matched."""
    return {m.demand: "+".join(m.agents) for m in match(picture(agents, waiting, of), of, now)}


# --- who may take it -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "needs", "expected"),
    [
        (free("a", {TAX: 3}), {TAX: 3}, True),
        (free("a", {TAX: 2}), {TAX: 3}, False),
        (free("a", {LAND: 5}), {TAX: 1}, False),
        (free("a", {TAX: 1, SIGN: 2}), {TAX: 1, SIGN: 2}, True),
        (free("a", {TAX: 5}), {TAX: 1, SIGN: 1}, False),
        (free("a", {}), {}, True),
        (free("a", hours=NEVER), {TAX: 1}, False),
        (away(free("a")), {TAX: 1}, True),  # may: whether it is free is another question
    ],
)
def test_skills_levels_and_hours(agent: Agent, needs: dict, expected: bool) -> None:  # type: ignore[type-arg]
    demand = waits("x", needs=needs)
    assert may_take(agent, demand, demand.party, PLAN, 100) is expected


@pytest.mark.parametrize(
    ("party", "role", "department", "expected"),
    [
        (Party(needs={TAX: 1}), ParticipantRole.AGENT, REVENUE, True),
        (Party(needs={TAX: 1}), ParticipantRole.EXPERT, REVENUE, False),
        (Party(ParticipantRole.EXPERT, department=REVENUE), ParticipantRole.EXPERT, REVENUE, True),
        (Party(ParticipantRole.EXPERT, department=REVENUE), ParticipantRole.EXPERT, HOUSING, False),
        (Party(ParticipantRole.EXPERT, department=REVENUE), ParticipantRole.AGENT, REVENUE, False),
        (Party(ParticipantRole.INTERPRETER, {TAX: 1}), ParticipantRole.AGENT, HOUSING, True),
        (Party(ParticipantRole.INTERPRETER, {TAX: 1}), ParticipantRole.EXPERT, HOUSING, True),
        (Party(ParticipantRole.INTERPRETER, {SIGN: 1}), ParticipantRole.AGENT, HOUSING, False),
    ],
)
def test_roles_and_departments(party: Party, role: ParticipantRole, department: str, expected: bool) -> None:
    agent = replace(LIN, profile=replace(LIN.profile, role=role, department=department))
    assert may_take(agent, replace(waits("x"), party=party), party, PLAN, 100) is expected


@pytest.mark.parametrize("role", [ParticipantRole.AGENT, ParticipantRole.EXPERT, ParticipantRole.INTERPRETER])
def test_nobody_outside_the_empowered_sites_is_ever_asked(role: ParticipantRole) -> None:
    of = plan(queue(Ring(Scope.ALL), Ring(Scope.POOL), pool=HELPER), sites={HALL})
    who = ParticipantRole.AGENT if role is ParticipantRole.INTERPRETER else role
    demand = replace(waits("x", wanted="out"), party=Party(role, {TAX: 1}))
    outside, inside = (free("out", {TAX: 5, HELPER: 5}, site, role=who) for site in (MILL, HALL))
    assert not may_take(outside, demand, demand.party, of, 100)
    assert may_take(inside, demand, demand.party, of, 100)
    assert rung([outside], [demand], of) == {}


def test_an_unknown_item_is_offered_to_nobody_and_an_unknown_queue_is_a_usual_one() -> None:
    nowhere = replace(waits("x"), item=ItemId("unknown"))
    elsewhere = replace(waits("y"), queue=QueueId("unknown"))
    assert rung([LIN, WANG], [nowhere, elsewhere]) == {"y": "lin"}


def test_an_empty_hall_matches_nothing() -> None:
    assert rung([], []) == rung([LIN], []) == rung([], [waits("x")]) == {}


# --- the order of the queue ----------------------------------------------------------------------


def test_nobody_is_rung_who_is_not_available_and_idle() -> None:
    agents = [
        replace(free(f"{presence}-{activity}"), presence=presence, activity=activity)
        for presence in Presence
        for activity in Activity
        if (presence, activity) != (Presence.AVAILABLE, Activity.IDLE)
    ]
    assert rung(agents, [waits("x")]) == {}


def test_each_agent_is_rung_once_in_order_of_turn() -> None:
    waiting = [waits("late", 9), waits("early", 5), waits("elder", 50, lane=Lane.ELDER)]
    assert rung([LIN, WANG], waiting) == {"elder": "lin", "early": "wang"}


def test_a_demand_that_nobody_can_take_holds_up_nobody() -> None:
    assert rung([LIN], [for_land(waits("land", 0)), waits("tax", 1)]) == {"tax": "lin"}


def test_the_earlier_has_the_agent_even_when_only_the_later_has_no_other() -> None:
    both = free("both", {TAX: 1, LAND: 1}, since=0)
    assert rung([both, LIN], [waits("tax", 0), for_land(waits("land", 1))]) == {"tax": "both"}


def test_turns_are_merged_across_queues() -> None:
    both = free("both", {TAX: 1, LAND: 1})
    assert rung([both], [waits("tax", 2), for_land(waits("land", 1))]) == {"land": "both"}


def test_an_agent_is_passed_over_until_its_time_is_over() -> None:
    waiting = [replace(waits("x"), passed_over={LIN.id: 140.0})]
    assert rung([LIN, WANG], waiting, now=139.9) == {"x": "wang"}
    assert rung([LIN, WANG], waiting, now=140) == {"x": "lin"}


def test_who_is_passed_over_for_one_demand_takes_the_next() -> None:
    waiting = [replace(waits("x"), passed_over={LIN.id: 140.0}), waits("y", 1), waits("z", 2)]
    assert rung([LIN], waiting) == {"y": "lin"}


# --- by name -------------------------------------------------------------------------------------


def test_the_wanted_one_alone_is_asked_until_its_time_is_over() -> None:
    waiting = [waits("x", 0, wanted="zhao", wanted_until=20.0), waits("y", 1)]
    zhao_talks = [LIN, busy(ZHAO)]
    assert rung(zhao_talks, waiting, now=19.9) == {"y": "lin"}
    assert rung(zhao_talks, waiting, now=20) == {"x": "lin"}
    assert rung([LIN, ZHAO], waiting, now=5) == {"x": "zhao", "y": "lin"}


def test_without_an_end_nobody_else_is_ever_asked() -> None:
    waiting = [waits("x", 0, wanted="zhao")]
    assert rung([LIN, busy(ZHAO)], waiting, now=9e6) == {}
    assert rung([LIN, ZHAO], waiting, now=9e6) == {"x": "zhao"}


@pytest.mark.parametrize(
    "state", [away(ZHAO), replace(ZHAO, presence=Presence.SIGNED_OUT), free("zhao", hours=NEVER), None]
)
def test_one_who_is_not_there_is_not_waited_for(state: Agent | None) -> None:
    agents = [LIN] if state is None else [LIN, state]
    assert rung(agents, [waits("x", 0, wanted="zhao", wanted_until=20.0)], now=1) == {"x": "lin"}


def test_one_who_declined_is_not_waited_for() -> None:
    waiting = replace(waits("x", 0, wanted="zhao", wanted_until=20.0), passed_over={ZHAO.id: 30.0})
    assert rung([LIN, ZHAO], [waiting], now=1) == {"x": "lin"}


def test_the_wanted_one_is_asked_wherever_it_is() -> None:
    of = plan(queue(Ring(Scope.OWN_SITE), Ring(Scope.ALL, 60.0)))
    agents = [free("near", site=MILL), free("far", site=FORD)]
    assert rung(agents, [waits("x", 0, wanted="far", wanted_until=20.0)], of, now=1) == {"x": "far"}


# --- two at once ---------------------------------------------------------------------------------


def signs(name: str, since: float = 0.0, *skills: str) -> Agent:
    return free(name, {SIGN: 2, **dict.fromkeys(skills, 2)}, since=since)


def test_both_are_reserved_or_neither() -> None:
    joint = waits("x", second=SIGNER)
    assert rung([LIN, signs("mei")], [joint]) == {"x": "lin+mei"}
    assert rung([LIN], [joint]) == rung([signs("mei")], [joint]) == {}


def test_nobody_is_both() -> None:
    assert rung([signs("mei", 0, TAX)], [waits("x", second=SIGNER)]) == {}


def test_the_only_one_who_signs_is_not_used_up_as_its_agent() -> None:
    mei = signs("mei", 0, TAX)  # the longest idle, and the only one who signs
    assert rung([mei, LIN], [waits("x", second=SIGNER)]) == {"x": "lin+mei"}


def test_an_expert_is_the_second() -> None:
    second = Party(ParticipantRole.EXPERT, department=HOUSING)
    wu = free("wu", {}, role=ParticipantRole.EXPERT, department=HOUSING)
    assert rung([LIN, wu], [waits("x", second=second)]) == {"x": "lin+wu"}


def test_while_nobody_signs_its_agent_goes_to_the_next() -> None:
    waiting = [waits("joint", 0, second=SIGNER), waits("next", 1)]
    assert rung([LIN, busy(signs("mei"))], waiting) == {"next": "lin"}


def test_who_signs_is_kept_for_it_while_its_agents_talk() -> None:
    waiting = [waits("joint", 0, second=SIGNER), waits("next", 1)]
    mei = signs("mei", 0, TAX)
    assert rung([mei, busy(LIN)], waiting) == {}
    assert rung([mei, LIN], waiting) == {"joint": "lin+mei"}


def test_who_can_only_sign_is_kept_too() -> None:
    waiting = [waits("joint", 0, second=SIGNER), replace(waits("next", 1), party=SIGNER)]
    assert rung([signs("mei"), busy(LIN)], waiting) == {}
    assert rung([signs("mei"), away(LIN)], waiting) == {"next": "mei"}


def test_who_signs_is_not_kept_for_it_when_no_agent_is_on_duty() -> None:
    waiting = [waits("joint", 0, second=SIGNER), waits("next", 1)]
    assert rung([signs("mei", 0, TAX), away(LIN)], waiting) == {"next": "mei"}


def test_an_earlier_demand_goes_before_two_at_once() -> None:
    waiting = [waits("before", 0), waits("joint", 1, second=SIGNER)]
    assert rung([signs("mei", 0, TAX), busy(LIN)], waiting) == {"before": "mei"}


def test_two_at_once_are_served_however_many_others_come() -> None:
    """Two agents, one of whom signs and takes ordinary calls too. They talk for about three minutes, never
    end at the same moment, and somebody else always waits."""
    chance, joint = random.Random(7), waits("joint", 0, second=SIGNER)
    mei = signs("mei", 0, TAX)
    idle: dict[str, Agent] = {}
    talks = [(0.0, LIN.id, LIN), (90.0, mei.id, mei)]
    while talks:
        now, name, agent = heappop(talks)
        idle[name] = replace(agent, idle_since=now)
        crowd = [waits(f"{now}-{n}", max(0.0, now - n)) for n in range(5)]
        made = rung([*idle.values(), *(busy(a) for _, _, a in talks)], [joint, *crowd], now=now)
        if "joint" in made:
            assert made["joint"] == "lin+mei"
            assert 90 < now <= 90 + 200  # mei was kept, until the other's talk was over
            return
        for name in made.values():
            heappush(talks, (now + chance.uniform(160, 200), AccountId(name), idle.pop(name)))
    raise AssertionError("overtaken for ever")


# --- compared with the definition ----------------------------------------------------------------

SKILLS = st.dictionaries(st.sampled_from([TAX, LAND, SIGN, HELPER]), st.integers(1, 3), max_size=3)
SITES = st.sampled_from(sorted(EVERYWHERE))
NAMES = [AccountId(f"agent-{n}") for n in range(6)]
RINGS = st.sampled_from(
    [
        (Ring(Scope.ALL),),
        (Ring(Scope.OWN_SITE), Ring(Scope.OWN_TOWN, 20.0), Ring(Scope.DISTRICT, 40.0), Ring(Scope.ALL, 60.0)),
        (Ring(Scope.DEPARTMENT), Ring(Scope.POOL, 30.0)),
        (Ring(Scope.OWN_TOWN), Ring(Scope.ALL, 30.0), Ring(Scope.POOL, 60.0)),
    ]
)


@st.composite
def agents_at_work(draw: st.DrawFn, name: AccountId) -> Agent:
    usual = st.sampled_from([Presence.AVAILABLE] * 4 + [Presence.PAUSED])
    agent = free(
        name,
        {TAX: 1, **draw(SKILLS)} if draw(st.booleans()) else draw(SKILLS),
        draw(SITES),
        float(draw(st.integers(0, 3))),
        draw(st.sampled_from([ParticipantRole.AGENT] * 4 + [ParticipantRole.EXPERT])),
        draw(st.sampled_from([REVENUE, HOUSING])),
    )
    return replace(
        agent,
        presence=draw(usual),
        activity=draw(st.sampled_from([Activity.IDLE] * 3 + [Activity.IN_CALL])),
        offered_at=float(draw(st.integers(0, 3))),
        busy_s=float(draw(st.integers(0, 3))),
    )


@st.composite
def demands(draw: st.DrawFn, name: str) -> Waiting:
    base = waits(name, float(draw(st.integers(0, 90))), draw(SITES), draw(st.sampled_from(list(Lane))))
    if draw(st.booleans()):
        base = for_land(base)
    expert = Party(ParticipantRole.EXPERT, department=HOUSING)
    return replace(
        base,
        party=replace(base.party, needs={**base.party.needs, **draw(SKILLS)})
        if draw(st.booleans())
        else base.party,
        second=draw(st.sampled_from([None, None, SIGNER, expert, Party(needs={TAX: 1})])),
        wanted=draw(st.sampled_from([None, None, *NAMES])),
        wanted_until=draw(st.sampled_from([None, 50.0, 200.0])),
        passed_over=draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from([50.0, 200.0]), max_size=2)),
    )


@st.composite
def halls(draw: st.DrawFn) -> tuple[list[Agent], list[Waiting], Plan]:
    of = plan(
        queue(
            *draw(RINGS),
            policy=draw(st.sampled_from(list(Policy))),
            pool=draw(st.sampled_from([None, HELPER])),
        ),
        queue(*draw(RINGS), name=QueueId(LAND), policy=draw(st.sampled_from(list(Policy))), pool=HELPER),
        sites=draw(st.sampled_from([EVERYWHERE, {HALL, NORTH, MILL}, {SOUTH, FORD, WELL}])),
    )
    agents = [draw(agents_at_work(name)) for name in NAMES[: draw(st.integers(0, len(NAMES)))]]
    waiting = [draw(demands(f"demand-{n}")) for n in range(draw(st.integers(0, 7)))]
    return agents, waiting, of


@settings(max_examples=250, deadline=None)
@given(halls())
def test_it_matches_as_it_is_defined(hall: tuple[list[Agent], list[Waiting], Plan]) -> None:
    agents, waiting, of = hall
    here = picture(agents, waiting, of)
    made = match(here, of, 100)
    assert made == naive_match(here, of, 100)
    rung_ = [agent for m in made for agent in m.agents]
    assert len(set(rung_)) == len(rung_)
    assert all(here.agents[agent].routable for agent in rung_)
    assert tuple(islice(matches(here, of, 100), 2)) == made[:2]


@settings(max_examples=100, deadline=None)
@given(halls())
def test_whoever_could_take_an_earlier_demand_is_never_given_a_later_one_first(
    hall: tuple[list[Agent], list[Waiting], Plan],
) -> None:
    agents, waiting, of = hall
    here = picture(agents, [replace(w, wanted=None) for w in waiting], of)
    assert overtaken(here, of, 100, match(here, of, 100)) == []


@settings(max_examples=50, deadline=None)
@given(halls(), st.randoms(use_true_random=False))
def test_the_order_in_which_one_hears_of_things_does_not_matter(
    hall: tuple[list[Agent], list[Waiting], Plan], chance: random.Random
) -> None:
    agents, waiting, of = hall
    made = match(picture(agents, waiting, of), of, 100)
    chance.shuffle(agents)
    chance.shuffle(waiting)
    assert match(picture(agents, waiting, of), of, 100) == made


def test_a_demand_s_id_decides_between_equals() -> None:
    assert list(rung([LIN], [waits("b"), waits("a")])) == [DemandId("a")]
