"""Who is there, where and when."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.simulation.roster import apportioned, on_duty, people, scaled, sizes
from agents.simulation.scenario import Break, Group, Sites, Town
from records.model import SiteId, Tier
from tests.agents.simulation.halls import NAME, hall

OFFICE = Group("office", NAME, 4, ("09:00-12:00", "13:00-17:00"), breaks=(Break("10:00", 15, relays=2),))
VILLAGES = Group("village", NAME, 1, ("09:00-17:00",), at=Tier.VILLAGE, counter=0.5)
TIERS = replace(
    hall(100.0, OFFICE, VILLAGES), sites=Sites(towns=(Town(SiteId("north"), 6), Town(SiteId("south"), 4)))
)


def test_breaks_are_taken_in_relays() -> None:
    duty = on_duty(people(hall(100.0, OFFICE)))
    assert [duty[minute] for minute in (539, 540, 600, 614, 615, 629, 630, 719, 720, 780, 1020)] == [
        0, 4, 2, 2, 2, 2, 4, 4, 0, 4, 0,
    ]  # fmt: skip


def test_a_break_that_hangs_over_a_shift_takes_only_what_is_inside() -> None:
    late = replace(OFFICE, breaks=(Break("11:30", 60),))
    duty = on_duty(people(hall(100.0, late)))
    assert [duty[minute] for minute in (689, 690, 720, 779, 780)] == [4, 0, 0, 0, 4]


def test_so_many_at_each_site_of_the_tier() -> None:
    assert sizes(TIERS) == {"office": 4, "village": 10}
    at = Counter(person.profile.site for person in people(TIERS) if person.group is VILLAGES)
    assert set(at.values()) == {1}
    assert len(at) == 10


def test_fewer_than_sites_are_spread_evenly() -> None:
    at = [person.profile.site for person in people(TIERS, {"village": 5}) if person.group is VILLAGES]
    assert at == ["north-1", "north-3", "north-5", "south-1", "south-3"]


def test_time_at_the_counter_is_not_duty() -> None:
    assert on_duty(people(TIERS))[9 * 60] == 4 + 10 * 0.5


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 50), min_size=1).filter(
        lambda d: sum(d.values()) > 0
    ),
    st.integers(0, 300),
)
def test_a_roster_of_another_size_has_that_size_and_the_same_groups(
    before: dict[str, int], total: int
) -> None:
    after = scaled(before, total)
    there = {id_ for id_, n in before.items() if n}
    assert sum(after.values()) == max(total, len(there))
    assert {id_ for id_, n in after.items() if n} == there


def test_the_largest_remainders_get_what_is_left() -> None:
    assert apportioned({"a": 5.0, "b": 3.0, "c": 2.0}, 4) == {"a": 2, "b": 1, "c": 1}
    assert apportioned({"a": 0.0, "b": 0.0}, 3) == {"a": 2, "b": 1}
