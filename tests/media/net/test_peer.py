"""One connection, from the first check to goodbye, through simulated minutes of a bad network."""

import gc
import weakref
from dataclasses import replace

import pytest

from media.net.batch import SLOT_BYTES, SLOTS, address_of
from media.net.dtls import Certificate
from media.net.ice import MAX_PATHS
from media.net.peer import (
    CONNECT_S,
    MAX_CHECKS,
    MAX_EARLY,
    MAX_PLAIN,
    MAX_RTCP,
    MAX_RTP,
    MAX_STREAMS,
    SILENCE_S,
)
from media.net.stun import Attribute
from media.sdp import BadAnswer
from tests.media.net.browser import rtcp, rtp
from tests.media.net.world import Call, World

IPV6 = "2001:db8:1::7"


@pytest.mark.parametrize("host", ["198.51.100.9", IPV6])
def test_packets_go_both_ways(host: str) -> None:
    world = World()
    call = world.connected(host)
    call.browser.outgoing += [call.browser.protected(rtp(7, 1)), call.browser.protected_rtcp(rtcp(7))]
    packet = rtp(9, 5, b"to the browser")
    call.peer.buffer()[: len(packet)] = packet
    call.peer.send_rtp(len(packet))
    call.peer.send_rtcp(rtcp(9))
    world.run(0.1)
    assert (call.ear.rtp_heard, call.ear.rtcp_heard) == ([rtp(7, 1)], [rtcp(7)])
    assert (call.browser.rtp, call.browser.rtcp) == ([packet], [rtcp(9)])
    assert call.ear.events == ["connected"]


@pytest.mark.parametrize("seed", range(20))
def test_a_handshake_gets_through_twenty_percent_of_loss(seed: int) -> None:
    world = World(loss=0.2, seed=seed)
    call = world.call()
    assert world.until(lambda: call.is_up, within=CONNECT_S) < CONNECT_S
    world.network.loss = 0.0
    call.browser.outgoing.append(call.browser.protected(rtp(7, 1)))
    world.run(0.1)
    assert call.ear.rtp_heard == [rtp(7, 1)]


def test_before_and_after_a_connection_nothing_is_sent() -> None:
    world = World()
    call = world.call(answers=False)
    call.peer.buffer()[:12] = rtp(9, 1, b"")
    call.peer.send_rtp(12)
    call.peer.send_rtcp(rtcp(9))
    call.peer.close()
    call.peer.send_rtcp(rtcp(9))
    assert all(outlet.batch.count == 0 for outlet in world.port.outlets)


def test_a_full_batch_is_sent_when_the_next_packet_is_written() -> None:
    world = World()
    call = world.connected()
    for sequence in range(2 * SLOTS + 5):
        call.peer.buffer()[:12] = rtp(9, sequence, b"")
        call.peer.send_rtp(12)
    world.run(0.1)
    assert sorted(call.browser.rtp) == [rtp(9, sequence, b"") for sequence in range(2 * SLOTS + 5)]


def test_what_is_too_long_to_protect_is_not_sent() -> None:
    world = World()
    call = world.connected()
    for size in (MAX_PLAIN, MAX_PLAIN + 1, SLOT_BYTES + 1):
        call.peer.send_again(rtp(9, 1, bytes(size - 12)))
        call.peer.send_rtcp(rtcp(9) + bytes(size - 8))
    call.peer.send_rtp(SLOT_BYTES + 1)
    assert [outlet.batch.count for outlet in world.port.outlets] == [2, 0]


def test_sound_asked_for_again_is_sent_again_bit_by_bit() -> None:
    world = World()
    call = world.connected()
    call.peer.send_again(rtp(9, 1))
    call.peer.send_again(rtp(9, 2))
    call.peer.send_again(rtp(9, 1))
    world.run(0.1)
    # The browser has the first already: a copy of it is a replay, not another packet.
    assert sorted(call.browser.rtp) == [b"", rtp(9, 1), rtp(9, 2)]


# --- the answer ---


def test_what_comes_before_the_answer_is_kept() -> None:
    world = World()
    call = world.call(answers=False)
    world.until(lambda: call.browser.has_begun)
    world.run(0.05)
    assert not call.is_up
    call.peer.accept(call.browser.remote, world.now)
    assert world.until(lambda: call.is_up) < 0.15  # sooner than the browser would have tried again


