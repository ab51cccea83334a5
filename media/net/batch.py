"""Memory for a batch of datagrams, laid out as recvmmsg(2) and sendmmsg(2) want it.

A datagram is written, encrypted and decrypted where it lies; nothing on its way is copied but its
payload, from the batch it came in to the batches it goes out in. A ``Batch`` does no I/O: ``udp.py``
fills and empties it, and so does a simulated network in a test.
"""

import socket
from struct import Struct
from typing import Any, NewType

from cffi import FFI

SLOTS = 64  # datagrams
SLOT_BYTES = 2048  # the longest datagram kept whole, with room for SRTP's trailer
NAME_BYTES = 28  # of a sockaddr_in6
CONTROL_BYTES = 64

Address = NewType("Address", bytes)  # a sockaddr_in or sockaddr_in6 as the kernel writes it: cheap to look up

ffi = FFI()
ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr {
        void *msg_name; uint32_t msg_namelen;
        struct iovec *msg_iov; size_t msg_iovlen;
        void *msg_control; size_t msg_controllen;
        int msg_flags;
    };
    struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
    int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, void *timeout);
    int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
    """
)

# Places inside one mmsghdr, in 32-bit words: the same on every 64-bit Linux.
_WORDS = ffi.sizeof("struct mmsghdr") // 4
_NAMELEN = ffi.offsetof("struct msghdr", "msg_namelen") // 4
_CONTROLLEN = ffi.offsetof("struct msghdr", "msg_controllen") // 4
_LEN = ffi.offsetof("struct mmsghdr", "msg_len") // 4
_STAMP = Struct("@QiiqQ")  # cmsghdr of SCM_TIMESTAMPNS: length, level, type, seconds, nanoseconds

_IN4 = Struct("=H2s4s8x")
_IN6 = Struct("=H2s4x16s4x")
_SIZE_OF = {socket.AF_INET: _IN4.size, socket.AF_INET6: _IN6.size}


class Batch:
    """Up to ``SLOTS`` datagrams, all of them to be received or all of them to be sent. ``views`` and
    ``pointers`` are the same memory, for Python and for C."""

    def __init__(self, receives: bool) -> None:
        self.count = 0  # datagrams in it, from slot 0 on
        self._memory = bytearray(SLOTS * SLOT_BYTES)
        self._names = bytearray(SLOTS * NAME_BYTES)
        self._control = bytearray(SLOTS * CONTROL_BYTES)
        self._vectors = ffi.new("struct iovec[]", SLOTS)
        self.messages: Any = ffi.new("struct mmsghdr[]", SLOTS)
        whole = memoryview(self._memory)
        base = ffi.from_buffer(self._memory)
        self.views = [whole[at : at + SLOT_BYTES] for at in range(0, len(whole), SLOT_BYTES)]
        self.pointers: list[Any] = [base + at for at in range(0, len(whole), SLOT_BYTES)]
        self._name_views = [
            memoryview(self._names)[at : at + NAME_BYTES] for at in range(0, len(self._names), NAME_BYTES)
        ]
        names, control = ffi.from_buffer(self._names), ffi.from_buffer(self._control)
        self._held = (base, names, control)  # the messages point into these
        for i in range(SLOTS):
            self._vectors[i].iov_base = self.pointers[i]
            self._vectors[i].iov_len = SLOT_BYTES
            header = self.messages[i].msg_hdr
            header.msg_name, header.msg_namelen = names + i * NAME_BYTES, NAME_BYTES
            header.msg_iov, header.msg_iovlen = self._vectors + i, 1
            if receives:
                header.msg_control, header.msg_controllen = control + i * CONTROL_BYTES, CONTROL_BYTES
        self._lengths = memoryview(ffi.buffer(self._vectors)).cast("B").cast("Q")
        self._words = memoryview(ffi.buffer(self.messages)).cast("B").cast("I")

    # --- a datagram that came in ---

    def size(self, slot: int) -> int:
        """Bytes of the datagram; ``SLOT_BYTES`` may mean that it was longer and was cut."""
        return int(self._words[slot * _WORDS + _LEN])

    def address(self, slot: int) -> Address:
        """Where it came from."""
        return Address(bytes(self._name_views[slot][: self._words[slot * _WORDS + _NAMELEN]]))

    def stamp(self, slot: int) -> float:
        """When the kernel took it from the network (Unix seconds, ns resolution); 0.0 when it did not say."""
        if self._words[slot * _WORDS + _CONTROLLEN] < _STAMP.size:
            return 0.0
        _, _, _, seconds, nanoseconds = _STAMP.unpack_from(self._control, slot * CONTROL_BYTES)
        return float(seconds + nanoseconds * 1e-9)

    def prepare(self) -> None:
        """Make every slot ready to be received into."""
        words = self._words
        for at in range(0, self.count * _WORDS, _WORDS):
            words[at + _NAMELEN] = NAME_BYTES
            words[at + _CONTROLLEN] = CONTROL_BYTES
        self.count = 0

    # --- a datagram that goes out ---

    def add(self, size: int, address: Address) -> None:
        """The bytes are in slot ``count`` already: queue them. The caller sees to ``count < SLOTS``."""
        slot = self.count
        self._lengths[2 * slot + 1] = size
        self._name_views[slot][: len(address)] = address
        self._words[slot * _WORDS + _NAMELEN] = len(address)
        self.count = slot + 1

    def outgoing(self, slot: int) -> tuple[bytes, Address]:
        """What was added at ``slot``: for a network that is simulated, and for tests."""
        data = bytes(self.views[slot][: self._lengths[2 * slot + 1]])
        return data, self.address(slot)

    def incoming(self, data: bytes, address: Address, stamp: float = 0.0) -> None:
        """Put a datagram in as though it had been received: likewise. Longer ones are cut."""
        slot = self.count
        size = min(len(data), SLOT_BYTES)
        self.views[slot][:size] = data[:size]
        self._words[slot * _WORDS + _LEN] = size
        self._name_views[slot][: len(address)] = address
        self._words[slot * _WORDS + _NAMELEN] = len(address)
        self._words[slot * _WORDS + _CONTROLLEN] = _STAMP.size if stamp else 0
        if stamp:
            seconds = int(stamp)
            _STAMP.pack_into(
                self._control, slot * CONTROL_BYTES, 32, 1, 35, seconds, int((stamp - seconds) * 1e9)
            )
        self.count = slot + 1


def address_of(host: str, port: int) -> Address:
    """Raises OSError when ``host`` is not an IP address literal."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    layout = _IN6 if family == socket.AF_INET6 else _IN4
    packed = socket.inet_pton(family, host)
    return Address(layout.pack(family, port.to_bytes(2, "big"), packed))


def host_port(address: Address) -> tuple[str, int]:
    """Raises ValueError when it is no address of the Internet families."""
    family = int.from_bytes(address[:2], "little" if address[:1] != b"\0" else "big")
    if _SIZE_OF.get(socket.AddressFamily(family)) != len(address):
        raise ValueError("not an address")
    layout = _IN6 if family == socket.AF_INET6 else _IN4
    _, port, packed = layout.unpack(address)
    return socket.inet_ntop(family, packed), int.from_bytes(port, "big")
