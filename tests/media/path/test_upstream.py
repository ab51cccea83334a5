import itertools
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import OPUS, RED
from media.path.key_frames import AGAIN_S, INTERVAL_S
from media.path.nack import MAX_MISSING, OVERTAKEN_S, VIDEO_S
from media.path.packet import SenderReport
from media.path.upstream import MAX_PAYLOAD, WINDOW, Upstream
from media.protocol import Source
from media.wire import red, rtcp
from tests.media.path.simulated import Kept
from tests.media.path.tracks import DELTA, KEY, REST, VP8_TYPE, picture, sound, track


class GivenUp(Kept):
    """A ``Viewer`` that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: list[int] = []

    def given_up(self, start: int, stop: int) -> None:
        self.gone += range(start, stop)


def viewed(upstream: Upstream) -> GivenUp:
    viewer = GivenUp()
    upstream.sinks.append(viewer)
    upstream.viewers.append(viewer)
    return viewer


def tick(upstream: Upstream, start: float, stop: float) -> None:
    for step in range(round((stop - start) / 0.005) + 1):
        if start + step * 0.005 >= upstream.due:
            upstream.tick(start + step * 0.005)


def from_second(kept: Kept) -> list[int]:
    """Numbers handed on, counted from the lowest."""
    base = min(p.seq for p in kept.packets)
    return [p.seq - base for p in kept.packets]


# --- each once -----------------------------------------------------------------------------------


@given(st.integers(0, 65535), st.permutations(range(16)), st.lists(st.integers(0, 15), max_size=20))
def test_each_packet_is_handed_on_once_whatever_the_order(
    first: int, order: list[int], again: list[int]
) -> None:
    upstream, _, kept = track()
    start = 2**32 - 20_000
    for number in [*order, *again]:
        picture(upstream, first + number, DELTA, 1.0, start + number * 3000)
    assert sorted(from_second(kept)) == list(range(16))
    base = min(p.seq for p in kept.packets)
    assert base % 65536 == first
    for p in kept.packets:
        assert p.timestamp % 2**32 == (start + (p.seq - base) * 3000) % 2**32
    lowest = min(p.timestamp for p in kept.packets)
    assert {p.seq - base: p.timestamp - lowest for p in kept.packets} == {n: n * 3000 for n in range(16)}
    assert upstream.duplicates == len(again)


def test_numbers_go_on_through_many_wraps() -> None:
    upstream, _, kept = track(Source.MIC)
    for n in range(3 * 65536):
        upstream.receive(n % 65536, n * 960 * 40 % 2**32, False, 111, b"x", n * 0.8)
    assert all(b.seq - a.seq == 1 for a, b in itertools.pairwise(kept.packets))
    assert all(b.timestamp - a.timestamp == 38400 for a, b in itertools.pairwise(kept.packets))


def test_a_packet_says_where_a_key_frame_starts() -> None:
    upstream, _, kept = track()
    for seq, payload in enumerate((DELTA, KEY, REST, DELTA)):
        upstream.receive(seq, 3000 * (seq - (payload == REST)), False, VP8_TYPE, payload, 1.0)
    assert [p.key for p in kept.packets] == [False, True, False, False]
    assert upstream.key_frames == 1


def test_a_payload_that_fits_no_datagram_of_ours_ends_here() -> None:
    upstream, _, kept = track()
    picture(upstream, 1, bytes(MAX_PAYLOAD + 1), 1.0)
    upstream.repaired(1, 0, True, VP8_TYPE, bytes(MAX_PAYLOAD + 1), 1.0)
    assert (kept.packets, upstream.malformed) == ([], 1)
    upstream, _, kept = track(Source.MIC)
    block = red.Redundant(OPUS.payload_type, 960, bytes(1000))
    payload = red.build(red.Red(OPUS.payload_type, bytes(MAX_PAYLOAD - 1000), (block,)))
    upstream.receive(1, 960, False, RED.payload_type, payload, 1.0)
    assert (kept.packets, upstream.malformed) == ([], 1)


# --- beginning anew ------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [WINDOW, 5000, 32_767, 32_768, 40_000, 65_536 - WINDOW])
def test_a_sender_that_jumps_far_is_believed_at_the_second_packet(jump: int) -> None:
    upstream, asked, kept = track()
    for n in range(5):
        picture(upstream, 100 + n, DELTA, 1.0 + n / 30)
    picture(upstream, 105 + jump, KEY, 1.2, 7)
    assert len(kept.packets) == 5
    picture(upstream, 106 + jump, DELTA, 1.21, 3007)
    picture(upstream, 107 + jump, DELTA, 1.24, 6007)
    assert [p.payload for p in kept.packets[5:]] == [KEY, DELTA, DELTA]
    before, after = kept.packets[4], kept.packets[5]
    assert after.seq > before.seq + WINDOW
    assert after.timestamp > before.timestamp
    assert [p.seq - after.seq for p in kept.packets[5:]] == [0, 1, 2]
    assert (upstream.due, asked.nacks, upstream.lost) == (inf, [], 0)


@pytest.mark.parametrize("back", [1, 20, WINDOW - 1])
def test_a_sender_that_jumps_back_a_little_is_believed_after_some_packets(back: int) -> None:
    upstream, _, kept = track()
    for n in range(1100):
        picture(upstream, 100 + n, DELTA, 1.0 + n / 30)
    for n in range(12):
        picture(upstream, 1200 - back + n, DELTA, 38.0 + n / 30)
    assert kept.packets[-1].seq > kept.packets[1099].seq
    assert [b.seq - a.seq for a, b in itertools.pairwise(kept.packets[-4:])] == [1, 1, 1]


def test_a_network_that_sends_everything_twice_is_no_new_beginning() -> None:
    upstream, _, kept = track()
    for n in range(100):
        picture(upstream, 100 + n, DELTA, 1.0 + n / 30)
        picture(upstream, 97 + n, DELTA, 1.0 + n / 30)
    assert sorted(from_second(kept)) == list(range(103))


def test_one_stray_packet_changes_nothing() -> None:
    upstream, _, kept = track()
    for n in range(4):
        picture(upstream, 100 + n, DELTA, 1.0 + n / 30)
        picture(upstream, 40_000 + 10 * n, DELTA, 1.0 + n / 30)
    assert from_second(kept) == [0, 1, 2, 3]


def test_another_clock_in_the_timestamps_is_a_beginning_too() -> None:
    upstream, _, kept = track()
    picture(upstream, 1, KEY, 1.0, 90_000)
    picture(upstream, 2, DELTA, 1.03, 93_000)
    picture(upstream, 3, DELTA, 1.06, 2**31 + 200_000)
    assert kept.packets[2].seq > kept.packets[1].seq + WINDOW
    assert kept.packets[2].timestamp > kept.packets[1].timestamp


def test_another_ssrc_is_a_beginning_at_once() -> None:
    upstream, _, kept = track()
    picture(upstream, 1, KEY, 1.0)
    upstream.bind(77)
    picture(upstream, 2, DELTA, 1.03)
    upstream.bind(78)
    picture(upstream, 5, KEY, 1.06)
    assert from_second(kept)[:2] == [0, 1]
    assert from_second(kept)[2] > WINDOW


def test_what_was_missing_before_a_new_beginning_is_given_up() -> None:
    upstream, _, _ = track()
    viewer = viewed(upstream)
    for seq in (1, 2, 4):
        picture(upstream, seq, DELTA, 1.0)
    for seq in (30_000, 30_001):
        picture(upstream, seq, DELTA, 1.1)
    assert [seq % 65536 for seq in viewer.gone] == [3]
    assert upstream.unrepaired == 1
    upstream.repaired(3, 0, True, VP8_TYPE, DELTA, 1.2)
    assert len(viewer.packets) == 5


@given(
    st.lists(
        st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.booleans()), min_size=1, max_size=80
    )
)
def test_numbers_never_go_back_by_more_than_the_window_whatever_comes(
    packets: list[tuple[int, int, bool]],
) -> None:
    upstream, _, kept = track()
    for at, (seq, timestamp, follows) in enumerate(packets):
        picture(upstream, seq, DELTA, at / 50, timestamp)
        if follows:
            picture(upstream, seq + 1, DELTA, at / 50, timestamp)
        upstream.tick(at / 50)
    highest = 0
    numbers = [p.seq for p in kept.packets]
    assert len(set(numbers)) == len(numbers)
    for packet in kept.packets:
        assert packet.seq > highest - WINDOW
        highest = max(highest, packet.seq)


# --- what is missing -----------------------------------------------------------------------------


def test_what_is_missing_is_asked_for_soon_and_then_given_up_for_a_key_frame() -> None:
    upstream, asked, kept = track()
    viewer = viewed(upstream)
    picture(upstream, 65534, DELTA, 1.0)
    picture(upstream, 65537, DELTA, 1.1)
    assert (asked.nacks, upstream.due) == ([], 1.1 + OVERTAKEN_S)
    upstream.tick(upstream.due)
    assert asked.nacks == [[65535, 0]]
    upstream.repaired(65535, 1, True, VP8_TYPE, REST, 1.15)
    tick(upstream, 1.15, 1.1 + VIDEO_S + 0.2)
    assert all(lost == [0] for lost in asked.nacks[1:])
    assert asked.plis >= 1
    assert [seq % 65536 for seq in viewer.gone] == [0]
    upstream.repaired(0, 1, True, VP8_TYPE, REST, 3.0)
    assert from_second(kept) == [0, 3, 1]
    assert (upstream.lost, upstream.unrepaired, upstream.duplicates) == (2, 1, 1)


def test_what_was_overtaken_is_no_loss() -> None:
    upstream, asked, kept = track()
    for seq in (1, 3, 2, 4):
        picture(upstream, seq, DELTA, 1.0)
    tick(upstream, 1.0, 2.0)
    assert (from_second(kept), asked.nacks, upstream.lost) == ([0, 2, 1, 3], [], 0)


def test_too_much_to_ask_for_is_given_up_before_the_next_packet() -> None:
    upstream, asked, _ = track()
    viewer = viewed(upstream)
    for seq in (1, 3):
        picture(upstream, seq, DELTA, 1.0)
    picture(upstream, 4 + MAX_MISSING, DELTA, 1.0)
    assert [seq % 65536 for seq in viewer.gone] == [2, *range(4, 4 + MAX_MISSING)]
    assert (asked.plis, len(viewer.packets)) == (1, 3)
    tick(upstream, 1.0, 1.1)
    assert asked.nacks == []


def test_a_key_frame_is_asked_for_again_until_one_comes() -> None:
    upstream, asked, _ = track()
    upstream.request_key_frame(1.0)
    tick(upstream, 1.0, 1.0 + 7.5 * AGAIN_S)
    assert asked.plis == 4
    picture(upstream, 1, KEY, 2.2)
    tick(upstream, 2.2, 9.0)
    assert asked.plis == 4
    assert upstream.due == inf


def test_sound_is_asked_for_but_no_key_frame() -> None:
    upstream, asked, _ = track(Source.MIC)
    sound(upstream, 1, 1.0)
    sound(upstream, 3, 1.04)
    upstream.request_key_frame(1.04)
    tick(upstream, 1.04, 3.0)
    assert asked.nacks[0] == [2]
    assert (asked.plis, upstream.unrepaired) == (0, 1)


def test_a_probe_is_no_packet() -> None:
    upstream, _, kept = track()
    picture(upstream, 1, DELTA, 1.0)
    for seq in (0, 1, 2, 30_000):
        upstream.repaired(seq, 0, True, VP8_TYPE, DELTA, 1.0)
    assert (len(kept.packets), upstream.duplicates) == (1, 4)


def test_a_request_waits_until_it_is_known_whom_to_ask() -> None:
    upstream, asked, _ = track()
    upstream.ssrc = None
    upstream.request_key_frame(1.0)
    tick(upstream, 1.0, 1.2)
    assert asked.plis == 0
    upstream.bind(5)
    upstream.tick(1.3)
    assert asked.plis == 1


# --- key frames kept -----------------------------------------------------------------------------


def begun(upstream: Upstream, now: float) -> list[bytes]:
    late = Kept()
    upstream.begin(late, now)
    return [p.payload for p in late.packets]


def test_who_comes_soon_after_a_key_frame_begins_with_it() -> None:
    upstream, asked, _ = track()
    for seq, payload in enumerate((DELTA, KEY, REST, DELTA)):
        picture(upstream, seq, payload, 1.0 + seq / 100)
    assert begun(upstream, 1.2) == [KEY, REST, DELTA]
    assert asked.plis == 0


def test_who_comes_later_asks_for_one() -> None:
    upstream, asked, _ = track()
    picture(upstream, 1, KEY, 1.0)
    assert begun(upstream, 1.6) == []
    assert asked.plis == 1


def test_a_key_frame_with_much_after_it_is_not_sent_at_once_again() -> None:
    upstream, asked, _ = track()
    picture(upstream, 0, KEY, 1.0)
    for seq in range(1, 200):
        picture(upstream, seq, REST + bytes(1000), 1.0 + seq / 1000)
    assert begun(upstream, 1.2) == []
    assert (asked.plis, upstream.due) == (0, 1.0 + INTERVAL_S)


def test_a_broken_beginning_is_none() -> None:
    upstream, asked, _ = track()
    picture(upstream, 1, DELTA, 1.0)
    picture(upstream, MAX_MISSING, KEY, 1.01)
    picture(upstream, MAX_MISSING + 2, DELTA, 1.02)
    assert begun(upstream, 1.03) == [KEY, DELTA]  # the hole may still be filled
    picture(upstream, MAX_MISSING + 10, DELTA, 1.04)
    assert begun(upstream, 1.05) == []
    tick(upstream, 1.05, 1.4)
    assert asked.plis == 1


def test_a_key_frame_repaired_late_is_one_to_begin_with() -> None:
    upstream, _, _ = track()
    picture(upstream, 1, DELTA, 1.0)
    picture(upstream, 3, REST, 1.02)
    upstream.repaired(2, 91_800, True, VP8_TYPE, KEY, 1.06)
    assert begun(upstream, 1.07) == [KEY, REST]


def test_sound_needs_nothing_to_begin_with() -> None:
    upstream, asked, _ = track(Source.MIC)
    sound(upstream, 1, 1.0)
    assert begun(upstream, 1.0) == []
    assert asked.plis == 0


# --- RED -----------------------------------------------------------------------------------------


def redundant(upstream: Upstream, seq: int, before: tuple[int, ...] = (1,)) -> None:
    """Sound number ``seq`` with those that many numbers earlier."""
    blocks = tuple(red.Redundant(OPUS.payload_type, 960 * n, b"sound %d" % (seq - n)) for n in before)
    payload = red.build(red.Red(OPUS.payload_type, b"sound %d" % seq, blocks))
    upstream.receive(seq % 2**16, 960 * seq % 2**32, False, RED.payload_type, payload, seq * 0.02)


def test_red_is_unwrapped_and_what_was_lost_is_made_out_of_it() -> None:
    upstream, asked, kept = track(Source.MIC)
    for seq in (65534, 65535, 65537, 65538):
        redundant(upstream, seq)
    assert [p.payload for p in kept.packets] == [b"sound %d" % seq for seq in range(65534, 65539)]
    assert {p.payload_type for p in kept.packets} == {OPUS.payload_type}
    assert from_second(kept) == [0, 1, 2, 3, 4]
    assert {b.timestamp - a.timestamp for a, b in itertools.pairwise(kept.packets)} == {960}
    tick(upstream, 2000.0, 2001.0)
    assert (asked.nacks, upstream.lost, upstream.unrepaired) == ([], 1, 0)


def test_two_redundant_blocks_restore_two() -> None:
    upstream, _, kept = track(Source.MIC)
    for seq in (1, 2, 5):
        redundant(upstream, seq, (2, 1))
    assert from_second(kept) == [0, 1, 2, 3, 4]
    assert [p.payload for p in kept.packets] == [b"sound %d" % seq for seq in range(1, 6)]


def test_a_block_of_another_packet_than_the_missing_one_restores_nothing() -> None:
    upstream, _, kept = track(Source.MIC)
    redundant(upstream, 1)
    redundant(upstream, 3, (2,))
    assert from_second(kept) == [0, 2]


def test_the_packet_that_comes_after_its_copy_is_a_duplicate() -> None:
    upstream, _, kept = track(Source.MIC)
    for seq in (1, 3, 2):
        redundant(upstream, seq)
    assert (from_second(kept), upstream.duplicates) == ([0, 1, 2], 1)


@given(st.binary(max_size=60))
def test_any_bytes_as_red_harm_nobody(payload: bytes) -> None:
    upstream, _, kept = track(Source.MIC)
    redundant(upstream, 1)
    upstream.receive(5, 4800, False, RED.payload_type, payload, 0.1)
    redundant(upstream, 6)
    assert kept.packets[-1].payload == b"sound 6"
    assert RED.payload_type not in {p.payload_type for p in kept.packets}


# --- reports -------------------------------------------------------------------------------------


def said(ntp: float, timestamp: int) -> rtcp.SenderReport:
    return rtcp.SenderReport(77, ntp, timestamp, 0, 0, int(ntp * 65536) & 0xFFFFFFFF)


def test_reception_counts_what_was_lost_since_the_last_report() -> None:
    upstream, _, _ = track()
    assert upstream.reception(0.0) is None
    for seq in (65534, 65535, 65538, 65539):
        picture(upstream, seq, DELTA, 1.0)
    tick(upstream, 1.0, 1.02)
    upstream.sender_report(said(1.5, 0), 10.0, 1.0)
    first = upstream.reception(2.0)
    assert first is not None
    assert (first.lost, round(first.fraction_lost, 2), first.highest) == (2, 0.33, 65539)
    assert (first.last_report, first.delay) == (0x18000, 1.0)
    picture(upstream, 65540, DELTA, 1.1)
    second = upstream.reception(3.0)
    assert second is not None
    assert (second.lost, second.fraction_lost) == (2, 0.0)


def test_a_repaired_packet_is_no_jitter() -> None:
    upstream, _, _ = track()
    for seq in (0, 1, 2, 4, 5, 6):
        picture(upstream, seq, DELTA, seq / 30)
    picture(upstream, 3, DELTA, 7 / 30, 9000)
    assert upstream.jitter_ms == pytest.approx(0.0, abs=0.01)


def test_sender_reports_are_moved_to_the_nodes_clock_and_carried_forward() -> None:
    upstream, _, kept = track()
    assert upstream.current_report(5.0) is None
    upstream.sender_report(said(100.0, 2**32 - 90_000), 7.0, 5.0)
    assert kept.reports == [SenderReport(107.0, 2**32 - 90_000)]
    assert upstream.current_report(7.0) == SenderReport(109.0, 90_000)


def test_a_stall_of_the_network_is_a_freeze_and_a_pause_of_the_sender_is_none() -> None:
    upstream, _, _ = track()
    picture(upstream, 1, KEY, 1.0)
    picture(upstream, 2, DELTA, 4.0)  # timestamps went on: the sender had nothing to send
    assert upstream.freezes == 0
    picture(upstream, 3, DELTA, 4.7, round(4.03 * 90_000))
    assert upstream.freezes == 1


def test_a_report_says_nothing_of_who_counts_time_anew() -> None:
    upstream, _, _ = track()
    picture(upstream, 1, KEY, 1.0)
    upstream.sender_report(said(1.5, 0), 10.0, 1.0)
    picture(upstream, 2, DELTA, 2.0, 90_000 * 20_000)
    assert upstream.current_report(2.0) is None
    upstream.sender_report(said(2.5, 0), 10.0, 2.0)
    upstream.bind(78)
    assert upstream.current_report(2.0) is None
