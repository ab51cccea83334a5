"""The rules: everything that can happen, in any order. What is drawn never depends on what the store answers,
so that a failure can be found again and shrunk."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agents.agent import Lane, Presence, Release
from agents.dispatcher import REBUILD_S
from tests.agents.stateful import hall, invariants
from tests.agents.stateful.owners import Case
from tests.agents.stateful.stores import Store
from tests.agents.stateful.world import PROCESSES, World

AGENT = st.sampled_from(hall.AGENTS)
NUMBER = st.integers(0, 7)  # of something that there is a list of, counted from its newest
PROCESS = st.integers(0, PROCESSES - 1)
ITEM, SITE = st.sampled_from(hall.ITEMS), st.sampled_from(hall.SITES)
JOINT = st.sampled_from((False, False, False, True))
WANTED = st.sampled_from((None, None, None, None, None, None, *hall.AGENTS))
A_CALL = rule(process=PROCESS, item=ITEM, site=SITE, joint=JOINT)
SELDOM = st.sampled_from(
    (False, False, False, False, False, True)
)  # what would otherwise leave nothing else to happen


class HallMachine(RuleBasedStateMachine):
    operations: ClassVar[int] = 0  # of all machines of this class: verbs, rounds, deliveries, faults
    store: ClassVar[Callable[[], Coroutine[Any, Any, Store]]]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = self.looks(self._opens())

    async def _opens(self) -> World:
        return World(await type(self).store())

    def does(self, work: Coroutine[Any, Any, Any]) -> Any:
        type(self).operations += 1
        return self.runner.run(work)

    def looks(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.looks(invariants.nothing_is_left_at_all(self.world))
        finally:
            self.looks(self.world.store.close())
            self.runner.close()

    def case(self, number: int) -> Case | None:
        """Counted from the newest."""
        cases = [*self.world.cases.values()][-8:]
        return cases[-1 - number % len(cases)] if cases else None

    def to_case(self, number: int, what: Callable[[Case], Coroutine[Any, Any, None]]) -> None:
        case = self.case(number)
        if case is not None:
            self.does(what(case))

    # --- people --------------------------------------------------------------------------------

    @initialize(absent=st.sets(AGENT, max_size=2))
    def the_day_begins(self, absent: set[str]) -> None:
        for id_ in hall.AGENTS:
            if id_ not in absent:
                self.arrives(id_)

    @rule(agent=AGENT)
    def arrives(self, agent: Any) -> None:
        self.does(self.world.arrives(self.world.desks[agent]))

    @rule(agent=AGENT, presence=st.sampled_from(Presence))
    def declares(self, agent: Any, presence: Presence) -> None:
        self.does(self.world.declares(self.world.desks[agent], presence))

    @rule(agent=AGENT)
    def accepts(self, agent: Any) -> None:
        self.does(self.world.accepts(self.world.desks[agent]))

    @rule()
    def everybody_accepts(self) -> None:
        for desk in self.world.desks.values():
            self.does(self.world.accepts(desk))

    @rule(agent=AGENT)
    def declines(self, agent: Any) -> None:
        self.does(self.world.declines(self.world.desks[agent]))

    @rule(agent=AGENT)
    def ready(self, agent: Any) -> None:
        self.does(self.world.ready(self.world.desks[agent]))

    @rule(agent=AGENT)
    def extends(self, agent: Any) -> None:
        self.does(self.world.extends(self.world.desks[agent]))

    @rule(agent=AGENT)
    def goes_silent(self, agent: Any) -> None:
        self.does(self.world.goes_silent(self.world.desks[agent]))

    @rule(item=ITEM, site=SITE, lane=st.sampled_from(hall.LANES), joint=JOINT, wanted=WANTED)
    def asks(self, **what: Any) -> None:
        self.does(self.world.asks(**what))

    @rule(number=NUMBER)
    def asks_again(self, number: int) -> None:
        self.to_case(number, self.world.asks_again)

    @rule(number=NUMBER)
    def asks_an_expert(self, number: int) -> None:
        self.to_case(number, self.world.asks_an_expert)

    @rule(number=NUMBER, queue=st.sampled_from(hall.QUEUES))
    def is_handed_on(self, number: int, queue: Any) -> None:
        self.to_case(number, lambda case: self.world.is_handed_on(case, queue))

    @rule(number=NUMBER)
    def ends(self, number: int) -> None:
        self.to_case(number, self.world.ends)

    @rule()
    def tidies(self) -> None:
        self.does(self.world.tidies())

    # --- processes and messages ----------------------------------------------------------------

    @rule(process=PROCESS, deaf=st.booleans())
    def round(self, process: int, deaf: bool) -> None:
        self.does(self.world.round(process, deaf=deaf))

    @rule(process=PROCESS)
    def round_with_an_old_picture(self, process: int) -> None:
        self.does(self.world.round(process, stale=True))

    @rule(process=PROCESS)
    def rings(self, process: int) -> None:
        self.does(self.world.round(process))
        while self.world.mail:
            self.does(self.world.delivers(0, again=False))

    @rule(process=PROCESS)
    def is_answered(self, process: int) -> None:
        self.rings(process)
        self.everybody_accepts()

    def _asks_and_is_answered(self, process: int, **what: Any) -> None:
        self.asks(lane=Lane.NORMAL, wanted=None, **what)
        self.is_answered(process)

    def _asks_and_rings(self, process: int, **what: Any) -> None:
        self.asks(lane=Lane.NORMAL, wanted=None, **what)
        self.rings(process)

    # Several times, so that they happen often: a hall in which nothing rings has little to go wrong.
    def _asks_and_all_want_it(self, process: int, **what: Any) -> None:
        self.asks(lane=Lane.NORMAL, wanted=None, **what)
        self.all_at_once()

    race_1, race_2, race_3 = (
        A_CALL(_asks_and_all_want_it),
        A_CALL(_asks_and_all_want_it),
        A_CALL(_asks_and_all_want_it),
    )
    answered_1, answered_2 = A_CALL(_asks_and_is_answered), A_CALL(_asks_and_is_answered)
    answered_3, answered_4 = A_CALL(_asks_and_is_answered), A_CALL(_asks_and_is_answered)
    rings_1, rings_2 = A_CALL(_asks_and_rings), A_CALL(_asks_and_rings)
    rings_3, rings_4 = A_CALL(_asks_and_rings), A_CALL(_asks_and_rings)

    @rule(process=PROCESS, number=NUMBER)
    def an_expert_joins(self, process: int, number: int) -> None:
        self.asks_an_expert(number)
        self.is_answered(process)

    def _everybody_is_free_again(self) -> None:
        for number in range(8):
            self.ends(number)
        for agent in hall.AGENTS:
            self.ready(agent)
            self.arrives(agent)

    free_1, free_2 = rule()(_everybody_is_free_again), rule()(_everybody_is_free_again)
    free_3, free_4 = rule()(_everybody_is_free_again), rule()(_everybody_is_free_again)

    @rule()
    def everybody_is_told(self) -> None:
        """Of a new life of the store, and the time has passed in which nobody is rung."""
        for process in range(PROCESSES):
            self.round(process, deaf=False)
        self.time_passes(REBUILD_S)

    @rule()
    def all_at_once(self) -> None:
        self.does(self.world.all_at_once())

    @rule(process=PROCESS, after_reserving=st.booleans())
    def crashes(self, process: int, after_reserving: bool) -> None:
        self.does(self.world.crash(process, after_reserving))

    @rule(number=NUMBER, again=st.booleans())
    def is_delivered(self, number: int, again: bool) -> None:
        self.does(self.world.delivers(number, again))

    @rule(number=NUMBER, agent=AGENT)
    def accepts_late(self, number: int, agent: Any) -> None:
        self.does(self.world.accepts_late(-1 - number, self.world.desks[agent]))

    @rule(number=NUMBER, why=st.sampled_from((Release.DECLINED, Release.NO_ANSWER, Release.LOST)))
    def gives_back_late(self, number: int, why: Release) -> None:
        self.does(self.world.gives_back_late(-1 - number, why))

    # --- time and the store --------------------------------------------------------------------

    @rule(seconds=st.sampled_from((0.3, 0.6, 5.0, 20.0, 31.0, 61.0)))
    def time_passes(self, seconds: float) -> None:
        self.world.now += seconds

    @rule(seconds=st.sampled_from((1.0, 5.0)))
    def the_clock_is_set_back(self, seconds: float) -> None:
        self.world.now -= seconds

    @rule(does=SELDOM)
    def loses_everything(self, does: bool) -> None:
        if does:
            self.does(self.world.loses_everything())

    @invariant()
    def everything_holds(self) -> None:
        self.looks(invariants.look(self.world))


class FailoverMachine(HallMachine):
    """Also loses what was written a moment ago."""

    @rule()
    def begins_to_forget(self) -> None:
        self.does(self.world.begins_to_forget())

    @rule(does=SELDOM)
    def fails_over(self, does: bool) -> None:
        if does:
            self.does(self.world.fails_over())


def profile(examples: int, steps: int, shrinks: bool = True) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink) if shrinks else (Phase.generate,),
        report_multiple_bugs=False,
    )
