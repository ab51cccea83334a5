import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import H264, OPUS, RED, VP8
from media.path.nack import MAX_MISSING
from media.path.retransmission import FLOOR
from media.path.upstream import WINDOW, Upstream
from media.protocol import Source
from media.wire import red, rtcp
from media.wire.rtp import HEADER_BYTES, TS_MOD, extend
from tests.media.path.simulated import Got
from tests.media.path.tracks import DELTA, KEY, REST, VP8_TYPE, Shown, picture, sound, track


def shown(source: Upstream, first_seq: int = 65_530) -> Shown:
    viewer = Shown(source.video, first_seq)
    viewer.slot.show(source, 0.0)
    return viewer


def stream(source: Upstream, first: int, payloads: list[bytes], at: float, timestamp: int = 0) -> None:
    """Pictures of one packet, 30 a second."""
    for n, payload in enumerate(payloads):
        picture(source, first + n, payload, at + n / 30, timestamp + 3000 * n)


# --- how it begins -------------------------------------------------------------------------------


def test_a_picture_starts_at_a_key_frame_that_was_asked_for() -> None:
    source, asked, _ = track()
    viewer = shown(source)
    assert asked.plis == 1
    stream(source, 500, [DELTA, DELTA, KEY, DELTA], 1.0)
    assert [got.payload for got in viewer.got] == [KEY, DELTA]
    assert [got.seq for got in viewer.got] == [65_530, 65_531]
    assert {(got.payload_type, got.marker) for got in viewer.got} == {(VP8_TYPE, 1)}
    assert viewer.numbers == [0, 1]


def test_sound_starts_at_once() -> None:
    source, asked, _ = track(Source.MIC)
    viewer = shown(source)
    sound(source, 9, 1.0, b"\xf8a")
    assert [got.payload for got in viewer.got] == [b"\xf8a"]
    assert asked.plis == 0


def test_sound_begins_with_the_newest_and_not_with_what_was_missing() -> None:
    source, _, _ = track(Source.MIC)
    for seq in (1, 5, 6):
        sound(source, seq, 1.0 + seq / 50)
    viewer = shown(source)
    for seq in (3, 7, 2, 8, 4):
        sound(source, seq, 1.2 + seq / 50, b"\xf8%d" % seq)
    assert [got.payload for got in viewer.got] == [b"\xf87", b"\xf88"]
    assert viewer.steps() == {1}


def test_who_comes_after_a_key_frame_gets_it_and_what_followed() -> None:
    source, asked, _ = track()
    stream(source, 65_534, [KEY, DELTA, DELTA], 1.0)
    viewer = Shown()
    viewer.slot.show(source, 1.15)
    stream(source, 65_537, [DELTA], 1.16, 9000)
    assert [got.payload for got in viewer.got] == [KEY, DELTA, DELTA, DELTA]
    assert viewer.steps() == {1}
    assert asked.plis == 0
    assert viewer.times == sorted(viewer.times)


def test_a_key_frame_that_was_repaired_late_is_begun_with_and_all_after_it() -> None:
    source, _, _ = track()
    viewer = shown(source)
    stream(source, 1, [DELTA], 1.0)
    stream(source, 3, [REST, DELTA], 1.1, 6000)
    assert viewer.got == []
    source.repaired(2, 3000, True, VP8_TYPE, KEY, 1.2)
    stream(source, 5, [DELTA], 1.21, 12_000)
    assert [got.payload for got in viewer.got] == [KEY, REST, DELTA, DELTA]
    assert viewer.steps() == {1}


def test_what_the_viewer_does_not_take_is_not_sent() -> None:
    source, _, _ = track()
    viewer = Shown()
    viewer.slot.accept({VP8.payload_type})
    viewer.slot.show(source, 0.0)
    stream(source, 1, [KEY, DELTA], 1.0)
    for n, payload in enumerate((b"\x65key", b"\x41")):
        source.receive(3 + n, 6000 + 3000 * n, True, H264.payload_type, payload, 1.1)
    stream(source, 5, [DELTA, KEY, DELTA], 1.2, 12_000)
    assert [got.payload for got in viewer.got] == [KEY, DELTA, KEY, DELTA]
    assert {got.payload_type for got in viewer.got} == {VP8.payload_type}
    assert viewer.steps() == {1}


