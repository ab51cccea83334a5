"""Memory for a batch of datagrams, laid out as recvmmsg(2) and sendmmsg(2) want it.

A datagram is written, encrypted and decrypted where it lies; nothing on its way is copied but its
payload, from the batch it came in to the batches it goes out in. A ``Batch`` does no I/O: ``udp.py``
fills and empties it, and so does a simulated network in a test.
"""

import socket
from array import array
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
_STAMP_WORDS = CONTROL_BYTES // 8
_SECONDS, _NANOSECONDS = 2, 3  # inside it, in 64-bit words

_IN4 = Struct("=H2s4s8x")
_IN6 = Struct("=H2s4x16s4x")
_SIZE_OF = {socket.AF_INET: _IN4.size, socket.AF_INET6: _IN6.size}
_NAMES = {size: Struct(f"{size}s{NAME_BYTES - size}x") for size in (_IN4.size, _IN6.size)}


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
        # The kernel's structures as columns, one item a slot: a whole batch is read or reset in a few calls.
        words = memoryview(ffi.buffer(self.messages)).cast("B").cast("I")
        control_words = memoryview(self._control).cast("Q")
        self._lengths = memoryview(ffi.buffer(self._vectors)).cast("B").cast("Q")[1::2]
        self._name_sizes = words[_NAMELEN::_WORDS]
        self._control_sizes = words[_CONTROLLEN::_WORDS]
        self._sizes = words[_LEN::_WORDS]
        self._seconds = control_words[_SECONDS::_STAMP_WORDS]
        self._nanoseconds = control_words[_NANOSECONDS::_STAMP_WORDS]

    # --- datagrams that came in ---

    def sizes(self) -> list[int]:
        """Bytes of each datagram; ``SLOT_BYTES`` may mean that it was longer and was cut."""
        return self._sizes[: self.count].tolist()

    def addresses(self) -> list[Address]:
        """Where each came from. All are of one family, as those of one socket are."""
        if not self.count:
            return []
        layout = _NAMES[self._name_sizes[0]]
        return [name for (name,) in layout.iter_unpack(self._names[: self.count * NAME_BYTES])]

    def stamps(self) -> list[float]:
        """When the kernel took each from the network (Unix seconds); nothing when it did not say of all."""
        count = self.count
        if min(self._control_sizes[:count].tolist(), default=0) < _STAMP.size:
            return []
        seconds, nanoseconds = self._seconds[:count].tolist(), self._nanoseconds[:count].tolist()
        return [s + n * 1e-9 for s, n in zip(seconds, nanoseconds, strict=True)]

    def prepare(self) -> None:
        """Make every slot ready to be received into."""
        count = self.count
        self._name_sizes[:count] = _FULL_NAMES[:count]
        self._control_sizes[:count] = _FULL_CONTROLS[:count]
        self.count = 0

    # --- datagrams that go out ---

    def add(self, size: int, address: Address) -> None:
        """The bytes are in slot ``count`` already: queue them. The caller sees to ``count < SLOTS``."""
        slot = self.count
        self._lengths[slot] = size
        self._name_views[slot][: len(address)] = address
        self._name_sizes[slot] = len(address)
        self.count = slot + 1

    # --- for a network that is simulated, and for tests ---

    def outgoing(self, slot: int) -> tuple[bytes, Address]:
        """What was added at ``slot``."""
        address = bytes(self._name_views[slot][: self._name_sizes[slot]])
        return bytes(self.views[slot][: self._lengths[slot]]), Address(address)

    def incoming(self, data: bytes, address: Address, stamp: float = 0.0) -> None:
        """Put a datagram in as though it had been received. Longer ones are cut."""
        slot = self.count
        size = min(len(data), SLOT_BYTES)
        self.views[slot][:size] = data[:size]
        self._sizes[slot] = size
        self._name_views[slot][: len(address)] = address
        self._name_sizes[slot] = len(address)
        self._control_sizes[slot] = _STAMP.size if stamp else 0
        self._seconds[slot], self._nanoseconds[slot] = int(stamp), int(stamp % 1 * 1e9)
        self.count = slot + 1


# The kernel shortens these to what it wrote.
_FULL_NAMES = memoryview(array("I", [NAME_BYTES] * SLOTS))
_FULL_CONTROLS = memoryview(array("I", [CONTROL_BYTES] * SLOTS))


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