def test_it_is_not_kept_without_a_bound() -> None:
    world = World()
    call = world.call(answers=False)
    world.until(lambda: call.browser.has_begun)
    call.browser.outgoing += [bytes((22,)) + bytes(40)] * 50
    world.run(0.1)
    assert call.peer.counters.overflow == 50 + 1 - MAX_EARLY
    call.peer.accept(call.browser.remote, world.now)
    world.until(lambda: call.is_up)


def test_another_fingerprint_takes_another_connection() -> None:
    world = World()
    call = world.connected()
    with pytest.raises(BadAnswer, match="fingerprint"):
        call.peer.accept(
            replace(call.browser.remote, fingerprints=(("sha-256", "AA:" * 31 + "AA"),)), world.now
        )
    assert call.is_up


def test_whoever_has_another_certificate_than_the_answer_says_gets_no_keys() -> None:
    world = World()
    call = world.call(answers=False)
    call.peer.accept(replace(call.browser.remote, fingerprints=_fingerprints(Certificate())), world.now)
    world.run(1.0)
    call.browser.outgoing.append(bytes((128, 96)) + bytes(40))
    world.run(0.1)
    assert (call.ear.events, call.ear.rtp_heard) == (["dtls_failed"], [])
    assert call.peer not in world.port.peers


def test_of_two_hashes_the_stronger_counts() -> None:
    world = World()
    call = world.call(answers=False)
    wrong = ("sha-512", "AA:" * 63 + "AA")
    call.peer.accept(
        replace(call.browser.remote, fingerprints=(*call.browser.remote.fingerprints, wrong)), world.now
    )
    world.run(1.0)
    assert call.ear.events == ["dtls_failed"]


def _fingerprints(certificate: Certificate) -> tuple[tuple[str, str], ...]:
    return (("sha-256", certificate.fingerprint),)


# --- silence and time-outs ---


def test_a_silent_browser_is_known_in_six_seconds() -> None:
    world = World()
    call = world.connected()
    world.run(60.0)
    assert call.ear.events == ["connected"]  # checks are a sign of life
    heard = call.peer.heard
    world.network.loss = 1.0
    world.until(lambda: call.ear.events == ["connected", "silent"], within=SILENCE_S + 0.01)
    assert world.now - heard == pytest.approx(SILENCE_S, abs=0.01)
    assert call.peer not in world.port.peers


def test_what_is_not_authentic_is_no_sign_of_life() -> None:
    world = World()
    call = world.connected()
    call.browser.offered("nobody", "x" * 22)
    for _ in range(70):
        call.browser.outgoing += [bytes((128, 96)) + bytes(40), bytes((23, 254, 253)) + bytes(20)]
        world.run(0.1)
    assert call.ear.events == ["connected", "silent"]


def test_no_check_is_an_ice_timeout() -> None:
    world = World()
    world.network.loss = 1.0
    call = world.call()
    took = world.until(lambda: call.ear.events == ["ice_timeout"], within=CONNECT_S + 1)
    assert took == pytest.approx(CONNECT_S, abs=0.1)


def test_no_handshake_is_a_dtls_timeout() -> None:
    world = World()
    call = world.call()
    call.browser.has_begun = True
    world.until(lambda: call.ear.events == ["dtls_timeout"], within=CONNECT_S + 1)


# --- goodbye ---


def test_a_browser_says_goodbye() -> None:
    world = World()
    call = world.connected()
    call.browser.close()
    world.run(0.1)
    assert (call.ear.events, call.peer.connected) == (["connected", "closed"], False)
    assert world.port.peers == set()


def test_the_node_says_goodbye_and_its_receiver_hears_nothing_of_it() -> None:
    world = World()
    call = world.connected()
    call.peer.close()
    call.peer.close()
    world.run(0.1)
    assert call.browser.dtls.state.name == "CLOSED"
    world.run(SILENCE_S + 1)
    assert call.ear.events == ["connected"]
    assert world.port.peers == set()