# --- changes -------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(st.integers(0, 65535), st.integers(0, 2**32 - 1), st.integers(1, 40)),
        min_size=1,
        max_size=6,
    ),
    st.integers(0, 65535),
)
def test_the_viewer_sees_one_stream_whatever_the_sources_count(
    turns: list[tuple[int, int, int]], first_seq: int
) -> None:
    viewer, now = Shown(first_seq=first_seq), 1.0
    for first, timestamp, count in turns:
        source, _, _ = track()
        viewer.slot.show(source, now)
        stream(source, first, [DELTA, KEY, *[DELTA] * count], now, timestamp)
        now += 5.0
    assert viewer.steps() <= {1}
    assert viewer.got[0].seq == first_seq
    steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(viewer.got)]
    assert all(0 < step <= 5 * 90_000 for step in steps)


def test_time_goes_on_over_a_change_of_source() -> None:
    one, two = track()[0], track()[0]
    viewer = shown(one)
    stream(one, 1, [KEY, DELTA], 1.0, 77)
    viewer.slot.show(two, 2.0)
    stream(two, 1000, [KEY], 3.0, 5_000_000)
    passed = (viewer.got[2].timestamp - viewer.got[1].timestamp) % 2**32
    assert passed == pytest.approx((3.0 - 1.0 - 1 / 30) * 90_000, abs=2)


def test_a_sender_that_begins_anew_is_no_jump() -> None:
    source, asked, _ = track()
    viewer = shown(source)
    stream(source, 100, [KEY, DELTA, DELTA], 1.0, 77)
    asked.plis = 0
    stream(source, 30_000, [DELTA, DELTA, KEY, DELTA], 2.0, 2**31)
    assert asked.plis == 1
    assert [got.payload for got in viewer.got] == [KEY, DELTA, DELTA, KEY, DELTA]
    assert viewer.steps() == {1}
    steps = [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(viewer.got)]
    assert all(0 < step < 2 * 90_000 for step in steps)


def test_a_change_leaves_no_hole_where_something_was_still_missing() -> None:
    one, two = track()[0], track()[0]
    viewer = shown(one)
    stream(one, 1, [KEY], 1.0)
    stream(one, 3, [DELTA], 1.1, 6000)
    viewer.slot.show(two, 1.11)
    stream(two, 1, [KEY], 1.2)
    one.repaired(2, 3000, True, VP8_TYPE, DELTA, 1.3)
    in_order = sorted(viewer.got, key=lambda got: (got.seq - 65_530) % 2**16)
    assert [got.payload for got in in_order] == [KEY, b"", DELTA, KEY]
    assert [(got.seq - 65_530) % 2**16 for got in in_order] == [0, 1, 2, 3]


def test_showing_nothing_lets_the_source_go() -> None:
    source, asked, kept = track()
    viewer = shown(source)
    viewer.slot.show(None, 0.0)
    viewer.slot.key_frame_wanted(1.0)
    assert source.sinks == [kept]
    assert source.viewers == []
    assert asked.plis == 1


# --- mute, hold, whisper -------------------------------------------------------------------------


def test_mute_stops_the_sound_for_one_viewer_and_no_picture() -> None:
    mic, camera = track(Source.MIC)[0], track()[0]
    muted, other, seen = shown(mic), shown(mic), shown(camera)
    stream(camera, 1, [KEY], 1.0)
    sound(mic, 1, 1.0)
    muted.slot.pause(1.01)
    for n in range(2, 100):
        sound(mic, n, 1.0 + n * 0.02)
    stream(camera, 2, [DELTA], 1.1, 3000)
    assert (len(muted.got), len(other.got), len(seen.got)) == (1, 99, 2)
    muted.slot.resume(3.0)
    sound(mic, 100, 3.0)
    assert muted.steps() == {1}
    assert (muted.got[1].timestamp - muted.got[0].timestamp) % 2**32 == pytest.approx(2 * 48_000, abs=960)


