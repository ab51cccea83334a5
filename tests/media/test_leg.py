"""One participant's connection, against a browser that is made of the same parts in their other role."""

import pytest

from media.codecs import OPUS, VP8
from media.leg import Leg
from media.protocol import Mid, Source
from media.sdp import BadAnswer
from media.wire import rtcp
from media.wire.rtp import Malformed, parse
from tests.media.net.browser import Browser
from tests.media.net.world import World
from tests.media.path.simulated import DELTA, KEY, Kept
from tests.media.test_sdp import answer

NTP_ZERO = 4_000_000_000.0
RTX = VP8.rtx or 0


class Around:
    """A leg, the browser at its other end, and what is told of it."""

    def __init__(self, world: World, host: str = "198.51.100.1") -> None:
        self.world, self.told = world, list[str]()
        self.leg = Leg(world.port, self, NTP_ZERO, world.now)
        self.seen = {source: Kept() for source in Source}
        for source, track in self.leg.tracks.items():
            track.sinks.append(self.seen[source])
        self.call = world.join(self.leg.peer, host)

    @property
    def browser(self) -> Browser:
        return self.call.browser

    def connected(self) -> None:
        self.told.append("connected")

    def closed(self, reason: str) -> None:
        self.told.append(reason)

    def sends(self, *packets: bytes) -> None:
        for packet in packets:
            protect = self.browser.protected_rtcp if 191 < packet[1] < 224 else self.browser.protected
            self.browser.outgoing.append(protect(packet))
        self.world.run(0.1)

    def got(self, kind: type[rtcp.Rtcp]) -> list[rtcp.Rtcp]:
        found = [r for data in self.browser.rtcp for r in rtcp.parse(memoryview(data), len(data))]
        return [report for report in found if isinstance(report, kind)]


def sdp_of(browser: Browser) -> str:
    """The answer of test_sdp, with the browser's own ICE credentials and certificate."""
    lines = []
    for line in answer().split("\r\n"):
        name = line.partition(":")[0]
        own = {
            "a=ice-ufrag": browser.ufrag,
            "a=ice-pwd": browser.password,
            "a=fingerprint": f"sha-256 {browser.certificate.fingerprint}",
        }.get(name)
        lines.append(line if own is None else f"{name}:{own}")
    return "\r\n".join(lines)


def up(host: str = "198.51.100.1", world: World | None = None) -> Around:
    around = Around(world or World(), host)
    around.leg.accept(sdp_of(around.browser), 0, around.world.now)
    around.world.until(lambda: around.call.is_up)
    return around


