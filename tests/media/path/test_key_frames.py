from math import inf

from media.path.key_frames import AGAIN_S, INTERVAL_S, MAX_AGAIN_S, KeyFrames


def test_one_request_for_all_who_want_it() -> None:
    keys = KeyFrames()
    assert [keys.want(1, 1.0 + n / 100) for n in range(5)] == [True, False, False, False, False]
    assert keys.due == 1.0 + AGAIN_S


def test_a_wish_is_repeated_less_and_less_often_until_a_key_frame_comes() -> None:
    keys = KeyFrames()
    times = []
    at = 1.0
    keys.want(1, at)
    while at < 4:
        times.append(keys.due - at)
        at = keys.due
        assert keys.want(1, at)
    assert [round(t / AGAIN_S) for t in times] == [1, 2, 4, 8, 8]
    assert max(times) <= MAX_AGAIN_S + 1e-9
    keys.came(2, 7.0)
    assert keys.due == inf
    keys.want(2, 8.0)
    assert keys.due == 8.0 + AGAIN_S


def test_who_asks_right_after_a_key_frame_waits_until_the_sender_heeds_it() -> None:
    keys = KeyFrames()
    keys.came(5, 1.0)
    assert not keys.want(6, 1.1)
    assert keys.due == 1.0 + INTERVAL_S
    assert keys.want(6, keys.due)


def test_a_key_frame_from_before_the_request_is_no_answer() -> None:
    keys = KeyFrames()
    keys.want(10, 1.0)
    keys.came(9, 1.01)
    assert keys.due == 1.0 + AGAIN_S
    keys.came(11, 1.02)
    assert keys.due == inf