def test_hold_sends_nothing_and_goes_on_with_a_key_frame_and_the_time_passed() -> None:
    source, asked, _ = track()
    viewer = shown(source)
    stream(source, 1, [KEY, DELTA], 1.0)
    viewer.slot.pause(1.1)
    viewer.slot.pause(1.2)
    asked.plis = 0
    stream(source, 3, [KEY, *[DELTA] * 300], 1.1, 6000)
    viewer.slot.key_frame_wanted(5.0)
    viewer.slot.nacked([65_530], 5.0)
    source.sender_report(rtcp.SenderReport(77, 5.0, 0, 0, 0, 0), 0.0, 5.0)
    assert (len(viewer.got), viewer.rtx, viewer.reports, asked.plis) == (2, [], [], 0)
    viewer.slot.resume(20.0)
    viewer.slot.resume(20.0)
    assert asked.plis == 1
    stream(source, 304, [DELTA, KEY, DELTA], 20.0, 6000 + round((20.0 - 1.1) * 90_000))
    assert [got.payload for got in viewer.got[2:]] == [KEY, DELTA]
    assert viewer.steps() == {1}
    passed = (viewer.got[2].timestamp - viewer.got[1].timestamp) % 2**32
    assert passed == pytest.approx((20.0 + 1 / 30 - 1.0 - 1 / 30) * 90_000, abs=3000)


def test_what_is_shown_during_hold_begins_when_it_ends() -> None:
    one, two = track()[0], track()[0]
    viewer = shown(one)
    viewer.slot.pause(1.0)
    viewer.slot.show(two, 1.0)
    stream(two, 1, [KEY], 1.1)
    assert viewer.got == []
    viewer.slot.resume(1.2)
    assert [got.payload for got in viewer.got] == [KEY]


def test_a_whisper_is_heard_by_one() -> None:
    supervisor, agent = track(Source.MIC)[0], track(Source.MIC)[0]
    resident, at_agent = shown(agent), shown(supervisor)
    for n in range(5):
        sound(supervisor, n, 1.0 + n / 50, b"whisper")
        sound(agent, n, 1.0 + n / 50, b"aloud")
    assert {got.payload for got in resident.got} == {b"aloud"}
    assert {got.payload for got in at_agent.got} == {b"whisper"}


def test_a_path_that_is_too_full_gets_sound_only_and_later_a_key_frame() -> None:
    source, asked, _ = track()
    viewer = shown(source)
    stream(source, 1, [KEY, DELTA], 1.0)
    viewer.allowed = False
    asked.plis = 0
    stream(source, 3, [DELTA, KEY, DELTA], 1.1, 6000)
    assert (len(viewer.got), asked.plis) == (2, 0)
    viewer.allowed = True
    stream(source, 6, [DELTA, DELTA], 2.0, 15_000)
    assert asked.plis == 1
    stream(source, 8, [KEY], 2.1, 21_000)
    assert [got.payload for got in viewer.got] == [KEY, DELTA, KEY]
    assert viewer.steps() == {1}
    assert viewer.slot.freezes == 1
    mic = track(Source.MIC)[0]
    heard = shown(mic)
    heard.allowed = False
    sound(mic, 1, 1.0)
    assert len(heard.got) == 1


# --- what upstream lost --------------------------------------------------------------------------


def test_a_hopeless_gap_upstream_is_none_for_the_viewer() -> None:
    source, _, _ = track()
    viewer = shown(source)
    stream(source, 1, [KEY, DELTA], 1.0)
    stream(source, 3 + MAX_MISSING + 1, [DELTA, KEY], 2.0, 90_000)
    assert [got.payload for got in viewer.got] == [KEY, DELTA, DELTA, KEY]
    assert viewer.steps() == {1}
    source.receive(5, 9000, True, VP8_TYPE, DELTA, 2.1)
    assert len(viewer.got) == 4
    viewer.slot.nacked([viewer.got[1].seq, viewer.got[3].seq], 2.2)
    assert [(number, got.payload) for number, got in viewer.rtx] == [
        (viewer.got[1].seq, DELTA),
        (viewer.got[3].seq, KEY),
    ]


