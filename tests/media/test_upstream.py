from hypothesis import given
from hypothesis import strategies as st

from media.protocol import Source
from media.rtp import SenderReport
from media.upstream import KEY_FRAME_AGAIN_S, KEY_FRAME_INTERVAL_S, NACK_AFTER_S, NACK_TRIES
from tests.media.streams import DELTA, KEY, REST, Seen, upstream


@given(st.integers(0, 65535), st.permutations(range(40)), st.lists(st.integers(0, 39), max_size=20))
def test_each_packet_is_handed_on_once_whatever_the_order(
    first: int, order: list[int], again: list[int]
) -> None:
    track, _, seen = upstream()
    for number in [*order, *again]:
        track.receive((first + number) % 65536, number * 3000, False, DELTA, 1.0)
    base = min(p.seq for p in seen.packets)
    assert sorted(p.seq - base for p in seen.packets) == list(range(40))
    assert {p.seq - base: p.timestamp % 2**32 for p in seen.packets} == {n: n * 3000 for n in range(40)}


def test_a_gap_is_asked_for_at_once_and_again_and_then_given_up_for_a_key_frame() -> None:
    track, asked, _ = upstream()
    track.receive(65534, 0, True, DELTA, 0.0)
    track.receive(1, 3000, True, DELTA, 0.0)
    assert [[seq % 65536 for seq in lost] for lost in asked.nacks] == [[65535, 0]]
    track.receive(65535, 1000, False, DELTA, 0.01)  # repaired
    now = 0.0
    for _ in range(NACK_TRIES + 1):
        now += NACK_AFTER_S
        track.tick(now)
    assert [[seq % 65536 for seq in lost] for lost in asked.nacks[1:]] == [[0]] * (NACK_TRIES - 1)
    assert asked.plis == 1
    track.tick(now + 10)
    assert len(asked.nacks) == NACK_TRIES


def test_sound_is_not_asked_for_again() -> None:
    track, asked, _ = upstream(Source.MIC)
    track.receive(1, 0, False, b"\xf8", 0.0)
    track.receive(9, 960, False, b"\xf8", 0.1)
    track.request_key_frame(0.2)
    track.tick(1.0)
    assert not asked.nacks
    assert asked.plis == 0


def test_a_large_jump_asks_for_a_key_frame_only() -> None:
    track, asked, seen = upstream()
    track.receive(0, 0, True, DELTA, 0.0)
    track.receive(20_000, 3000, True, DELTA, 0.0)
    assert (asked.nacks, asked.plis, len(seen.packets)) == ([], 1, 2)


def test_key_frame_requests_are_coalesced_and_repeated_until_one_comes() -> None:
    track, asked, _ = upstream()
    for _ in range(5):
        track.request_key_frame(1.0)
    assert asked.plis == 1
    track.tick(1.0 + KEY_FRAME_AGAIN_S)
    assert asked.plis == 2
    track.tick(9.0)
    assert asked.plis == 2


def test_one_key_frame_answers_all_who_asked_before_it() -> None:
    track, asked, _ = upstream()
    track.request_key_frame(1.0)
    track.request_key_frame(1.01)
    track.receive(1, 0, True, KEY, 1.05)
    track.tick(9.0)
    assert asked.plis == 1


def test_whoever_asks_right_after_a_key_frame_waits_until_the_sender_heeds_it() -> None:
    track, asked, _ = upstream()
    track.request_key_frame(1.0)
    track.receive(1, 0, True, KEY, 1.1)
    track.request_key_frame(1.12)
    track.tick(1.1 + KEY_FRAME_INTERVAL_S - 0.01)
    assert asked.plis == 1
    track.tick(1.1 + KEY_FRAME_INTERVAL_S)
    assert asked.plis == 2


def test_who_comes_right_after_a_key_frame_begins_with_it() -> None:
    track, asked, _ = upstream()
    track.request_key_frame(1.0)
    for seq, payload in enumerate((DELTA, KEY, REST, DELTA)):
        track.receive(seq, 0, False, payload, 1.1)
    late = Seen()
    track.sinks.append(late)
    track.begin(late, 1.1 + KEY_FRAME_INTERVAL_S - 0.01)
    track.receive(4, 3000, True, DELTA, 1.4)
    assert [p.payload for p in late.packets] == [KEY, REST, DELTA, DELTA]
    assert asked.plis == 1


def test_who_comes_later_asks_for_a_key_frame_of_its_own() -> None:
    track, asked, _ = upstream()
    track.receive(1, 0, True, KEY, 1.0)
    late = Seen()
    track.begin(late, 1.0 + KEY_FRAME_INTERVAL_S)
    assert (late.packets, asked.plis) == ([], 1)


def test_what_nobody_was_given_is_not_kept() -> None:
    track, asked, seen = upstream()
    track.sinks.clear()
    track.receive(1, 0, True, KEY, 1.0)
    track.sinks.append(seen)
    track.receive(2, 3000, True, DELTA, 1.1)
    seen.packets.clear()
    track.begin(seen, 1.1)
    assert seen.packets == []
    track.tick(1.0 + KEY_FRAME_INTERVAL_S)
    assert asked.plis == 1


def test_a_key_frame_that_was_overtaken_answers_nobody_who_asks_for_a_newer_one() -> None:
    track, asked, _ = upstream()
    track.receive(2, 3000, True, DELTA, 1.0)
    track.request_key_frame(1.0)
    track.request_key_frame(1.0)
    track.receive(1, 0, True, KEY, 1.01)  # repaired
    track.tick(2.0)
    assert asked.plis == 2


def test_a_key_frame_wanted_before_the_source_is_known_is_asked_for_later() -> None:
    track, asked, _ = upstream()
    track.ssrc = None
    track.request_key_frame(0.0)
    track.ssrc = 5
    track.tick(0.1)
    assert asked.plis == 1


def test_reception_counts_what_was_lost_since_the_last_report() -> None:
    track, _, _ = upstream()
    assert track.reception(0.0) is None
    for seq in (65534, 65535, 2, 3):
        track.receive(seq, 0, False, DELTA, 0.0)
    track.sender_report(SenderReport(77, 1.5, 0), 10.0, 1.0)
    first = track.reception(2.0)
    assert first is not None
    assert (first.lost, round(first.fraction_lost, 2), first.highest % 65536) == (2, 0.33, 3)
    assert (first.last_report, first.delay) == (0x18000, 1.0)
    track.receive(4, 0, False, DELTA, 0.0)
    second = track.reception(3.0)
    assert second is not None
    assert (second.lost, second.fraction_lost) == (2, 0.0)


def test_a_repaired_packet_is_no_jitter() -> None:
    track, _, _ = upstream()
    for seq in (0, 1, 2, 4, 5, 6, 3):
        track.receive(seq, 3000 * seq, True, DELTA, 7 / 30 if seq == 3 else seq / 30)
    reception = track.reception(1.0)
    assert reception is not None
    assert reception.jitter == 0