@pytest.mark.parametrize("who", ["browser", "node"])
def test_what_has_ended_is_freed_without_the_garbage_collector(who: str) -> None:
    world = World()
    call = world.connected()
    assert call.peer._dtls is not None
    dtls, peer = weakref.ref(call.peer._dtls), weakref.ref(call.peer)
    gc.disable()
    try:
        if who == "node":
            call.peer.close()
        else:
            call.browser.close()
        world.run(0.1)
        world.calls.clear()
        del call
        assert (dtls(), peer()) == (None, None)
    finally:
        gc.enable()


# --- ICE again ---


@pytest.mark.parametrize("host", ["203.0.113.50", IPV6])
def test_another_network_is_another_check_and_no_other_handshake(host: str) -> None:
    world = World()
    call = world.connected()
    srtp = call.browser.dtls.srtp
    call.peer.restart(world.now)
    call.address, call.wire = address_of(host, 6000), 1 if ":" in host else 0
    call.browser.offered(call.peer.ufrag, call.peer.password)
    call.peer.accept(call.browser.remote, world.now)
    call.browser.outgoing.append(call.browser.check())
    world.run(0.2)
    call.peer.send_rtcp(rtcp(9))
    call.browser.outgoing.append(call.browser.protected(rtp(7, 1)))
    world.run(0.2)
    assert (call.browser.rtcp, call.ear.rtp_heard) == ([rtcp(9)], [rtp(7, 1)])
    assert call.browser.dtls.srtp is srtp
    assert call.ear.events == ["connected"]


def test_old_credentials_are_good_until_the_new_ones_are_used() -> None:
    world = World()
    call = world.connected()
    old = (call.peer.ufrag, call.peer.password)
    call.peer.restart(world.now)
    new = (call.peer.ufrag, call.peer.password)
    assert new != old
    for credentials, is_answered in ((old, True), (new, True), (old, False), (new, True)):
        world.run(0.1)  # nothing is under way any more
        call.browser.offered(*credentials)
        call.browser.responses.clear()
        world.run(0.1)
        assert bool(call.browser.responses) is is_answered


def test_a_restart_that_nobody_followed_can_be_repeated() -> None:
    world = World()
    call = world.connected()
    old, unused = (call.peer.ufrag, call.peer.password), []
    for _ in range(5):
        call.peer.restart(world.now)
        unused.append((call.peer.ufrag, call.peer.password))
    for credentials, is_answered in ((unused[0], False), (old, True), (unused[-1], True)):
        world.run(0.1)  # nothing is under way any more
        call.browser.offered(*credentials)
        call.browser.responses.clear()
        world.run(0.1)
        assert bool(call.browser.responses) is is_answered
    assert len(world.port._peers) == 1


def test_whoever_is_on_his_way_back_is_waited_for() -> None:
    world = World()
    call = world.connected()
    world.network.loss = 1.0
    world.run(SILENCE_S - 0.5)
    call.peer.restart(world.now)
    world.run(CONNECT_S - 1)
    world.network.loss = 0.0
    call.browser.offered(call.peer.ufrag, call.peer.password)
    world.run(30.0)
    assert call.ear.events == ["connected"]


def test_whoever_came_back_is_waited_for_no_longer_than_others() -> None:
    world = World()
    call = world.connected()
    call.peer.restart(world.now)
    call.browser.offered(call.peer.ufrag, call.peer.password)
    world.run(0.1)
    world.network.loss = 1.0
    world.until(lambda: call.ear.events == ["connected", "silent"], within=6.0)


def test_the_address_nominated_last_is_used() -> None:
    world = World()
    call = world.connected()
    home = call.address
    call.address = address_of("203.0.113.50", 6000)
    call.browser.nominates = False
    call.browser.outgoing.append(call.browser.check())
    world.run(0.1)
    call.peer.send_rtcp(rtcp(9))
    world.port.flush()
    world.network.advance(0.1)
    assert [data[0] for _, data in world.network.take(home) if data[0] > 3] == [128]
    call.browser.outgoing.append(call.browser.check((Attribute.USE_CANDIDATE, b"")))
    world.run(0.1)
    call.peer.send_rtcp(rtcp(9))
    world.run(0.1)
    assert call.browser.rtcp == [rtcp(9)]


