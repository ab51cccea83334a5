"""Who must send less, and when he is told."""

from media.path.rates import FINDING_S, LEAST_VIDEO, OPEN, SOUND, Rates, Viewer, caps


def test_nobody_is_capped_without_a_limit() -> None:
    assert caps([Viewer(None, 1, {"agent": 2}), Viewer(None, 0, {})]) == {}


def test_the_narrowest_viewer_decides_and_sound_comes_first() -> None:
    viewers = [
        Viewer(900_000, 1, {"agent": 1}),
        Viewer(500_000, 2, {"agent": 1}),
        Viewer(None, 1, {"agent": 1}),
    ]
    assert caps(viewers) == {"agent": 500_000 - 2 * SOUND + SOUND}


def test_what_is_left_is_divided_evenly_among_the_pictures() -> None:
    found = caps([Viewer(1_000_000, 2, {"agent": 2, "expert": 1})])
    left = 1_000_000 - 2 * SOUND
    assert found == {"agent": 2 * (left // 3) + SOUND, "expert": left // 3 + SOUND}


def test_a_viewer_who_is_shown_no_picture_holds_nobody_back() -> None:
    assert caps([Viewer(100_000, 3, {})]) == {}


def test_a_picture_is_left_the_least_it_can_live_on() -> None:
    assert caps([Viewer(100_000, 3, {"agent": 1})]) == {"agent": LEAST_VIDEO + SOUND}


def said(rates: Rates[str], limit: int | None, now: float) -> list[int]:
    return [cap for _, cap in rates.tick({"agent": 0.0}, [Viewer(limit, 1, {"agent": 1})], now)]


def test_who_was_never_capped_is_told_nothing() -> None:
    rates: Rates[str] = Rates()
    assert [said(rates, None, 10 + n / 10) for n in range(50)] == [[]] * 50


def test_a_change_is_told_at_once_and_a_cap_repeated_every_second() -> None:
    rates: Rates[str] = Rates()
    assert said(rates, 500_000, 10.0) == [500_000]
    assert said(rates, 490_000, 10.2) == []  # less than 3 %
    assert said(rates, 400_000, 10.25) == [400_000]
    assert said(rates, 300_000, 10.30) == []  # too soon
    assert said(rates, 300_000, 10.36) == [300_000]
    assert said(rates, 300_000, 11.30) == []
    assert said(rates, 300_000, 11.37) == [300_000]
    assert said(rates, 301_000, 12.40) == [301_000]


def test_a_lifted_cap_is_told_three_times() -> None:
    rates: Rates[str] = Rates()
    assert said(rates, 500_000, 10.0) == [500_000]
    told = [(n, cap) for n in range(1, 100) for cap in said(rates, None, 10 + n / 8)]
    assert told == [(1, OPEN), (9, OPEN), (17, OPEN)]
    assert said(rates, 500_000, 30.0) == [500_000]


def test_a_new_sender_first_finds_its_own_bandwidth() -> None:
    rates: Rates[str] = Rates()
    viewers = [Viewer(300_000, 1, {"agent": 1})]
    assert rates.tick({"agent": 5.0}, viewers, 5.0 + FINDING_S - 0.1) == []
    assert rates.tick({"agent": 5.0}, viewers, 5.0 + FINDING_S + 0.1) == [("agent", 300_000)]


def test_who_left_and_came_back_is_told_anew() -> None:
    rates: Rates[str] = Rates()
    assert said(rates, 300_000, 10.0) == [300_000]
    assert rates.tick({}, [], 10.1) == []
    assert said(rates, 300_000, 10.2) == [300_000]
