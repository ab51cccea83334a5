"""Whose turn it is."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.agent import DemandId, Lane, Party, Waiting
from agents.lanes import line, turn
from agents.plan import HEAD_START_S
from agents.routing import match
from records.model import AccountId, QueueId
from tests.agents.district import LAND, PLAN, SIGN, TAX, WELL, free, picture, plan, queue, waits

LANES = st.sampled_from(list(Lane))


def in_order(*waiting: Waiting) -> list[str]:
    return [w.id for w in sorted(waiting, key=lambda w: turn(w, PLAN))]


def test_inside_a_lane_it_is_first_come_first_served_and_then_the_id() -> None:
    assert in_order(waits("c", 2), waits("b", 1), waits("a", 2)) == ["b", "a", "c"]


def test_a_lane_counts_as_older_by_its_head_start() -> None:
    start = HEAD_START_S[Lane.ELDER]
    elder = waits("elder", 1000, lane=Lane.ELDER)
    assert in_order(waits("before", 999 - start), elder, waits("after", 1001 - start)) == [
        "before",
        "elder",
        "after",
    ]


def test_a_queue_may_have_head_starts_of_its_own_and_leave_the_others() -> None:
    own = plan(replace(queue(), head_start_s={Lane.ELDER: 5.0}))
    assert turn(waits("a", 10, lane=Lane.ELDER), own) == (5.0, "a")
    assert turn(waits("a", 4000, lane=Lane.ESCALATED), own) == (400.0, "a")


def test_an_unknown_queue_has_the_usual_head_starts() -> None:
    unknown = replace(waits("a", 1000, lane=Lane.ELDER), queue=QueueId("nobody knows"))
    assert turn(unknown, PLAN) == (820.0, "a")


@given(st.lists(st.tuples(st.floats(0, 1e5), LANES), max_size=12), st.floats(0, 1e5))
def test_nobody_is_overtaken_by_who_came_later_than_the_longest_head_start(
    others: list[tuple[float, Lane]], since: float
) -> None:
    ordinary = waits("ordinary", since)
    demands = [waits(f"{n}", at, lane=lane) for n, (at, lane) in enumerate(others)]
    ahead = [w for w in demands if turn(w, PLAN) < turn(ordinary, PLAN)]
    assert all(w.enqueued_at <= since + HEAD_START_S[w.lane] for w in ahead)


def test_endless_elders_delay_an_ordinary_call_by_no_more_than_their_head_start() -> None:
    """One agent, a talk a minute, and as many elders come; two wait at the beginning."""
    waiting = [waits("ordinary", 0), waits("elder", 0, lane=Lane.ELDER)]
    queue_: dict[DemandId, Waiting] = {w.id: w for w in waiting}
    for minute in range(60):
        now = 60.0 * minute
        queue_[DemandId(f"elder-{minute}")] = waits(f"elder-{minute}", now, lane=Lane.ELDER)
        (made,) = match(picture([free("lin")], queue_.values()), PLAN, now)
        if made.demand == "ordinary":
            assert now <= HEAD_START_S[Lane.ELDER] + 2 * 60
            return
        del queue_[made.demand]
    raise AssertionError("it starved")


@given(st.lists(st.tuples(st.floats(0, 600), LANES), min_size=1, max_size=10), st.data())
def test_who_is_put_back_has_its_old_place(others: list[tuple[float, Lane]], data: st.DataObject) -> None:
    demands = [waits(f"{n}", at, lane=lane) for n, (at, lane) in enumerate(others)]
    before = in_order(*demands)
    n = data.draw(st.integers(0, len(demands) - 1))
    back = replace(demands[n], passed_over={AccountId("lin"): 9e9})
    assert in_order(*demands[:n], *demands[n + 1 :], back) == before


def test_a_line_is_all_but_where_they_come_from_and_when() -> None:
    assert line(waits("a", 1)) == line(waits("b", 2, site=WELL, lane=Lane.ELDER))
    assert line(waits("a")) != line(waits("b", needs={TAX: 2}))
    assert line(waits("a")) != line(waits("b", second=Party(needs={SIGN: 1})))
    assert line(waits("a")).first.gate == TAX
    assert line(waits("a", needs={})).first.gate is None
    assert line(waits("a", needs={TAX: 1, LAND: 2})) == line(waits("b", needs={LAND: 2, TAX: 1}))