def test_what_was_asked_for_in_vain_is_filled_with_a_packet_of_nothing() -> None:
    source, _, _ = track()
    viewer = shown(source)
    stream(source, 1, [KEY], 1.0)
    stream(source, 3, [DELTA, DELTA], 1.1, 6000)
    now = 1.1
    while source.due < 4.0 and not source.unrepaired:
        now += 0.005
        source.tick(now)
    (empty,) = (got for got in viewer.got if not got.payload)
    assert empty == Got(65_531, viewer.got[0].timestamp, VP8_TYPE, 0, b"")
    source.repaired(2, 3000, True, VP8_TYPE, REST, now)
    assert len(viewer.got) == 4
    viewer.slot.nacked([65_531], now)
    assert viewer.rtx == [(65_531, Got(viewer.rtx[0][1].seq, empty.timestamp, VP8.rtx or 0, 0, b""))]


class Model:
    """What the viewer should see: a packet's number is one more than that of the packet before it upstream,
    not counting those given up before a packet after them came; what is late, or given up later, has the
    place at which it was missed. Payloads are numbers on the wire, unwrapped; 0 is the packet of nothing."""

    def __init__(self, first: int, first_seq: int) -> None:
        self.source = track(Source.MIC)[0]
        self.viewer = shown(self.source, first_seq)
        self.expected: list[tuple[int, int]] = []
        self.now = 1.0
        self._wire, self._out = first + 2**16, first_seq
        self._missing: dict[int, int] = {}  # number on the wire, unwrapped -> the viewer's
        self.next(1)

    def _receive(self, wire: int) -> None:
        self.now += 0.001
        name = wire.to_bytes(8, "big")
        self.source.receive(wire % 2**16, 0, False, OPUS.payload_type, name, self.now)

    def _given_up(self) -> None:
        self.expected += [(out, 0) for _, out in sorted(self._missing.items())]
        self._missing.clear()

    def next(self, count: int) -> None:
        for _ in range(count):
            self.expected.append((self._out, self._wire))
            self._receive(self._wire)
            self._wire, self._out = self._wire + 1, self._out + 1

    def skip(self, count: int) -> None:
        if len(self._missing) + count > MAX_MISSING:
            self.hopeless(count)
            return
        self._missing.update((self._wire + n, self._out + n) for n in range(count))
        self._wire, self._out = self._wire + count, self._out + count
        self.next(1)

    def late(self, count: int) -> None:
        near = [wire for wire in self._missing if self._wire - wire < WINDOW]
        if near:
            wire = near[count % len(near)]
            self.expected.append((self._missing.pop(wire), wire))
            self._receive(wire)

    def again(self, count: int) -> None:
        self._receive(self._wire - 1)

    def hopeless(self, count: int) -> None:
        self._given_up()
        self._wire += MAX_MISSING + count
        self.next(1)

    def anew(self, count: int) -> None:
        self._given_up()
        self._wire += WINDOW + 1000 * count
        self.next(2)

    def wait(self, count: int) -> None:
        for _ in range(3):
            self.now += 0.5
            self.source.tick(self.now)
        self._given_up()


@given(
    st.integers(0, 65535),
    st.integers(0, 65535),
    st.lists(
        st.tuples(
            st.sampled_from(["next", "skip", "late", "again", "hopeless", "anew", "wait"]),
            st.integers(1, 30),
        ),
        max_size=60,
    ),
)
def test_the_viewers_numbers_are_what_they_should_be_whatever_happens_upstream(
    first: int, first_seq: int, steps: list[tuple[str, int]]
) -> None:
    model = Model(first, first_seq)
    for kind, count in steps:
        getattr(model, kind)(count)
    seen = [(got.seq, int.from_bytes(got.payload, "big")) for got in model.viewer.got]
    assert seen == [(seq % 2**16, name) for seq, name in model.expected]


