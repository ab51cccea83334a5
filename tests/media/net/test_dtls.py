"""The handshake: what it yields, and that nothing which arrives can raise."""

import hashlib
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from media.net.dtls import MTU, RESEND_MAX_S, RESEND_S, Certificate, Dtls, State
from media.net.srtp import PROFILES, Profile
from tests.media.net.browser import in_place, rtp

NODE, BROWSER = Certificate(), Certificate()


def pair(fingerprints: list[tuple[str, str]] | None = None) -> tuple[Dtls, Dtls]:
    expected = [("sha-256", BROWSER.fingerprint)] if fingerprints is None else fingerprints
    return Dtls(NODE, expected), Dtls(BROWSER, [("sha-256", NODE.fingerprint)], is_server=False)


def finish(server: Dtls, client: Dtls, now: float = 0.0) -> None:
    outgoing = client.start(now)
    while outgoing:
        answers = [answer for datagram in outgoing for answer in server.receive(datagram, now)]
        outgoing = [datagram for answer in answers for datagram in client.receive(answer, now)]


def connected() -> tuple[Dtls, Dtls]:
    server, client = pair()
    finish(server, client)
    assert server.state is client.state is State.CONNECTED
    return server, client


def test_a_handshake_yields_the_same_keys_on_both_sides() -> None:
    server, client = connected()
    assert server.srtp is not None
    assert client.srtp is not None
    there = in_place(client.srtp.protect, rtp(7, 1))
    assert there != rtp(7, 1)
    assert in_place(server.srtp.unprotect, there) == rtp(7, 1)
    back = in_place(server.srtp.protect, rtp(9, 1))
    assert in_place(client.srtp.unprotect, back) == rtp(9, 1)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(PROFILES[::-1], PROFILES[0]), (PROFILES[1:], PROFILES[1]), (PROFILES[:1], PROFILES[0])],
)
def test_the_node_chooses_the_profile(offered: tuple[Profile, ...], chosen: Profile) -> None:
    theirs = Certificate()
    theirs.context.set_tlsext_use_srtp(b":".join(profile.name for profile in offered))
    server = Dtls(NODE, [("sha-256", theirs.fingerprint)])
    client = Dtls(theirs, [("sha-256", NODE.fingerprint)], is_server=False)
    finish(server, client)
    assert server.state is client.state is State.CONNECTED
    assert server._tls.get_selected_srtp_profile() == chosen.name


def test_the_version_is_fixed() -> None:
    server, _ = connected()
    assert server._tls.get_protocol_version_name() == "DTLSv1.2"


def test_a_fingerprint_is_written_as_in_sdp() -> None:
    certificate: x509.Certificate = NODE._certificate
    digest = hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    assert NODE.fingerprint == ":".join(digest[i : i + 2] for i in range(0, 64, 2))


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
@pytest.mark.parametrize("is_right", [True, False])
def test_a_fingerprint_decides(algorithm: str, is_right: bool) -> None:
    whose = BROWSER if is_right else NODE
    der = whose._certificate.public_bytes(Encoding.DER)
    digest = hashlib.new(algorithm.replace("-", ""), der).hexdigest()
    value = ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))
    server, client = pair([("md5", "00"), (algorithm, value)])
    finish(server, client)
    assert server.state is (State.CONNECTED if is_right else State.FAILED)
    assert (server.srtp is not None) is is_right
    assert client.state is (State.CONNECTED if is_right else State.HANDSHAKE)


def test_no_known_fingerprint_is_no_connection() -> None:
    server, client = pair([("md5", "00")])
    finish(server, client)
    assert server.state is State.FAILED


def test_datagrams_fit_every_path() -> None:
    server, client = pair()
    flights = [client.start(0.0)]
    flights.append([answer for datagram in flights[-1] for answer in server.receive(datagram, 0.0)])
    flights.append([answer for datagram in flights[-1] for answer in client.receive(datagram, 0.0)])
    assert all(flights)
    assert max(len(datagram) for flight in flights for datagram in flight) <= MTU


@pytest.mark.parametrize("seed", range(20))
def test_every_datagram_may_be_lost_reordered_or_doubled(seed: int) -> None:
    random = Random(seed)
    server, client = pair()
    now = 0.0
    to_server, to_client = client.start(now), list[bytes]()
    while not server.state is client.state is State.CONNECTED:
        assert now < 60.0
        now += 0.05
        arriving = [d for d in to_server for _ in range(random.choice((0, 1, 1, 2)))]
        random.shuffle(arriving)
        to_client += [answer for datagram in arriving for answer in server.receive(datagram, now)]
        arriving = [d for d in to_client for _ in range(random.choice((0, 1, 1, 2)))]
        random.shuffle(arriving)
        to_server = [answer for datagram in arriving for answer in client.receive(datagram, now)]
        to_server += client.tick(now)
        to_client = server.tick(now)


