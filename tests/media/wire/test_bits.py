import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.wire.bits import Bits
from media.wire.rtp import Malformed


@given(st.lists(st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, 2**n - 1), st.just(n)))))
def test_numbers_are_read_as_written(fields: list[tuple[int, int]]) -> None:
    text = "".join(f"{value:0{count}b}" for value, count in fields)
    bits = Bits(bytes(int(text[at : at + 8].ljust(8, "0"), 2) for at in range(0, len(text), 8)))
    assert [bits.read(count) for _, count in fields] == [value for value, _ in fields]


def test_numbers_of_unknown_length_are_read() -> None:
    bits = Bits(int("1" + "010" + "011" + "00111" + "011" + "010" + "00000000"[:6], 2).to_bytes(3, "big"))
    assert [bits.exp_golomb() for _ in range(4)] == [0, 1, 2, 6]
    assert [bits.signed_exp_golomb() for _ in range(2)] == [-1, 1]


@pytest.mark.parametrize("data", [b"", b"\x00", bytes(10)])
def test_a_number_that_does_not_end_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        Bits(data).exp_golomb()