class Camera:
    """Sends pictures of one packet through a bad network; a key frame when asked."""

    def __init__(self, first: int, timestamp: int) -> None:
        self.upstream, self._asked, _ = track()
        self._seq, self._timestamp, self._answered = first, timestamp, 0
        self.lost: list[tuple[int, int]] = []
        self._made = 0

    def send(self, at: float, lost: bool) -> None:
        key = self._asked.plis > self._answered
        self._answered = self._asked.plis
        self._seq, self._timestamp = self._seq + 1, self._timestamp + 900
        if lost:
            self.lost.append((self._seq, self._timestamp))
        else:
            picture(self.upstream, self._seq, KEY if key else DELTA, at, self._timestamp)

    def repair(self, count: int, at: float) -> None:
        if self.lost:
            seq, timestamp = self.lost.pop(count % len(self.lost))
            self.upstream.repaired(seq % 2**16, timestamp % 2**32, True, VP8_TYPE, DELTA, at)


_DEEDS = [
    "send",
    "send",
    "send",
    "lose",
    "repair",
    "other",
    "none",
    "pause",
    "resume",
    "full",
    "free",
    "anew",
]


@given(
    st.integers(0, 65535),
    st.lists(st.tuples(st.sampled_from(_DEEDS), st.integers(1, 12)), max_size=80),
)
def test_the_line_has_no_hole_no_double_and_no_way_back_whatever_is_done(
    first_seq: int, deeds: list[tuple[str, int]]
) -> None:
    cameras = [Camera(65_500, 2**32 - 9000), Camera(65_000, 77)]
    viewer, now, at = Shown(first_seq=first_seq), 1.0, 0
    for deed, count in deeds:
        camera = cameras[at]
        match deed:
            case "send" | "lose":
                for _ in range(count):
                    now += 0.01
                    camera.send(now, deed == "lose")
            case "repair":
                camera.repair(count, now)
            case "other" | "none":
                at = count % 2
                viewer.slot.show(cameras[at].upstream if deed == "other" else None, now)
            case "pause":
                viewer.slot.pause(now)
            case "resume":
                viewer.slot.resume(now)
            case "full" | "free":
                viewer.allowed = deed == "free"
            case "anew":
                camera.upstream.bind(count)
        for one in cameras:
            if now >= one.upstream.due:
                one.upstream.tick(now)
    for _ in range(10):
        now += 0.5
        for one in cameras:
            one.upstream.tick(now)
    line = sorted(((got.seq - first_seq) % 2**16, got.timestamp) for got in viewer.got)
    assert [seq for seq, _ in line] == list(range(len(line)))
    assert all((b - a) % 2**32 < 10 * 90_000 for (_, a), (_, b) in itertools.pairwise(line))


@given(st.integers(0, 65535), st.permutations(range(1, 30)))
def test_reordering_and_loss_keep_their_shape(first: int, order: list[int]) -> None:
    source, _, _ = track()
    viewer = shown(source)
    picture(source, first, KEY, 1.0, 0)
    for number in order[:20]:
        for _ in range(2):
            picture(source, first + number, DELTA + bytes([number]), 1.001, 3000 * number)
    assert [((got.seq - 65_530) % 2**16, got.payload[4]) for got in viewer.got[1:]] == [
        (n, n) for n in order[:20]
    ]


# --- retransmission ------------------------------------------------------------------------------


def test_a_nack_is_answered_over_rtx_once_per_round_trip() -> None:
    source, _, _ = track()
    viewer = shown(source)
    stream(source, 65_000, [KEY, *[DELTA + bytes([n]) for n in range(200)]], 1.0)
    viewer.slot.retransmission.rtt = 0.05
    lost = [viewer.got[-1].seq, viewer.got[10].seq, viewer.got[-1].seq + 1]
    for now in (8.0, 8.03, 8.06):
        viewer.slot.nacked(lost, now)
    assert [number for number, _ in viewer.rtx] == lost[:2] * 2
    assert [got.seq for _, got in viewer.rtx] == [65_531, 65_532, 65_533, 65_534]
    for number, again in viewer.rtx:
        (original,) = (got for got in viewer.got if got.seq == number)
        assert again.payload == original.payload
        assert (again.timestamp, again.marker) == (original.timestamp, original.marker)
        assert again.payload_type == VP8.rtx
    assert viewer.slot.resent == 4


