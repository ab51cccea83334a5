"""``bangban media``: one process for each worker, watched over by a parent that does nothing else.

The parent has no event loop and no threads, so that it may fork: a worker that ends is there again within
milliseconds, with everything imported already. What it watches:

- every worker writes to its pipe, from its event loop, every ``node.LIFE_S``. One that was silent for
  ``SILENT_S`` (stopped, or stuck) is killed: its calls are better off elsewhere;
- one that ends is told of at once (its lease is deleted, ``NodeDown`` is said), so that its calls move to
  another before its lease is over, and is started again, later each time it fails;
- one that was drained is not started again. When all are drained, the parent ends too;
- when the parent dies, the kernel asks the workers to stop.
"""

import contextlib
import ctypes
import logging
import os
import secrets
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType

import redis
from msgspec.structs import replace
from redis.exceptions import RedisError

from media import node
from media.node import NodeSettings
from media.protocol import (
    NODE_LEASE_S,
    NODE_NEWS,
    NODES,
    NodeDown,
    NodeId,
    command_stream,
    encode,
    node_key,
    worker_prefix,
)

logger = logging.getLogger(__name__)

SILENT_S = 1.5
STARTING_S = 15.0  # until the first sign of life
TICK_S = 0.1
FIRST_DELAY_S = 0.2  # before a worker that ended is started again; doubled each time
LONGEST_DELAY_S = 10.0
HEALTHY_S = 30.0  # a worker that lived this long starts again without much delay
STOP_S = 2.25  # from SIGTERM to SIGKILL; a node seals for up to 1.8 s
ANNOUNCE_S = 0.3  # for Redis to answer
STOPPED, FAILED, KILLED = 0, 1, 3  # what ``run`` returns
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class TooFewPorts(ValueError):
    """The range has fewer ports than there are workers."""


def ports(port_min: int, port_max: int, count: int) -> tuple[int, ...]:
    """The UDP port of each worker: one after the other from ``port_min``; 0 (any) when no range is set.
    Raises TooFewPorts."""
    if not port_min:
        return (0,) * count
    there = max(port_max, port_min) - port_min + 1
    if there < count:
        raise TooFewPorts(f"{count} workers need {count} UDP ports, one each, but the range has {there}")
    return tuple(range(port_min, port_min + count))


@dataclass
class _Worker:
    """``heard``: monotonic seconds of its last sign of life; ``pid`` None: it does not run."""

    number: int
    port: int
    node: NodeId | None = None
    pid: int | None = None
    life: int = -1
    began: float = 0.0
    heard: float | None = None
    drained: bool = False
    delay: float = FIRST_DELAY_S
    again_at: float = 0.0


