"""What a worker measures of itself, and when it takes no more rooms."""

import asyncio
import time

import pytest

from media import load
from media.load import CAPACITY, CPU, DRAINING, LAG, Admission, Load, Meter


class Worker:
    """An admission on a clock that the test moves; ``rooms`` is how many are open."""

    def __init__(self, capacity: int = 100) -> None:
        self.now, self.rooms = 1000.0, 0
        self.admission = Admission(capacity, lambda: self.rooms, lambda: self.now)

    def opens(self, count: int = 1) -> list[str | None]:
        said = []
        for _ in range(count):
            said.append(self.admission())
            self.rooms += said[-1] is None
        return said

    def measures(self, cpu: float = 0.3, lag: float = 0.0, after: float = 0.5, times: int = 1) -> None:
        for _ in range(times):
            self.now += after
            self.admission.update(Load(cpu, lag))


def test_an_idle_worker_takes_rooms_up_to_its_capacity() -> None:
    worker = Worker(capacity=2)
    assert worker.opens(3) == [None, None, CAPACITY]
    worker.rooms = 1
    assert worker.opens() == [None]


def test_a_busy_processor_refuses_until_it_is_clearly_less_busy() -> None:
    worker = Worker()
    worker.measures(cpu=0.79)
    assert worker.admission.full() is None
    worker.measures(cpu=0.81)
    assert worker.opens() == [CPU]
    worker.measures(cpu=0.75)
    assert worker.opens() == [CPU], "not to and fro around the limit"
    worker.measures(cpu=0.69)
    assert worker.opens() == [None]


def test_a_late_loop_refuses_only_when_it_lasts_and_until_it_is_clearly_over() -> None:
    worker = Worker()
    worker.measures(lag=0.2, times=10)
    assert worker.admission.full() is None, "one burst of joins is no reason"
    worker.measures(lag=0.2)
    assert worker.opens() == [LAG]
    worker.measures(lag=0.04)
    assert worker.opens() == [LAG]
    worker.measures(lag=0.02)
    assert worker.opens() == [None]
    worker.measures(lag=0.2, times=10)
    worker.measures(lag=0.04)
    worker.measures(lag=0.2, times=10)
    assert worker.admission.full() is None, "the five seconds began anew"


def test_a_machine_that_is_busy_with_other_things_is_no_reason_to_refuse() -> None:
    worker = Worker()
    worker.measures(cpu=0.05, lag=0.5, times=30)
    assert worker.opens() == [None]


def test_a_draining_worker_refuses_whatever_it_has_left() -> None:
    worker = Worker()
    worker.admission.draining = True
    assert worker.opens() == [DRAINING]


def test_rooms_that_are_not_measured_yet_count_with_what_a_room_is_known_to_cost() -> None:
    worker = Worker(capacity=1000)
    taken = worker.opens(200).count(None)
    assert taken == pytest.approx(load.CPU_FULL / load.FIRST_ROOM, abs=1)
    assert worker.admission.cpu() == pytest.approx(load.CPU_FULL, abs=load.FIRST_ROOM)
    worker.measures(cpu=0.3, times=12)  # now they are, and cost less
    assert worker.admission.cpu() == pytest.approx(0.3)
    assert worker.opens() == [None]


def test_what_a_room_costs_is_learnt_between_comings_and_kept_within_reason() -> None:
    worker = Worker()
    worker.opens(10)
    worker.measures(cpu=0.5, times=4)
    assert worker.admission.room == load.FIRST_ROOM, "not while rooms are fresh"
    worker.measures(cpu=0.5, times=100)
    assert worker.admission.room == pytest.approx(0.05, rel=0.01)
    worker.measures(cpu=0.0, times=200)
    assert worker.admission.room == pytest.approx(load.ROOM_LEAST, rel=0.01)


def test_a_meter_tells_the_share_of_a_core_and_the_lag_of_nearly_all_samples() -> None:
    meter = Meter()
    assert meter.load() == Load()
    for n in range(load.SAMPLES + 20):
        late = 0.5 if n == load.SAMPLES + 5 else 0.001 * (n % 10)
        meter.sample(late, now=n * 0.05, used=n * 0.02)
    found = meter.load()
    assert found.cpu == pytest.approx(0.4)
    assert found.lag == pytest.approx(0.009), "one of a hundred is left out"
    meter.sample(0.6, now=(load.SAMPLES + 20) * 0.05, used=3.0)
    assert meter.load().lag == pytest.approx(0.5)


async def test_a_meter_measures_this_process() -> None:
    meter = Meter()
    running = asyncio.create_task(meter.run(), name="meter")
    try:
        began, used = time.monotonic(), time.process_time()
        while time.monotonic() - began < 0.3:  # noqa: ASYNC110 - busy on purpose
            await asyncio.sleep(0)
        time.sleep(0.15)  # noqa: ASYNC251 - the loop is held up on purpose
        await asyncio.sleep(0.06)
        share = (time.process_time() - used) / (time.monotonic() - began)
        found = meter.load()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert found.lag > 0.05
    assert 0.3 * share < found.cpu < 3 * share + 0.3
