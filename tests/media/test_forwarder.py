import itertools

from hypothesis import given
from hypothesis import strategies as st

from media.forwarder import HISTORY, Slot
from media.protocol import Source
from media.rtp import Rtp, SenderReport, parse_rtcp, parse_rtp
from media.sdp import RTX, VP8, Ssrcs
from media.upstream import Upstream
from tests.media.streams import DELTA, KEY, Asked, upstream


class Viewer:
    def __init__(self, video: bool = True, first_seq: int = 65_530) -> None:
        self.sent: list[Rtp] = []
        self.reports: list[object] = []
        self.slot = Slot(
            video,
            Ssrcs(1000, 1001 if video else None),
            lambda data: self.sent.append(parse_rtp(data)),
            lambda data: self.reports.extend(parse_rtcp(data)),
            first_seq,
        )


def stream(track: Upstream, first: int, payloads: list[bytes], timestamp: int, now: float) -> None:
    for number, payload in enumerate(payloads):
        track.receive(
            (first + number) % 65536, (timestamp + 3000 * number) % 2**32, True, payload, now + number / 30
        )


def test_a_picture_starts_at_a_key_frame_that_was_asked_for() -> None:
    track, asked, _ = upstream()
    viewer = Viewer()
    viewer.slot.show(track, 0.0)
    assert asked.plis == 1
    stream(track, 500, [DELTA, DELTA, KEY, DELTA], 0, 1.0)
    assert [p.payload for p in viewer.sent] == [KEY, DELTA]
    assert {(p.ssrc, p.payload_type) for p in viewer.sent} == {(1000, VP8)}


def test_sound_starts_at_once() -> None:
    track, _, _ = upstream(Source.MIC)
    viewer = Viewer(video=False)
    viewer.slot.show(track, 0.0)
    track.receive(9, 0, False, b"\xf8a", 1.0)
    assert [p.payload for p in viewer.sent] == [b"\xf8a"]


@given(
    st.lists(
        st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(1, 40)),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 32767),
)
def test_the_viewer_sees_one_stream_whatever_the_sources_count(
    turns: list[tuple[int, int, int]], first_seq: int
) -> None:
    viewer, now = Viewer(first_seq=first_seq), 0.0
    for first, timestamp, count in turns:
        track, _, _ = upstream()
        viewer.slot.show(track, now)
        stream(track, first, [DELTA, KEY, *[DELTA] * count], timestamp, now)
        now += 5.0
    numbers = [p.seq for p in viewer.sent]
    assert all((b - a) % 65536 == 1 for a, b in itertools.pairwise(numbers))
    steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in zip(viewer.sent, viewer.sent[1:], strict=False)]
    assert all(0 < step < 6 * 90_000 for step in steps)


@given(st.integers(0, 65535), st.permutations(range(1, 30)))
def test_reordering_and_loss_keep_their_shape(first: int, order: list[int]) -> None:
    track, _, _ = upstream()
    viewer = Viewer()
    viewer.slot.show(track, 0.0)
    track.receive(first, 0, True, KEY, 0.0)
    for number in order[:20]:
        track.receive((first + number) % 65536, 3000 * number, True, bytes([0x10, 1, number]), 0.1)
        track.receive((first + number) % 65536, 3000 * number, True, bytes([0x10, 1, number]), 0.1)
    start = viewer.sent[0].seq
    assert [((p.seq - start) % 65536, p.payload[2]) for p in viewer.sent[1:]] == [(n, n) for n in order[:20]]


def test_a_nack_is_answered_over_rtx_from_a_bounded_history() -> None:
    track, _, _ = upstream()
    viewer = Viewer()
    viewer.slot.show(track, 0.0)
    stream(track, 65_000, [KEY, *[DELTA] * (HISTORY + 9)], 0, 0.0)
    sent = list(viewer.sent)
    viewer.sent.clear()
    viewer.slot.nacked((sent[-1].seq, sent[0].seq, sent[-3].seq))
    assert [p.payload_type for p in viewer.sent] == [RTX, RTX]
    for again, original in zip(viewer.sent, (sent[-1], sent[-3]), strict=True):
        assert again.ssrc == 1001
        assert again.payload == original.seq.to_bytes(2, "big") + original.payload
        assert (again.timestamp, again.marker) == (original.timestamp, original.marker)


def test_what_belonged_to_an_earlier_source_is_not_sent_again() -> None:
    first, _, _ = upstream()
    second, _, _ = upstream()
    viewer = Viewer()
    viewer.slot.show(first, 0.0)
    stream(first, 10, [KEY, DELTA], 0, 0.0)
    old = viewer.sent[-1].seq
    viewer.slot.show(second, 1.0)
    stream(second, 40_000, [KEY], 77, 1.0)
    viewer.sent.clear()
    viewer.slot.nacked((old,))
    assert viewer.sent == []


def test_sender_reports_keep_time_and_move_timestamps() -> None:
    track, _, _ = upstream()
    viewer = Viewer()
    viewer.slot.show(track, 0.0)
    track.sender_report(SenderReport(77, 100.0, 0), 5.0, 0.0)
    assert viewer.reports == []  # nothing was sent that it could speak of
    track.receive(1, 9000, True, KEY, 0.0)
    track.sender_report(SenderReport(77, 101.0, 9000), 5.0, 1.0)
    assert viewer.reports == [SenderReport(1000, 106.0, viewer.sent[0].timestamp)]


def test_a_viewer_who_was_away_gets_a_key_frame_first() -> None:
    track, asked, _ = upstream()
    viewer = Viewer()
    viewer.slot.show(track, 0.0)
    stream(track, 1, [KEY, DELTA], 0, 0.0)
    viewer.slot.restart(10.0)
    assert asked.plis == 2
    viewer.sent.clear()
    stream(track, 3, [DELTA, KEY], 6000, 10.0)
    assert [p.payload for p in viewer.sent] == [KEY]


def test_showing_nothing_lets_the_source_go() -> None:
    track, asked, seen = upstream()
    viewer = Viewer()
    viewer.slot.show(track, 0.0)
    viewer.slot.show(None, 0.0)
    viewer.slot.key_frame_wanted(1.0)
    assert track.sinks == [seen]
    assert asked == Asked(nacks=[], plis=1)