def rtp(payload_type: int, seq: int, timestamp: int, ssrc: int, payload: bytes, mid: str = "") -> bytes:
    head = bytes([0x90 if mid else 0x80, payload_type]) + seq.to_bytes(2, "big")
    head += timestamp.to_bytes(4, "big") + ssrc.to_bytes(4, "big")
    if mid:
        element = bytes([0x10 | len(mid) - 1]) + mid.encode()
        element += bytes(-len(element) % 4)
        head += b"\xbe\xde" + (len(element) // 4).to_bytes(2, "big") + element
    return head + payload


def test_packets_find_their_track_by_ssrc_and_rtx_is_undone() -> None:
    around = up()
    assert around.told == ["connected"]
    around.sends(rtp(OPUS.payload_type, 1, 0, 100, b"\xf8"))
    around.sends(rtp(VP8.payload_type, 7, 0, 101, KEY))
    around.sends(rtp(VP8.payload_type, 9, 6000, 101, DELTA))
    around.sends(rtp(RTX, 500, 3000, 201, (8).to_bytes(2, "big") + DELTA))
    around.sends(rtp(RTX, 501, 3000, 201, b""))  # a probe
    assert [p.payload for p in around.seen[Source.MIC].packets] == [b"\xf8"]
    camera = around.seen[Source.CAMERA].packets
    assert [(p.seq % 65536, p.payload) for p in camera] == [(7, KEY), (9, DELTA), (8, DELTA)]
    assert not around.seen[Source.SHARE].packets


def test_an_unsignalled_ssrc_is_named_by_its_mid() -> None:
    around = up()
    around.sends(rtp(VP8.payload_type, 7, 0, 999, KEY, mid="share"))
    around.sends(rtp(VP8.payload_type, 9, 6000, 999, DELTA))
    around.sends(rtp(RTX, 1, 3000, 998, (8).to_bytes(2, "big") + DELTA, mid="share"))
    assert [p.seq % 65536 for p in around.seen[Source.SHARE].packets] == [7, 9, 8]


def test_what_belongs_nowhere_is_counted_and_dropped() -> None:
    around = up()
    around.sends(
        rtp(VP8.payload_type, 7, 0, 12345, KEY),  # unknown SSRC, no MID
        rtp(VP8.payload_type, 8, 0, 999, KEY, mid="video2"),  # not theirs to send
        rtp(VP8.payload_type, 9, 0, 100, KEY),  # a picture on the microphone's SSRC
        rtp(RTX, 10, 0, 100, b"\0\1" + KEY),  # a retransmitted one likewise
        rtp(77, 11, 0, 101, KEY),  # a payload type that was not offered
    )
    assert around.leg.malformed == 5
    assert not any(seen.packets for seen in around.seen.values())
    assert around.leg.peer.counters.failed == 0


def test_feedback_that_is_cut_short_is_dropped_and_what_came_before_it_counts() -> None:
    around = up()
    around.leg.slots[Mid.CAMERA].show(around.leg.tracks[Source.CAMERA], around.world.now)
    asked = len(around.got(rtcp.KeyFrameRequest))
    own = around.leg.slots[Mid.CAMERA].ssrc
    pli, cut = rtcp.build_pli(1, own), rtcp.build_transport_feedback(1, own, b"\0\1\0\xff")
    around.world.run(0.5)
    around.sends(pli + cut)
    assert around.leg.malformed == 1
    assert around.leg.peer.counters.failed == 0
    assert len(around.got(rtcp.KeyFrameRequest)) > asked


def test_a_wrong_answer_leaves_it_waiting_for_a_right_one() -> None:
    around = Around(World())
    with pytest.raises(BadAnswer):
        around.leg.accept("v=0", 0, around.world.now)
    assert not around.leg.answered
    around.leg.accept(sdp_of(around.browser), 0, around.world.now)
    around.world.until(lambda: around.call.is_up)


def test_somebody_alone_gets_the_feedback_that_finds_his_bandwidth() -> None:
    around = up()
    head = bytes([0x90, VP8.payload_type | 0x80])
    for seq in range(40):
        body = seq.to_bytes(2, "big") + (seq * 3000).to_bytes(4, "big") + (101).to_bytes(4, "big")
        around.sends(head + body + b"\xbe\xde\0\1\x31" + seq.to_bytes(2, "big") + b"\0" + KEY)
        around.leg.tick(around.world.now)
        around.world.port.flush()
    around.world.run(0.1)
    assert len(around.got(rtcp.TransportFeedback)) > 10
    reports = around.got(rtcp.Reception)
    assert reports
    assert all(isinstance(r, rtcp.Reception) and (r.ssrc, r.lost) == (101, 0) for r in reports)


def test_a_new_network_takes_new_credentials_and_no_new_handshake() -> None:
    around = up()
    leg, world = around.leg, around.world
    before = leg.offer
    leg.restart(1, world.now)
    assert leg.restarts == 1
    again = leg.offer
    leg.restart(1, world.now)  # told twice
    assert leg.offer == again
    changed = {
        old.partition(":")[0].partition(" ")[0]
        for old, new in zip(before.split("\r\n"), again.split("\r\n"), strict=True)
        if old != new
    }
    assert changed == {"o=-", "a=ice-ufrag", "a=ice-pwd"}
    world.move(around.call, "203.0.113.9")
    around.browser.offered(leg.peer.ufrag, leg.peer.password)
    leg.accept("whatever answered the offer before", 0, world.now)  # passed over
    leg.accept(sdp_of(around.browser), 1, world.now)
    world.run(0.5)
    around.sends(rtp(OPUS.payload_type, 1, 0, 100, b"\xf8"))
    assert len(around.seen[Source.MIC].packets) == 1
    assert around.told == ["connected"]


def test_two_in_a_room_and_the_numbers_of_the_way_between_them() -> None:
    world = World()
    resident, agent = up(world=world), up("198.51.100.2", world)
    agent.leg.slots[Mid.CAMERA].show(resident.leg.tracks[Source.CAMERA], world.now)
    resident.sends(rtp(VP8.payload_type | 0x80, 7, 0, 101, KEY))
    packets = [parse(memoryview(data), len(data)) for data in agent.browser.rtp if data]
    assert [(h[0], h[1]) for h in packets] == [(VP8.payload_type, 1)]
    shown = agent.leg.slots[Mid.CAMERA]

    # The sender's report goes through; the viewer's report about it tells the round trip.
    sender_ntp = 3_900_000_000.25
    resident.sends(rtcp.build_sender_report(101, sender_ntp, 0, 1, len(KEY)))
    (report,) = agent.got(rtcp.SenderReport)
    assert isinstance(report, rtcp.SenderReport)
    assert report.ssrc == shown.ssrc
    assert report.ntp == pytest.approx(NTP_ZERO + world.now, abs=0.2)
    block = rtcp.Reception(shown.ssrc, 0.25, 5, 9, 900, report.middle, 0.05)
    agent.sends(rtcp.build_receiver_report(100, [block]))
    assert agent.leg.round_trip == pytest.approx(0.05, abs=0.06)
    assert (shown.lost, shown.jitter_ms) == (5, 10.0)

    # Its request for a key frame reaches the sender.
    before = len(resident.got(rtcp.KeyFrameRequest))
    world.run(0.5)
    agent.sends(rtcp.build_pli(100, shown.ssrc))
    assert len(resident.got(rtcp.KeyFrameRequest)) == before + 1


def test_garbage_inside_of_srtp_ends_nothing() -> None:
    around = up()
    around.sends(bytes([0x80, 200, 0, 60]) + (101).to_bytes(4, "big"))  # longer than it is
    around.sends(bytes([0xA0, 96]) + bytes(6) + (101).to_bytes(4, "big") + b"\xff")  # padding of 255 bytes
    around.sends(rtp(VP8.payload_type, 7, 0, 101, b"", mid="x" * 16))
    assert around.leg.malformed == 2
    assert around.leg.peer.counters.failed == 0
    with pytest.raises(Malformed):
        parse(memoryview(b"\x90"), 1)
    around.sends(rtp(OPUS.payload_type, 1, 0, 100, b"\xf8"))
    assert len(around.seen[Source.MIC].packets) == 1


def test_ice_may_begin_anew_before_the_answer_and_during_the_handshake() -> None:
    around = Around(World())
    leg, browser, world = around.leg, around.browser, around.world
    leg.restart(1, world.now)
    leg.accept(sdp_of(browser), 0, world.now)
    assert not leg.answered  # to an offer that is no more
    browser.offered(leg.peer.ufrag, leg.peer.password)
    leg.accept(sdp_of(browser), 1, world.now)
    world.until(lambda: browser.has_begun)
    assert not around.call.is_up
    leg.restart(2, world.now)
    browser.offered(leg.peer.ufrag, leg.peer.password)
    leg.accept(sdp_of(browser), 2, world.now)
    world.until(lambda: around.call.is_up)
    around.sends(rtp(OPUS.payload_type, 1, 0, 100, b"\xf8"))
    assert around.told == ["connected"]
    assert len(around.seen[Source.MIC].packets) == 1
    assert len(world.port._peers) == 1  # the ufrags before are no longer good
