"""The one file that uses names which pylibsrtp keeps private: that they are there, and that they work."""

import inspect

import pylibsrtp
import pytest
from pylibsrtp import Policy, Session, _binding

from media.net.batch import ffi
from media.net.srtp import PROFILES, TRAILER, WINDOW, Profile, Srtp
from tests.media.net.browser import in_place, rtcp, rtp

profiles = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name.decode())


def pair(profile: Profile) -> tuple[Srtp, Srtp]:
    """The node's end and the browser's."""
    material = bytes(range(2 * (profile.key + profile.salt)))
    return Srtp(profile, material, is_server=True), Srtp(profile, material, is_server=False)


# --- what pylibsrtp keeps private ---


@pytest.mark.parametrize(
    "name", ["srtp_protect", "srtp_unprotect", "srtp_protect_rtcp", "srtp_unprotect_rtcp"]
)
def test_the_binding_has_what_is_called(name: str) -> None:
    signature = _binding.ffi.typeof(getattr(_binding.lib, name))
    assert [argument.cname for argument in signature.args] == ["struct srtp_ctx_t_ *", "void *", "int *"], (
        f"{name} takes other arguments: see media/net/srtp.py"
    )


def test_a_session_has_its_context_where_it_is_looked_for() -> None:
    session = Session(Policy(key=bytes(30), ssrc_type=Policy.SSRC_ANY_INBOUND))
    assert _binding.ffi.typeof(session._srtp[0]).cname == "struct srtp_ctx_t_ *"


def test_the_version_is_one_that_was_looked_at() -> None:
    assert pylibsrtp.__version__.startswith("1."), "read media/net/srtp.py against the new version"
    assert {"key", "ssrc_type", "srtp_profile"} <= set(inspect.signature(Policy.__init__).parameters)


# --- what it does ---


@profiles
def test_packets_both_ways(profile: Profile) -> None:
    node, browser = pair(profile)
    for sender, receiver in ((node, browser), (browser, node)):
        for sequence, size in enumerate((0, 1, 1000, 1400)):
            packet = rtp(7, sequence, bytes(size))
            sent = in_place(sender.protect, packet)
            assert len(packet) < len(sent) <= len(packet) + TRAILER
            assert in_place(receiver.unprotect, sent) == packet
        sent = in_place(sender.protect_rtcp, rtcp(7))
        assert len(rtcp(7)) < len(sent) <= len(rtcp(7)) + TRAILER
        assert in_place(receiver.unprotect_rtcp, sent) == rtcp(7)


@profiles
def test_a_replay_is_refused(profile: Profile) -> None:
    node, browser = pair(profile)
    sent, report = in_place(node.protect, rtp(7, 1)), in_place(node.protect_rtcp, rtcp(7))
    assert [in_place(browser.unprotect, sent) for _ in range(2)] == [rtp(7, 1), b""]
    assert [in_place(browser.unprotect_rtcp, report) for _ in range(2)] == [rtcp(7), b""]


@profiles
def test_every_changed_bit_is_noticed(profile: Profile) -> None:
    node, browser = pair(profile)
    sent, report = in_place(node.protect, rtp(7, 1)), in_place(node.protect_rtcp, rtcp(7))
    for packet, unprotect in ((sent, browser.unprotect), (report, browser.unprotect_rtcp)):
        for bit in range(8 * len(packet)):
            changed = bytearray(packet)
            changed[bit // 8] ^= 1 << bit % 8
            assert in_place(unprotect, bytes(changed)) == b""
        for size in range(len(packet)):
            assert in_place(unprotect, packet[:size]) == b""
    assert in_place(browser.unprotect, sent) == rtp(7, 1)
    assert in_place(browser.unprotect_rtcp, report) == rtcp(7)


@profiles
def test_a_packet_is_resent_bit_by_bit_within_the_window(profile: Profile) -> None:
    node, browser = pair(profile)
    sent = [in_place(node.protect, rtp(7, sequence)) for sequence in range(WINDOW + 1)]
    assert in_place(node.protect, rtp(7, 1)) == sent[1]
    assert in_place(node.protect, rtp(7, 0)) == b""
    for packet in (sent[WINDOW], sent[1]):  # it was lost, and comes at last
        assert in_place(browser.unprotect, packet) != b""
    assert in_place(browser.unprotect, sent[0]) == b""


@profiles
def test_sequence_numbers_wrap(profile: Profile) -> None:
    node, browser = pair(profile)
    for sequence in range(65_500, 65_600):
        packet = rtp(7, sequence & 0xFFFF)
        assert in_place(browser.unprotect, in_place(node.protect, packet)) == packet


@profiles
def test_whoever_has_other_keys_reads_nothing(profile: Profile) -> None:
    node, _ = pair(profile)
    other = Srtp(profile, bytes(2 * (profile.key + profile.salt)), is_server=False)
    assert in_place(other.unprotect, in_place(node.protect, rtp(7, 1))) == b""


def test_pointers_of_a_batch_are_taken_as_they_are() -> None:
    """The node's own cffi and pylibsrtp's agree on what a pointer is."""
    node, browser = pair(PROFILES[0])
    memory = bytearray(rtp(7, 1)) + bytes(TRAILER)
    pointer = ffi.from_buffer(memory)
    size = node.protect(pointer, len(rtp(7, 1)))
    assert bytes(memory[: browser.unprotect(pointer, size)]) == rtp(7, 1)