def test_a_flight_is_repeated_less_and_less_often() -> None:
    _, client = pair()
    flight = client.start(0.0)
    times = [step / 100 for step in range(1000) if client.tick(step / 100) == flight]
    pauses = [after - before for before, after in zip([0.0, *times], times, strict=False)]
    assert pauses[:4] == pytest.approx([RESEND_S, 0.4, 0.8, 1.6], abs=0.02)
    assert max(pauses) == pytest.approx(RESEND_MAX_S, abs=0.02)


def test_the_last_flight_is_repeated_for_whoever_repeats_his_but_not_for_a_flood() -> None:
    server, client = connected()
    last = client._flight[0]
    answers = [server.receive(last, 1.0 + number / 1000) for number in range(100)]
    assert [number for number, answer in enumerate(answers) if answer] == [0, 50]
    assert all(answer in ([], server._flight) for answer in answers)


def test_goodbye_is_heard() -> None:
    for speaker, listener in (connected(), connected()[::-1]):
        said = speaker.close()
        assert said
        for datagram in said:
            assert listener.receive(datagram, 1.0) == []
        assert listener.state is speaker.state is State.CLOSED
        assert listener.close() == speaker.close() == []


def test_a_forged_goodbye_is_not() -> None:
    server, client = connected()
    close_notify = bytes.fromhex("15 fefd 0000 000000000009 0002 0100")
    fatal = bytes.fromhex("15 fefd 0001 000000000009 0002 0228")
    for datagram in (close_notify, fatal):
        server.receive(datagram, 1.0)
        client.receive(datagram, 1.0)
    assert server.state is client.state is State.CONNECTED


def test_a_second_client_hello_is_not_answered_with_a_handshake() -> None:
    server, _ = connected()
    _, other = pair()
    last_flight = list(server._flight)
    for number in range(100):
        for datagram in other.start(0.0) or other.tick(float(number)):
            assert server.receive(datagram, 1.0) in ([], last_flight)
    assert server.state is State.CONNECTED


@given(st.binary(max_size=300).map(lambda data: bytes((22,)) + data))
@settings(max_examples=50, deadline=None)
def test_any_datagram_before_the_handshake_leaves_it_possible(data: bytes) -> None:
    server, client = pair()
    server.receive(data, 0.0)
    finish(server, client)
    assert server.state is State.CONNECTED


@given(
    st.lists(
        st.tuples(st.integers(20, 63), st.sampled_from([0xFEFD, 0xFEFF, 0x0303]), st.binary(max_size=60)),
        max_size=4,
    ),
    st.integers(0, 3),
)
@settings(max_examples=100, deadline=None)
def test_any_records_at_any_stage_never_raise(records: list[tuple[int, int, bytes]], stage: int) -> None:
    server, client = pair()
    datagram = b"".join(
        bytes((kind,)) + version.to_bytes(2, "big") + bytes(8) + len(body).to_bytes(2, "big") + body
        for kind, version, body in records
    )
    outgoing = client.start(0.0)
    for at in range(4):
        if at == stage:
            server.receive(datagram, 0.0)
        answers = [answer for sent in outgoing for answer in server.receive(sent, 0.0)]
        outgoing = [sent for answer in answers for sent in client.receive(answer, 0.0)]
    server.tick(10.0)
    server.close()
    if stage == 3:  # the handshake was over
        assert server.srtp is not None


@given(st.lists(st.none() | st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=6))
@settings(max_examples=60, deadline=None)
def test_any_change_of_a_flight_never_raises(changes: list[tuple[float, int] | None]) -> None:
    server, client = pair()
    outgoing = client.start(0.0)
    for _ in range(3):
        answers: list[bytes] = []
        for sent in outgoing:
            changed = bytearray(sent)
            if changes and (change := changes.pop()) is not None:
                changed[int(change[0] * len(sent))] ^= change[1]
            answers += server.receive(bytes(changed), 0.0)
        outgoing = [sent for answer in answers for sent in client.receive(answer, 0.0)]
    assert (server.srtp is not None) is (server.state in (State.CONNECTED, State.CLOSED))
    connected()  # and nobody else's handshake suffers from what went wrong in this one