def test_a_peer_has_a_bounded_number_of_addresses() -> None:
    world = World()
    call = world.connected()
    home = call.address
    call.browser.nominates = False
    for number in range(50):
        world.wires[0].inject(address_of("203.0.113.50", 1000 + number), call.browser.check())
    world.run(0.1)
    known = world.port._inlets[0].known
    assert len(known) == len(call.peer.ice.paths) == MAX_PATHS
    assert home in known  # the one in use is not forgotten
    assert address_of("203.0.113.50", 1049) in known
    call.peer.close()
    assert not known


# --- the door ---


def test_a_peer_has_a_bounded_number_of_streams() -> None:
    world = World()
    call = world.connected()
    call.peer.ssrcs.add(1)
    world.network.delay = 0.0
    for ssrc in range(100, 250):
        call.browser.outgoing += [
            call.browser.protected(rtp(ssrc, 1)),
            call.browser.protected_rtcp(rtcp(ssrc)),
        ]
    world.run(0.1)
    assert len(call.ear.rtp_heard) == MAX_STREAMS - 1
    call.browser.outgoing.append(call.browser.protected(rtp(1, 1)))
    world.run(0.1)
    assert call.ear.rtp_heard[-1] == rtp(1, 1)


def test_a_forged_ssrc_takes_no_room() -> None:
    world = World()
    call = world.connected()
    call.browser.outgoing += [rtp(ssrc, 1, bytes(40)) for ssrc in range(100, 300)]
    call.browser.outgoing += [rtcp(ssrc) + bytes(40) for ssrc in range(100, 300)]
    world.run(0.1)
    call.browser.outgoing.append(call.browser.protected(rtp(5, 1)))
    world.run(0.1)
    assert call.ear.rtp_heard == [rtp(5, 1)]
    assert call.peer.counters.unauthentic == 400


@pytest.mark.parametrize("kind", ["rtp", "rtcp"])
def test_more_than_anybody_sends_between_two_ticks_is_left_out(kind: str) -> None:
    world = World()
    call = world.connected()
    (path,) = call.peer.ice.paths
    fit = MAX_RTP if kind == "rtp" else MAX_RTCP // len(rtcp(7))

    def heard_of(count: int, begun: int = 0) -> int:
        before = len(call.ear.rtp_heard) + len(call.ear.rtcp_heard)
        for number in range(count):
            plain = rtp(7, begun + number) if kind == "rtp" else rtcp(7)
            protect = call.browser.protected if kind == "rtp" else call.browser.protected_rtcp
            world.wires[0].inject(path.address, protect(plain))
        while world.port.drain(world.now):
            pass
        return len(call.ear.rtp_heard) + len(call.ear.rtcp_heard) - before

    assert heard_of(fit + 50) == fit
    assert call.peer.counters.overflow == 50
    world.port.tick(world.now)
    assert heard_of(5, begun=fit + 50) == 5


def test_checks_beyond_a_bound_are_not_answered_and_strangers_do_not_use_them_up() -> None:
    world = World()
    call = world.connected()
    (path,) = call.peer.ice.paths
    unauthentic = call.peer.counters.unauthentic

    def answered(count: int, password: str | None = None) -> int:
        for _ in range(count):
            world.wires[0].inject(path.address, call.browser.check(password=password))
        world.port.drain(world.now)
        batch = world.port.outlets[0].batch
        found, batch.count = batch.count, 0
        return found

    world.port.tick(world.now)
    assert answered(MAX_CHECKS * 2, "wrong" * 5) == 0
    assert call.peer.counters.unauthentic == unauthentic + MAX_CHECKS * 2
    assert answered(MAX_CHECKS + 5) == MAX_CHECKS
    world.port.tick(world.now)
    assert answered(1) == 1


def test_a_packet_that_was_here_before_is_dropped() -> None:
    world = World()
    call: Call = world.connected()
    call.browser.outgoing += [call.browser.protected(rtp(7, 1))] * 3
    world.run(0.1)
    assert (call.ear.rtp_heard, call.peer.counters.unauthentic) == ([rtp(7, 1)], 2)


def test_an_established_connection_hears_no_second_client_hello() -> None:
    world = World()
    call = world.connected()
    other = world.call()
    call.browser.outgoing += other.browser.dtls.start(world.now)
    world.run(1.0)
    call.browser.outgoing.append(call.browser.protected(rtp(7, 1)))
    world.run(0.1)
    assert (call.ear.events, call.ear.rtp_heard) == (["connected"], [rtp(7, 1)])
