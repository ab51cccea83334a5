from hypothesis import given
from hypothesis import strategies as st

from media.beat import following

TIMES = st.floats(0, 1e6)


@given(TIMES, st.floats(0, 1000), st.sampled_from([0.1, 1.0, 2.0]))
def test_it_is_soon_and_in_step(due: float, late: float, every: float) -> None:
    now = due + late
    found = following(due, now, every)
    assert now - 1e-6 < found <= now + every + 1e-6
    turns = (found - due) / every
    assert abs(turns - round(turns)) < 1e-4


def test_those_who_took_turns_take_turns_after_a_pause() -> None:
    ends = {round(following(due, 7.777, 0.1) - 7.777, 6) for due in (1.0, 1.02, 1.04, 1.06, 1.08)}
    assert len(ends) == 5
