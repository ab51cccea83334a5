"""Memory laid out for the kernel: what goes in comes out."""

import pytest

from media.net.batch import SLOT_BYTES, SLOTS, Batch, address_of, host_port

HOME = address_of("192.0.2.7", 4660)
HOME_6 = address_of("2001:db8::7", 4660)


@pytest.mark.parametrize(("host", "port"), [("192.0.2.7", 4660), ("2001:db8::7", 1), ("::1", 65535)])
def test_an_address_is_a_sockaddr(host: str, port: int) -> None:
    assert host_port(address_of(host, port)) == (host, port)


@pytest.mark.parametrize("host", ["", "localhost", "192.0.2", "2001:db8::zz"])
def test_a_name_is_no_address(host: str) -> None:
    with pytest.raises(OSError):
        address_of(host, 1)


@pytest.mark.parametrize("data", [b"", HOME[:-1], HOME_6[:-1], b"\x63\0" + HOME[2:]])
def test_other_bytes_are_no_address(data: bytes) -> None:
    with pytest.raises(ValueError):
        host_port(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", [HOME, HOME_6])
def test_what_came_in_is_read_by_column(address: bytes) -> None:
    batch = Batch(receives=True)
    for size in (0, 1, SLOT_BYTES, SLOT_BYTES + 1):
        batch.incoming(bytes(size), address, 1.7e9 + size / 4096)  # type: ignore[arg-type]
    assert batch.sizes() == [0, 1, SLOT_BYTES, SLOT_BYTES]
    assert batch.addresses() == [address] * 4
    assert batch.stamps() == pytest.approx(
        [1.7e9, 1.7e9 + 1 / 4096, 1.7e9 + 0.5, 1.7e9 + 2049 / 4096], abs=1e-6
    )


def test_without_every_stamp_there_are_none() -> None:
    batch = Batch(receives=True)
    batch.incoming(b"a", HOME, 1.7e9)
    batch.incoming(b"b", HOME)
    assert batch.stamps() == []


def test_an_empty_batch_holds_nothing() -> None:
    batch = Batch(receives=True)
    assert (batch.sizes(), batch.addresses(), batch.stamps()) == ([], [], [])


def test_what_was_added_goes_out() -> None:
    batch = Batch(receives=False)
    for slot in range(SLOTS):
        batch.views[slot][:3] = b"%03d" % slot
        batch.add(3, HOME if slot % 2 else HOME_6)
    assert batch.count == SLOTS
    assert [batch.outgoing(slot) for slot in (0, 1, 63)] == [(b"000", HOME_6), (b"001", HOME), (b"063", HOME)]


def test_slots_do_not_touch() -> None:
    batch = Batch(receives=False)
    for slot, view in enumerate(batch.views):
        view[:] = bytes((slot,)) * SLOT_BYTES
    assert [view[0] for view in batch.views] == [view[-1] for view in batch.views] == list(range(SLOTS))