def test_the_asking_for_what_belonged_to_an_earlier_source_is_ended() -> None:
    one, two = track()[0], track()[0]
    viewer = shown(one)
    stream(one, 10, [KEY, DELTA], 1.0)
    viewer.slot.show(two, 2.0)
    stream(two, 10, [KEY], 2.0)
    viewer.slot.nacked([viewer.got[1].seq, 65_529], 3.0)
    assert [(number, got.payload) for number, got in viewer.rtx] == [(viewer.got[1].seq, b"")]


def test_sound_is_sent_again_bit_by_bit_as_it_was() -> None:
    source, _, _ = track(Source.MIC)
    viewer = shown(source)
    for n in range(100):
        sound(source, n, 1.0 + n / 50, b"%d" % n)
    wanted = [viewer.got[n].seq for n in (99, 40, 30)]
    viewer.slot.nacked(wanted, 3.0)
    assert viewer.again == [viewer.raw[99], viewer.raw[40]]  # 30 is too long ago
    assert viewer.slot.unrepaired == 1


def test_a_flood_of_nacks_is_not_answered_with_a_flood() -> None:
    source, _, _ = track()
    viewer = shown(source)
    stream(source, 1, [KEY, *[DELTA + bytes(1000)] * 300], 1.0)
    for second in range(60):
        for n in range(5):
            viewer.slot.nacked([got.seq for got in viewer.got], 11.0 + second + n / 5)
    size = sum(len(got.payload) for _, got in viewer.rtx)
    assert 60 * FLOOR * 0.8 < size < 64_000 + 61 * FLOOR  # what was saved, and the floor


def test_another_slots_round_trip_is_taken_as_ones_own() -> None:
    viewer = Shown()
    viewer.slot.tell_round_trip(0.2)
    assert viewer.slot.retransmission.rtt == pytest.approx(0.16)  # who asks again sooner did not wait for it
    viewer.slot.tell_round_trip(0.001)
    assert viewer.slot.retransmission.rtt == pytest.approx(0.02)


# --- redundancy ----------------------------------------------------------------------------------


@pytest.mark.parametrize("takes", [True, False])
def test_redundancy_is_passed_on_to_who_takes_it(takes: bool) -> None:
    source, _, kept = track(Source.MIC)
    viewer = shown(source)
    viewer.slot.accept({OPUS.payload_type, RED.payload_type} if takes else {OPUS.payload_type})
    payloads = []
    for seq in (1, 2, 4):
        block = red.Redundant(OPUS.payload_type, 960, b"%d" % (seq - 1))
        payloads.append(red.build(red.Red(OPUS.payload_type, b"%d" % seq, (block,))))
        source.receive(seq, 960 * seq, False, RED.payload_type, payloads[-1], 1.0 + seq / 50)
    assert [p.payload for p in kept.packets] == [b"1", b"2", b"3", b"4"]
    one, two, four = payloads if takes else [b"1", b"2", b"4"]
    assert [got.payload for got in viewer.got] == [one, two, b"3", four]
    assert viewer.steps() == {1}
    kind = RED.payload_type if takes else OPUS.payload_type
    assert [got.payload_type for got in viewer.got] == [kind, kind, OPUS.payload_type, kind]


# --- reports and probes --------------------------------------------------------------------------


def test_what_came_before_a_jump_keeps_its_own_redundancy() -> None:
    source, _, _ = track(Source.MIC)
    viewer = shown(source)
    for seq in (1, 30_000, 30_001):
        block = red.Redundant(OPUS.payload_type, 960, b"%d" % (seq - 1))
        payload = red.build(red.Red(OPUS.payload_type, b"%d" % seq, (block,)))
        source.receive(seq, 960 * seq, False, RED.payload_type, payload, 1.0)
    assert [got.payload[-len(b"30000") :] for got in viewer.got[1:]] == [b"30000", b"30001"]


