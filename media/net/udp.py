"""A bound UDP socket that takes and gives datagrams by the batch: one system call for up to 64 (Linux)."""

import errno
import socket

from media.net.batch import SLOTS, Batch, ffi

RECEIVE_BUFFER = 8 << 20  # asked for; the kernel gives no more than net.core.rmem_max
SEND_BUFFER = 4 << 20
_SO_TIMESTAMPNS = 35
_DONTWAIT = socket.MSG_DONTWAIT

_libc = ffi.dlopen(None)
_receive, _send = _libc.recvmmsg, _libc.sendmmsg
_NULL = ffi.NULL


class Udp:
    """Raises OSError when the address cannot be bound. ``host`` is an IP address literal; port 0 is any."""

    def __init__(self, host: str, port: int = 0) -> None:
        self.host = host
        self.refused = 0  # datagrams that the kernel did not take
        self._socket = socket.socket(
            socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        )
        try:
            if ":" in host:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.bind((host, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        # The kernel doubles what it gives, for its own bookkeeping (socket(7)).
        self.receive_buffer = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # bytes
        self._fd = self._socket.fileno()

    def fileno(self) -> int:
        return self._fd

    def receive(self, batch: Batch) -> int:
        """Take what is there, up to ``SLOTS``, in place of what the batch held; how many."""
        batch.prepare()
        for _ in range(2):
            count = int(_receive(self._fd, batch.messages, SLOTS, _DONTWAIT, _NULL))
            if count >= 0:
                batch.count = count
                return count
            # An ICMP error of a datagram sent earlier; reading it takes it away.
            if ffi.errno in (errno.EAGAIN, errno.EWOULDBLOCK):
                break
        return 0

    def send(self, batch: Batch) -> None:
        """Everything in the batch, which is empty afterwards. What the kernel refuses is counted and lost,
        as on any network."""
        at, end = 0, batch.count
        while at < end:
            done = int(_send(self._fd, batch.messages + at, end - at, _DONTWAIT))
            if done <= 0:
                self.refused += 1
                done = 1
            at += done
        batch.count = 0

    def close(self) -> None:
        self._socket.close()
        self._fd = -1
