"""Reading numbers bit by bit, as the heads of bit streams are written. Pure."""

from media.wire.rtp import Malformed


class Bits:
    """Big end first. Raises Malformed where the data ends too early."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        """An unsigned number of ``count`` bits."""
        if count > self._left:
            raise Malformed("the data ends too early")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def flag(self) -> bool:
        return self.read(1) == 1

    def exp_golomb(self) -> int:
        """ue(v) of H264 (9.1), uvlc() of AV1 (4.10.3): at most 32 bits."""
        zeros = 0
        while not self.flag():
            zeros += 1
            if zeros > 32:
                raise Malformed("a number too long")
        return (1 << zeros) - 1 + self.read(zeros)

    def signed_exp_golomb(self) -> int:
        """se(v) of H264 (9.1.1)."""
        code = self.exp_golomb()
        return (code + 1) // 2 if code & 1 else -(code // 2)