def test_sender_reports_keep_time_and_move_timestamps() -> None:
    source, _, _ = track()
    viewer = shown(source)
    source.sender_report(rtcp.SenderReport(77, 100.0, 0, 0, 0, 0), 5.0, 0.5)
    assert viewer.reports == []  # nothing was sent that it could speak of
    picture(source, 1, KEY, 1.5, 90_000)
    (first,) = viewer.reports  # carried forward: lips are in step from the beginning
    assert (first.ssrc, first.ntp, first.timestamp) == (1000, 106.0, viewer.got[0].timestamp)
    source.sender_report(rtcp.SenderReport(77, 102.0, 180_000, 0, 0, 0), 5.0, 2.5)
    second = viewer.reports[1]
    assert (second.ntp, second.timestamp) == (107.0, (viewer.got[0].timestamp + 90_000) % 2**32)
    assert (second.packets, second.octets) == (1, len(KEY))


def test_sound_and_picture_of_one_person_keep_their_distance() -> None:
    mic, camera = track(Source.MIC)[0], track()[0]
    heard, seen = shown(mic), shown(camera)
    for n in range(3):
        sound(mic, n, 1.0 + n / 50)
    picture(camera, 1, KEY, 1.04)
    mic.sender_report(rtcp.SenderReport(77, 50.0, 48_000, 0, 0, 0), 3.0, 1.0)
    camera.sender_report(rtcp.SenderReport(77, 50.0, 90_000, 0, 0, 0), 3.0, 1.0)

    def played(viewer: Shown, got: Got, rate: int) -> float:
        """When the sender made it, on the node's clock, as the viewer sees it."""
        (report,) = viewer.reports
        return report.ntp + (extend(got.timestamp, report.timestamp, TS_MOD) - report.timestamp) / rate

    assert played(heard, heard.got[2], 48_000) == pytest.approx(53.04, abs=1e-4)
    assert played(seen, seen.got[0], 90_000) == pytest.approx(53.04, abs=1e-4)


def test_a_viewers_report_tells_the_round_trip() -> None:
    source, _, _ = track()
    viewer = shown(source)
    stream(source, 1, [KEY], 1.0)
    source.sender_report(rtcp.SenderReport(77, 100.0, 0, 0, 0, 0), 5.0, 2.0)
    block = rtcp.Reception(1000, 0.0, 7, 9, 900, viewer.reports[0].middle, 0.5)
    assert viewer.slot.reception(block, 2.6) == pytest.approx(0.1)
    assert (viewer.slot.lost, viewer.slot.jitter_ms) == (7, 10.0)
    assert viewer.slot.retransmission.rtt == pytest.approx(0.08)
    assert viewer.slot.reception(block._replace(last_report=1), 2.6) is None


def test_probes_are_what_the_viewer_has_already_and_padding() -> None:
    source, _, _ = track()
    viewer = shown(source)
    assert viewer.slot.pad(5000, 1.0) == 0
    stream(source, 1, [KEY + bytes(1000), DELTA + bytes(1000), DELTA], 1.0)
    before = len(viewer.got)
    sent = viewer.slot.pad(5000, 1.2)
    assert 5000 <= sent < 5000 + HEADER_BYTES + 255
    assert [number for number, _ in viewer.rtx] == [viewer.got[1].seq, viewer.got[0].seq]
    assert [got.payload for _, got in viewer.rtx] == [viewer.got[1].payload, viewer.got[0].payload]
    assert viewer.padding == sent - 2 * (HEADER_BYTES + 2 + 1004)
    assert len(viewer.got) == before


def test_who_takes_no_rtx_is_sent_none() -> None:
    source, _, _ = track()
    viewer = shown(source)
    viewer.slot.accept({VP8.payload_type})
    stream(source, 1, [KEY, DELTA], 1.0)
    viewer.slot.nacked([viewer.got[0].seq], 1.2)
    assert viewer.slot.pad(1000, 1.2) == 0
    viewer.slot.accept({VP8.payload_type, VP8.rtx or 0})
    viewer.slot.nacked([viewer.got[0].seq], 1.3)
    assert [got.payload for _, got in viewer.rtx] == [KEY]
    assert viewer.padding == 0


def test_sound_is_not_padded() -> None:
    source, _, _ = track(Source.MIC)
    viewer = shown(source)
    sound(source, 1, 1.0)
    assert viewer.slot.pad(1000, 1.0) == 0
