"""STUN against the RFC's own samples, and against anything that bytes can be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.net import stun
from media.net.batch import address_of
from media.net.stun import Attribute, Kind, Malformed

# RFC 5769, 2.1 to 2.3; the password of all three.
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
HEADER = "2112a442 b7e7a701bc34d686fa87dfae"
REQUEST = bytes.fromhex(
    f"00010058 {HEADER} 80220010 5354554e207465737420636c69656e74 00240004 6e0001ff"
    "80290008 932ff9b151263b36 00060009 6576746a3a68367659202020"
    "00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf"
)
RESPONSE_V4 = bytes.fromhex(
    f"0101003c {HEADER} 8022000b 7465737420766563746f7220 00200008 0001a147e112a643"
    "00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96"
)
RESPONSE_V6 = bytes.fromhex(
    f"01010048 {HEADER} 8022000b 7465737420766563746f7220"
    "00200014 0002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014 a382954e4be67bf11784c97c8292c275bfe3ed41 80280004 c8fb0b4c"
)
TRANSACTION = bytes(range(12))


def check(*attributes: tuple[Attribute, bytes], password: bytes = b"secret") -> bytes:
    return stun.build(Kind.REQUEST, TRANSACTION, attributes, password)


def test_a_request_as_the_standard_gives_it() -> None:
    message = stun.parse(REQUEST)
    assert message.kind is Kind.REQUEST
    assert message.attributes[Attribute.USERNAME] == b"evtj:h6vY"
    assert message.attributes[Attribute.PRIORITY] == bytes.fromhex("6e0001ff")
    assert message.is_authentic(PASSWORD)
    assert not message.is_authentic(PASSWORD + b"x")
    assert message.unknown == ()
    assert stun.local_ufrag(REQUEST) == b"evtj"


@pytest.mark.parametrize(
    ("data", "host"), [(RESPONSE_V4, "192.0.2.1"), (RESPONSE_V6, "2001:db8:1234:5678:11:2233:4455:6677")]
)
def test_a_response_as_the_standard_gives_it(data: bytes, host: str) -> None:
    message = stun.parse(data)
    assert (message.kind, message.mapped_address) == (Kind.SUCCESS, address_of(host, 32853))
    assert message.is_authentic(PASSWORD)
    assert stun.local_ufrag(data) is None  # it is no request
    name, value = stun.xor_mapped_address(address_of(host, 32853), message.transaction)
    assert message.attributes[name] == value


def test_what_is_built_can_be_read() -> None:
    attributes = [(Attribute.USERNAME, b"ours:theirs"), (Attribute.USE_CANDIDATE, b"")]
    message = stun.parse(check(*attributes))
    assert [(name, message.attributes[name]) for name, _ in attributes] == attributes
    assert message.transaction == TRANSACTION
    assert message.is_authentic(b"secret")
    assert not stun.parse(stun.build(Kind.REQUEST, TRANSACTION, attributes)).is_authentic(b"secret")


def test_an_error_has_a_code() -> None:
    data = stun.build(Kind.ERROR, TRANSACTION, [stun.error_code(487, "Role Conflict")])
    assert stun.parse(data).error == 487
    assert stun.parse(RESPONSE_V4).error is None


def test_nobody_vouches_for_what_follows_the_integrity() -> None:
    data = bytearray(check())[:-8]  # without FINGERPRINT
    data += (int(Attribute.USE_CANDIDATE)).to_bytes(2, "big") + bytes(2)
    data[2:4] = (len(data) - 20).to_bytes(2, "big")
    message = stun.parse(bytes(data))
    assert message.is_authentic(b"secret")
    assert Attribute.USE_CANDIDATE not in message.attributes


def test_of_two_the_first_counts() -> None:
    message = stun.parse(check((Attribute.USERNAME, b"a:b"), (Attribute.USERNAME, b"c:d")))
    assert message.attributes[Attribute.USERNAME] == b"a:b"


def test_attributes_that_must_be_understood_and_are_not() -> None:
    data = bytearray(stun.build(Kind.REQUEST, TRANSACTION, [(Attribute.USERNAME, b"")])[:-8])
    data[20:22] = b"\x7f\x01"
    data[2:4] = b"\0\4"
    assert stun.parse(bytes(data)).unknown == (0x7F01,)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST[:19],
        REQUEST[:-1],
        REQUEST[:-4],
        REQUEST + bytes(4),
        b"\0\2" + REQUEST[2:],  # another method
        REQUEST[:4] + bytes(4) + REQUEST[8:],  # no cookie
        REQUEST[:-1] + b"\0",  # another fingerprint
        b"\0\1\0\4" + REQUEST[4:20],  # more announced than there is
        REQUEST[:22] + b"\xff\xff" + REQUEST[24:],  # an attribute beyond the end
        REQUEST[:46] + b"\0\3" + REQUEST[48:],  # a short ICE-CONTROLLED
        b"\0\1\0\xa0" + REQUEST[4:20] + bytes.fromhex("80220000") * 40,
    ],
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        stun.parse(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    _read(data)


@given(st.binary(max_size=200).map(lambda body: body[: len(body) & ~3]), st.sampled_from(Kind))
def test_any_attributes(body: bytes, kind: Kind) -> None:
    _read(int(kind).to_bytes(2, "big") + len(body).to_bytes(2, "big") + bytes.fromhex(HEADER) + body)


@given(st.data())
def test_any_change_of_a_check(data: st.DataObject) -> None:
    genuine = check((Attribute.USERNAME, b"ours:theirs"), (Attribute.PRIORITY, bytes(4)))
    changed = bytearray(genuine)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = stun.parse(bytes(changed))
    except Malformed:
        return
    unsigned = 8  # FINGERPRINT, which may have become another attribute: those are not read
    assert not message.is_authentic(b"secret") or changed[:-unsigned] == genuine[:-unsigned]


def _read(data: bytes) -> None:
    stun.local_ufrag(data)
    try:
        message = stun.parse(data)
    except Malformed:
        return
    assert not message.is_authentic(PASSWORD)
    assert message.mapped_address is None or len(message.mapped_address) in (16, 28)
    assert message.error is None or message.error < 1000
    assert all(0 <= name < 0x8000 for name in message.unknown)
