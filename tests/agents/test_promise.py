"""What was told to somebody who waits gets no worse without a reason."""

from hypothesis import given
from hypothesis import strategies as st

from agents.agent import WaitReason
from agents.promise import REASON_SHOWN_S, SLACK_S, Forecast, Promise
from agents.waiting import estimate


def forecast(place: int, agents: int = 2, talk: float = 300.0) -> Forecast:
    return Forecast(place, agents, talk, estimate(place, agents, [talk] * 3))


FIRST = Promise.first(forecast(3), 1000)  # 300 to 900 s


def test_the_time_counts_down_with_the_clock() -> None:
    assert [FIRST.remaining(t) for t in (1000, 1200.5, 1400, 2000)] == [
        (300, 900),
        (99, 700),
        (0, 500),
        (0, 0),
    ]


def test_without_a_basis_no_time_is_told() -> None:
    told = Promise.first(Forecast(3, 0), 1000)
    assert told.remaining(1000) is None
    assert told.renewed(forecast(3), 1005).remaining(1005) == (300, 900)


def test_better_news_is_told_at_once_and_needs_no_reason() -> None:
    told = FIRST.renewed(forecast(2), 1010)
    assert (told.place, told.remaining(1010), told.reason) == (2, (190, 710), None)


def test_a_computation_that_changed_nothing_does_not_begin_the_wait_anew() -> None:
    told = FIRST.renewed(forecast(3), 1060)
    assert (told.remaining(1060), told.reason) == ((240, 840), None)


def test_somebody_with_precedence_is_a_reason() -> None:
    told = FIRST.renewed(forecast(4), 1005)
    assert (told.place, told.reason) == (4, WaitReason.PRIORITY)
    assert told.remaining(1005) == estimate(4, 2, [300.0] * 3)


def test_an_agent_who_goes_is_a_reason() -> None:
    told = FIRST.renewed(forecast(3, agents=1), 1005)
    assert (told.place, told.reason, told.remaining(1005)) == (3, WaitReason.FEWER_AGENTS, (600, 1800))


def test_when_the_last_agent_goes_no_time_is_told_any_more() -> None:
    told = FIRST.renewed(Forecast(3, 0, 300.0), 1005)
    assert (told.reason, told.remaining(1005)) == (WaitReason.FEWER_AGENTS, None)


def test_longer_talks_are_a_reason_when_they_are_much_longer() -> None:
    assert FIRST.renewed(forecast(3, talk=500), 1005).reason is WaitReason.LONGER_CALLS
    sways = FIRST.renewed(forecast(3, talk=320), 1005)
    assert (sways.reason, sways.remaining(1005)) == (None, (295, 895))


def test_a_little_later_is_not_worth_a_word() -> None:
    later = Forecast(3, 1, 300.0, (300, 900 + SLACK_S))
    assert FIRST.renewed(later, 1000) == FIRST


def test_when_the_told_time_is_over_the_talks_were_longer() -> None:
    told = FIRST
    for now in range(1005, 1900, 5):
        told = told.renewed(forecast(3), now)
        assert told.reason is None
    late = told.renewed(forecast(3), 1900)
    assert (late.reason, late.remaining(1900)) == (WaitReason.LONGER_CALLS, (300, 900))


def test_talks_that_grow_longer_little_by_little_are_noticed() -> None:
    told, talk = FIRST, 300.0
    for now in range(1005, 1065, 5):
        talk *= 1.03
        told = told.renewed(forecast(3, talk=talk), now)
        if told.reason is not None:
            break
    assert told.reason is WaitReason.LONGER_CALLS


def test_a_reason_stays_in_view_for_a_while() -> None:
    told = FIRST.renewed(forecast(4), 1005)
    assert told.renewed(forecast(4), 1005 + REASON_SHOWN_S - 1).reason is WaitReason.PRIORITY
    assert told.renewed(forecast(4), 1005 + REASON_SHOWN_S).reason is None


STEPS = st.lists(
    st.tuples(
        st.floats(0.1, 400),  # seconds since the last computation
        st.integers(0, 6),
        st.integers(0, 3),
        st.floats(30, 900),
        st.booleans(),  # whether there are talks to go by
    ),
    max_size=12,
)


@given(STEPS)
def test_what_was_told_never_jumps_back_without_a_reason(
    steps: list[tuple[float, int, int, float, bool]],
) -> None:
    now, told = 1000.0, FIRST
    for seconds, place, agents, talk, known in steps:
        now += seconds
        before = told
        told = before.renewed(forecast(place, agents, talk) if known else Forecast(place, agents), now)
        said, says = before.remaining(now), told.remaining(now)
        worse = told.place > before.place or (
            said is not None and (says is None or says[0] > said[0] or says[1] > said[1])
        )
        if worse:
            assert told.reason is not None
            assert told.reason_at == now
        if told.place > before.place:
            assert told.reason is WaitReason.PRIORITY
        assert says is None or says[0] <= says[1]
        assert told.place == place or told.reason is None


@given(STEPS)
def test_a_smaller_place_is_always_told(steps: list[tuple[float, int, int, float, bool]]) -> None:
    now, told = 1000.0, FIRST
    for seconds, place, agents, talk, _ in steps:
        now += seconds
        told = told.renewed(forecast(place, agents, talk), now)
        assert told.place == place
