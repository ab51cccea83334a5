"""What one process knows: indices that follow every change."""

from math import inf

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents import lanes
from agents.agent import (
    Activity,
    Agent,
    DemandId,
    Lane,
    Presence,
    Reservation,
    ReservationId,
    Waiting,
)
from agents.availability import Changes, Position, Snapshot
from agents.ordered import Ordered
from agents.picture import Picture
from records.model import AccountId, CallId, QueueId
from tests.agents.hall import FIRST, LAND, LIN, PLAN, SECOND, TAX, THIRD, WANG, ZHAO, profile, waits

BEGINNING = Position(generation=7, seq=0)
LATER = Position(generation=7, seq=1)


def free(id_: AccountId, since: float, *skills: str) -> Agent:
    return Agent(id_, profile(*skills), Presence.AVAILABLE, Activity.IDLE, since, since)  # type: ignore[arg-type]


def wrapping_up(id_: AccountId, until: float) -> Agent:
    return replace(free(id_, 0), activity=Activity.WRAP_UP, call=CallId("c"), wrap_up_until=until)


def ringing(id_: str, until: float) -> Reservation:
    return Reservation(ReservationId(id_), DemandId("d"), CallId("d"), (LIN,), until, fence=1)


def picture(*records: Agent | Waiting | Reservation) -> Picture:
    return Picture.of(
        Snapshot(
            tuple(r for r in records if isinstance(r, Agent)),
            tuple(r for r in records if isinstance(r, Waiting)),
            tuple(r for r in records if isinstance(r, Reservation)),
        ),
        PLAN,
    )


def ids(records: object) -> list[str]:
    return [record.id for record in records]  # type: ignore[attr-defined]


def test_an_empty_picture_answers_every_question() -> None:
    empty = Picture(PLAN)
    assert empty.position is None
    assert (list(empty.free()), list(empty.free(TAX)), list(empty.on_duty(TAX))) == ([], [], [])
    assert (list(empty.queue(QueueId(TAX))), list(empty.queues()), dict(empty.lines())) == ([], [], {})
    assert (dict(empty.lines_in_reach()), empty.opens_after(0)) == ({}, None)
    assert empty.overdue(1e12) == ((), ())


def test_the_free_are_known_by_skill_the_longest_idle_first() -> None:
    known = picture(free(LIN, 5, TAX), free(WANG, 3, TAX, LAND), free(ZHAO, 5, LAND))
    assert ids(known.free(TAX)) == [WANG, LIN]
    assert ids(known.free(LAND)) == [WANG, ZHAO]
    assert ids(known.free()) == [WANG, LIN, ZHAO]


def test_who_is_available_is_on_duty_free_or_busy() -> None:
    busy = replace(free(LIN, 5), activity=Activity.IN_CALL)
    away = replace(free(WANG, 5), presence=Presence.PAUSED)
    known = picture(busy, away, free(ZHAO, 5))
    assert sorted(ids(known.on_duty(TAX))) == [LIN, ZHAO]
    assert ids(known.free(TAX)) == [ZHAO]


def test_a_queue_is_in_the_order_of_turns() -> None:
    elder = replace(waits(THIRD, since=100), lane=Lane.ELDER)
    known = picture(waits(SECOND, since=7), waits(FIRST, since=7), elder)
    assert ids(known.queue(QueueId(TAX))) == [THIRD, FIRST, SECOND]
    assert list(known.queues()) == [TAX]


def test_overdue_is_what_has_reached_its_deadline_the_oldest_first() -> None:
    known = picture(
        ringing("b", 20), ringing("a", 21), ringing("c", 10), wrapping_up(LIN, 30), wrapping_up(WANG, 20.5)
    )
    assert known.overdue(9.9) == ((), ())
    assert [ids(part) for part in known.overdue(20)] == [["c", "b"], []]
    assert [ids(part) for part in known.overdue(21)] == [["c", "b", "a"], [WANG]]


def test_changes_replace_and_remove() -> None:
    known = Picture(PLAN)
    known.apply(Changes(BEGINNING, True, (free(LIN, 5, TAX),), (waits(FIRST),), (ringing("r", 10),)))
    moved = replace(waits(FIRST, skill=LAND), lane=Lane.ESCALATED)
    known.apply(
        Changes(LATER, False, (free(LIN, 6, LAND),), (moved,), gone_reservations=(ReservationId("r"),))
    )
    assert known.position == LATER
    assert (ids(known.free(TAX)), ids(known.free(LAND))) == ([], [LIN])
    assert (ids(known.queue(QueueId(TAX))), ids(known.queue(QueueId(LAND)))) == ([], [FIRST])
    assert list(known.lines()) == [lanes.line(moved)]
    assert known.overdue(100) == ((), ())