@dataclass
class Workers:
    """``run`` blocks until SIGTERM or SIGINT, or until all are drained (SIGUSR1 drains). To be run by the
    main thread of a process that has no other thread."""

    settings: NodeSettings
    ports: Sequence[int]
    work: Callable[[NodeSettings, int], None] = node.main  # what a worker does
    _all: list[_Worker] = field(default_factory=list)
    _gone: dict[NodeId, float] = field(default_factory=dict)  # not announced yet; since when
    _asked: set[signal.Signals] = field(default_factory=set)
    _came_up: bool = False
    _draining: bool = False

    def run(self) -> int:
        self._all = [_Worker(number, port) for number, port in enumerate(self.ports, start=1)]
        with self._signals() as woken:
            for worker in self._all:
                self._start(worker)
            while not self._asked & {signal.SIGTERM, signal.SIGINT}:
                self._listen(woken)
                self._look_after()
                if all(worker.drained for worker in self._all):
                    return STOPPED
                if not self._came_up and any(worker.pid is None for worker in self._all):
                    self._stop(woken)
                    return FAILED  # it cannot be started as it is set up; trying again would not help
            return self._stop(woken)

    # --- starting ---

    def _start(self, worker: _Worker) -> None:
        worker.node = NodeId(f"{_prefix()}{worker.number}-{secrets.token_hex(3)}")
        life, child_life = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        parent = os.getpid()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(life)
            self._be(worker, child_life, parent)
        os.close(child_life)
        worker.pid, worker.life = pid, life
        worker.began, worker.heard = time.monotonic(), None
        logger.info("worker %s started: %s, process %s", worker.number, worker.node, pid)

    def _be(self, worker: _Worker, life: int, parent: int) -> None:
        """In the child, and never back: what the parent has on its stack is not the child's to unwind."""
        code = FAILED
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            for other in self._all:
                if other.life >= 0:
                    os.close(other.life)
            _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
            if os.getppid() == parent:
                self.work(replace(self.settings, node=worker.node, port=worker.port), life)
                code = STOPPED
        except OSError as why:
            logger.error("worker %s cannot work: %s", worker.number, why)
        except BaseException:
            logger.exception("worker %s failed", worker.number)
        finally:
            logging.shutdown()
            os._exit(code)

    # --- watching ---

    def _listen(self, woken: int) -> None:
        """Wait for a sign of life, a signal or ``TICK_S``, and read what came. A parent that was stopped
        itself reads first what was written meanwhile, then judges."""
        poller, by_descriptor = select.poll(), {w.life: w for w in self._all if w.pid is not None}
        for descriptor in (woken, *by_descriptor):
            poller.register(descriptor, select.POLLIN)
        for descriptor, _ in poller.poll(TICK_S * 1000):
            signs = _read(descriptor)
            worker = by_descriptor.get(descriptor)
            if worker is not None and signs:
                worker.heard = time.monotonic()
                worker.drained |= node.DRAINED in signs
        self._came_up = self._came_up or all(w.heard is not None for w in self._all)

    def _look_after(self) -> None:
        if signal.SIGUSR1 in self._asked:
            self._asked.discard(signal.SIGUSR1)
            self._drain()
        now = time.monotonic()
        for worker in self._all:
            if worker.pid is not None:
                self._reap(worker)
            if worker.pid is not None and _is_silent(worker, now):
                logger.error("worker %s shows no life, killed", worker.number)
                os.kill(worker.pid, signal.SIGKILL)
                self._reap(worker, wait=True)
            if worker.pid is None and not worker.drained and self._came_up and now >= worker.again_at:
                self._start(worker)
        self._announce()

    def _drain(self) -> None:
        logger.info("draining")
        self._draining = True
        for worker in self._all:
            if worker.pid is not None:
                os.kill(worker.pid, signal.SIGUSR1)
            else:
                worker.drained = True

    def _reap(self, worker: _Worker, *, wait: bool = False) -> None:
        if worker.pid is None:
            return
        ended, status = os.waitpid(worker.pid, 0 if wait else os.WNOHANG)
        if not ended:
            return
        worker.drained |= node.DRAINED in _read(worker.life) or self._draining
        os.close(worker.life)
        worker.pid, worker.life = None, -1
        now = time.monotonic()
        if worker.node is not None:
            self._gone[worker.node] = now
        if worker.drained:
            logger.info("worker %s is drained", worker.number)
            return
        if now - worker.began > HEALTHY_S:
            worker.delay = FIRST_DELAY_S
        worker.again_at, again_in = now + worker.delay, worker.delay
        worker.delay = min(worker.delay * 2, LONGEST_DELAY_S)
        code = os.waitstatus_to_exitcode(status)
        logger.warning("worker %s ended (%s), started again in %.1f s", worker.number, code, again_in)

    def _announce(self) -> None:
        """Tried until Redis answers, or until the lease is over by itself."""
        if not self._gone:
            return
        try:
            with redis.Redis.from_url(
                self.settings.redis_url, socket_timeout=ANNOUNCE_S, socket_connect_timeout=ANNOUNCE_S
            ) as client:
                for name in tuple(self._gone):
                    _bury(client, name)
                    del self._gone[name]
        except (RedisError, OSError) as why:
            logger.warning("could not be announced as gone: %s", why)
            now = time.monotonic()
            self._gone = {name: at for name, at in self._gone.items() if now - at < NODE_LEASE_S}

    # --- stopping ---

    def _stop(self, woken: int) -> int:
        """KILLED when a worker did not end in time."""
        running = [worker for worker in self._all if worker.pid is not None]
        for worker in running:
            os.kill(worker.pid or 0, signal.SIGTERM)
        until, code = time.monotonic() + STOP_S, STOPPED
        while any(worker.pid is not None for worker in running) and time.monotonic() < until:
            self._listen(woken)
            for worker in running:
                self._reap(worker)
        for worker in running:
            if worker.pid is not None:
                os.kill(worker.pid, signal.SIGKILL)
                self._reap(worker, wait=True)
                code = KILLED
        self._announce()
        return code

    @contextlib.contextmanager
    def _signals(self) -> Iterator[int]:
        """A descriptor that can be read from when a signal came; what came is in ``_asked``."""
        read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

        def note(number: int, _: FrameType | None) -> None:
            self._asked.add(signal.Signals(number))

        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGCHLD)
        before = {number: signal.signal(number, note) for number in numbers}
        waker = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        try:
            yield read
        finally:
            signal.set_wakeup_fd(waker)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(read)
            os.close(write)


def _bury(client: redis.Redis, name: NodeId) -> None:
    with client.pipeline(transaction=True) as pipe:
        pipe.delete(node_key(name), command_stream(name))
        pipe.srem(NODES, name)
        pipe.publish(NODE_NEWS, encode(NodeDown(name)))
        pipe.execute()


def _prefix() -> str:
    return worker_prefix(socket.gethostname(), os.getpid())


def _is_silent(worker: _Worker, now: float) -> bool:
    if worker.heard is None:
        return now - worker.began > STARTING_S
    return now - worker.heard > SILENT_S


def _read(descriptor: int) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return os.read(descriptor, 4096)
    return b""
