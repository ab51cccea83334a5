"""Service levels, abandonment, waits and occupancy."""

import pytest
from msgspec.structs import replace

from agents.agent import Activity, Presence
from agents.service import Served, abandonment, occupancy, service_level, wait_at
from tests.agents.district import free

CALLS = [Served(5, True), Served(15, True), Served(40, True), Served(3, False), Served(60, False)]


def test_the_service_level_leaves_out_only_who_left_before_the_goal() -> None:
    assert service_level(CALLS, 15) == pytest.approx(50)  # 2 of the 3 answered and the one who left late
    assert service_level([Served(3, False)], 15) is None
    assert service_level([], 15) is None


def test_abandonment_counts_everybody_who_was_not_answered() -> None:
    assert abandonment(CALLS) == pytest.approx(40)
    assert abandonment([]) is None


def test_the_wait_of_a_share_is_one_that_somebody_had() -> None:
    assert [wait_at(CALLS, share) for share in (0.0, 0.34, 0.66, 0.67, 1.0)] == [5, 15, 15, 40, 40]
    assert wait_at([Served(3, False)], 0.5) is None


def test_occupancy_is_calls_and_wrap_up_of_the_time_since_signing_in() -> None:
    talks = replace(free("lin"), activity=Activity.IN_CALL, since=900, busy_s=100, signed_in_at=0)
    idle = replace(free("wang"), busy_s=50, signed_in_at=500)
    gone = replace(free("zhao"), presence=Presence.SIGNED_OUT, busy_s=999)
    assert occupancy([talks, idle, gone], 1000) == pytest.approx(100 * (200 + 50) / 1500)
    assert occupancy([gone], 1000) is None