def test_what_is_gone_twice_or_was_never_known_is_gone() -> None:
    known = picture(free(LIN, 5), waits(FIRST))
    gone = Changes(
        LATER,
        False,
        gone_agents=(LIN, WANG),
        gone_waiting=(FIRST, SECOND),
        gone_reservations=(ReservationId("r"),),
    )
    known.apply(gone)
    known.apply(gone)
    assert (dict(known.agents), dict(known.waiting), list(known.free())) == ({}, {}, [])


def test_a_beginning_anew_forgets_everything_and_the_views_go_on() -> None:
    known = picture(free(LIN, 5), waits(FIRST), ringing("r", 10), wrapping_up(WANG, 3))
    agents, waiting = known.agents, known.waiting
    known.apply(Changes(BEGINNING, True, (free(ZHAO, 1),), (waits(SECOND),)))
    assert (list(agents), list(waiting), list(known.reservations)) == ([ZHAO], [SECOND], [])
    assert (ids(known.free()), ids(known.on_duty())) == ([ZHAO], [ZHAO])
    assert [ids(line) for line in known.lines().values()] == [[SECOND]]
    assert known.overdue(100) == ((), ())


AGENT_RECORDS = st.builds(
    lambda n, since, skills, presence, activity, until: replace(
        free(AccountId(f"a{n}"), since, *skills),
        presence=presence,
        activity=activity,
        wrap_up_until=until if activity is Activity.WRAP_UP else None,
    ),
    st.integers(0, 3),
    st.sampled_from([0.0, 1.0, 2.0]),
    st.sampled_from([(TAX,), (LAND,), (TAX, LAND)]),
    st.sampled_from(Presence),
    st.sampled_from(Activity),
    st.sampled_from([5.0, 6.0]),
)
WAITING_RECORDS = st.builds(
    lambda n, since, skill, lane: replace(waits(DemandId(f"d{n}"), since, skill), lane=lane),
    st.integers(0, 3),
    st.sampled_from([0.0, 1.0, 500.0]),
    st.sampled_from([TAX, LAND]),
    st.sampled_from(Lane),
)
RESERVATION_RECORDS = st.builds(ringing, st.sampled_from(["r0", "r1", "r2"]), st.sampled_from([5.0, 6.0]))


@given(
    st.lists(
        st.one_of(
            AGENT_RECORDS,
            WAITING_RECORDS,
            RESERVATION_RECORDS,
            st.sampled_from(["a0", "a1", "d0", "d1", "r0", "r1"]),
        ),
        max_size=40,
    )
)
def test_followed_change_by_change_it_is_as_if_seen_at_once(
    steps: list[Agent | Waiting | Reservation | str],
) -> None:
    followed = Picture(PLAN)
    for step in steps:
        followed.apply(_change(step))
    at_once = picture(*followed.agents.values(), *followed.waiting.values(), *followed.reservations.values())
    for skill in (None, TAX, LAND):
        assert list(followed.free(skill)) == list(at_once.free(skill))
        assert sorted(ids(followed.on_duty(skill))) == sorted(ids(at_once.on_duty(skill)))
    for queue in PLAN.queues:
        assert list(followed.queue(queue)) == list(at_once.queue(queue))
        assert list(followed.queue(queue)) == sorted(followed.queue(queue), key=lambda w: lanes.turn(w, PLAN))
    assert {k: list(v) for k, v in followed.lines().items()} == {
        k: list(v) for k, v in at_once.lines().items()
    }
    assert {k: list(v) for k, v in followed.lines_in_reach().items()} == {
        k: list(v) for k, v in at_once.lines_in_reach().items()
    }
    for now in (4.0, 5.0, 6.0):
        assert followed.overdue(now) == at_once.overdue(now)
        # What a demand's older state would have waited for may still be there: a look too many.
        assert (followed.opens_after(now) or inf) <= (at_once.opens_after(now) or inf)


def _change(step: Agent | Waiting | Reservation | str) -> Changes:
    match step:
        case Agent():
            return Changes(LATER, False, agents=(step,))
        case Waiting():
            return Changes(LATER, False, waiting=(step,))
        case Reservation():
            return Changes(LATER, False, reservations=(step,))
        case _:
            return Changes(
                LATER,
                False,
                gone_agents=(AccountId(step),),
                gone_waiting=(DemandId(step),),
                gone_reservations=(ReservationId(step),),
            )


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, 2.0]), st.integers(0, 9)), unique_by=lambda p: p[1]))
def test_an_ordered_collection_is_sorted_by_key_then_id(pairs: list[tuple[float, int]]) -> None:
    ordered: Ordered[int] = Ordered()
    for key, member in pairs:
        ordered.add(key, str(member), member)
    assert list(ordered) == [member for _, member in sorted(pairs)]
    assert list(ordered.until(1.0)) == [member for key, member in sorted(pairs) if key <= 1.0]
    for key, member in pairs[::2]:
        ordered.remove(key, str(member))
    assert list(ordered) == [member for _, member in sorted(pairs[1::2])]
    assert len(ordered) == len(pairs[1::2])
